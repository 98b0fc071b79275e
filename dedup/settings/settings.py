"""Every knob, once: its default, its range and the sentence that explains it. The command line is built from here.

In: nothing. Out: `Settings`, a frozen value that is checked when it is made. What is not a knob is a named constant in
the module that uses it.
"""

from dataclasses import dataclass, field, fields
from typing import Any

from dedup.errors import SettingsError
from dedup.settings.model_file import Model
from dedup.text.boilerplate.profile import BoilerplateProfile

RELATIONS = ("exact", "copy", "excerpt", "extension", "rewrite", "followup")
"""How an article may be related to a kept one, closest first."""
LEVELS = ("text", "story", "storyline")
"""Which relations join two articles: those of the text alone; a `rewrite` too; a `followup` as well."""
LEVEL_RELATIONS = {"text": RELATIONS[:4], "story": RELATIONS[:5], "storyline": RELATIONS}
"""The relations that join at each level."""
THRESHOLD_SETTINGS = {
    "text": "rewrite_probability",
    "story": "rewrite_probability",
    "storyline": "followup_probability",
}
"""The setting that says what a match of each level needs of the model."""
LEVEL_MODELS = {"text": "story", "story": "story", "storyline": "storyline"}
"""The model that decides at each level where the text does not."""
UNDATED_CHOICES = ("auto", "together", "apart", "now")
"""What becomes of two articles of one storyline that both lack a date."""
KEEP_CHOICES = ("earliest", "longest")


def option(default: Any, help_: str, low: float | None = None, high: float | None = None) -> Any:
    """Return a dataclass field that knows its explanation and its range (ends included)."""
    return field(default=default, metadata={"help": help_, "low": low, "high": high})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of a run. A value out of its range is a `SettingsError` that names it."""

    level: str = option(
        "story",
        "Which articles are duplicates: text (the same wording), story (also rewrites: the same event of the same moment), "
        "storyline (also follow-ups: other chapters of the same affair).",
    )
    relations: tuple[str, ...] = option(
        RELATIONS,
        "Relations to look for. Those of the level join articles; a followup that does not join is a link.",
    )
    keep: str = option("earliest", "Which article of a story is kept: the earliest, or the longest.")
    sources: tuple[str, ...] = option((), "Sources to keep first, best first; they go before `keep`.")
    rewrite_probability: float = option(
        0.75, "A rewrite is reported from this probability on that two articles tell the same story.", 0, 1
    )
    followup_probability: float = option(
        0.7,
        "A follow-up is reported from this probability on that two articles belong to one storyline.",
        0,
        1,
    )
    undated: str = option(
        "auto",
        "Articles without dates: together (a small storyline counts as one story), apart (only the text and the story model "
        "decide), auto (together where no article of a corpus has a date, else apart), now (in a stream: "
        "dated when they arrive).",
    )
    copy_jaccard: float = option(
        0.5, "A copy shares at least this much of all word 3-shingles (Jaccard).", 0.05, 1
    )
    excerpt_containment: float = option(
        0.8,
        "An excerpt has at least this much of its 3-shingles in the other article; an extension, the reverse.",
        0.05,
        1,
    )
    window_days: float = option(5.0, "Rewrites lie at most this many days apart, where both are dated.", 0)
    copy_window_days: float = option(
        30.0, "Copies lie at most this many days apart, where both are dated.", 0
    )
    min_words: int = option(
        8, "Texts of fewer words never match: a flash says too little to be told apart.", 1
    )
    shared_terms: int = option(
        3, "Candidates for a rewrite share at least this many of their most salient terms.", 1, 32
    )
    salient_terms: int = option(
        28, "How many salient terms of title and lead an article is looked up by.", 4, 64
    )
    boilerplate: BoilerplateProfile | None = option(  # noqa: RUF009 - it makes a field, as for the others
        None,
        "What a source prints again and again, as `dedup boilerplate` learned it, is left out of its texts.",
    )
    model: Model | None = option(  # noqa: RUF009 - as above
        None, "Rewrites are found by this model, as `dedup calibrate` fitted it, in place of the shipped one."
    )
    bands: int = option(32, "MinHash bands by which copies are looked up.", 1, 128)
    rows: int = option(2, "Rows of a band: more find fewer and closer candidates.", 1, 16)
    max_candidates: int = option(
        200,
        "At most so many candidates of an article are verified, those that share most first; reached bounds are reported.",
        1,
    )
    max_postings: int = option(
        50_000,
        "At most so many articles are looked at for the terms of one, and for its bands, rare keys and late articles "
        "first; reached bounds are reported.",
        1,
    )
    seed: int = option(1, "Seed of the MinHash permutations.", 0, 2**32 - 1)
    threads: int = option(
        0, "Threads that sketch; 0 takes every core. The result never depends on it.", 0, 1024
    )

    memory: int = option(
        2 << 30,
        "How much memory (K, M, G) a run should keep to: sketches that are too many wait in files. What is remembered of each "
        "article beside them comes on top, some 500 bytes.",
        0,
    )
    work_dir: str | None = option(
        None, "Where such files are; by default where temporary files are. They vanish with the run."
    )

    def __post_init__(self) -> None:
        """Check every value against its range."""
        for knob_ in fields(self):
            check_number(knob_.name, getattr(self, knob_.name), knob_.default, knob_.metadata)
        unknown = [relation for relation in self.relations if relation not in RELATIONS]
        if unknown or not self.relations:
            message = f"relations must be some of {', '.join(RELATIONS)}; not {', '.join(unknown) or 'none'}"
            raise SettingsError(message)
        given: object = self.sources
        if isinstance(given, str):
            message = f"sources must be a list of names, not the one name {given!r}"
            raise SettingsError(message)
        learned: object = self.boilerplate
        if not isinstance(learned, BoilerplateProfile | None):
            message = f"boilerplate must be what read_boilerplate or learn_boilerplate returned, not {learned!r:.60}"
            raise SettingsError(message)
        fitted: object = self.model
        if not isinstance(fitted, Model | None):
            message = f"model must be what read_model or calibrate returned, not {fitted!r:.60}"
            raise SettingsError(message)
        for name, choices in (("level", LEVELS), ("undated", UNDATED_CHOICES)):
            if getattr(self, name) not in choices:
                message = (
                    f"{name} must be {', '.join(choices[:-1])} or {choices[-1]}, not {getattr(self, name)!r}"
                )
                raise SettingsError(message)
        if self.keep not in KEEP_CHOICES:
            message = f"keep must be {' or '.join(KEEP_CHOICES)}, not {self.keep!r}"
            raise SettingsError(message)


def dump_settings(settings: Settings) -> dict[str, Any]:
    """Return the settings by name, as JSON has them: boilerplate and model by the digests of their content."""
    written = {knob_.name: getattr(settings, knob_.name) for knob_ in fields(settings)}
    return {
        **written,
        "boilerplate": settings.boilerplate and settings.boilerplate.digest,
        "model": settings.model and settings.model.digest,
    }


def check_number(name: str, value: Any, default: Any, metadata: Any) -> None:
    """Raise `SettingsError` if a number is no number or out of its range."""
    low, high = metadata["low"], metadata["high"]
    if low is None and high is None:
        return
    whole = isinstance(default, int)
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
        message = f"{name} must be a {'whole ' if whole else ''}number, not {value!r}"
        raise SettingsError(message)
    if not (low <= value <= (high if high is not None else float("inf"))):
        message = f"{name} must be {f'between {low} and {high}' if high is not None else f'at least {low}'}, not {value}"
        raise SettingsError(message)
