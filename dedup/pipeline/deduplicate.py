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
from dedup.io.articles import Progress, to_batches
from dedup.io.corpus import Corpus
from dedup.io.schema import SCHEMA
from dedup.matching.classifier import EXACT, NONE, rules_of
from dedup.matching.clustering import Assignments, assign, join_small_storylines, placed
from dedup.matching.evidence import CONTAINED, CONTAINS, COUNT, JACCARD
from dedup.pipeline.results import Result
from dedup.settings.settings import Settings
from dedup.sketches.sketch import Sketches, sketch
from dedup.sketches.spill import Shelf, give_back_freed, room_in

REMEMBERED = ("id", "title", "source", "published")
"""The columns that are kept of each article beside its sketch."""
GIVEN_TWICE = "articles given twice, with the same id and text: read once"
JOINED_UNDATED = "rewrites rest on a small storyline without dates counting as one story; --undated apart keeps their articles"
RENAMED = "articles whose id another article has already: #2, #3 … added to the id"
SAME = np.isin(np.arange(COUNT), (JACCARD, CONTAINED, CONTAINS)).astype(np.float32)
"""The evidence against an article that was given twice: the words are the same, more was not looked at."""
REMEMBERED_SCHEMA = pa.schema([SCHEMA.field(name) for name in REMEMBERED])


