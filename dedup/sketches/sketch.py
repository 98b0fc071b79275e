"""A batch of articles → a batch of sketches: all that is remembered of them, both channels side by side.

In: Arrow record batches (`articles.SCHEMA`). Out: `Sketches`, a tuple of flat arrays that kernels read: sets of
shingles and terms lie end to end, and article i owns what lies between two offsets. No text is held.
"""

from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedup.sketches.minhash import bands_of, signatures_of
from dedup.sketches.shingles import shingle_sets
from dedup.sketches.term_norms import norms_of
from dedup.sketches.terms import term_sets
from dedup.text.boilerplate.passages import marks_of, without
from dedup.text.boilerplate.profile import Learned
from dedup.text.boilerplate.rules import cleaned_lines, cleaned_titles
from dedup.text.language_id import languages_of
from dedup.text.tokenizer import Words, words_of
from dedup.text.vocabulary import vocabulary

DAY = 86_400.0
WORTH_THREADS = 1 << 20
"""Fewer bytes are copied sooner than threads are started."""


class Sketches(NamedTuple):
    """The sketches of n articles."""

    texts: np.ndarray
    """n, uint64: the hash of the words of the text in order; 0 for no words."""
    tellings: np.ndarray
    """n, uint64: the same, but the hash of the text as it was given where no words are left of it."""
    lengths: np.ndarray
    """n, int32: words in the text; in the title where there is no text."""
    days: np.ndarray
    """n, float64: when it was published, in days since 1970; NaN where that is not known."""
    bands: np.ndarray
    """n × bands, uint32: the hash of each band of the signature; 0 for no words."""
    salient: np.ndarray
    """n × term keys, uint32: the most salient terms of title and lead; 0 where there are fewer."""
    shingle_offsets: np.ndarray
    shingles: np.ndarray
    quote_offsets: np.ndarray
    quotes: np.ndarray
    term_offsets: np.ndarray
    term_hashes: np.ndarray
    term_facts: np.ndarray
    """Terms × `terms.FACTS`, uint8: weight, kind, counts."""
    norms: np.ndarray
    """n × `norms.NORMS`, float32: squared norms and sums over the terms of each article."""


OWNED = {
    "shingle_offsets": ("shingles",),
    "quote_offsets": ("quotes",),
    "term_offsets": ("term_hashes", "term_facts"),
}
"""The fields of which an article owns what lies between two offsets."""


@lru_cache(maxsize=8)
def lexicon(languages: tuple[str, ...]) -> tuple[Any, ...]:
    """Return the vocabularies of `languages` laid end to end, with where each starts, its mask, and what else holds of it."""
    tables = [vocabulary(language) for language in languages]
    sizes = np.array([len(t.keys) for t in tables], np.int64)
    return (
        np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64),
        sizes - 1,
        np.array([t.unknown_weight for t in tables], np.uint32),
        np.array([t.unknown_name for t in tables], np.uint32),
        np.array([t.syllabic for t in tables]),
        np.concatenate([np.stack([t.keys, t.stems, t.weights, t.names], axis=1) for t in tables]),
    )


def sketch(
    batch: pa.RecordBatch,
    *,
    shingle_size: int = 3,
    bands: int = 32,
    rows: int = 2,
    seed: int = 1,
    salient: int = 28,
    furniture: Learned | None = None,
) -> Sketches:
    """Return the sketches of a batch of articles."""
    titles = cleaned_titles(batch["title"])
    texts = without(cleaned_lines(batch["text"]), batch["source"], furniture)
    words = words_of(titles, texts)
    names = languages_of(batch["language"], texts, words)
    kinds = tuple(sorted({*names, ""}))
    which = np.array([kinds.index(name) for name in names], np.int64)
    shingles, shingle_offsets, quotes, quote_offsets, hashes = shingle_sets(*words, shingle_size)
    term_hashes, term_facts, term_offsets, top = term_sets(*words, which, *lexicon(kinds), salient)
    return Sketches(
        texts=hashes,
        tellings=tellings_of(hashes, batch["text"]),
        lengths=lengths_of(words),
        days=days_of(batch["published"]),
        bands=bands_of(signatures_of(shingles, shingle_offsets, bands * rows, seed), rows),
        salient=top,
        shingle_offsets=shingle_offsets,
        shingles=shingles,
        quote_offsets=quote_offsets,
        quotes=quotes,
        term_offsets=term_offsets,
        term_hashes=term_hashes,
        term_facts=term_facts,
        norms=norms_of(term_facts, term_offsets),
    )


def tellings_of(hashes: np.ndarray, texts: pa.StringArray) -> np.ndarray:
    """Return the hashes of the words of texts, and where there are none the hash of the text as it was given."""
    found, wordless = hashes.copy(), hashes == 0
    found[wordless] = marks_of(texts.filter(pa.array(wordless)))
    return found


def lengths_of(words: Words) -> np.ndarray:
    """Return the number of words in each text (int32), in its title where there is no text."""
    lengths = np.diff(words.offsets) - words.titles
    return np.where(lengths > 0, lengths, words.titles).astype(np.int32)


def days_of(published: pa.Array) -> np.ndarray:
    """Return timestamps as days since 1970 (float64), NaN for null."""
    seconds = pc.cast(published, pa.int64()).to_numpy(zero_copy_only=False).astype(np.float64)
    return seconds / DAY


def joined(parts: list[Sketches]) -> Sketches:
    """Return batches of sketches as one, in order."""
    columns = [list(arrays) for arrays in zip(*parts, strict=True)]
    if sum(array.nbytes for part in parts for array in part) < WORTH_THREADS:
        return Sketches(*map(join_field, Sketches._fields, columns))
    with ThreadPoolExecutor() as pool:  # copying waits for memory, and more than one core can wait
        return Sketches(*pool.map(join_field, Sketches._fields, columns))


def join_field(field: str, arrays: list[np.ndarray]) -> np.ndarray:
    """Return one field of several batches end to end; offsets go on where the last batch stopped."""
    if not field.endswith("_offsets"):
        return np.concatenate(arrays)
    starts = np.cumsum([0] + [array[-1] for array in arrays])
    return np.concatenate(
        [[0]] + [array[1:] + start for array, start in zip(arrays, starts, strict=False)]
    ).astype(np.int64)


def taken(s: Sketches, positions: np.ndarray) -> Sketches:
    """Return the sketches at some positions (int64), in the order of these."""
    fields: dict[str, np.ndarray] = {}
    for offsets, owned in OWNED.items():
        ends = getattr(s, offsets)
        starts, lengths = ends[positions], ends[positions + 1] - ends[positions]
        fields[offsets] = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        places = np.repeat(starts - fields[offsets][:-1], lengths) + np.arange(fields[offsets][-1])
        fields |= {name: getattr(s, name)[places] for name in owned}
    return Sketches(
        **{name: fields[name] if name in fields else getattr(s, name)[positions] for name in s._fields}
    )
