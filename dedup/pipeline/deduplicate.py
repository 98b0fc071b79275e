"""Find the articles that tell the same story: read, clean, sketch, rank, find candidates, verify, cluster.

`deduplicate` runs the stages in this order. `sketch_corpus` covers those that look at each article alone,
`cluster_sketches` those that compare articles. Tuning sketches once and clusters many times.
"""

import os
from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple, Unpack

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedup.errors import SettingsError
from dedup.io.articles import ProgressCallback, to_batches
from dedup.io.corpus import Corpus
from dedup.io.schema import SCHEMA
from dedup.matching.assignments import Assignments, to_input_order
from dedup.matching.classifier import EXACT, NO_RELATION
from dedup.matching.clustering import assign_leaders
from dedup.matching.evidence_columns import CONTAINED, CONTAINS, EVIDENCE_COUNT, JACCARD
from dedup.matching.match_params import make_match_params
from dedup.matching.small_storylines import join_small_storylines
from dedup.pipeline.inputs import ArticleInput, Articles, ErrorPolicy, open_articles
from dedup.pipeline.overrides import SettingsOverrides, override_settings
from dedup.pipeline.results import Result
from dedup.settings.settings import Settings
from dedup.sketches.sketch import Sketches, sketch_batch
from dedup.sketches.spill import SketchStore, compute_sketch_budget, release_freed_memory

IDENTITY_COLUMNS = ("id", "title", "source", "published")
"""The columns of each article that a result keeps besides its sketch."""
REPEATED_INPUT = "articles repeated in the input with the same id and text, read once"
UNDATED_JOINED = "articles dropped because a small storyline without dates counts as one story (--undated apart keeps them)"
RENAMED_IDS = "articles with the id of another article, renamed with a suffix (#2, #3 …)"
SHARED_ID = "articles share the id {!r}; check that the id field is the right one (--field id=NAME)"
MIN_SHARED_ID_WARNING = 100
"""If this many different articles share an id, the id field is probably wrong or constant."""
EXACT_REPEAT_EVIDENCE = np.isin(np.arange(EVIDENCE_COUNT), (JACCARD, CONTAINED, CONTAINS)).astype(np.float32)
"""The evidence for an article that is repeated in the input: all words are the same, and nothing else is compared."""
IDENTITY_SCHEMA = pa.schema([SCHEMA.field(name) for name in IDENTITY_COLUMNS])


class SketchedCorpus(NamedTuple):
    """The articles of a corpus and their sketches, by position in input order."""

    articles: pa.Table
    """n rows: id, title, source, published."""
    sketches: Sketches
    duplicate_of_input: np.ndarray
    """n, int64: the position of the first copy of the same article (same id and text), or -1 if this is the first."""
    warnings: dict[str, int]
    store: SketchStore
    """The owner of the sketches, in memory or in files."""


def deduplicate(
    articles: Articles,
    settings: Settings | None = None,
    *,
    fields: Mapping[str, str] | None = None,
    on_error: ErrorPolicy = "raise",
    progress: ProgressCallback | None = None,
    **overrides: Unpack[SettingsOverrides],
) -> Result:
    """Return the clusters of articles that tell the same story, with the articles kept and the reason for each drop.

    `articles` is a corpus from `read_articles`, the path of a file or folder, a list of dicts or strings (the
    texts), or any table with an Arrow interface: pyarrow, polars, pandas, DuckDB or Hugging Face datasets.
    `fields` maps our field names to yours: `{"text": "body"}`. An article without a text raises `InputError`;
    with `on_error="reject"` it is left out and listed in `result.rejects`. A corpus from `read_articles` has
    its own setting for this. Settings are keywords, or a `Settings` object that the keywords override.

    Ids keep their type. The result depends neither on the order of the articles nor on the number of threads.

    >>> text = "The river rose two metres overnight and flooded the old mill."
    >>> result = deduplicate(
    ...     [{"id": 7, "body": text}, {"id": 8, "body": text}], fields={"text": "body"}, level="text"
    ... )
    >>> result.kept, result.dropped[0].relation
    ([7], 'exact')
    """
    settings = override_settings(settings, overrides)
    source = open_articles(articles, fields=fields, on_error=on_error)
    corpus = sketch_corpus(source, settings, progress)  # read, clean, sketch
    result = cluster_sketches(corpus, settings)  # rank, candidates, verify, cluster
    return add_source(result, source)


