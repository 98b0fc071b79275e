"""Copy ranges of bytes within kernels."""

from dedup.jit import jit_inline


@jit_inline
def copy_bytes(source, start, stop, out, position):
    """Copy the bytes of `source` from `start` to `stop` to `position` in `out`; return the position after them."""
    for i in range(start, stop):
        out[position + i - start] = source[i]
    return position + stop - start
