"""What corpora are made of: a few stories in every format and compression, and what is read of them."""

import bz2
import csv
import gzip
import io
import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet
from hypothesis import strategies as st

from dedup.io.corpus import Corpus

STORIES = [
    {
        "id": "a",
        "title": "Flood in Lübeck",
        "text": "Die Trave stieg über die Ufer.",
        "published": "2024-01-31",
    },
    {"id": "b", "title": "Выборы", "text": "Явка превысила 60 %.\nИтоги — завтра.", "source": "Газета"},
    {"id": "c", "title": "", "text": "", "url": "https://example.org/c", "language": "en"},
    {"id": "d", "title": 'Said, "no"', "text": "He said: “no”; then\tleft.\r\nOr not.", "extra": "kept"},
]


def rows(corpus: Corpus) -> list[dict[str, Any]]:
    """Return the articles of a corpus as dicts."""
    return [row for batch in corpus for row in batch.to_pylist()]


def ids(corpus: Corpus) -> list[str]:
    """Return the ids of the articles of a corpus."""
    return [row["id"] for row in rows(corpus)]


def lines(corpus: Corpus) -> list[bytes]:
    """Return the records of a corpus as lines of JSON."""
    return [record.to_line() for record in corpus.iter_records()]


def jsonl(*records: object) -> bytes:
    """Return JSON Lines in which each record that is bytes is a line as it stands."""
    return b"".join(
        (r if isinstance(r, bytes) else json.dumps(r, ensure_ascii=False).encode()) + b"\n" for r in records
    )


def as_csv(records: list[dict[str, Any]], delimiter: str = ",") -> bytes:
    """Return records as CSV, with every field that any of them has."""
    text = io.StringIO(newline="")
    names = dict.fromkeys(name for record in records for name in record)
    writer = csv.DictWriter(text, list(names), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue().encode()


def as_parquet(records: list[dict[str, Any]]) -> bytes:
    """Return records as a Parquet file."""
    names = dict.fromkeys(name for record in records for name in record)
    file = io.BytesIO()
    columns = {name: [record.get(name) for record in records] for name in names}
    pyarrow.parquet.write_table(pa.table(columns), file)
    return file.getvalue()


def zstd(data: bytes) -> bytes:
    """Return data as one frame of Zstandard."""
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return bytes(sink.getvalue())


FORMATS: dict[str, Callable[[list[dict[str, Any]]], bytes]] = {
    "jsonl": lambda records: jsonl(*records),
    "ndjson": lambda records: jsonl(*records),
    "json": lambda records: json.dumps(records, indent=2, ensure_ascii=False).encode(),
    "csv": as_csv,
    "tsv": lambda records: as_csv(records, "\t"),
    "parquet": as_parquet,
}
PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".zst": zstd,
}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
json_objects = st.dictionaries(
    st.sampled_from(["id", "title", "headline", "body", "published", "source", "other", "\x00"]) | st.text(),
    json_values,
    max_size=5,
)