def sketch_corpus(
    articles: Any, settings: Settings, progress: ProgressCallback | None = None
) -> SketchedCorpus:
    """Return the articles, in any form that `deduplicate` accepts, with their sketches."""
    batches = articles if isinstance(articles, Corpus | ArticleInput) else to_batches(articles)
    store = make_sketch_store(settings)
    with ThreadPoolExecutor(1) as background:
        loading = background.submit(load_kernels)
        identities, sketches = sketch_batches(batches, settings, progress, store)
        loading.result()
    unique, duplicate_of_input, warnings = deduplicate_ids(identities, sketches.content_hashes)
    del identities  # the store may move the table to a file, so nothing else should keep it in memory
    table = store.store_table(unique)
    del unique
    if store.bytes_in_files:
        release_freed_memory()
    return SketchedCorpus(table, sketches, duplicate_of_input, dict(warnings), store)


def cluster_sketches(corpus: SketchedCorpus, settings: Settings) -> Result:
    """Return the decisions on sketched articles.

    `settings` may differ from those of `sketch_corpus`, except in settings that change the sketches:
    salient_terms, bands, rows, seed and boilerplate.
    """
    articles, sketches, duplicate_of_input, warnings, store = corpus
    settings = resolve_undated(settings, sketches.days)
    order = rank_articles(articles, sketches.lengths, duplicate_of_input, settings)
    assignments, joined = cluster_in_rank_order(store, order, settings)  # candidates, verify, cluster
    if joined:
        warnings = {**warnings, UNDATED_JOINED: joined}
    assignments = assign_exact_repeats(assignments, duplicate_of_input)
    return Result(articles, assignments, order, duplicate_of_input, settings, warnings)


def add_source(result: Result, source: Corpus | ArticleInput) -> Result:
    """Return the result with its source; for articles in memory, also with their original ids and warnings."""
    if isinstance(source, Corpus):
        return replace(result, source=source)
    warnings = {**source.warnings, **result.warnings}
    return replace(result, source=source, original_ids=source.original_ids, warnings=warnings)


def resolve_undated(settings: Settings, days: np.ndarray) -> Settings:
    """Return the settings with `undated="auto"` replaced by the choice for these days (float64, NaN without a date).

    Raise `SettingsError` for `undated="now"`, which only an index supports.
    """
    if settings.undated == "now":
        raise SettingsError("undated=now needs an index, which dates an article when it arrives")
    if settings.undated != "auto":
        return settings
    return replace(settings, undated="together" if np.isnan(days).all() else "apart")


