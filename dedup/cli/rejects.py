"""Report input that could not be read: write it to a file, and fail if it is too much."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from dedup.cli.command import READING, CommandFunction, HeadedOption, add_options
from dedup.cli.messages import echo_status
from dedup.cli.output_paths import RecordsPath, find_enclosing_folder
from dedup.errors import InputError
from dedup.formatting import format_count, format_percent

if TYPE_CHECKING:
    from dedup.io.corpus import Corpus
    from dedup.io.records import Reject

__all__ = [
    "MAX_SHOWN_REASONS",
    "RejectOptions",
    "add_rejects_options",
    "check_reject_share",
    "check_shares",
    "echo_reject_count",
    "format_first",
    "get_rejects_path",
    "report_rejects",
    "save_rejects",
]

DEFAULT_REJECTS_FILE = "dedup.rejects.jsonl"
"""The file of rejects if the output is standard output: of a stream in the current folder, else in a temporary one."""
MAX_SHOWN_REASONS = 3
MAX_PERCENT = 100


@dataclass(frozen=True, slots=True)
class RejectOptions:
    """Where rejects go, and how many a run may have."""

    path: str | None
    """None: beside the output."""
    max_share: float
    """The largest share of the articles that may be rejected, 0 to 1."""


class Percentage(click.ParamType):  # type: ignore[type-arg] # it takes one from click 8.4 on
    """A percentage between 0 and 100, with or without the sign, as a share."""

    name = "percentage"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the share, 0 to 1."""
        if isinstance(value, float):
            return value
        try:
            percent = float(str(value).strip().removesuffix("%"))
        except ValueError:
            percent = -1.0
        if not 0 <= percent <= MAX_PERCENT:
            self.fail(f"{value!r} is not a percentage between 0% and 100%.", param, ctx)
        return percent / MAX_PERCENT


def add_rejects_options(command: CommandFunction) -> CommandFunction:
    """Add `--rejects` and `--max-rejects` to a command, which is called with `rejects`, a `RejectOptions`."""

    @wraps(command)
    def with_rejects(**values: Any) -> Any:
        options = RejectOptions(values.pop("rejects"), values.pop("max_rejects"))
        return command(rejects=options, **values)

    return add_options(
        cast("CommandFunction", with_rejects),
        [
            click.option(
                "--rejects",
                metavar="FILE",
                type=RecordsPath(allow_dash=False),
                help="Write what could not be read to this file.  [default: the output's name followed by .rejects.jsonl, or a "
                "temporary file]",
                cls=HeadedOption,
                heading=READING,
            ),
            click.option(
                "--max-rejects",
                type=Percentage(),
                default="10%",
                show_default=True,
                metavar="PERCENT",
                help="Exit with an error, and write no output, if more than this percentage of the articles could not be "
                "read, or of the files broke off.",
                cls=HeadedOption,
                heading=READING,
            ),
        ],
    )


def report_rejects(
    corpus: Corpus,
    articles: int,
    corpus_paths: Sequence[str],
    output: str | None,
    options: RejectOptions,
    *,
    quiet: bool,
) -> None:
    """Write the rejects of a corpus and report how many there are; `InputError` if there are too many.

    `articles` is the number of articles that could be read.
    """
    save_rejects(corpus, corpus_paths, output, options, quiet=quiet)
    check_shares(corpus, articles, options.max_share)


def check_shares(corpus: Corpus, articles: int, max_share: float) -> None:
    """Raise `InputError` if too many articles of a corpus could not be read, or too many of its files broke off."""
    check_reject_share(corpus.rejects, len(corpus.rejects), articles, max_share)
    check_corrupt_share(corpus.corrupt_files, corpus.file_count, max_share)


def save_rejects(
    corpus: Corpus, corpus_paths: Sequence[str], output: str | None, options: RejectOptions, *, quiet: bool
) -> None:
    """Write the rejects of a corpus, and report how many there are and where.

    If the output is standard output, they go to a new temporary folder, which only this user can read. No file is
    written if nothing was rejected, unless --rejects names one.
    """
    from dedup.io.atomic_write import write_rejects

    path = options.path or get_rejects_path(output, corpus_paths)
    if corpus.rejects and not options.path and output in {None, "-"}:
        path = str(Path(tempfile.mkdtemp(prefix="dedup-"), path))
    if corpus.rejects or options.path:
        write_rejects(path, corpus.rejects)
    echo_reject_count(len(corpus.rejects), path, quiet=quiet)


def get_rejects_path(output: str | None, corpus_paths: Sequence[str] = ()) -> str:
    """Return the default path of the rejects: beside the output, and hidden if a run would read it as news."""
    path = DEFAULT_REJECTS_FILE if output in {None, "-"} else f"{str(output).rstrip('/')}.rejects.jsonl"
    if find_enclosing_folder(path, corpus_paths) is None:
        return path
    folder, separator, name = path.rpartition("/")  # of a URL as well
    return f"{folder}{separator}.{name}"


def echo_reject_count(count: int, path: str, *, quiet: bool) -> None:
    """Say how many articles could not be read, and where they are."""
    if count:
        echo_status(
            f"{format_count(count, 'article')} could not be read; see {path} for the reasons", quiet=quiet
        )


def check_reject_share(first: Sequence[Reject], count: int, articles: int, max_share: float) -> None:
    """Raise `InputError` with the first reasons if nothing could be read, or too little.

    `first` are the first of `count` rejects; `articles` could be read.
    """
    total = count + articles
    if not count or (articles and count <= max_share * total):
        return
    allowed = f", and --max-rejects allows {format_percent(max_share)}" if articles else ""
    raise InputError(
        f"{count:,} of {format_count(total, 'article')} could not be read{allowed}: {format_first(first)}"
    )


def check_corrupt_share(corrupt: Sequence[Reject], files: int, max_share: float) -> None:
    """Raise `InputError` with the first reasons if too many files break off: nobody knows how many articles they lack."""
    if len(corrupt) <= max_share * files:
        return
    raise InputError(
        f"{len(corrupt):,} of {format_count(files, 'file')} broke off, and --max-rejects allows "
        f"{format_percent(max_share)}: {format_first(corrupt)}"
    )


def format_first(rejects: Sequence[Reject]) -> str:
    """Return where the first few rejects are, and why they were rejected."""
    return "; ".join(format_reject(reject) for reject in rejects[:MAX_SHOWN_REASONS])


def format_reject(reject: Reject) -> str:
    """Return where a reject is and why it was rejected."""
    position = "" if reject.line is None else f":{reject.line}"
    return f"{reject.path}{position}: {reject.reason}"
