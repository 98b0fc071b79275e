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
from dedup.index.answers import Answer, answers_of, base_of, cluster_of, history_of, sorted_out
from dedup.index.cache import Recalled
from dedup.index.compatibility import check, check_models, check_version, fingerprint, settings_in
from dedup.index.ingest import Decided, Newcomers, decided
from dedup.index.ingest_batches import WORTH_PARTING, parted, sketched_at_once
from dedup.index.maintenance import Stats, faults, log_of, of_article, older, stats, taken_out
from dedup.index.merge import arrivals, taken_in
from dedup.index.storage.backend import Home, Row
from dedup.index.storage.open import home_at
from dedup.index.storage.retry import tried
from dedup.io.articles import Progress, to_batches
from dedup.matching.classifier import Match, rules_of
from dedup.pipeline.deduplicate import ahead, sketch_with, threads_of
from dedup.settings.settings import Settings
from dedup.sketches.sketch import DAY, Sketches


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

    def __init__(self, home: Home, settings: Settings) -> None:
        self.home = home
        self.settings = settings
        self.bounded = 0
        """In how many lookups a bound on the work was reached, since it was opened."""
        self._rules = rules_of(settings)
        self._recalled = Recalled(home, settings)
        self._lock = RLock()

    @classmethod
    def open(cls, place: str | Path, settings: Settings | None = None, *, create: bool = True) -> Self:
        """Return the index at a place: a file, ":memory:", or "postgresql://user@host/database" (`dedup.index.storage.postgres`).

        A new one is made with the `settings` (the defaults, where none are given), an old one is opened with those that it
        was made with. `IndexingError` where it is no index, a damaged one, of a newer format, or of other settings, or
        where there is none and `create` is False.
        """
        check_undated(settings or Settings())
        home = home_at(place, create=create)
        try:
            with home.turn():
                meta = home.meta()
                if not meta:
                    meta = fingerprint(settings or Settings())
                    home.begin(meta)
            check_version(meta, home.name)
            asked = settings_in(meta, home.name) if settings is None else settings
            check(meta, asked, home.name)
            return cls(home, asked)
        except BaseException:
            home.close()
            raise

    @classmethod
    def look_after(cls, place: str | Path) -> Self:
        """Return an index that is there, to be looked at and looked after, by whatever rules it was made."""
        home = home_at(place, create=False)
        try:
            return cls(home, settings_in(home.meta(), home.name, whole=False))
        except BaseException:
            home.close()
            raise

    def close(self) -> None:
        """Let go of the place. What was answered is safe whether or not this is called."""
        self.home.close()

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
            for batch in parted(to_batches(articles))
            for answer in self.decide(batch)
        ]

    def decide(self, batch: pa.RecordBatch, sketches: Sketches | None = None) -> list[Answer]:
        """Return the answers to a batch of articles (`fields.SCHEMA`), once they are recorded for good.

        Its `sketches` may have been made before (`pipeline.ahead`).
        """
        s = self._dated(sketches or sketched_at_once(batch, self.settings))
        ids: list[str] = batch["id"].to_pylist()
        recorded: set[Row] = set()
        with self._lock:
            return tried(lambda: self._turn(ids, s, recorded))

    def answers(self, corpus: Iterable[pa.RecordBatch], progress: Progress | None = None) -> list[Answer]:
        """Return the answers to all articles of a corpus, in their order; later batches are sketched ahead."""
        found = []
        for batch, s in ahead(parted(corpus), self.settings):
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
        ids, s = batches[0]["id"].to_pylist(), self._dated(sketch_with(batches[0], self.settings))
        with self._lock:
            return tried(lambda: self._seen(ids, s))[0].match

    def history(self, article: str) -> list[Answer]:
        """Return what was decided on an article, all versions in the order in which they came; nothing if it is unknown.

        It is asked for by its id as it was given, or by the name of one version: "a", "a#2".
        """
        with self._lock:
            return history_of(self.home, article)

    def cluster(self, article: str) -> list[Answer]:
        """Return the kept article of a story and then all that repeat it, as they came; nothing if it is unknown.

        The story is asked for by the name of any of its articles.
        """
        with self._lock:
            return cluster_of(self.home, article)

    def _dated(self, s: Sketches) -> Sketches:
        """Return sketches in which articles without a date have the time of arrival, where the settings say so."""
        if self.settings.undated != "now":
            return s
        return s._replace(days=np.where(np.isnan(s.days), time.time() / DAY, s.days))

    def _turn(self, ids: Sequence[str], s: Sketches, recorded: set[Row]) -> list[Answer]:
        """Return the answers of one turn, once it is over, and put what is new into `recorded`.

        Should the turn be tried again because the answer to its commit was lost, it finds its own rows: they are still new.
        """
        if self._recalled.is_far_behind():
            with self.home.view():
                self._recalled.catch_up()
        with self.home.turn():
            rows, made = self._judged(ids, s)
            self.home.record(made.rows, made.sketches)
            recorded.update(made.rows)
            answers = answers_of(self.home, rows, {row.position for row in rows if row in recorded})
        self._recalled.remember(made.rows, made.sketches)
        self.bounded += made.bounded
        return answers

    def _seen(self, ids: Sequence[str], s: Sketches) -> list[Answer]:
        """Return what would be answered now."""
        with self.home.view():
            return answers_of(self.home, self._judged(ids, s)[0], set())

    def _judged(self, ids: Sequence[str], s: Sketches) -> tuple[list[Row], Decided]:
        """Return the rows of all articles of a batch, those that came before included, and what is to be recorded."""
        self._recalled.catch_up()
        keys = list(zip(ids, s.tellings.view(np.int64).tolist(), strict=True))
        before = self.home.rows_of(sorted({*ids, *map(base_of, ids)}))
        members, versions = sorted_out(keys, before, lambda name: bool(self.home.rows_of([name])))
        new = Newcomers(s, np.array(members, np.int64), ids, versions)
        threads = threads_of(self.settings) if len(members) >= WORTH_PARTING else 1
        made = decided(new, self._recalled, self._rules, threads)
        found = {(row.id, row.telling): row for row in [*before, *made.rows]}
        return [found[key] for key in keys], made

    def delete(self, given: str) -> int:
        """Take all versions of an id out, and where one was kept all that was dropped for it; return how many articles left.

        The story is new again, should it come again.
        """
        with self._lock:
            return taken_out(self.home, lambda: of_article(self.home, given))

    def expire(self, before: datetime) -> int:
        """Take out the clusters all of whose articles were published before a time; return how many articles left.

        Where an article has no date, the time when it was decided on counts. Space is given back to the system.
        """
        with self._lock:
            return taken_out(self.home, lambda: older(self.home, before))

    def verify(self, *, deep: bool = False) -> list[str]:
        """Return what is wrong with the index, a sentence each; `deep` also compares all kept articles with each other.

        `IndexingError` where `deep` is asked of an index that was made by other models: they would say something else.
        """
        with self._lock, self.home.view():
            if deep:
                check_models(self.home.meta(), self.settings, self.home.name)
            return list(faults(self.home, self.settings, deep=deep))

    def stats(self) -> Stats:
        """Return what is in the index."""
        with self._lock, self.home.view():
            return stats(self.home)

    def log(self) -> Iterator[list[dict[str, Any]]]:
        """Yield what was decided, in order, some articles at a time: a dict each.

        Its keys are id, version, name, published, decided, canonical, relation, score, evidence, storyline and follows. The last
        is None, or says of a kept article which other it follows, with the probability and the evidence.
        """
        log = log_of(self.home)
        while True:
            with self._lock, self.home.view():
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
        check(other.home.meta(), self.settings, other.home.name)
        if other is self:
            return 0, 0
        locks = (self._lock, other._lock)
        first, second = sorted(locks, key=id)  # so that two that merge each other do not wait forever
        with first, second, other.home.view():
            return taken_in(self.home, self._recalled, self.settings, arrivals(other.home, other.settings))