def cluster_in_rank_order(
    store: SketchStore, order: np.ndarray, settings: Settings
) -> tuple[Assignments, int]:
    """Return the assignments of all articles, processed in `order`.

    The second value is the number of articles that are dropped only because dates are missing. Each article
    is compared with its candidates; the best match decides which cluster it joins.
    """
    ordered = store.order_by(order)
    positions = order if ordered is store else np.arange(len(order))
    params, threads, joined = make_match_params(settings), resolve_thread_count(settings), 0
    assignments = assign_leaders(
        ordered.load_sketches(), positions, params, threads, after_chunk=ordered.release_pages
    )
    if should_join_undated(settings):
        assignments, joined = join_small_storylines(
            ordered.load_sketches(), positions, assignments, params, threads
        )
    if ordered is not store:
        assignments = to_input_order(assignments, order, len(store.load_sketches().text_hashes))
    return assignments, joined


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
    """Return the identity columns and the sketches of all batches, in order; `store` holds the sketches.

    Threads sketch a bounded number of batches ahead.
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
    """Return an empty store with the memory limit of the settings."""
    return SketchStore(compute_sketch_budget(settings.memory), settings.work_dir)


def iter_sketched_batches(
    batches: Iterable[pa.RecordBatch], settings: Settings
) -> Iterator[tuple[pa.RecordBatch, Sketches]]:
    """Yield each batch with its sketches, in order, while threads sketch later batches."""
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
    """Load the kernels and all tables by a run on an article without words, once per process.

    This takes as long as reading and cleaning a batch, so both run at the same time.
    """
    settings = Settings()
    nothing = pa.RecordBatch.from_pylist([{"id": "", "text": ""}], SCHEMA)
    assign_leaders(
        sketch_with_settings(nothing, settings), np.zeros(1, np.int64), make_match_params(settings)
    )


def make_empty_sketches(settings: Settings) -> Sketches:
    """Return sketches of zero articles."""
    return sketch_with_settings(pa.RecordBatch.from_pylist([], SCHEMA), settings)


def deduplicate_ids(
    articles: pa.Table, content_hashes: np.ndarray, reserved_ids: Collection[str] = ()
) -> tuple[pa.Table, np.ndarray, Counter[str]]:
    """Return the articles with unique ids, the repeats of each, and warnings.

    An article with the id and text of an earlier one is a repeat: the array of repeats (int64) has the
    position of the first, and -1 for other articles. An article with the id of an earlier one but another
    text gets a suffix: `#2`, `#3` … Ids in `reserved_ids` belong to other articles already.
    """
    repeats = np.full(len(articles), -1, np.int64)
    warnings: Counter[str] = Counter()
    if not reserved_ids and pc.count_distinct(articles["id"], mode="all").as_py() == len(articles):
        return articles, repeats, warnings
    ids = articles["id"].to_pylist()
    used_ids = {*ids, *reserved_ids}
    first: dict[tuple[str, int], int] = {}
    seen = set(reserved_ids)
    renamed: Counter[str] = Counter()
    # Suffixes below the last assigned one are in use. Searching from 2 each time would be quadratic.
    last_suffix: dict[str, int] = {}
    for a, (name, content_hash) in enumerate(zip(ids, content_hashes.tolist(), strict=True)):
        original = first.setdefault((name, content_hash), a)
        if original != a:
            repeats[a] = original
            ids[a] = ids[original]
            warnings[REPEATED_INPUT] += 1
            continue
        if name in seen:
            number = last_suffix.get(name, 1) + 1
            while (unique := f"{name}#{number}") in used_ids:
                number += 1
            last_suffix[name] = number
            ids[a] = unique
            used_ids.add(unique)
            renamed[name] += 1
        seen.add(name)
    warnings.update(build_renamed_id_warnings(renamed))
    return articles.set_column(0, "id", pa.array(ids, pa.string())), repeats, warnings


def build_renamed_id_warnings(renamed: Counter[str]) -> Counter[str]:
    """Return the warnings about ids shared by several articles; `renamed` counts the renamed articles by id."""
    if not renamed:
        return Counter()
    shared_id, count = renamed.most_common(1)[0]
    warnings = Counter({RENAMED_IDS: renamed.total()})
    if count >= MIN_SHARED_ID_WARNING:
        warnings[SHARED_ID.format(f"{shared_id:.40}")] = count + 1
    return warnings


def rank_articles(
    articles: pa.Table, lengths: np.ndarray, duplicate_of_input: np.ndarray, settings: Settings
) -> np.ndarray:
    """Return the positions (int64) in rank order; of each story, the first article in this order is kept.

    Preferred sources come first. Ties are broken by date (earliest first, undated last) and length (longest
    first), in the order that `settings.keep` determines, then by id.
    """
    ids = pc.rank(articles["id"], tiebreaker="first").to_numpy()
    published = pc.cast(articles["published"], pa.int64()).to_numpy()
    published = np.where(np.isnan(published), np.inf, published) if published.dtype.kind == "f" else published
    by_age, by_length = (published, -lengths.astype(np.int64))
    keys = (by_age, by_length) if settings.keep == "earliest" else (by_length, by_age)
    order = np.lexsort((ids, keys[1], keys[0], rank_sources(articles["source"], settings.sources)))
    return order[duplicate_of_input[order] < 0]


def rank_sources(sources: pa.ChunkedArray, preferred: tuple[str, ...]) -> np.ndarray:
    """Return the rank of each article's source: its position in `preferred`, or the length of `preferred`."""
    ranks = pc.index_in(sources, value_set=pa.array(preferred, pa.string()))
    return pc.fill_null(ranks, len(preferred)).to_numpy()


def assign_exact_repeats(assignments: Assignments, duplicate_of_input: np.ndarray) -> Assignments:
    """Return the assignments with repeats of the input dropped.

    A repeat gets the decision of the first copy if that is dropped, and otherwise is its exact copy.
    """
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
