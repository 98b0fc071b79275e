"""Articles → result: the one place where the stages stand in order.

read → clean → sketch → rank → candidates → verify → cluster
"""

import os
from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedup.errors import SettingsError
from dedup.io.articles import ProgressCallback, to_batches
from dedup.io.corpus import Corpus
from dedup.io.schema import SCHEMA
from dedup.jit import mark_kernels_compiled
from dedup.matching.classifier import EXACT, NO_RELATION, make_match_params
from dedup.matching.clustering import Assignments, assign_leaders, join_small_storylines, to_input_order
from dedup.matching.evidence import CONTAINED, CONTAINS, EVIDENCE_COUNT, JACCARD
from dedup.pipeline.results import Result
from dedup.settings.settings import Settings
from dedup.sketches.sketch import Sketches, sketch_batch
from dedup.sketches.spill import SketchStore, compute_sketch_budget, release_freed_memory

IDENTITY_COLUMNS = ("id", "title", "source", "published")
"""The columns that are kept of each article beside its sketch."""
REPEATED_INPUT = "articles given twice, with the same id and text: read once"
UNDATED_JOINED = "rewrites rest on a small storyline without dates counting as one story; --undated apart keeps their articles"
RENAMED_IDS = "articles whose id another article has already: #2, #3 … added to the id"
EXACT_REPEAT_EVIDENCE = np.isin(np.arange(EVIDENCE_COUNT), (JACCARD, CONTAINED, CONTAINS)).astype(np.float32)
"""The evidence against an article that was given twice: the words are the same, more was not looked at."""
IDENTITY_SCHEMA = pa.schema([SCHEMA.field(name) for name in IDENTITY_COLUMNS])


def deduplicate(
    articles: Any, settings: Settings | None = None, *, progress: ProgressCallback | None = None
) -> Result:
    """Return which articles tell the same story, which are kept, and why the others are not.

    `articles` is a corpus from `read_articles`, a list of dicts or of strings, or anything that speaks Arrow.
    The result does not depend on their order, nor on threads. Errors: `InputError` for what cannot be read.

    >>> result = deduplicate(
    ...     [
    ...         "The river rose two metres overnight and flooded the old mill.",
    ...         "The river rose two metres overnight and flooded the old mill.",
    ...     ]
    ... )
    >>> result.kept, result.dropped[0].relation
    (['0'], 'exact')
    """
    settings = settings or Settings()
    return cluster_sketches(sketch_corpus(articles, settings, progress), settings)


class SketchedCorpus(NamedTuple):
    """The articles of a corpus and their sketches, by position in the order of input: all that a run knows before it decides."""

    articles: pa.Table
    """n rows: id, title, source, published."""
    sketches: Sketches
    duplicate_of_input: np.ndarray
    """n, int64: the position of the first giving of the same article; -1 for that first itself."""
    warnings: dict[str, int]
    store: SketchStore
    """Holds the sketches, in memory or in files."""


def sketch_corpus(
    articles: Any, settings: Settings, progress: ProgressCallback | None = None
) -> SketchedCorpus:
    """Return the articles that `deduplicate` takes, sketched under the settings."""
    batches = articles if isinstance(articles, Corpus) else to_batches(articles)
    shelf = make_sketch_store(settings)
    with ThreadPoolExecutor(1) as aside:
        loading = aside.submit(load_kernels)
        remembered, sketches = sketch_batches(batches, settings, progress, shelf)
        loading.result()
    table, repeats, warnings = deduplicate_ids(remembered, sketches.content_hashes)
    del remembered
    table = shelf.store_table(table)
    if shelf.bytes_in_files:
        release_freed_memory()
    return SketchedCorpus(table, sketches, repeats, dict(warnings), shelf)


