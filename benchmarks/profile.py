"""Measure the CPU time per article of each stage, in one thread: `python -m benchmarks.profile CORPUS`.

The stages are in the order in which an article passes them. Each stage runs alone over all batches, so that shared effects (above
all, of the cache) do not blur the figures. A whole run takes a little less than their sum.
"""

import argparse
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pyarrow as pa

from dedup import Settings, read_articles
from dedup.io.atomic_write import write_records
from dedup.matching.clustering import assign_leaders
from dedup.matching.match_params import make_match_params
from dedup.pipeline import writers
from dedup.pipeline.deduplicate import IDENTITY_COLUMNS, deduplicate_ids, load_kernels, rank_articles
from dedup.pipeline.results import Result
from dedup.sketches.minhash import compute_signatures, hash_bands
from dedup.sketches.shingles import build_shingle_sets
from dedup.sketches.sketch import Sketches, load_lexicon, sketch_batch
from dedup.sketches.spill import SketchStore
from dedup.sketches.term_norms import compute_term_norms
from dedup.sketches.terms import build_term_sets
from dedup.text.boilerplate.rules import clean_text_lines, clean_titles
from dedup.text.language_id import identify_languages
from dedup.text.tokenizer import tokenize_articles

SETTINGS = Settings(threads=1)


class Clock:
    """Seconds of CPU by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count what is done meanwhile to a stage."""
        start = time.process_time()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.process_time() - start


def timed(clock: Clock, name: str, values: Iterable[Any], stage: Callable[[Any], Any]) -> list[Any]:
    """Return what a stage makes of each value."""
    with clock.stage(name):
        return [stage(value) for value in values]


def profile_sketching(clock: Clock, batches: list[pa.RecordBatch]) -> None:
    """Count the stages of sketching."""
    cleaned = timed(
        clock, "clean", batches, lambda b: (clean_titles(b["title"]), clean_text_lines(b["text"]))
    )
    words = timed(clock, "words", cleaned, lambda texts: tokenize_articles(*texts))
    given = zip(batches, cleaned, words, strict=True)
    names = timed(clock, "language", given, lambda g: identify_languages(g[0]["language"], g[1][1], g[2]))
    shingles = timed(
        clock,
        "shingles",
        words,
        lambda w: build_shingle_sets(w.hashes, w.flags, w.offsets, w.title_lengths, 3),
    )
    signatures = timed(
        clock,
        "signature",
        shingles,
        lambda s: compute_signatures(s[0], s[1], SETTINGS.bands * SETTINGS.rows, 1),
    )
    timed(clock, "signature", signatures, lambda s: hash_bands(s, SETTINGS.rows))
    kinds = [tuple(sorted({*found, ""})) for found in names]
    which = [
        np.array([k.index(name) for name in found], np.int64) for k, found in zip(kinds, names, strict=True)
    ]
    known = zip(words, which, kinds, strict=True)
    terms = timed(
        clock,
        "terms",
        known,
        lambda g: build_term_sets(
            g[0].hashes,
            g[0].flags,
            g[0].offsets,
            g[0].title_lengths,
            g[1],
            load_lexicon(g[2]),
            SETTINGS.salient_terms,
        ),
    )
    timed(clock, "norms", terms, lambda t: compute_term_norms(t[1], t[2]))


def profile(path: str, clock: Clock) -> int:
    """Count all stages of a corpus; return how many articles it has."""
    corpus = read_articles(path)
    with clock.stage("read"):
        batches = list(corpus)
    profile_sketching(clock, batches)
    shelf = SketchStore(SETTINGS.memory)
    for batch in batches:
        part = sketch_batch(batch)
        with clock.stage("put away"):
            shelf.append_batch(part)
    sketches = shelf.load_sketches()
    with clock.stage("rank"):
        remembered = pa.Table.from_batches([batch.select(IDENTITY_COLUMNS) for batch in batches])
        table, repeats, _ = deduplicate_ids(remembered, sketches.content_hashes)
        order = rank_articles(table, sketches.lengths, repeats, SETTINGS)
    made = profile_comparing(clock, sketches, order)
    with clock.stage("second pass, write"):
        result = Result(table, made, order, repeats, SETTINGS)
        write_records(os.devnull, writers.iter_cluster_lines(result, corpus))
    return len(order)


def profile_comparing(clock: Clock, sketches: Sketches, order: np.ndarray) -> Any:
    """Count what looking up and verifying take, and return the assignments."""
    rules = make_match_params(SETTINGS)
    with clock.stage("candidates"):
        assign_leaders(sketches, order, rules._replace(max_candidates=0))
    with clock.stage("verify, cluster"):
        made = assign_leaders(sketches, order, rules)
    clock.seconds["verify, cluster"] -= clock.seconds["candidates"]
    return made


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus")
    load_kernels()
    clock = Clock()
    articles = profile(parser.parse_args().corpus, clock)
    for name, seconds in clock.seconds.items():
        print(f"{name:20}{seconds / articles * 1e6:8.1f}")
    print(f"{'all':20}{sum(clock.seconds.values()) / articles * 1e6:8.1f}")


if __name__ == "__main__":
    main()
