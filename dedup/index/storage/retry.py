"""Run work again that a server broke off, with growing pauses.

Each turn to write is one transaction, and the same article gets the same answer again. So a turn whose end was lost, even the
answer to its commit, may be run once more. Storage without a server never breaks off.
"""

import time
from collections.abc import Callable
from typing import TypeVar

from dedup.index.storage.backend import ConnectionLostError, ServerAbsentError

BACKOFF_SECONDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds before each further try: in all, as long as a server takes to come back."""

ABSENT_SECONDS = 3.0
"""Seconds for which the first connection is tried where no server answers: a restart takes less, and the address may be wrong."""

Result = TypeVar("Result")


def retry(work: Callable[[], Result], absent_seconds: float = sum(BACKOFF_SECONDS)) -> Result:
    """Repeat the work until its connection holds, and return its result; ConnectionLostError if each try loses it.

    A server that does not answer at all is tried for `absent_seconds`. Tries that take long themselves, as with a host that
    does not answer, are fewer.
    """
    started = time.monotonic()
    for pause in BACKOFF_SECONDS:
        try:
            return work()
        except ConnectionLostError as error:
            limit = absent_seconds if isinstance(error, ServerAbsentError) else sum(BACKOFF_SECONDS)
            left = started + limit - time.monotonic()
            if left <= 0:
                raise
            time.sleep(min(pause, left))
    return work()
