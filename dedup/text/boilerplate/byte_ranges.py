"""Copy ranges of bytes within kernels."""

import numpy as np

from dedup.jit import jit_inline


@jit_inline
def copy_bytes(source, start, stop, out, position):
    """Copy the bytes of `source` from `start` to `stop` to `position` in `out`; return the position after them.

    The indices are unsigned: a signed one might be negative, and checking that takes twenty times as long as the copy.
    """
    first, target, size = np.uint64(start), np.uint64(position), max(stop - start, 0)
    for i in range(np.uint64(size)):
        out[target + i] = source[first + i]
    return position + size
