"""Readers under fire: whatever the bytes, they give articles, rejects, or one sentence; never anything else.

In CI each is fired at for as long as FUZZ_SECONDS says, a minute by default altogether; elsewhere for a moment.
"""

import bz2
import gzip
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet
import pytest

from dedup.errors import DedupError, InputError
from dedup.index.index import Index
from dedup.index.stream import ArticleStream, BatchLimits
from dedup.io.atomic_write import write_records
from dedup.io.corpus import read_articles

SECONDS = float(os.environ.get("FUZZ_SECONDS", "70" if os.environ.get("CI") else "7"))
SEED = 20_310_504 if os.environ.get("CI") else 0
"""CI goes the same way each time, people another one."""
ARTICLES = [
    {
        "id": f"a{n}",
        "title": f"Mill {n} flooded",
        "text": "The river rose, and “the mill” was lost. " * n,
        "date": f"2031-05-{n + 1:02}",
    }
    for n in range(6)
]
TOKENS = [
    b"{",
    b"}",
    b'"',
    b"\\",
    b"\\u",
    b"\\ud800",
    b"\n",
    b"\r",
    b"\x00",
    b"\xff",
    b",",
    b"null",
    b"1e999",
    b"[" * 50,
    b"\xef\xbb\xbf",
    b":",
    b"text",
]


def lines() -> bytes:
    return b"\n".join(json.dumps(article).encode() for article in ARTICLES)


def table(folder: Path, name: str) -> bytes:
    write_records(folder / name, ARTICLES)
    return (folder / name).read_bytes()


def damaged(random: Random, data: bytes) -> bytes:
    """Return some bytes after a few random changes."""
    changed = bytearray(data)
    for _ in range(random.choice([1, 1, 2, 4, 16])):
        at = random.randrange(len(changed) + 1)
        match random.randrange(5):
            case 0:
                changed[at : at + 1] = bytes([random.randrange(256)])
            case 1:
                changed[at:at] = random.choice(TOKENS)
            case 2:
                del changed[at : at + random.choice([1, 3, 40])]
            case 3:
                changed[at:at] = changed[at : at + random.choice([2, 60])]
            case _:
                changed = changed[:at] if random.random() < 0.2 else changed
        changed = changed or bytearray(b" ")
    return bytes(changed)


KINDS: dict[str, Callable[[Path], bytes]] = {
    "jsonl": lambda _: lines(),
    "json": lambda _: json.dumps(ARTICLES).encode(),
    "csv": lambda folder: table(folder, "a.csv"),
    "tsv": lambda folder: table(folder, "a.tsv"),
    "parquet": lambda folder: table(folder, "a.parquet"),
    "txt": lambda _: ARTICLES[3]["text"].encode(),
    "jsonl.gz": lambda _: gzip.compress(lines()),
    "jsonl.bz2": lambda _: bz2.compress(lines()),
    "jsonl.zst": lambda _: pa.compress(lines(), "zstd", asbytes=True),
}


@pytest.mark.parametrize("kind", KINDS)
def test_readers_give_articles_rejects_or_a_sentence(kind: str, tmp_path: Path) -> None:
    seed = SEED or time.time_ns()
    random, until = Random(seed), time.monotonic() + SECONDS / (len(KINDS) + 1)
    whole, path = KINDS[kind](tmp_path), tmp_path / f"fuzzed.{kind}"

    while time.monotonic() < until:
        path.write_bytes(damaged(random, whole))
        try:
            corpus = read_articles(path)
            articles = sum(batch.num_rows for batch in corpus)
            records = sum(1 for _ in corpus.iter_records())
        except DedupError:
            continue
        assert articles == records, f"seed {seed}"


def test_a_stream_answers_what_it_does_not_reject(tmp_path: Path) -> None:
    seed = SEED or time.time_ns()
    random, until = Random(seed), time.monotonic() + SECONDS / (len(KINDS) + 1)

    with Index.open(":memory:") as index:
        while time.monotonic() < until:
            data = damaged(random, lines())
            (tmp_path / "feed").write_bytes(data)
            with (tmp_path / "feed").open("rb") as file:
                try:
                    found = list(ArticleStream(file.fileno(), index, limits=BatchLimits(3, 0.01)))
                except InputError as error:  # the damaged start looks like another format
                    assert str(error).startswith("a stream is JSON Lines in UTF-8, and this one is ")  # noqa: PT017
                    continue
            told = sum(len(part.answers) + len(part.rejects) for part in found)
            blank = sum(not line.strip() for line in data.split(b"\n"))
            assert told + blank == data.count(b"\n") + 1, f"seed {seed}"
