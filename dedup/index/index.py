"""Articles, as they come → for each at once whether it is new, or what it repeats, and why.

In: batches of articles, and a place that remembers those before them. Out: answers, once they are recorded for good. The batch
run is this stream in rank order: the same sketches, candidates, evidence and clusters (`dedup.index.ingest`).
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from threading import RLock
from types import TracebackType
from typing import Any, Self

import numpy as np
import pyarrow as pa

from dedup.errors import InputError, SettingsError
from dedup.index.answers import (
    Answer,
    build_answers,
    find_cluster_answers,
    find_history,
    find_new_articles,
    parse_base_id,
)
from dedup.index.cache import IndexCache
from dedup.index.compatibility import (
    check_compatible,
    check_models,
    check_version,
    compute_fingerprint,
    read_index_settings,
)
from dedup.index.ingest import IngestResult, NewArticles, decide_new_articles
from dedup.index.ingest_batches import MIN_PARALLEL_ARTICLES, sketch_in_parallel, split_for_transactions
from dedup.index.maintenance import (
    IndexStats,
    compute_stats,
    find_article_positions,
    find_expired_positions,
    find_faults,
    iter_log,
    remove_chosen,
)
from dedup.index.merge import apply_merge_batches, iter_merge_batches
from dedup.index.storage.backend import IndexRow, StorageBackend
from dedup.index.storage.open import open_backend
from dedup.index.storage.retry import retry
from dedup.io.articles import ProgressCallback, to_batches
from dedup.matching.classifier import Match, make_match_params
from dedup.pipeline.deduplicate import iter_sketched_batches, resolve_thread_count, sketch_with_settings
from dedup.settings.settings import Settings
from dedup.sketches.sketch import SECONDS_PER_DAY, Sketches


def check_undated(settings: Settings) -> None:
    """Raise `SettingsError` where settings ask of an index what needs a whole corpus."""
    if settings.undated == "together":
        raise SettingsError(
            "undated=together needs a whole corpus, and an index answers each article as it comes: use apart, or now"
        )


class Index:
    """The articles seen so far. Open one with `Index.open`; use it as a context manager, or close it.

    Threads of one process may share an index, and processes a file or a server: they take turns.
    """

    def __init__(self, backend: StorageBackend, settings: Settings) -> None:
        self.backend = backend
        self.settings = settings
        self.limited_lookups = 0
        """In how many lookups a bound on the work was reached, since it was opened."""
        self._params = make_match_params(settings)
        self._cache = IndexCache(backend, settings)
        self._lock = RLock()

    @classmethod
    def open(cls, location: str | Path, settings: Settings | None = None, *, create: bool = True) -> Self:
        """Return the index at a place: a file, ":memory:", or "postgresql://user@host/database" (`dedup.index.storage.postgres`).

        A new one is made with the `settings` (the defaults, where none are given), an old one is opened with those that it
        was made with. `IndexingError` where it is no index, a damaged one, of a newer format, or of other settings, or
        where there is none and `create` is False.
        """
        check_undated(settings or Settings())
        home = open_backend(location, create=create)
        try:
            with home.transaction():
                meta = home.read_meta()
                if not meta:
                    meta = compute_fingerprint(settings or Settings())
                    home.create_index(meta)
            check_version(meta, home.name)
            asked = read_index_settings(meta, home.name) if settings is None else settings
            check_compatible(meta, asked, home.name)
            return cls(home, asked)
        except BaseException:
            home.close()
            raise

    @classmethod
    def open_for_maintenance(cls, location: str | Path) -> Self:
        """Return an index that is there, to be looked at and looked after, by whatever rules it was made."""
        home = open_backend(location, create=False)
        try:
            return cls(home, read_index_settings(home.read_meta(), home.name, whole=False))
        except BaseException:
            home.close()
            raise

    def close(self) -> None:
        """Let go of the place. What was answered is safe whether or not this is called."""
        self.backend.close()

    def __enter__(self) -> Self:
        """Return the index."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the index."""
        self.close()

    def add(self, articles: Any) -> list[tuple[str, Match | None]]:
        """Return (id, match) of each article, in order, once that is recorded; no match: it is new, and kept.

        `articles` are what `deduplicate` takes, and need ids that are the same the next time. The same id and text
        again get the answer of the first time, so a retry is safe; the same id with another text is judged anew, and is
        called id#2, id#3 ...

        >>> index = Index.open(":memory:")
        >>> said = "The river rose two metres overnight and flooded the old mill at Tarn."
        >>> given = [{"id": "a", "text": said}, {"id": "b", "text": said}]
        >>> [(id, match and match.relation) for id, match in index.add(given)]
        [('a', None), ('b', 'exact')]
        """
        return [
            (answer.name, answer.match)
            for batch in split_for_transactions(to_batches(articles))
            for answer in self.decide(batch)
        ]

    def decide(self, batch: pa.RecordBatch, sketches: Sketches | None = None) -> list[Answer]:
        """Return the answers to a batch of articles (`fields.DEFAULT_SCHEMA`), once they are recorded for good.

        Its `sketches` may have been made before (`pipeline.ahead`).
        """
        s = self._fill_missing_dates(sketches or sketch_in_parallel(batch, self.settings))
        ids: list[str] = batch["id"].to_pylist()
        recorded: set[IndexRow] = set()
        with self._lock:
            return retry(lambda: self._decide_in_transaction(ids, s, recorded))

    def decide_corpus(
        self, corpus: Iterable[pa.RecordBatch], progress: ProgressCallback | None = None
    ) -> list[Answer]:
        """Return the answers to all articles of a corpus, in their order; later batches are sketched ahead."""
        found = []
        for batch, s in iter_sketched_batches(split_for_transactions(corpus), self.settings):
            found += self.decide(batch, s)
            if progress:
                progress(batch.num_rows)
        return found

    def find(self, article: Any) -> Match | None:
        """Return what an article would repeat, were it added now; nothing is recorded.

        An article that is in the index already is answered as it was.
        """
        batches = list(to_batches([article]))
        if [batch.num_rows for batch in batches] != [1]:
            raise InputError("find takes one article")
        ids, s = (
            batches[0]["id"].to_pylist(),
            self._fill_missing_dates(sketch_with_settings(batches[0], self.settings)),
        )
        with self._lock:
            return retry(lambda: self._find_answers(ids, s))[0].match

    def history(self, article: str) -> list[Answer]:
        """Return what was decided on an article, all versions in the order in which they came; nothing if it is unknown.

        It is asked for by its id as it was given, or by the name of one version: "a", "a#2".
        """
        with self._lock:
            return find_history(self.backend, article)

    def cluster(self, article: str) -> list[Answer]:
        """Return the kept article of a story and then all that repeat it, as they came; nothing if it is unknown.

        The story is asked for by the name of any of its articles.
        """
        with self._lock:
            return find_cluster_answers(self.backend, article)

    def _fill_missing_dates(self, s: Sketches) -> Sketches:
        """Return sketches in which articles without a date have the time of arrival, where the settings say so."""
        if self.settings.undated != "now":
            return s
        return s._replace(days=np.where(np.isnan(s.days), time.time() / SECONDS_PER_DAY, s.days))

    def _decide_in_transaction(
        self, ids: Sequence[str], s: Sketches, recorded: set[IndexRow]
    ) -> list[Answer]:
        """Return the answers of one turn, once it is over, and put what is new into `recorded`.

        Should the turn be tried again because the answer to its commit was lost, it finds its own rows: they are still new.
        """
        if self._cache.is_far_behind():
            with self.backend.snapshot():
                self._cache.sync()
        with self.backend.transaction():
            rows, made = self._match_batch(ids, s)
            self.backend.record(made.rows, made.sketches)
            recorded.update(made.rows)
            answers = build_answers(self.backend, rows, {row.position for row in rows if row in recorded})
        self._cache.add_recorded(made.rows, made.sketches)
        self.limited_lookups += made.limited_lookups
        return answers

    def _find_answers(self, ids: Sequence[str], s: Sketches) -> list[Answer]:
        """Return what would be answered now."""
        with self.backend.snapshot():
            return build_answers(self.backend, self._match_batch(ids, s)[0], set())

    def _match_batch(self, ids: Sequence[str], s: Sketches) -> tuple[list[IndexRow], IngestResult]:
        """Return the rows of all articles of a batch, those that came before included, and what is to be recorded."""
        self._cache.sync()
        keys = list(zip(ids, s.content_hashes.view(np.int64).tolist(), strict=True))
        before = self.backend.get_rows_by_id(sorted({*ids, *map(parse_base_id, ids)}))
        members, versions = find_new_articles(
            keys, before, lambda name: bool(self.backend.get_rows_by_id([name]))
        )
        new = NewArticles(s, np.array(members, np.int64), ids, versions)
        threads = resolve_thread_count(self.settings) if len(members) >= MIN_PARALLEL_ARTICLES else 1
        made = decide_new_articles(new, self._cache, self._params, threads)
        found = {(row.id, row.telling): row for row in [*before, *made.rows]}
        return [found[key] for key in keys], made

    def delete(self, article_id: str) -> int:
        """Take all versions of an id out, and where one was kept all that was dropped for it; return how many articles left.

        The story is new again, should it come again.
        """
        with self._lock:
            return remove_chosen(self.backend, lambda: find_article_positions(self.backend, article_id))

    def expire(self, before: datetime) -> int:
        """Take out the clusters all of whose articles were published before a time; return how many articles left.

        Where an article has no date, the time when it was decided on counts. Space is given back to the system.
        """
        with self._lock:
            return remove_chosen(self.backend, lambda: find_expired_positions(self.backend, before))

    def verify(self, *, deep: bool = False) -> list[str]:
        """Return what is wrong with the index, a sentence each; `deep` also compares all kept articles with each other.

        `IndexingError` where `deep` is asked of an index that was made by other models: they would say something else.
        """
        with self._lock, self.backend.snapshot():
            if deep:
                check_models(self.backend.read_meta(), self.settings, self.backend.name)
            return list(find_faults(self.backend, self.settings, deep=deep))

    def stats(self) -> IndexStats:
        """Return what is in the index."""
        with self._lock, self.backend.snapshot():
            return compute_stats(self.backend)

    def log(self) -> Iterator[list[dict[str, Any]]]:
        """Yield what was decided, in order, some articles at a time: a dict each.

        Its keys are id, version, name, published, decided, canonical, relation, score, evidence, storyline and follows. The last
        is None, or says of a kept article which other it follows, with the probability and the evidence.
        """
        log = iter_log(self.backend)
        while True:
            with self._lock, self.backend.snapshot():
                rows = next(log, None)
            if rows is None:
                return
            yield rows

    def merge(self, other: Self) -> tuple[int, int]:
        """Add what another index has seen, in its order; return (articles added, articles that could not be).

        What both kept is kept once, as this one has it. Of articles dropped as copies an index keeps no sketch: where
        what they repeat is dropped here in its turn, they are left out, and would be judged anew. `IndexingError` where
        the other was made by other rules.
        """
        check_compatible(other.backend.read_meta(), self.settings, other.backend.name)
        if other is self:
            return 0, 0
        locks = (self._lock, other._lock)
        first, second = sorted(locks, key=id)  # so that two that merge each other do not wait forever
        with first, second, other.backend.snapshot():
            return apply_merge_batches(
                self.backend, self._cache, self.settings, iter_merge_batches(other.backend, other.settings)
            )
