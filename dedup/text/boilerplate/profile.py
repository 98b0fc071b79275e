"""The boilerplate that was learned of each source: a value for the settings, and the file that a person can read and mend.

In: passages, or the file that holds them. Out: `BoilerplateProfile`, which counts as its content, wherever it came from; the
bytes of a file. How it is learned is in `dedup.text.boilerplate.learn`, what it does to a text in
`dedup.text.boilerplate.passages`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dedup.formatting import format_count
from dedup.io.json_file import encode_json_file, read_json_object

__all__ = ["BoilerplateProfile", "encode_profile", "is_passage", "normalize_spaces", "read_boilerplate"]

MAX_PROFILE_BYTES = 64 << 20
"""No boilerplate is larger: what is, is some other file."""
MAX_SOURCE_NAME_CHARACTERS = 1_000
"""Characters of a source's name: what is longer is no name."""
MIN_LINE_BYTES, MIN_SENTENCE_BYTES = 12, 40
"""The fewest bytes of a line and of a sentence that are passages: shorter ones are words, names, dates."""
SPACES_WITHIN_LINE = re.compile(r"[ \t\r\v\f\u00a0]+")

PassagesBySource = Mapping[str, Mapping[str, int]]
"""For each source its passages, each with the number of headlines that it stood under."""


@dataclass(frozen=True, slots=True)
class BoilerplateProfile:
    """The boilerplate of each source; two of them are equal where they leave out the same."""

    sources: PassagesBySource = field(compare=False, repr=False)
    articles: int = field(default=0, compare=False, repr=False)
    """How many it was learned from."""
    skipped: int = field(default=0, compare=False, repr=False)
    """How many had no source, and taught nothing."""
    undated: int = field(default=0, compare=False, repr=False)
    """How many had a source and no date, and taught nothing."""
    short_lived_sources: int = field(default=0, compare=False, repr=False)
    """How many sources lie over too few days to teach anything."""
    digest: str = field(init=False)
    """Sixteen hexadecimal digits for sources and passages, whatever their order and their counts."""

    def __post_init__(self) -> None:
        """Put sources in order of their names, passages in that of their counts, and take the digest."""
        ordered = {
            source: dict(sorted(self.sources[source].items(), key=lambda found: (-found[1], found[0])))
            for source in sorted(self.sources)
        }
        object.__setattr__(self, "sources", ordered)
        content = json.dumps({source: sorted(passages) for source, passages in ordered.items()})
        object.__setattr__(self, "digest", hashlib.blake2b(content.encode(), digest_size=8).hexdigest())

    @property
    def size_summary(self) -> str:
        """Return in words how much it is."""
        passages = sum(len(passages) for passages in self.sources.values())
        return f"{format_count(passages, 'passage')} of {format_count(len(self.sources), 'source')}"

    def __str__(self) -> str:
        return f"{self.digest} ({self.size_summary})"


def read_boilerplate(path: str | Path) -> BoilerplateProfile:
    """Return what a file of `dedup boilerplate` holds; `InputError` says why a file is none."""
    return read_json_object(path, "boilerplate", MAX_PROFILE_BYTES, parse_profile)


def parse_profile(value: Mapping[str, Any]) -> BoilerplateProfile:
    """Return what a file says; `ValueError` with what is wrong with it."""
    sources = value.get("sources")
    if not isinstance(sources, dict):
        raise ValueError("it has no object of 'sources'")  # noqa: TRY004 - what is wrong is the file
    for source, passages in sources.items():
        check_source(source, passages)
    articles = value.get("articles", 0)
    if not is_nonnegative_integer(articles):
        raise ValueError(f"its number of articles is {articles!r:.20}, not a whole number")
    return BoilerplateProfile(sources, articles)


def check_source(source: str, passages: Any) -> None:
    """Raise `ValueError` where a file says something else of a source than its passages and their counts."""
    if not has_encodable_text(source) or len(source) > MAX_SOURCE_NAME_CHARACTERS:
        raise ValueError(
            f"{source!r:.60} is no name of a source, of 1 to {MAX_SOURCE_NAME_CHARACTERS:,} characters"
        )
    if not isinstance(passages, dict):
        raise ValueError(f"source {source!r:.60} has no object of passages")  # noqa: TRY004 - as above
    for passage, count in passages.items():
        if not is_passage(passage):
            raise ValueError(
                f"source {source!r:.60} has the passage {passage!r:.60}, which can match nothing: a passage is a "
                f"whole line of {MIN_LINE_BYTES} bytes or more, or a whole sentence of one, of {MIN_SENTENCE_BYTES} or more"
            )
        if not is_nonnegative_integer(count):
            raise ValueError(f"a passage of {source!r:.60} has the count {count!r:.20}, not a whole number")


def has_encodable_text(value: str) -> bool:
    """Return whether a string says something, and can be written."""
    try:
        return bool(value.encode().strip())
    except UnicodeEncodeError:
        return False


def is_passage(text: str) -> bool:
    """Return whether a text is a passage, or is cut into some: one of its lines is long enough."""
    return has_encodable_text(text) and any(
        len(normalize_spaces(line).encode()) >= MIN_LINE_BYTES for line in text.split("\n")
    )


def normalize_spaces(text: str) -> str:
    """Return a text with one space wherever there is space within a line, and none at its ends."""
    return SPACES_WITHIN_LINE.sub(" ", text).strip(" ")


def is_nonnegative_integer(value: object) -> bool:
    """Return whether a value is a whole number, 0 or more."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def encode_profile(profile: BoilerplateProfile, version: str) -> bytes:
    """Return a file of what was learned, by this version of dedup."""
    return encode_json_file(version, {"articles": profile.articles, "sources": profile.sources})
