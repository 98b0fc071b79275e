"""`python -m dedup.precompile [LEVEL]`."""

import sys

from dedup.errors import DedupError
from dedup.precompile import compile_requested_kernels

if __name__ == "__main__":
    try:
        compile_requested_kernels(*sys.argv[1:3])
    except DedupError as error:
        sys.exit(f"dedup: {error}")
