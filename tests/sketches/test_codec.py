"""Packed sketches come back to the bit, and damaged ones never as something else's memory."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from newsmaker import Article, corpora, planned, sketched

from dedup.index.compatibility import SKETCH_FORMAT
from dedup.io.corpus import read_articles
from dedup.pipeline.deduplicate import sketch_batches as sketched_corpus
from dedup.settings.settings import Settings
from dedup.sketches.codec import pack_sketches, unpack_sketches
from dedup.sketches.sketch import Sketches

COMPARED = [name for name in Sketches._fields if name != "content_hashes"]


def back(s: Sketches, threads: int = 1) -> Sketches:
    """Return sketches that were packed and unpacked."""
    return unpack_sketches(pack_sketches(s).to_byte_strings(), s.days, s.salient, s.bands, threads)


def differing(a: Sketches, b: Sketches) -> list[str]:
    """Return the fields in which two batches of sketches differ, bit by bit."""
    return [
        name
        for name in COMPARED
        if getattr(a, name).dtype != getattr(b, name).dtype
        or getattr(a, name).tobytes() != getattr(b, name).tobytes()
    ]


@given(corpora(most=12))
@examples(max_examples=30)
def test_sketches_come_back_to_the_bit(articles: list[Article]) -> None:
    s = sketched([*articles, {"text": ""}, {"text": "one"}])

    for threads in (1, 2, 3, 50):
        assert differing(s, back(s, threads)) == []


@pytest.mark.parametrize("text", ["", "a", "word " * 5000, "Ada said “" + "x y z " * 300 + "”", "日本" * 400])
def test_so_do_odd_ones(text: str) -> None:
    s = sketched([text, "Ada and Bo met in Tarn on Friday; 12 came, 13 left."])

    assert differing(s, back(s)) == []


def test_packing_saves_a_third(newsroom: Path) -> None:
    _, s = sketched_corpus(read_articles(newsroom), Settings(), None)

    held = sum(getattr(s, name).nbytes for name in ("shingles", "quotes", "term_hashes", "term_facts"))

    assert len(pack_sketches(s).data) < 0.65 * held


@given(st.data())
@examples(max_examples=60)
def test_damage_is_an_error_or_another_sketch_and_nothing_else(data: st.DataObject) -> None:
    s = sketched(planned(3, seed=1))
    part = bytearray(pack_sketches(s).to_byte_strings()[1])
    for _ in range(data.draw(st.integers(1, 4))):
        part[data.draw(st.integers(0, len(part) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(part)))

    try:
        found = unpack_sketches([bytes(part[:cut])], s.days[:1], s.salient[:1], s.bands[:1])
    except ValueError:
        return

    assert len(found.shingles) == found.shingle_offsets[-1]
    assert (np.diff(found.shingles.astype(np.int64)) > 0).all()


@pytest.mark.parametrize("part", [b"", b"short", bytes(24)[:23], bytes(8) + b"\xff" * 16])
def test_what_is_cut_short_is_an_error(part: bytes) -> None:
    with pytest.raises(ValueError, match="packed sketch"):
        unpack_sketches([part], np.zeros(1), np.zeros((1, 28), np.uint32), np.zeros((1, 32), np.uint32))


def test_another_sketch_is_another_format(newsroom: Path) -> None:
    """Whoever changes what a sketch is made of gives `fingerprint.FORMAT` a new number, and writes both down here."""
    _, s = sketched_corpus(read_articles(newsroom), Settings(threads=1), None)
    parts = [*pack_sketches(s).to_byte_strings(), s.salient.tobytes(), s.bands.tobytes()]

    digest = hashlib.blake2b(b"".join(parts), digest_size=8).hexdigest()

    assert (SKETCH_FORMAT, digest) == ("2", "de0774108b07a774")
