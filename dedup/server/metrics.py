"""Count requests, articles by outcome, and transactions of the index for Prometheus; no label names an article."""

from collections.abc import Sequence
from contextlib import suppress

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from dedup.errors import IndexingError
from dedup.index.answers import Answer
from dedup.index.index import Index

__all__ = ["Metrics"]

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
ARTICLES = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000)
WEBHOOK = (
    "Events of the webhook: sent, or lost after all attempts; and articles dropped because too many waited."
)
OUTCOMES = "Articles by outcome: kept, the relation of a dropped one, again, malformed."


class Metrics:
    """The metrics of one service."""

    def __init__(self, index: Index) -> None:
        self.registry = r = CollectorRegistry()
        self._index = index
        self._requests = Counter("dedup_requests", "Requests answered.", ["route", "code"], registry=r)
        self._seconds = Histogram(
            "dedup_request_seconds", "Seconds of a request.", ["route"], buckets=SECONDS, registry=r
        )
        self._outcomes = Counter("dedup_articles", OUTCOMES, ["outcome"], registry=r)
        self._request_articles = Histogram(
            "dedup_request_articles", "Articles of a request.", buckets=ARTICLES, registry=r
        )
        self._turn_articles = Histogram(
            "dedup_turn_articles", "Articles of a turn of the index.", buckets=ARTICLES, registry=r
        )
        self._turn_seconds = Histogram(
            "dedup_turn_seconds", "Seconds of a turn of the index.", buckets=SECONDS, registry=r
        )
        self._webhook = Counter("dedup_webhook", WEBHOOK, ["outcome"], registry=r)
        self.in_flight = Gauge("dedup_requests_in_hand", "Requests being answered.", registry=r)
        self._bytes = Gauge("dedup_index_bytes", "Bytes that the index takes.", registry=r)
        self._articles = Gauge("dedup_index_articles", "Articles recorded in the index so far.", registry=r)
        self._bounded = Gauge(
            "dedup_index_bounded",
            "Lookups in which a bound on the work was reached, since the start.",
            registry=r,
        )
        self.update_index()

    def count_request(self, route: str, code: int, seconds: float) -> None:
        """Count a request that was answered."""
        self._requests.labels(route, code).inc()
        self._seconds.labels(route).observe(seconds)

    def count_posted(self, articles: int, malformed: int) -> None:
        """Count the articles of a request."""
        self._request_articles.observe(articles)
        self._outcomes.labels("malformed").inc(malformed)

    def count_turn(self, answers: Sequence[Answer], seconds: float) -> None:
        """Count a transaction of the index and read the size of the index; the writing thread calls this."""
        self._turn_articles.observe(len(answers))
        self._turn_seconds.observe(seconds)
        for answer in answers:
            outcome = answer.match.relation if answer.match else "kept"
            self._outcomes.labels("again" if answer.again else outcome).inc()
        self.update_index()

    def count_webhook(self, outcome: str, count: int) -> None:
        """Count events of the webhook, or articles whose events were dropped."""
        self._webhook.labels(outcome).inc(count)

    def update_index(self) -> None:
        """Read the size of the index."""
        self._bounded.set(self._index.limited_lookups)
        with suppress(IndexingError):  # the next transaction will report it
            self._articles.set(self._index.backend.read_state().articles)
            self._bytes.set(self._index.backend.get_size())
