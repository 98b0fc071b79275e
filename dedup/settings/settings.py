"""Define all settings with their defaults, ranges and help texts; the command line is built from them.

Numbers that users cannot set are named constants in the modules that use them.
"""

from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from os import PathLike
from typing import Any, Self

from dedup.errors import SettingsError
from dedup.settings.model_file import Model
from dedup.text.boilerplate.profile import BoilerplateProfile

RELATIONS = ("exact", "copy", "excerpt", "extension", "rewrite", "followup")
"""How an article can relate to a kept one, closest first."""
LEVELS = ("text", "story", "storyline")
"""The levels at which articles are duplicates, each including the one before it."""
LEVEL_RELATIONS = {"text": RELATIONS[:4], "story": RELATIONS[:5], "storyline": RELATIONS}
"""The relations that join articles at each level."""
THRESHOLD_SETTINGS = {
    "text": "rewrite_probability",
    "story": "rewrite_probability",
    "storyline": "followup_probability",
}
"""The setting with the threshold of the model at each level."""
LEVEL_MODELS = {"text": "story", "story": "story", "storyline": "storyline"}
"""The model used at each level."""
UNDATED_CHOICES = ("auto", "together", "apart", "now")
"""How articles without dates are treated."""
KEEP_CHOICES = ("earliest", "longest")
CHOICES = {"level": LEVELS, "undated": UNDATED_CHOICES, "keep": KEEP_CHOICES}
"""The settings that take one of a few values."""


