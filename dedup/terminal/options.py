"""The options that commands share, each said once; those of the settings are built from their dataclass.

In: the metadata of `Settings`. Out: decorators for commands, which hand over ready values: `settings`, a
`Settings`; `fields`, a mapping of field names. An option is also read from the environment:
DEDUP_WINDOW_DAYS=7.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import Field, fields
from functools import wraps
from typing import Any, TypeVar, cast

import click

from dedup.learned import Learned, read_furniture
from dedup.model import Model, read_model
from dedup.settings import RANKS, RELATIONS, Settings

__all__ = [
    "CONTEXT",
    "Bytes",
    "CommaList",
    "Command",
    "HeadedOption",
    "LearnedFile",
    "corpora",
    "corpus_options",
    "dry_run_option",
    "engine_options",
    "floors",
    "json_option",
    "labels_options",
    "output_option",
    "rejects_option",
    "settings_options",
]

COMMON = (
    "relations",
    "keep",
    "sources",
    "window_days",
    "rewrite_probability",
    "copy_jaccard",
    "furniture",
    "model",
    "threads",
)
"""The settings that come first in --help; the others stand under "Advanced"."""

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100, "auto_envvar_prefix": "DEDUP"}
"""What holds for every command: its width, and where the environment may set its options."""
METAVARS = {int: "N", float: "NUMBER", tuple: "A,B,...", type(None): "FILE"}
OWN_METAVARS = {"keep": None, "memory": "BYTES", "work_dir": "FOLDER"}
"""What stands for the value of an option in --help, by its type, and for some by its name."""

UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
BYTES = re.compile(r"(\d+(?:\.\d+)?)([KMG]?)(?:I?B)?")

OWN, MATCHING, READING, ENGINE, ADVANCED = "Options", "Matching", "Reading", "Engine", "Advanced"
HEADINGS = (OWN, MATCHING, READING, ENGINE, ADVANCED)
"""The headings of options in --help."""

SCORES = ("f1", "precision", "recall", "b3_f1", "b3_precision", "b3_recall", "ari", "v_measure")
"""What `--floor` may ask for."""

F = TypeVar("F", bound=Callable[..., Any])
Decorator = Callable[[F], F]


class HeadedOption(click.Option):
    """An option that stands under a heading of its own in --help."""

    def __init__(self, *args: Any, heading: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.heading = heading


class Command(click.Command):
    """A command whose --help puts options under headings, and ends with examples."""

    def __init__(self, *args: Any, section: str = "", examples: tuple[str, ...] = (), **kwargs: Any) -> None:
        super().__init__(*args, **{"context_settings": CONTEXT, **kwargs})
        self.section = section
        self.examples = examples

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options in sections, the command's own first."""
        sections: dict[str, list[tuple[str, str]]] = {heading: [] for heading in HEADINGS}
        for option in self.get_params(ctx):
            record = option.get_help_record(ctx) if isinstance(option, click.Option) else None
            if record:
                sections[getattr(option, "heading", OWN)].append(record)
        for heading, records in sections.items():
            if records:
                with formatter.section(heading):
                    formatter.write_dl(records)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, each on a line of its own."""
        super().format_epilog(ctx, formatter)
        if self.examples:
            with formatter.section("Examples"):
                for example in self.examples:
                    formatter.write(f"{'':>{formatter.current_indent}}{example}\n")


class CommaList(click.ParamType):  # type: ignore[type-arg] # it takes one from click 8.4 on
    """Words with commas between them; only some words, where `allowed` says which."""

    name = "list"

    def __init__(self, allowed: tuple[str, ...] = ()) -> None:
        self.allowed = allowed

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """Return the words, or fail with the one that is not allowed."""
        if not isinstance(value, str):
            return tuple(value)
        words = tuple(word.strip() for word in value.split(",") if word.strip())
        unknown = [word for word in words if self.allowed and word not in self.allowed]
        if unknown:
            self.fail(f"{unknown[0]!r} is none of {', '.join(self.allowed)}.", param, ctx)
        return words


class LearnedFile(click.ParamType):  # type: ignore[type-arg] # as above
    """A file that another command wrote, given as its content."""

    name = "file"

    def __init__(self, kind: type[Learned | Model], read: Callable[[str], Learned | Model]) -> None:
        self.kind = kind
        self.read = read

    def convert(
        self, value: Any, _param: click.Parameter | None, _ctx: click.Context | None
    ) -> Learned | Model:
        """Return what the file holds."""
        return value if isinstance(value, self.kind) else self.read(value)


FILES = {"furniture": LearnedFile(Learned, read_furniture), "model": LearnedFile(Model, read_model)}
"""The settings that are read from files."""


corpora = click.argument("paths", metavar="CORPUS...", nargs=-1, required=True)
"""Where the articles are."""


class Bytes(click.ParamType):  # type: ignore[type-arg] # as above
    """A number of bytes, with or without a K, M or G for the powers of 1024."""

    name = "bytes"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number of bytes."""
        if isinstance(value, int):
            return value
        found = BYTES.fullmatch(value.strip().upper())
        if not found:
            self.fail(f"{value!r} is no number of bytes, as 512M or 2G.", param, ctx)
        return int(float(found[1]) * UNITS[found[2]])