def deduplicate(
    articles: Any, settings: Settings | None = None, *, progress: Progress | None = None
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
    return decided(prepared(articles, settings, progress), settings)


class Prepared(NamedTuple):
    """The articles of a corpus and their sketches, by position in the order of input: all that a run knows before it decides."""

    articles: pa.Table
    """n rows: id, title, source, published."""
    sketches: Sketches
    repeats: np.ndarray
    """n, int64: the position of the first giving of the same article; -1 for that first itself."""
    warnings: dict[str, int]
    shelf: Shelf
    """Holds the sketches, in memory or in files."""


def prepared(articles: Any, settings: Settings, progress: Progress | None = None) -> Prepared:
    """Return the articles that `deduplicate` takes, sketched under the settings."""
    batches = articles if isinstance(articles, Corpus) else to_batches(articles)
    shelf = shelf_for(settings)
    with ThreadPoolExecutor(1) as aside:
        loading = aside.submit(load_kernels)
        remembered, sketches = sketched(batches, settings, progress, shelf)
        loading.result()
    table, repeats, warnings = identified(remembered, sketches.tellings)
    del remembered
    table = shelf.held(table)
    if shelf.filed:
        give_back_freed()
    return Prepared(table, sketches, repeats, dict(warnings), shelf)


def decided(given: Prepared, settings: Settings) -> Result:
    """Return what becomes of prepared articles under settings that leave the sketches as they are.

    Settings that change the sketches (`salient_terms`, `bands`, `rows`, `seed`, `furniture`) need a preparation of their own.
    """
    table, sketches, repeats, warnings, shelf = given
    settings = resolve_undated(settings, sketches.days)
    order = ranked(table, sketches.lengths, repeats, settings)
    made, joined = assigned(shelf, order, settings)
    if joined:
        warnings = {**warnings, JOINED_UNDATED: joined}
    return Result(table, repeated(made, repeats), order, repeats, settings, warnings)


def resolve_undated(settings: Settings, days: np.ndarray) -> Settings:
    """Return the settings with `undated` as it is in force for articles of some days (NaN: none): `auto` is decided here."""
    if settings.undated == "now":
        raise SettingsError("undated=now is for a stream: an article is dated when an index takes it in")
    if settings.undated != "auto":
        return settings
    return replace(settings, undated="together" if np.isnan(days).all() else "apart")


def assigned(shelf: Shelf, order: np.ndarray, settings: Settings) -> tuple[Assignments, int]:
    """Return the assignments of all articles of a shelf, taken in `order`; and how many only their lack of dates drops."""
    near = shelf.in_order(order)
    taken = order if near is shelf else np.arange(len(order))
    rules, threads, joined = rules_of(settings), threads_of(settings), 0
    made = assign(near.sketches(), taken, rules, threads, rest=near.rest)
    if joins_undated(settings):
        made, joined = join_small_storylines(near.sketches(), taken, made, rules, threads)
    return (made if near is shelf else placed(made, order, len(shelf.sketches().texts))), joined


def joins_undated(settings: Settings) -> bool:
    """Return whether small storylines without dates count as one story."""
    looks_for = {"rewrite", "followup"} <= set(settings.relations)
    return settings.undated == "together" and settings.level == "story" and looks_for


def sketched(
    batches: Iterable[pa.RecordBatch],
    settings: Settings,
    progress: Progress | None,
    shelf: Shelf | None = None,
) -> tuple[pa.Table, Sketches]:
    """Return the remembered columns and the sketches of all batches, in order, which `shelf` holds.

    Threads work ahead by a bounded number of batches.
    """
    columns, shelf = [], shelf or shelf_for(settings)
    for batch, part in ahead(batches, settings):
        columns.append(batch.select(REMEMBERED))
        shelf.put(part)
        if progress:
            progress(batch.num_rows)
    if not columns:
        shelf.put(empty_sketches(settings))
    return pa.Table.from_batches(columns, REMEMBERED_SCHEMA), shelf.sketches()


def shelf_for(settings: Settings) -> Shelf:
    """Return an empty shelf."""
    return Shelf(room_in(settings.memory), settings.work_dir)


def ahead(batches: Iterable[pa.RecordBatch], settings: Settings) -> Iterator[tuple[pa.RecordBatch, Sketches]]:
    """Yield each batch with its sketches, in order, while later ones are being sketched."""
    threads = threads_of(settings)
    pending: deque[tuple[pa.RecordBatch, Future[Sketches]]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for batch in batches:
            pending.append((batch, pool.submit(sketch_with, batch, settings)))
            if len(pending) > threads + 1:
                done, future = pending.popleft()
                yield done, future.result()
        for done, future in pending:
            yield done, future.result()


def threads_of(settings: Settings) -> int:
    """Return the number of threads to use."""
    return settings.threads or os.cpu_count() or 1


def sketch_with(batch: pa.RecordBatch, settings: Settings) -> Sketches:
    """Return the sketches of a batch under the settings."""
    return sketch(
        batch,
        bands=settings.bands,
        rows=settings.rows,
        seed=settings.seed,
        salient=settings.salient_terms,
        furniture=settings.furniture,
    )


@cache
def load_kernels() -> None:
    """Run every kernel on an article without words, once a process.

    Loading them takes long enough to read and clean a batch in between.
    """
    settings = Settings()
    nothing = pa.RecordBatch.from_pylist([{"id": "", "text": ""}], SCHEMA)
    assign(sketch_with(nothing, settings), np.zeros(1, np.int64), rules_of(settings))


def empty_sketches(settings: Settings) -> Sketches:
    """Return the sketches of no articles: what a corpus of nothing joins to."""
    return sketch_with(pa.RecordBatch.from_pylist([], SCHEMA), settings)


def identified(
    articles: pa.Table, tellings: np.ndarray, before: Collection[str] = ()
) -> tuple[pa.Table, np.ndarray, Counter[str]]:
    """Return (articles with unique ids, repeats, warnings); the ids of `before` are others' already.

    An id that comes again with the same text is the same article, given twice: `repeats` holds the position of the first
    (-1 elsewhere). With another text it is another article, and gets a suffix: `#2`, `#3` ...
    """
    repeats = np.full(len(articles), -1, np.int64)
    warnings: Counter[str] = Counter()
    if not before and pc.count_distinct(articles["id"], mode="all").as_py() == len(articles):
        return articles, repeats, warnings
    ids = articles["id"].to_pylist()
    taken = {*ids, *before}
    first: dict[tuple[str, int], int] = {}
    seen = set(before)
    for a, name in enumerate(ids):
        known = first.setdefault((name, int(tellings[a])), a)
        if known != a:
            repeats[a] = known
            ids[a] = ids[known]
            warnings[GIVEN_TWICE] += 1
            continue
        if name in seen:
            number = next(n for n in range(2, len(taken) + 2) if f"{name}#{n}" not in taken)
            ids[a] = f"{name}#{number}"
            taken.add(ids[a])
            warnings[RENAMED] += 1
        seen.add(name)
    return articles.set_column(0, "id", pa.array(ids, pa.string())), repeats, warnings


def ranked(articles: pa.Table, lengths: np.ndarray, repeats: np.ndarray, settings: Settings) -> np.ndarray:
    """Return the positions (int64) in the order in which articles are taken: who comes first is kept.

    Preferred sources first; then the earliest (undated last) or the longest; then the other of the two; then by id.
    """
    ids = pc.rank(articles["id"], tiebreaker="first").to_numpy()
    published = pc.cast(articles["published"], pa.int64()).to_numpy()
    published = np.where(np.isnan(published), np.inf, published) if published.dtype.kind == "f" else published
    by_age, by_length = (published, -lengths.astype(np.int64))
    keys = (by_age, by_length) if settings.keep == "earliest" else (by_length, by_age)
    order = np.lexsort((ids, keys[1], keys[0], preference(articles["source"], settings.sources)))
    return order[repeats[order] < 0]


def preference(sources: pa.ChunkedArray, preferred: tuple[str, ...]) -> np.ndarray:
    """Return the place of each article's source among the preferred ones; those not named come after all of them."""
    found = pc.index_in(sources, value_set=pa.array(preferred, pa.string()))
    return pc.fill_null(found, len(preferred)).to_numpy()


def repeated(made: Assignments, repeats: np.ndarray) -> Assignments:
    """Return the assignments with each article that was given twice dropped like its first giving, or as its exact copy."""
    again = np.flatnonzero(repeats >= 0)
    first = repeats[again]
    for field in (made.leaders, made.relations, made.scores, made.storylines, made.places):
        field[again] = field[first]
    copies = again[made.relations[again] == NONE]
    made.relations[copies] = EXACT
    made.scores[copies] = 1.0
    made.places[copies] = len(made.evidence) + np.arange(len(copies))
    return made._replace(evidence=np.concatenate([made.evidence, np.tile(SAME, (len(copies), 1))]))
