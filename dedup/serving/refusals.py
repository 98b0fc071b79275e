"""What a request is refused with: a status and one sentence, and how much a service takes at a time.

In: nothing. Out: `Refused`, raised wherever it shows that a request cannot be answered as it was meant, and `Limits`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

AGAIN_AFTER = {"Retry-After": "1"}
"""Seconds after which a request that was turned away may come again."""


@dataclass
class Refused(Exception):  # noqa: N818 - it is an answer
    """A request is not answered as it was meant."""

    status: int
    sentence: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much a service takes at a time: what is more is refused, never kept waiting without end."""

    body: int = 16 << 20
    """Bytes of a request."""
    articles: int = 5_000
    """Of a request."""
    requests: int = 64
    """In hand at once."""
    bodies: int = 4
    """All requests in hand together hold at most so many times `body` bytes."""
    seconds: float = 30.0
    """From a request's first byte to its answer."""


def busy(why: str) -> Refused:
    """Return the refusal of a request that may come again soon."""
    return Refused(503, f"{why}; try again in a second", AGAIN_AFTER)