def shown_bytes(number: int) -> str:
    """Return a number of bytes as `Bytes` takes it, with the largest unit that leaves it whole.

    >>> shown_bytes(512 << 20), shown_bytes(1000)
    ('512M', '1000')
    """
    unit = next(unit for unit in reversed(UNITS) if number % UNITS[unit] == 0)
    return f"{number // UNITS[unit]}{unit}"


def knob_type(knob: Field[Any]) -> click.ParamType[Any]:
    """Return what kind of value a setting takes, with its range."""
    if knob.name in FILES:
        return FILES[knob.name]
    if knob.name == "memory":
        return Bytes()
    if knob.name == "work_dir":
        return click.Path(exists=True, file_okay=False, writable=True)
    if knob.name == "keep":
        return click.Choice(RANKS)
    if isinstance(knob.default, tuple):
        return CommaList(RELATIONS if knob.name == "relations" else ())
    number = click.IntRange if isinstance(knob.default, int) else click.FloatRange
    return number(knob.metadata["low"], knob.metadata["high"])


def knob_option(knob: Field[Any]) -> Decorator[Any]:
    """Return the option of a setting."""
    default = ",".join(knob.default) if isinstance(knob.default, tuple) else knob.default
    if knob.name == "memory":
        default = shown_bytes(int(cast("int", knob.default)))
    return click.option(
        "--" + knob.name.replace("_", "-"),
        knob.name,
        type=knob_type(knob),
        default=default,
        show_default=bool(default != ""),
        metavar=OWN_METAVARS.get(knob.name, METAVARS.get(type(knob.default))),
        help=knob.metadata["help"].replace("`", ""),
        cls=HeadedOption,
        heading=MATCHING if knob.name in COMMON else ADVANCED,
    )


def settings_options(command: F) -> F:
    """Give a command an option for each setting; it is called with `settings`, made of them."""
    knobs = {knob.name: knob for knob in fields(Settings)}

    @wraps(command)
    def with_settings(**values: Any) -> Any:
        settings = Settings(**{name: values.pop(name) for name in knobs})
        return command(settings=settings, **values)

    ordered = sorted(knobs, key=lambda name: COMMON.index(name) if name in COMMON else len(COMMON))
    return decorated(cast("F", with_settings), [knob_option(knobs[name]) for name in ordered])


def corpus_options(command: F) -> F:
    """Give a command the options on how a corpus is read: `fields`, `strict`, `quiet`."""
    return decorated(
        command,
        [
            click.option(
                "--field",
                "fields",
                multiple=True,
                metavar="OURS=THEIRS",
                envvar="DEDUP_FIELD",
                callback=field_names,
                help="What a field is called in the corpus, as text=body; repeat it for more fields.",
                cls=HeadedOption,
                heading=READING,
            ),
            click.option(
                "--strict",
                is_flag=True,
                help="Stop at the first line that cannot be read.",
                cls=HeadedOption,
                heading=READING,
            ),
            click.option("-q", "--quiet", is_flag=True, help="Say nothing on stderr but errors."),
        ],
    )


def rejects_option(command: F) -> F:
    """Give a command the option that says where that goes which cannot be read."""
    return decorated(
        command,
        [
            click.option(
                "--rejects",
                type=click.Path(dir_okay=False, allow_dash=False),
                help="Write what could not be read here.  [default: the output's name and then .rejects.jsonl]",
                cls=HeadedOption,
                heading=READING,
            )
        ],
    )


def labels_options(command: F) -> F:
    """Give a command the options that say what is known of a corpus: `gold`, `open_`, `pairs`."""
    return decorated(
        command,
        [
            click.option(
                "--gold",
                metavar="FIELD",
                help="The field that says which story an article tells.",
            ),
            click.option(
                "--open",
                "open_",
                metavar="FIELD",
                envvar="DEDUP_OPEN",
                help="Articles that share this field, but not their story, are neither right nor wrong together.",
            ),
            click.option(
                "--pairs",
                metavar="FILE",
                type=click.Path(exists=True, dir_okay=False),
                help="Labelled pairs in place of a field: CSV or JSON Lines with two ids, a and b, and same: "
                "true, false or open.",
            ),
        ],
    )


