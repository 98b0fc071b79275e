"""List what changed between the versions of an article: the same id with another text, or the same URL."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Any

__all__ = ["Change", "Edit", "EditLog", "build_edit_logs", "list_changes"]

SUFFIX = re.compile(r"#\d+$")
"""What an id gets if an earlier article has it, with another text."""
CONTEXT_WORDS = 6
"""The words before a change that show where it is."""
MAX_WORD_PAIRS = 25_000_000
"""Longer texts (5,000 words each) are compared by sentence, because the time grows with the product of their lengths."""
SENTENCE_END = re.compile(r"\n|(?<=[.!?。！？])\s+")
NOTE = re.compile(
    r"correction|corrected|clarifi|\bupdate|editor[’']s note|korrektur|korrigiert|berichtigung|aktualisiert|redaktion|"
    r"rectificatif|corrigé|mis à jour|corrección|fe de erratas|actualizad|rettifica|aggiornat|correção|atualizad|"
    r"исправл|обновлен|уточнен|更正|更新|訂正|تصحيح|تحديث",
    re.IGNORECASE,
)
"""The words by which a version says that it was changed."""


@dataclass(frozen=True, slots=True)
class Change:
    """Words that were removed, added, or replaced by others."""

    before: str
    """The words before the change."""
    removed: str
    added: str


@dataclass(frozen=True, slots=True)
class Edit:
    """The step from one version to the next."""

    older: str
    """The id of the older version."""
    newer: str
    published: datetime | None
    """The date of the newer version."""
    is_noted: bool
    """Whether the added words say that the article was corrected or updated."""
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class EditLog:
    """The versions of one article, oldest first."""

    key: str
    """The id or the URL that the versions share."""
    edits: tuple[Edit, ...]


def build_edit_logs(rows: Sequence[Mapping[str, Any]]) -> list[EditLog]:
    """Return a log for each article with two or more versions; `rows` must be sorted, earliest first.

    A version has the same URL, or the id of the article with a suffix ("a#2"). Versions with the same text are no edit.
    """
    bases = find_shared_bases(row["id"] for row in rows)
    versions: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        base = strip_suffix(row["id"])
        versions.setdefault(base if base in bases else row.get("url") or row["id"], []).append(row)
    logs = [
        EditLog(key, tuple(make_edit(a, b) for a, b in pairwise(found) if join_text(a) != join_text(b)))
        for key, found in versions.items()
    ]
    return [log for log in logs if log.edits]


def find_shared_bases(ids: Iterable[str]) -> set[str]:
    """Return the ids that versions share: those with and without a suffix."""
    counts = Counter(strip_suffix(name) for name in ids)
    return {base for base, count in counts.items() if count > 1}


def strip_suffix(name: str) -> str:
    """Return an id without the suffix of a later version.

    >>> strip_suffix("a#2"), strip_suffix("a#b")
    ('a', 'a#b')
    """
    return SUFFIX.sub("", name)


def make_edit(older: Mapping[str, Any], newer: Mapping[str, Any]) -> Edit:
    """Return the changes from one version to the next."""
    changes = tuple(list_changes(join_text(older), join_text(newer)))
    is_noted = any(NOTE.search(change.added) for change in changes)
    return Edit(older["id"], newer["id"], newer["published"], is_noted, changes)


def join_text(row: Mapping[str, Any]) -> str:
    """Return the title and the text of an article; a title that is also the first line of the text comes once."""
    title, text = row["title"] or "", row["text"]
    return str(text if text.startswith(title) else f"{title}\n{text}")


def list_changes(older: str, newer: str) -> Iterator[Change]:
    """Yield the words that differ between two texts, in order.

    >>> list(list_changes("Twelve people were hurt.", "Fourteen people were hurt."))
    [Change(before='', removed='Twelve', added='Fourteen')]
    """
    before, after = older.split(), newer.split()
    if len(before) * len(after) > MAX_WORD_PAIRS:
        before, after = SENTENCE_END.split(older), SENTENCE_END.split(newer)
    for kind, a, b, c, d in SequenceMatcher(None, before, after).get_opcodes():
        if kind != "equal":
            context = " ".join(before[max(a - CONTEXT_WORDS, 0) : a])
            yield Change(context, " ".join(before[a:b]), " ".join(after[c:d]))