def cluster_sketches(corpus: SketchedCorpus, settings: Settings) -> Result:
    """Return what becomes of prepared articles under settings that leave the sketches as they are.

    Settings that change the sketches (`salient_terms`, `bands`, `rows`, `seed`, `boilerplate`) need a preparation of their own.
    """
    table, sketches, repeats, warnings, shelf = corpus
    settings = resolve_undated(settings, sketches.days)
    order = rank_articles(table, sketches.lengths, repeats, settings)
    made, joined = cluster_in_rank_order(shelf, order, settings)
    if joined:
        warnings = {**warnings, UNDATED_JOINED: joined}
    mark_kernels_compiled()
    return Result(table, assign_exact_repeats(made, repeats), order, repeats, settings, warnings)


def resolve_undated(settings: Settings, days: np.ndarray) -> Settings:
    """Return the settings with `undated` as it is in force for articles of some days (NaN: none): `auto` is decided here."""
    if settings.undated == "now":
        raise SettingsError("undated=now is for a stream: an article is dated when an index takes it in")
    if settings.undated != "auto":
        return settings
    return replace(settings, undated="together" if np.isnan(days).all() else "apart")


def cluster_in_rank_order(
    store: SketchStore, order: np.ndarray, settings: Settings
) -> tuple[Assignments, int]:
    """Return the assignments of all articles of a shelf, taken in `order`; and how many only their lack of dates drops."""
    near = store.order_by(order)
    taken = order if near is store else np.arange(len(order))
    rules, threads, joined = make_match_params(settings), resolve_thread_count(settings), 0
    made = assign_leaders(near.load_sketches(), taken, rules, threads, after_chunk=near.release_pages)
    if should_join_undated(settings):
        made, joined = join_small_storylines(near.load_sketches(), taken, made, rules, threads)
    return (
        made if near is store else to_input_order(made, order, len(store.load_sketches().text_hashes))
    ), joined


def should_join_undated(settings: Settings) -> bool:
    """Return whether small storylines without dates count as one story."""
    looks_for = {"rewrite", "followup"} <= set(settings.relations)
    return settings.undated == "together" and settings.level == "story" and looks_for


def sketch_batches(
    batches: Iterable[pa.RecordBatch],
    settings: Settings,
    progress: ProgressCallback | None,
    store: SketchStore | None = None,
) -> tuple[pa.Table, Sketches]:
    """Return the remembered columns and the sketches of all batches, in order, which `shelf` holds.

    Threads work ahead by a bounded number of batches.
    """
    columns, store = [], store or make_sketch_store(settings)
    for batch, part in iter_sketched_batches(batches, settings):
        columns.append(batch.select(IDENTITY_COLUMNS))
        store.append_batch(part)
        if progress:
            progress(batch.num_rows)
    if not columns:
        store.append_batch(make_empty_sketches(settings))
    return pa.Table.from_batches(columns, IDENTITY_SCHEMA), store.load_sketches()


def make_sketch_store(settings: Settings) -> SketchStore:
    """Return an empty shelf."""
    return SketchStore(compute_sketch_budget(settings.memory), settings.work_dir)