def output_option(help_: str, *, required: bool = False) -> Decorator[Any]:
    """Return the option that says where the data go."""
    place = click.Path(dir_okay=False, allow_dash=True)
    return click.option("-o", "--output", type=place, required=required, help=help_)


def dry_run_option(command: F) -> F:
    """Give a command the switch that only asks what it would take."""
    help_ = "Only say, by a sample, how long it would take, and how much memory and disk."
    return decorated(command, [click.option("--dry-run", is_flag=True, help=help_)])


def json_option(command: F) -> F:
    """Give a command the switch that asks for JSON, on a terminal too."""
    return decorated(
        command,
        [
            click.option(
                "--json", "as_json", is_flag=True, envvar="DEDUP_JSON", help="Write JSON, on a terminal too."
            )
        ],
    )


def engine_options(command: F) -> F:
    """Give a command the options on where its work is done: `engine`, `master`, `conf`, `stages`, `lake`."""
    return decorated(
        command,
        [
            click.option(
                "--engine",
                type=click.Choice(["local", "spark"]),
                default="local",
                show_default=True,
                envvar="DEDUP_ENGINE",
                help="Where the work is done: in this process, or on Apache Spark, which needs Java 17 or later and "
                "news-dedup[spark].",
                cls=HeadedOption,
                heading=ENGINE,
            ),
            click.option(
                "--master",
                metavar="URL",
                envvar="DEDUP_MASTER",
                help="Spark's master, as local[2], spark://host:7077 or yarn.  [default: what spark-defaults.conf says, "
                "or else local[*]]",
                cls=HeadedOption,
                heading=ENGINE,
            ),
            click.option(
                "--conf",
                multiple=True,
                metavar="KEY=VALUE",
                envvar="DEDUP_CONF",
                callback=confs,
                help="A setting of Spark, as spark.executor.memory=8g; repeat it for more.",
                cls=HeadedOption,
                heading=ENGINE,
            ),
            click.option(
                "--stages",
                metavar="FOLDER",
                envvar="DEDUP_STAGES",
                help="Where Spark's workers, all of which must reach it, leave the stages of the run, which stay there; a "
                "cluster needs one, as hdfs:///tmp/dedup.  [default: a folder of this machine that vanishes]",
                cls=HeadedOption,
                heading=ENGINE,
            ),
            click.option(
                "--lake",
                metavar="FOLDER",
                envvar="DEDUP_LAKE",
                help="Compare with the articles of all runs before that named this folder, too, and remember these there; with "
                "--format articles.",
                cls=HeadedOption,
                heading=ENGINE,
            ),
        ],
    )


def confs(_context: click.Context, _parameter: click.Parameter, pairs: tuple[str, ...]) -> Mapping[str, str]:
    """Return the pairs KEY=VALUE as a mapping, or fail with the one that is none."""
    for pair in pairs:
        key, equals, _ = pair.partition("=")
        if not (equals and key.startswith("spark.")):
            raise click.BadParameter(f"{pair!r} is not of the form KEY=VALUE, as spark.executor.memory=8g.")
    return dict(pair.split("=", 1) for pair in pairs)


def field_names(
    _context: click.Context, _parameter: click.Parameter, pairs: tuple[str, ...]
) -> Mapping[str, str]:
    """Return the pairs OURS=THEIRS as a mapping, or fail with the one that is none."""
    for pair in pairs:
        ours, equals, theirs = pair.partition("=")
        if not (ours and equals and theirs):
            raise click.BadParameter(f"{pair!r} is not of the form OURS=THEIRS, as text=body.")
    return dict(pair.split("=", 1) for pair in pairs)


def floors(
    _context: click.Context, _parameter: click.Parameter, pairs: tuple[str, ...]
) -> Mapping[str, float]:
    """Return the pairs SCORE=NUMBER as a mapping, or fail with the one that is none."""
    found = {}
    for pair in pairs:
        name, _, number = pair.partition("=")
        try:
            found[name] = float(number)
        except ValueError:
            raise click.BadParameter(f"{pair!r} is not of the form SCORE=NUMBER, as f1=.85.") from None
        if name not in SCORES:
            raise click.BadParameter(f"{name!r} is none of {', '.join(SCORES)}.")
    return found


def decorated(command: F, options: list[Decorator[Any]]) -> F:
    """Return a command with some options, in the order in which --help is to show them."""
    for option in reversed(options):
        command = cast("F", option(command))
    return command
