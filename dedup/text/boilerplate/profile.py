"""Hold the learned boilerplate of each source, and read and write its file, which people can read and edit.

Two profiles are equal if their passages are, even from different files. `dedup.text.boilerplate.learn` learns a
profile, `dedup.text.boilerplate.passages` applies it to texts.
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

__all__ = ["BoilerplateProfile", "encode_profile", "is_passage", "normalize_line_spaces", "read_boilerplate"]

MAX_PROFILE_BYTES = 64 << 20
"""The maximum size of a boilerplate file."""
MAX_SOURCE_NAME_CHARACTERS = 1_000
"""The maximum length of the name of a source."""
MIN_LINE_BYTES, MIN_SENTENCE_BYTES = 12, 40
"""The minimum bytes of a line and of a sentence that are passages: shorter ones are words, names, dates."""
SPACES_WITHIN_LINE = re.compile(r"[ \t\r\v\f\u00a0]+")

PassagesBySource = Mapping[str, Mapping[str, int]]
"""By source its passages, each with the number of headlines under which it appeared."""


@dataclass(frozen=True, slots=True)
class BoilerplateProfile:
    """The boilerplate of each source; two profiles are equal if they remove the same passages."""

    sources: PassagesBySource = field(compare=False, repr=False)
    articles: int = field(default=0, compare=False, repr=False)
    """The number of articles that it was learned from."""
    skipped: int = field(default=0, compare=False, repr=False)
    """The number of articles without a source, which were not used."""
    undated: int = field(default=0, compare=False, repr=False)
    """The number of articles with a source but no date, which were not used."""
    short_lived_sources: int = field(default=0, compare=False, repr=False)
    """The number of sources that cover too few days to be used."""
    digest: str = field(init=False)
    """Sixteen hexadecimal digits that identify the sources and passages, independent of their order and counts."""

    def __post_init__(self) -> None:
        """Sort sources by name and passages by count, and compute the digest."""
        sorted_sources = {
            source: dict(sorted(self.sources[source].items(), key=lambda item: (-item[1], item[0])))
            for source in sorted(self.sources)
        }
        object.__setattr__(self, "sources", sorted_sources)
        content = json.dumps({source: sorted(passages) for source, passages in sorted_sources.items()})
        object.__setattr__(self, "digest", hashlib.blake2b(content.encode(), digest_size=8).hexdigest())

    @property
    def size_summary(self) -> str:
        """Return the numbers of passages and sources, in words."""
        passages = sum(len(passages) for passages in self.sources.values())
        return f"{format_count(passages, 'passage')} of {format_count(len(self.sources), 'source')}"

    def __str__(self) -> str:
        return f"{self.digest} ({self.size_summary})"


def read_boilerplate(path: str | Path) -> BoilerplateProfile:
    """Return the profile in a file of `dedup boilerplate`; `InputError` if it is not one."""
    return read_json_object(path, "boilerplate", MAX_PROFILE_BYTES, parse_profile)


def parse_profile(value: Mapping[str, Any]) -> BoilerplateProfile:
    """Return the profile in a JSON object; `ValueError` if it is not one."""
    sources = value.get("sources")
    if not isinstance(sources, dict):
        raise ValueError("it has no object of 'sources'")  # noqa: TRY004 - the file is wrong, not a type in the code
    for source, passages in sources.items():
        check_source(source, passages)
    articles = value.get("articles", 0)
    if not is_nonnegative_integer(articles):
        raise ValueError(f"its number of articles is {articles!r:.20}, not a whole number")
    return BoilerplateProfile(sources, articles)


def check_source(source: str, passages: Any) -> None:
    """Raise `ValueError` if a source in a file is not a name with passages and their counts."""
    if not has_encodable_text(source) or len(source) > MAX_SOURCE_NAME_CHARACTERS:
        raise ValueError(
            f"{source!r:.60} is not the name of a source, of 1 to {MAX_SOURCE_NAME_CHARACTERS:,} characters"
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
    """Return whether a string is not blank and can be encoded in UTF-8."""
    try:
        return bool(value.encode().strip())
    except UnicodeEncodeError:
        return False


def is_passage(text: str) -> bool:
    """Return whether a text is or contains a passage: one of its lines is long enough."""
    return has_encodable_text(text) and any(
        len(normalize_line_spaces(line).encode()) >= MIN_LINE_BYTES for line in text.split("\n")
    )


def normalize_line_spaces(text: str) -> str:
    """Return a text with each run of spaces within a line as one space, and none at its ends."""
    return SPACES_WITHIN_LINE.sub(" ", text).strip(" ")


def is_nonnegative_integer(value: object) -> bool:
    """Return whether a value is a whole number, 0 or more."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def encode_profile(profile: BoilerplateProfile, dedup_version: str) -> bytes:
    """Return the content of the file of a profile, which names the version of dedup that made it."""
    return encode_json_file(dedup_version, {"articles": profile.articles, "sources": profile.sources})
