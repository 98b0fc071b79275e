"""Copy ranges of bytes within kernels."""

import numpy as np

from dedup.jit import jit_inline


@jit_inline
def copy_bytes(source, start, stop, out, position):
    """Copy the bytes of `source` from `start` to `stop` to `position` in `out`; return the position after them.

    The indices are unsigned: a signed one might be negative, and checking that takes twenty times as long as the copy.
    """
    first, target = np.uint64(start), np.uint64(position)
    for i in range(np.uint64(stop - start)):
        out[target + i] = source[first + i]
    return position + stop - start
