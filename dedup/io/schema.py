"""Define the fields of an article, and the other names that they have in files.

Every reader makes batches of SCHEMA, and every kernel takes them. So this is the place to add a field, or another name
of one.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from dedup.errors import SettingsError
from dedup.io.dates import TIMESTAMP

__all__ = [
    "ALIASES",
    "BATCH_ARTICLES",
    "BATCH_BYTES",
    "FIELDS",
    "SCHEMA",
    "FieldNames",
    "list_column_names",
    "map_accepted_names",
]

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("title", pa.string()),
        ("text", pa.string()),
        ("published", TIMESTAMP),
        ("source", pa.string()),
        ("url", pa.string()),
        ("language", pa.string()),
    ]
)
FIELDS: tuple[str, ...] = tuple(SCHEMA.names)

ALIASES: Mapping[str, tuple[str, ...]] = {
    "id": ("_id", "guid", "uuid"),
    "title": ("headline",),
    "text": ("body", "content", "article"),
    "published": (
        "date",
        "published_at",
        "publishedAt",
        "pubDate",
        "publish_date",
        "date_publish",
        "datetime",
    ),
    "source": ("outlet", "publisher", "domain"),
    "url": ("link",),
    "language": ("lang",),
}

BATCH_ARTICLES = 4096
BATCH_BYTES = 8 << 20
"""A batch is large enough to amortise a call into compiled code, and small enough to hold several of them."""

FieldNames = Mapping[str, tuple[str, ...]]
"""For each of our fields, the names it may have in the input, the best first."""


def map_accepted_names(fields: Mapping[str, str], preset: FieldNames | None = None) -> FieldNames:
    """Return the names that each field may have in the input: only the mapped name, or else its own and its aliases.

    `fields` maps our names to theirs: `{"text": "body"}`. The names of a `preset` come before ours.
    SettingsError if one of our names is not in FIELDS.
    """
    first = preset or {}
    for ours in fields:
        if ours not in FIELDS:
            raise SettingsError(f"an article has no field {ours!r}; its fields are {', '.join(FIELDS)}")
    return {
        ours: (fields[ours],)
        if ours in fields
        else tuple(dict.fromkeys((*first.get(ours, ()), ours, *ALIASES[ours])))
        for ours in FIELDS
    }


def list_column_names(names: FieldNames) -> list[str]:
    """Return every name that any field may have, each once."""
    return list(dict.fromkeys(name for theirs in names.values() for name in theirs))
