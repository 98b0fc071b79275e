"""Work that a server may break off → its result: tried again a few times, with growing pauses.

A turn is one transaction and the same article gets the same answer again, so a turn whose end was lost, be it the answer to its
very commit, may be taken once more. Homes that have no server never break off.
"""

import time
from collections.abc import Callable
from typing import TypeVar

from dedup.index.storage.backend import ConnectionLostError

BACKOFF_SECONDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds before each further try: in all, as long as a server takes to come back."""

Result = TypeVar("Result")


def retry(work: Callable[[], Result]) -> Result:
    """Return what the work returns, as soon as it is not broken off; LostError where it always was."""
    for pause in BACKOFF_SECONDS:
        try:
            return work()
        except ConnectionLostError:
            time.sleep(pause)
    return work()
