"""Work on many things → its even shares, each on a thread of its own."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

ShareResult = TypeVar("ShareResult")


def split_evenly(count: int, threads: int) -> list[slice]:
    """Return so many slices of `count` things, end to end; one at least.

    >>> split_evenly(7, 2)
    [slice(0, 3, None), slice(3, 7, None)]
    """
    shares = max(1, threads)
    return [slice(start, end) for start, end in pairwise(count * n // shares for n in range(shares + 1))]


def run_on_threads(
    work: Callable[..., ShareResult], shares: list[slice], *share_arguments: Iterable[object]
) -> list[ShareResult]:
    """Return what `work` makes of each share, and of what `others` hold beside it, as many; one share needs no thread."""
    every = zip(*zip(shares, *share_arguments, strict=True), strict=True)
    with ThreadPoolExecutor(len(shares)) as pool:
        return list((pool.map if len(shares) > 1 else map)(work, *every))
