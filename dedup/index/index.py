"""Decide on articles as they come: whether each is new, or which earlier article it repeats, and why.

An index takes batches of articles, remembers those before them, and answers once the decisions are recorded for good. A batch run
is this stream in rank order: the same sketches, candidates, evidence and clusters (`dedup.index.decide`).
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
    apply_remembered_undated,
    build_meta,
    check_compatible,
    check_models,
    read_index_settings,
    refuse_format_1,
)
from dedup.index.decide import (
    MIN_PARALLEL_ARTICLES,
    IndexDecisions,
    NewArticles,
    decide_new_articles,
    sketch_in_parallel,
    split_for_transactions,
)
from dedup.index.decision_log import iter_log
from dedup.index.merge import apply_merge_batches, iter_merge_batches
from dedup.index.removal import find_article_positions, find_expired_positions, remove_chosen
from dedup.index.repair import repair_index
from dedup.index.stats import IndexStats, compute_stats
from dedup.index.storage.backend import IndexRow, StorageBackend
from dedup.index.storage.open import open_backend
from dedup.index.storage.retry import ABSENT_SECONDS, retry
from dedup.index.stories import IndexedStory, find_chapters, find_recent_stories
from dedup.index.verify import find_faults
from dedup.io.articles import ProgressCallback, to_batches
from dedup.io.schema import SCHEMA
from dedup.matching.classifier import Match
from dedup.matching.match_params import make_match_params
from dedup.pipeline.deduplicate import iter_sketched_batches, resolve_thread_count, sketch_with_settings
from dedup.settings.settings import Settings
from dedup.sketches.codec import pack_sketches
from dedup.sketches.sketch import SECONDS_PER_DAY, Sketches


def check_undated(settings: Settings) -> None:
    """Raise `SettingsError` where the settings need a whole corpus, which an index does not have."""
    if settings.undated == "together":
        raise SettingsError(
            "undated=together needs a whole corpus, and an index answers each article as it comes: use apart, or now"
        )


class Index:
    """The articles seen so far. Open one with `Index.open`; use it as a context manager, or close it.

    Threads of one process may share an index, and processes may share a file or a server: one writes at a time.
    """

    def __init__(self, backend: StorageBackend, settings: Settings) -> None:
        self.backend = backend
        self.settings = settings
        self.limited_lookups = 0
        """The number of lookups since it was opened that reached a bound on the work."""
        self._params = make_match_params(settings)
        self._cache = IndexCache(backend, settings)
        self._lock = RLock()

    @classmethod
    def open(cls, location: str | Path, settings: Settings | None = None, *, create: bool = True) -> Self:
        """Return the index at a location: a file, ":memory:", or "postgresql://user@host/database".

        A new index is made with the `settings` (by default `Settings()`). An existing one is opened with its own settings, and
        dates articles on arrival (undated=now) if it was made so, unless the settings say undated=apart. An index of an
        earlier format is upgraded. `IndexingError` where the file is not an index, is damaged, has a newer format or other
        settings, or where there is no index and `create` is False.
        """
        check_undated(settings or Settings())
        return retry(lambda: cls._open_once(location, settings, create=create), ABSENT_SECONDS)

    @classmethod
    def _open_once(cls, location: str | Path, settings: Settings | None, *, create: bool) -> Self:
        """Return the index at a location; ConnectionLostError where its server is away."""
        backend = open_backend(location, create=create)
        try:
            with backend.transaction():
                meta = backend.read_meta()
                if not meta:
                    meta = build_meta(settings or Settings())
                    backend.create_index(meta)
            refuse_format_1(meta, backend.name)
            wanted = read_index_settings(meta, backend.name) if settings is None else settings
            check_compatible(meta, wanted, backend.name)
            return cls(backend, apply_remembered_undated(wanted, meta))
        except BaseException:
            backend.close()
            raise

    @classmethod
    def open_for_maintenance(cls, location: str | Path) -> Self:
        """Return an existing index of any format and settings, to inspect, repair or shrink it."""
        return retry(lambda: cls._open_existing_once(location), ABSENT_SECONDS)

    @classmethod
    def _open_existing_once(cls, location: str | Path) -> Self:
        """Return the index that is at a location; ConnectionLostError where its server is away."""
        backend = open_backend(location, create=False)
        try:
            with backend.snapshot():
                meta = backend.read_meta()
            return cls(backend, read_index_settings(meta, backend.name, whole=False))
        except BaseException:
            backend.close()
            raise

    def close(self) -> None:
        """Close the file or connection. All answers given are recorded, whether or not this is called."""
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
        """Return (id, match) of each article, in order, once the decisions are recorded; match is None for a new article.

        `articles` may be anything that `deduplicate` takes, and their ids must not change from one time to the next. The same
        id and text again get the first answer, so a retry is safe; the same id with another text is decided on anew, and is
        called id#2, id#3 ...

        >>> index = Index.open(":memory:")
        >>> said = "The river rose two metres overnight and flooded the old mill at Tarn."
        >>> given = [{"id": "a", "text": said}, {"id": "b", "text": said}]
        >>> [(id, match and match.relation) for id, match in index.add(given)]
        [('a', None), ('b', 'exact')]
        """
        return [(answer.name, answer.match) for answer in self.decide(articles)]

    def decide(self, articles: Any, sketches: Sketches | None = None) -> list[Answer]:
        """Return the answer for each article, in order, once the decisions are recorded for good.

        `articles` may be anything that `deduplicate` takes; a batch of SCHEMA (`dedup.io.schema`) is one transaction. Pass its
        `sketches` where they were made before.
        """
        if isinstance(articles, pa.RecordBatch) and articles.schema.equals(SCHEMA):
            return self._decide_batch(articles, sketches)
        return [
            answer
            for batch in split_for_transactions(to_batches(articles))
            for answer in self._decide_batch(batch, None)
        ]

    def _decide_batch(self, batch: pa.RecordBatch, sketches: Sketches | None) -> list[Answer]:
        """Return the answers for a batch of SCHEMA, recorded in one transaction."""
        s = self._fill_missing_dates(sketches or sketch_in_parallel(batch, self.settings))
        ids: list[str] = batch["id"].to_pylist()
        recorded: set[IndexRow] = set()
        packed = pack_sketches(s).to_byte_strings()  # here, and not while others wait to write
        with self._lock:
            return retry(lambda: self._decide_in_transaction(ids, s, packed, recorded))

    def decide_corpus(
        self, corpus: Iterable[pa.RecordBatch], progress: ProgressCallback | None = None
    ) -> list[Answer]:
        """Return the answers for all articles of a corpus, in their order; later batches are sketched ahead."""
        found = []
        for batch, s in iter_sketched_batches(split_for_transactions(corpus), self.settings):
            found += self.decide(batch, s)
            if progress:
                progress(batch.num_rows)
        return found

    def find(self, article: Any) -> Match | None:
        """Return the match that an article would get if it were added now, without recording it.

        An article that is in the index already gets its first answer.
        """
        return self.look_up(article).match

    def look_up(self, article: Any) -> Answer:
        """Return the answer that an article would get if it were added now, without recording it.

        It also names the storyline. `again` is set for an article that is in the index already.
        """
        batches = list(to_batches([article]))
        if [batch.num_rows for batch in batches] != [1]:
            raise InputError("look_up and find take one article")
        ids, s = (
            batches[0]["id"].to_pylist(),
            self._fill_missing_dates(sketch_with_settings(batches[0], self.settings)),
        )
        with self._lock:
            return retry(lambda: self._find_answers(ids, s))[0]

    def history(self, article: str) -> list[Answer]:
        """Return the decisions on an article, all versions in the order in which they came; empty if it is unknown.

        `article` is its id as given, or the name of one version: "a", "a#2".
        """
        with self._lock:
            return find_history(self.backend, article)

    def cluster(self, article: str) -> list[Answer]:
        """Return the kept article of a story and then all that repeat it, in order of arrival; empty if it is unknown.

        `article` is the name of any article of the story.
        """
        with self._lock:
            return find_cluster_answers(self.backend, article)

    def storyline(self, article: str) -> list[IndexedStory]:
        """Return the stories of the storyline of an article, by date; empty if it is unknown.

        `article` is the name of any article of the storyline, also of a dropped one.
        """
        with self._lock, self.backend.snapshot():
            return find_chapters(self.backend, article)

    def list_stories(self, limit: int, since: datetime | None = None) -> list[IndexedStory]:
        """Return the newest stories, at most `limit`, newest first; with `since`, those decided on at that time or later.

        Newest means last in the order of arrival. `IndexingError` where a row is damaged.
        """
        with self._lock, self.backend.snapshot():
            return find_recent_stories(self.backend, limit, since.timestamp() if since else None)

    def _fill_missing_dates(self, s: Sketches) -> Sketches:
        """Return sketches in which undated articles have the time of arrival, with undated=now."""
        if self.settings.undated != "now":
            return s
        return s._replace(days=np.where(np.isnan(s.days), time.time() / SECONDS_PER_DAY, s.days))

    def _decide_in_transaction(
        self, ids: Sequence[str], s: Sketches, packed: Sequence[bytes], recorded: set[IndexRow]
    ) -> list[Answer]:
        """Return the answers of one transaction after its commit, and add its new rows to `recorded`.

        If the answer to its commit was lost, the next try finds these rows in the index; they still count as new.
        """
        if self._cache.is_far_behind():
            with self.backend.snapshot():
                self._cache.sync()
        with self.backend.transaction():
            rows, made = self._match_batch(ids, s, packed)
            self._cache.store_runs()
            self.backend.record(made.rows, made.sketches)
            recorded.update(made.rows)
            answers = build_answers(self.backend, rows, {row.position for row in rows if row in recorded})
        self._cache.add_recorded(made.rows, made.sketches)
        self.limited_lookups += made.limited_lookups
        return answers

    def _find_answers(self, ids: Sequence[str], s: Sketches) -> list[Answer]:
        """Return the answers that the articles would get now."""
        with self.backend.snapshot():
            rows, made = self._match_batch(ids, s, pack_sketches(s).to_byte_strings())
            return build_answers(self.backend, rows, {row.position for row in made.rows})

    def _match_batch(
        self, ids: Sequence[str], s: Sketches, packed: Sequence[bytes]
    ) -> tuple[list[IndexRow], IndexDecisions]:
        """Return the rows of all articles of a batch, also of earlier ones, and the rows and sketches to record."""
        self._cache.sync()
        keys = list(zip(ids, s.content_hashes.view(np.int64).tolist(), strict=True))
        before = self.backend.get_rows_by_id(sorted({*ids, *map(parse_base_id, ids)}))
        members, versions = find_new_articles(
            keys, before, lambda name: bool(self.backend.get_rows_by_id([name]))
        )
        new = NewArticles(s, packed, np.array(members, np.int64), ids, versions)
        threads = resolve_thread_count(self.settings) if len(members) >= MIN_PARALLEL_ARTICLES else 1
        made = decide_new_articles(new, self._cache, self._params, threads)
        found = {(row.id, row.telling): row for row in [*before, *made.rows]}
        return [found[key] for key in keys], made

    def delete(self, article_id: str) -> int:
        """Remove all versions of an id, and all articles that were dropped for them; return the number of removed articles.

        If the story comes again, it is new. Damaged articles can be removed too.
        """
        with self._lock, self.backend.skip_checksums():
            return remove_chosen(self.backend, lambda: find_article_positions(self.backend, article_id))

    def expire(self, before: datetime) -> int:
        """Remove the clusters whose articles were all published before a time; return the number of removed articles.

        Where an article has no date, the time of the decision on it counts. The space is returned to the system.
        """
        with self._lock:
            return remove_chosen(self.backend, lambda: find_expired_positions(self.backend, before))

    def verify(self, *, deep: bool = False) -> list[str]:
        """Return a sentence for each fault of the index; `deep` also compares all kept articles with each other.

        `IndexingError` where `deep` is set and the index was made by other models, whose verdicts would differ.
        """
        with self._lock, self.backend.snapshot():
            if deep:
                check_models(self.backend.read_meta(), self.settings, self.backend.name)
            return list(find_faults(self.backend, self.settings, deep=deep))

    def repair(self) -> list[str]:
        """Restore damaged parts of the index from the others; return a sentence for each part that was restored.

        Call `verify` afterwards: it names the damage that is left. An index in memory is never damaged.
        """
        with self._lock, self.backend.transaction():
            return repair_index(self.backend, self.settings)

    def stats(self) -> IndexStats:
        """Return the figures of the index."""
        with self._lock, self.backend.snapshot():
            return compute_stats(self.backend)

    def log(self) -> Iterator[list[dict[str, Any]]]:
        """Yield the log of decisions in order, in chunks, with a dict for each article.

        Its keys are id, version, name, published, decided, canonical, relation, score, evidence, storyline and follows. For a
        kept article that follows another, `follows` holds its id, the probability and the evidence; otherwise it is None.
        """
        log = iter_log(self.backend)
        while True:
            with self._lock, self.backend.snapshot():
                rows = next(log, None)
            if rows is None:
                return
            yield rows

    def merge(self, other: Self) -> tuple[int, int]:
        """Add the articles of another index, in its order; return (articles added, articles left out).

        An article that both kept is kept once, as here. An index keeps no sketch of an article that it dropped as a copy: if
        the article that it repeats is dropped here, the copy is left out, and is decided on anew if it comes again.
        `IndexingError` where the other index was made by other rules.
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
