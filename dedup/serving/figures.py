"""What a service counts: requests, articles by what became of them, turns and the index; read by Prometheus.

In: what happened. Out: the text of /metrics. Nothing here names an article.
"""

from collections.abc import Sequence
from contextlib import suppress

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from dedup.errors import IndexingError
from dedup.index.answers import Answer
from dedup.index.index import Index

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
ARTICLES = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000)
MALFORMED = "malformed"


class Figures:
    """The counters of one service."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "dedup_requests", "Requests answered.", ["route", "code"], registry=self.registry
        )
        self._seconds = Histogram(
            "dedup_request_seconds",
            "Seconds from a request to its answer.",
            ["route"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self._articles = Counter(
            "dedup_articles",
            "Articles by what became of them: kept, the relation by which they were dropped, again, malformed.",
            ["outcome"],
            registry=self.registry,
        )
        self._batches = Histogram(
            "dedup_request_articles",
            "Articles of a request.",
            buckets=ARTICLES,
            registry=self.registry,
        )
        self._turns = Histogram(
            "dedup_turn_articles",
            "Articles of a turn of the index.",
            buckets=ARTICLES,
            registry=self.registry,
        )
        self._turn_seconds = Histogram(
            "dedup_turn_seconds", "Seconds of a turn of the index.", buckets=SECONDS, registry=self.registry
        )
        self._waiting = Gauge("dedup_requests_in_hand", "Requests being answered.", registry=self.registry)
        self._size = Gauge("dedup_index_bytes", "Bytes that the index takes.", registry=self.registry)
        self._recorded = Gauge(
            "dedup_index_articles", "Articles recorded in the index so far.", registry=self.registry
        )
        self._bounded = Gauge(
            "dedup_index_bounded",
            "Lookups in which a bound on the work was reached, since the start.",
            registry=self.registry,
        )

    def request(self, route: str, code: int, seconds: float) -> None:
        """Count a request that was answered."""
        self._requests.labels(route, code).inc()
        self._seconds.labels(route).observe(seconds)

    def in_hand(self, requests: int) -> None:
        """Note how many requests are being answered."""
        self._waiting.set(requests)

    def posted(self, articles: int, malformed: int) -> None:
        """Count the articles of a request."""
        self._batches.observe(articles)
        self._articles.labels(MALFORMED).inc(malformed)

    def turn(self, index: Index, answers: Sequence[Answer], seconds: float) -> None:
        """Count a turn, and look at the index; called by the thread that took the turn."""
        self._turns.observe(len(answers))
        self._turn_seconds.observe(seconds)
        for answer in answers:
            kept_or_why = answer.match.relation if answer.match else "kept"
            self._articles.labels("again" if answer.again else kept_or_why).inc()
        self.look_at(index)

    def look_at(self, index: Index) -> None:
        """Note how large the index is."""
        self._bounded.set(index.limited_lookups)
        with suppress(IndexingError):  # the next turn will tell
            self._recorded.set(index.backend.read_state().articles)
            self._size.set(index.backend.get_size())

    def text(self) -> bytes:
        """Return all figures in Prometheus' text format."""
        return generate_latest(self.registry)
