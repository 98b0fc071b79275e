"""Sketch articles: compute the shingles, signatures and terms that matching compares, without their texts.

`Sketches` is a tuple of flat arrays that kernels read. The sets of shingles and terms lie end to end; those of article i
lie between two offsets.
"""

from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedup.jit import jit
from dedup.sketches.minhash import compute_signatures, hash_bands
from dedup.sketches.shingles import build_shingle_sets
from dedup.sketches.term_norms import compute_term_norms
from dedup.sketches.terms import Lexicon, build_term_sets
from dedup.text.boilerplate.passages import hash_strings, remove_learned_passages
from dedup.text.boilerplate.profile import BoilerplateProfile
from dedup.text.boilerplate.rules import clean_text_lines, clean_titles
from dedup.text.language_id import identify_languages
from dedup.text.tokenizer import Words, tokenize_articles
from dedup.text.vocabulary import load_vocabulary

SECONDS_PER_DAY = 86_400.0
MIN_BYTES_FOR_THREADS = 1 << 20
"""Below this size, starting threads takes longer than copying."""


class Sketches(NamedTuple):
    """The sketches of n articles."""

    text_hashes: np.ndarray
    """n, uint64: the hash of the words of the text, in order; 0 without words."""
    content_hashes: np.ndarray
    """n, uint64: the same; but if the text has no words, the hash of the text as it was read."""
    lengths: np.ndarray
    """n, int32: the number of words of the text; of the title if there is no text."""
    days: np.ndarray
    """n, float64: the date of publication in days since 1970; NaN if unknown."""
    bands: np.ndarray
    """n × bands, uint32: the hash of each band of the signature; 0 without words."""
    salient: np.ndarray
    """n × `salient_terms`, uint32: the most salient terms of title and lead; 0 if there are fewer."""
    shingle_offsets: np.ndarray
    shingles: np.ndarray
    quote_offsets: np.ndarray
    quotes: np.ndarray
    term_offsets: np.ndarray
    term_hashes: np.ndarray
    term_facts: np.ndarray
    """Terms × `FACT_BYTES`, uint8: weight, kind and counts."""
    norms: np.ndarray
    """n × `NORM_COLUMNS`, float32: squared norms and sums over the terms of each article."""


FIELDS_BY_OFFSETS = {
    "shingle_offsets": ("shingles",),
    "quote_offsets": ("quotes",),
    "term_offsets": ("term_hashes", "term_facts"),
}
"""The fields whose values for an article lie between two offsets."""


@lru_cache(maxsize=8)
def load_lexicon(languages: tuple[str, ...]) -> Lexicon:
    """Return the vocabularies of `languages`."""
    tables = [load_vocabulary(language) for language in languages]
    sizes = np.array([len(t.keys) for t in tables], np.int64)
    return Lexicon(
        bases=np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64),
        masks=sizes - 1,
        unknown_weights=np.array([t.unknown_weight for t in tables], np.uint32),
        unknown_names=np.array([t.unknown_name for t in tables], np.uint32),
        is_syllabic=np.array([t.syllabic for t in tables]),
        rows=np.concatenate([np.stack([t.keys, t.stems, t.weights, t.names], axis=1) for t in tables]),
    )


def sketch_batch(
    batch: pa.RecordBatch,
    *,
    shingle_size: int = 3,
    bands: int = 32,
    rows: int = 2,
    seed: int = 1,
    salient: int = 28,
    boilerplate: BoilerplateProfile | None = None,
) -> Sketches:
    """Return the sketches of a batch of articles."""
    titles = clean_titles(batch["title"])
    texts = remove_learned_passages(clean_text_lines(batch["text"]), batch["source"], boilerplate)
    words = tokenize_articles(titles, texts)
    languages = identify_languages(batch["language"], texts, words)
    distinct_languages = tuple(sorted({*languages, ""}))
    vocabulary_ids = np.array([distinct_languages.index(name) for name in languages], np.int64)
    shingles, shingle_offsets, quotes, quote_offsets, hashes = build_shingle_sets(*words, shingle_size)
    term_hashes, term_facts, term_offsets, salient_terms = build_term_sets(
        *words, vocabulary_ids, load_lexicon(distinct_languages), salient
    )
    return Sketches(
        text_hashes=hashes,
        content_hashes=compute_content_hashes(hashes, batch["text"]),
        lengths=count_text_words(words),
        days=convert_to_days(batch["published"]),
        bands=hash_bands(compute_signatures(shingles, shingle_offsets, bands * rows, seed), rows),
        salient=salient_terms,
        shingle_offsets=shingle_offsets,
        shingles=shingles,
        quote_offsets=quote_offsets,
        quotes=quotes,
        term_offsets=term_offsets,
        term_hashes=term_hashes,
        term_facts=term_facts,
        norms=compute_term_norms(term_facts, term_offsets),
    )