def option(default: Any, help_: str, low: float | None = None, high: float | None = None) -> Any:
    """Return a dataclass field with a help text and a range (ends included)."""
    return field(default=default, metadata={"help": help_, "low": low, "high": high})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of a run; `SettingsError` for an unknown name or a value out of range."""

    level: str = option(
        "story",
        "Which articles are duplicates: text (same wording), story (also rewrites: same event at the same moment), "
        "storyline (also follow-ups: later developments of the same events).",
    )
    relations: tuple[str, ...] = option(
        RELATIONS,
        "Relations to detect. Below the level storyline, a followup is only a link between kept articles.",
    )
    keep: str = option("earliest", "Which article of a story to keep: the earliest or the longest.")
    sources: tuple[str, ...] = option((), "Preferred sources, best first; they take precedence over `keep`.")
    rewrite_probability: float = option(
        0.75, "Minimum probability of a rewrite, that is, of two articles telling the same story.", 0, 1
    )
    followup_probability: float = option(
        0.7,
        "Minimum probability of a follow-up, that is, of two articles belonging to the same storyline.",
        0,
        1,
    )
    undated: str = option(
        "auto",
        "How to treat articles without dates: together (a small storyline counts as one story), apart (only the text and "
        "the story model count), auto (together if no article of the corpus has a date, else apart), now (with an index: "
        "use the time of arrival).",
    )
    copy_jaccard: float = option(0.5, "Minimum Jaccard similarity of the word 3-shingles of a copy.", 0.05, 1)
    excerpt_containment: float = option(
        0.8,
        "Minimum share of an excerpt's word 3-shingles that the other, longer article contains. For an extension, the kept "
        "article is the shorter one.",
        0.05,
        1,
    )
    window_days: float = option(
        5.0, "Maximum days between an article and its rewrite or follow-up, if both have dates.", 0
    )
    copy_window_days: float = option(
        30.0, "Maximum days between an article and its copy, if both have dates.", 0
    )
    min_words: int = option(
        8, "Minimum length in words; shorter texts never match, because they say too little to compare.", 1
    )
    shared_terms: int = option(
        3, "Minimum number of salient terms that candidates for a rewrite share.", 1, 32
    )
    salient_terms: int = option(
        28, "Number of salient terms of title and lead used to look up candidates.", 4, 64
    )
    boilerplate: BoilerplateProfile | None = option(  # noqa: RUF009 - it returns a field, like the others
        None,
        "Ignore the repeated passages of each source that `dedup boilerplate` learned.",
    )
    model: Model | None = option(  # noqa: RUF009 - as above
        None, "Use this model, fitted by `dedup calibrate`, instead of the built-in one."
    )
    bands: int = option(32, "Number of MinHash bands used to look up copies.", 1, 128)
    rows: int = option(2, "Rows per MinHash band; more rows find fewer but closer candidates.", 1, 16)
    max_candidates: int = option(
        200,
        "Maximum candidates compared per article, most similar first. Warns when the limit is reached.",
        1,
    )
    max_postings: int = option(
        50_000,
        "Maximum articles looked up for one article by its terms, and by its bands: by rare keys first, recent articles first. "
        "Warns when the limit is reached.",
        1,
    )
    seed: int = option(1, "Seed of the MinHash permutations.", 0, 2**32 - 1)
    threads: int = option(0, "Number of threads; 0 uses all cores. Does not change the result.", 0, 1024)

    memory: int = option(
        2 << 30,
        "Memory limit for sketches (K, M, G); above it they are stored in temporary files. Another 500 bytes per "
        "article always stay in memory.",
        0,
    )
    work_dir: str | None = option(
        None,
        "Folder for these temporary files, which are deleted after the run; the system default if not set.",
    )

    def __new__(cls, *_positional: Any, **values: Any) -> Self:
        """Check the names of the settings, before the generated `__init__` fails on an unknown one."""
        for name in values:
            check_setting_name(name)
        return object.__new__(cls)

    def __post_init__(self) -> None:
        """Check every value; `SettingsError` names the first that is not allowed."""
        for setting in fields(self):
            check_number(setting.name, getattr(self, setting.name), setting.default, setting.metadata)
        for name in ("relations", "sources"):
            check_words(name, getattr(self, name))
        unknown_relations = [relation for relation in self.relations if relation not in RELATIONS]
        if unknown_relations or not self.relations:
            raise SettingsError(
                f"relations must be one or more of {', '.join(RELATIONS)}; not {', '.join(unknown_relations) or 'none'}"
            )
        check_type(
            "boilerplate", self.boilerplate, BoilerplateProfile, "of read_boilerplate or learn_boilerplate"
        )
        check_type("model", self.model, Model, "of read_model or calibrate")
        check_type("work_dir", self.work_dir, str | PathLike, "that is a path")
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                allowed = f"{', '.join(choices[:-1])} or {choices[-1]}"
                raise SettingsError(f"{name} must be {allowed}, not {getattr(self, name)!r}")


def dump_settings(settings: Settings) -> dict[str, Any]:
    """Return the settings by name, as JSON; boilerplate and model as the digests of their content."""
    values = {setting.name: getattr(settings, setting.name) for setting in fields(settings)}
    return {
        **values,
        "boilerplate": settings.boilerplate and settings.boilerplate.digest,
        "model": settings.model and settings.model.digest,
    }


def check_number(name: str, value: Any, default: Any, metadata: Any) -> None:
    """Raise `SettingsError` if the value of a setting with a range is not a number in it."""
    low, high = metadata["low"], metadata["high"]
    if low is None and high is None:
        return
    whole = isinstance(default, int)
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
        raise SettingsError(f"{name} must be a {'whole ' if whole else ''}number, not {value!r}")
    if not (low <= value <= (high if high is not None else float("inf"))):
        allowed = f"between {low} and {high}" if high is not None else f"at least {low}"
        raise SettingsError(f"{name} must be {allowed}, not {value}")


def check_words(name: str, value: object) -> None:
    """Raise `SettingsError` if a value is not a list of words."""
    if not isinstance(value, tuple | list) or not all(isinstance(word, str) for word in value):
        raise SettingsError(f"{name} must be a list of names, not {value!r:.60}")


def check_type(name: str, value: object, allowed: Any, description: str) -> None:
    """Raise `SettingsError` if a value is neither None nor of a type."""
    if value is not None and not isinstance(value, allowed):
        raise SettingsError(f"{name} must be None or a value {description}, not {value!r:.60}")


def check_setting_name(name: str, written_name: str | None = None) -> None:
    """Raise `SettingsError` with the nearest name if there is no setting `name`; the message shows `written_name`."""
    names = [setting.name for setting in fields(Settings)]
    if name not in names:
        nearest = get_close_matches(name, names, 1)
        hint = f"did you mean {nearest[0]!r}?" if nearest else f"the settings are {', '.join(names)}"
        raise SettingsError(f"there is no setting {(written_name or name)!r}; {hint}")
