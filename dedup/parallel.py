"""Split work into even shares and run each on a thread of its own."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

ShareResult = TypeVar("ShareResult")


def split_evenly(count: int, threads: int) -> list[slice]:
    """Return `threads` consecutive slices of `count` items; at least one slice.

    >>> split_evenly(7, 2)
    [slice(0, 3, None), slice(3, 7, None)]
    """
    share_count = max(1, threads)
    return [
        slice(start, end) for start, end in pairwise(count * n // share_count for n in range(share_count + 1))
    ]


def run_on_threads(
    work: Callable[..., ShareResult], shares: list[slice], *share_arguments: Iterable[object]
) -> list[ShareResult]:
    """Return the result of `work` for each share, in order.

    `work` takes a share and one item of each of `share_arguments`, which are as long as `shares`. A single share needs no
    thread.
    """
    argument_lists = zip(*zip(shares, *share_arguments, strict=True), strict=True)
    with ThreadPoolExecutor(len(shares)) as pool:
        return list((pool.map if len(shares) > 1 else map)(work, *argument_lists))