def compute_content_hashes(hashes: np.ndarray, texts: pa.StringArray) -> np.ndarray:
    """Return the hashes of the words of texts; of texts without words, the hash of the text as it was read."""
    content_hashes, wordless = hashes.copy(), hashes == 0
    content_hashes[wordless] = hash_strings(texts.filter(pa.array(wordless)))
    return content_hashes


def count_text_words(words: Words) -> np.ndarray:
    """Return the number of words of each text (int32); of its title if there is no text."""
    lengths = np.diff(words.offsets) - words.title_lengths
    return np.where(lengths > 0, lengths, words.title_lengths).astype(np.int32)


def convert_to_days(published: pa.Array) -> np.ndarray:
    """Return timestamps as days since 1970 (float64); NaN for null."""
    seconds = pc.cast(published, pa.int64()).to_numpy(zero_copy_only=False).astype(np.float64)
    return seconds / SECONDS_PER_DAY


def concat_sketches(parts: list[Sketches]) -> Sketches:
    """Return the sketches of several batches as one, in order."""
    columns = [list(arrays) for arrays in zip(*parts, strict=True)]
    if sum(array.nbytes for part in parts for array in part) < MIN_BYTES_FOR_THREADS:
        return Sketches(*map(concat_field, Sketches._fields, columns))
    with ThreadPoolExecutor() as pool:  # copying waits for memory, so several cores help
        return Sketches(*pool.map(concat_field, Sketches._fields, columns))


def concat_field(field: str, arrays: list[np.ndarray]) -> np.ndarray:
    """Return one field of several batches end to end; offsets continue where those of the previous batch stopped."""
    if not field.endswith("_offsets"):
        return np.concatenate(arrays)
    starts = np.cumsum([0] + [array[-1] for array in arrays])
    return np.concatenate(
        [[0]] + [array[1:] + start for array, start in zip(arrays, starts, strict=False)]
    ).astype(np.int64)


def select_sketches(s: Sketches, positions: np.ndarray) -> Sketches:
    """Return the sketches at `positions` (int64), in that order."""
    fields: dict[str, np.ndarray] = {}
    for offsets, value_fields in FIELDS_BY_OFFSETS.items():
        old_ends = getattr(s, offsets)
        starts, lengths = old_ends[positions], old_ends[positions + 1] - old_ends[positions]
        ends = fields[offsets] = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        for name in value_fields:
            values = getattr(s, name)
            fields[name] = np.empty((ends[-1], *values.shape[1:]), values.dtype)
            copy_values(view_rows(values), starts, ends, view_rows(fields[name]))
    return Sketches(
        **{name: fields[name] if name in fields else getattr(s, name)[positions] for name in s._fields}
    )


def view_rows(values: np.ndarray) -> np.ndarray:
    """Return values as one number each: the facts of a term are eight bytes."""
    return values if values.ndim == 1 else values.reshape(-1).view(np.uint64)


@jit
def copy_values(values, starts, ends, out):
    """Copy the values of each article, from `starts` on in `values`, to between its `ends` in `out`."""
    for a in range(len(starts)):
        first, target = np.uint64(starts[a]), np.uint64(ends[a])
        for i in range(np.uint64(ends[a + 1] - ends[a])):
            out[target + i] = values[first + i]
