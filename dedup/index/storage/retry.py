"""Run work again that a server broke off, with growing pauses.

Each turn to write is one transaction, and the same article gets the same answer again. So a turn whose end was lost, even the
answer to its commit, may be run once more. Storage without a server never breaks off.
"""

import time
from collections.abc import Callable
from typing import TypeVar

from dedup.index.storage.backend import ConnectionLostError

BACKOFF_SECONDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds before each further try: in all, as long as a server takes to come back."""

Result = TypeVar("Result")


def retry(work: Callable[[], Result]) -> Result:
    """Return the result of the work as soon as it is not broken off; ConnectionLostError where it always was.

    Tries that take long themselves, as with a host that does not answer, are fewer.
    """
    deadline = time.monotonic() + sum(BACKOFF_SECONDS)
    for pause in BACKOFF_SECONDS:
        try:
            return work()
        except ConnectionLostError:
            if time.monotonic() > deadline:
                raise
            time.sleep(pause)
    return work()