def iter_sketched_batches(
    batches: Iterable[pa.RecordBatch], settings: Settings
) -> Iterator[tuple[pa.RecordBatch, Sketches]]:
    """Yield each batch with its sketches, in order, while later ones are being sketched."""
    threads = resolve_thread_count(settings)
    pending: deque[tuple[pa.RecordBatch, Future[Sketches]]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for batch in batches:
            pending.append((batch, pool.submit(sketch_with_settings, batch, settings)))
            if len(pending) > threads + 1:
                done, future = pending.popleft()
                yield done, future.result()
        for done, future in pending:
            yield done, future.result()


def resolve_thread_count(settings: Settings) -> int:
    """Return the number of threads to use."""
    return settings.threads or os.cpu_count() or 1


def sketch_with_settings(batch: pa.RecordBatch, settings: Settings) -> Sketches:
    """Return the sketches of a batch under the settings."""
    return sketch_batch(
        batch,
        bands=settings.bands,
        rows=settings.rows,
        seed=settings.seed,
        salient=settings.salient_terms,
        boilerplate=settings.boilerplate,
    )


@cache
def load_kernels() -> None:
    """Run every kernel on an article without words, once a process.

    Loading them takes long enough to read and clean a batch in between.
    """
    settings = Settings()
    nothing = pa.RecordBatch.from_pylist([{"id": "", "text": ""}], SCHEMA)
    assign_leaders(
        sketch_with_settings(nothing, settings), np.zeros(1, np.int64), make_match_params(settings)
    )


def make_empty_sketches(settings: Settings) -> Sketches:
    """Return the sketches of no articles: what a corpus of nothing joins to."""
    return sketch_with_settings(pa.RecordBatch.from_pylist([], SCHEMA), settings)


def deduplicate_ids(
    articles: pa.Table, content_hashes: np.ndarray, reserved_ids: Collection[str] = ()
) -> tuple[pa.Table, np.ndarray, Counter[str]]:
    """Return (articles with unique ids, repeats, warnings); the ids of `before` are others' already.

    An id that comes again with the same text is the same article, given twice: `repeats` holds the position of the first
    (-1 elsewhere). With another text it is another article, and gets a suffix: `#2`, `#3` ...
    """
    repeats = np.full(len(articles), -1, np.int64)
    warnings: Counter[str] = Counter()
    if not reserved_ids and pc.count_distinct(articles["id"], mode="all").as_py() == len(articles):
        return articles, repeats, warnings
    ids = articles["id"].to_pylist()
    taken = {*ids, *reserved_ids}
    first: dict[tuple[str, int], int] = {}
    seen = set(reserved_ids)
    for a, name in enumerate(ids):
        known = first.setdefault((name, int(content_hashes[a])), a)
        if known != a:
            repeats[a] = known
            ids[a] = ids[known]
            warnings[REPEATED_INPUT] += 1
            continue
        if name in seen:
            number = next(n for n in range(2, len(taken) + 2) if f"{name}#{n}" not in taken)
            ids[a] = f"{name}#{number}"
            taken.add(ids[a])
            warnings[RENAMED_IDS] += 1
        seen.add(name)
    return articles.set_column(0, "id", pa.array(ids, pa.string())), repeats, warnings


def rank_articles(
    articles: pa.Table, lengths: np.ndarray, duplicate_of_input: np.ndarray, settings: Settings
) -> np.ndarray:
    """Return the positions (int64) in the order in which articles are taken: who comes first is kept.

    Preferred sources first; then the earliest (undated last) or the longest; then the other of the two; then by id.
    """
    ids = pc.rank(articles["id"], tiebreaker="first").to_numpy()
    published = pc.cast(articles["published"], pa.int64()).to_numpy()
    published = np.where(np.isnan(published), np.inf, published) if published.dtype.kind == "f" else published
    by_age, by_length = (published, -lengths.astype(np.int64))
    keys = (by_age, by_length) if settings.keep == "earliest" else (by_length, by_age)
    order = np.lexsort((ids, keys[1], keys[0], rank_sources(articles["source"], settings.sources)))
    return order[duplicate_of_input[order] < 0]


def rank_sources(sources: pa.ChunkedArray, preferred: tuple[str, ...]) -> np.ndarray:
    """Return the place of each article's source among the preferred ones; those not named come after all of them."""
    found = pc.index_in(sources, value_set=pa.array(preferred, pa.string()))
    return pc.fill_null(found, len(preferred)).to_numpy()


def assign_exact_repeats(assignments: Assignments, duplicate_of_input: np.ndarray) -> Assignments:
    """Return the assignments with each article that was given twice dropped like its first giving, or as its exact copy."""
    again = np.flatnonzero(duplicate_of_input >= 0)
    first = duplicate_of_input[again]
    for field in (
        assignments.leaders,
        assignments.relations,
        assignments.scores,
        assignments.storylines,
        assignments.evidence_rows,
    ):
        field[again] = field[first]
    copies = again[assignments.relations[again] == NO_RELATION]
    assignments.relations[copies] = EXACT
    assignments.scores[copies] = 1.0
    assignments.evidence_rows[copies] = len(assignments.evidence) + np.arange(len(copies))
    return assignments._replace(
        evidence=np.concatenate([assignments.evidence, np.tile(EXACT_REPEAT_EVIDENCE, (len(copies), 1))])
    )
