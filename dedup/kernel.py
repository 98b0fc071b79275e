"""The `kernel` decorator: a function compiled by numba once, cached on disk, free of the interpreter lock.

numba decides that a cached kernel is stale by looking at the file that defines it, not at the kernels it calls.
The cache therefore lives in a folder named after a digest of all that kernels stand on: other code, other folder.
`NUMBA_CACHE_DIR` in the environment wins; a home that cannot be written falls back to the temporary folder.
"""

import hashlib
import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np
from platformdirs import user_cache_dir

PACKAGE = Path(__file__).parent
IMPORTED = re.compile(rb"^ *from dedup\.(\w+)", re.MULTILINE)
"""A module of the package that another one imports."""


def kernels_digest() -> str:
    """Return sixteen hexadecimal digits that change whenever a kernel, or what it stands on, does.

    That is each module of the package that makes kernels, and all that these import; and the table of characters.
    """
    sources = {path.stem: path.read_bytes() for path in PACKAGE.glob("*.py")}
    needed = {name for name, source in sources.items() if b"kernel" in IMPORTED.findall(source)}
    waiting = list(needed)
    while waiting:
        found = {name.decode() for name in IMPORTED.findall(sources[waiting.pop()])} & sources.keys()
        waiting += found - needed
        needed |= found
    digest = hashlib.blake2b((PACKAGE / "data" / "characters.npz").read_bytes(), digest_size=8)
    for name in sorted(needed):
        digest.update(sources[name])
    return digest.hexdigest()


def cache_folder() -> Path:
    """Return a folder of this version's own that can be written, made if it was not there."""
    homes = [
        Path(user_cache_dir("dedup")),
        Path(tempfile.gettempdir()) / f"dedup-{os.getuid() if hasattr(os, 'getuid') else 0}",
    ]
    for home in homes:
        folder = home / f"kernels-{kernels_digest()}"
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder
    return Path(tempfile.mkdtemp(prefix="dedup-kernels-"))


if not os.environ.get("NUMBA_CACHE_DIR"):
    numba.config.CACHE_DIR = str(cache_folder())  # type: ignore[attr-defined]


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a function for whole batches: cached, without the interpreter lock, division as in numpy."""
    return numba.njit(cache=True, nogil=True, error_model="numpy")(function)


def leaf(function: Callable[..., Any]) -> Any:
    """Compile a function that makes no array, for other kernels to call: as `kernel`, but without reference counts.

    Each look at a field of a tuple of arrays would count up and down, atomically; threads that read the same sketches
    would spend most of their time fighting over the counters (numba issue 8156 tells of the like).
    """
    options: dict[str, Any] = {"_nrt": False}  # as numba compiles such functions of its own
    return numba.njit(cache=True, nogil=True, error_model="numpy", **options)(function)


def inlined(function: Callable[..., Any]) -> Any:
    """Compile a small function into each kernel that calls it."""
    return numba.njit(cache=True, nogil=True, error_model="numpy", inline="always")(function)


@inlined
def scrambled(h):
    """Return the MurmurHash3 finalizer of a uint32, a bijection (numba widens each product, hence the casts)."""
    h = np.uint32(h ^ (h >> np.uint32(16)))
    h = np.uint32(h * np.uint32(0x85EBCA6B))
    h = np.uint32(h ^ (h >> np.uint32(13)))
    h = np.uint32(h * np.uint32(0xC2B2AE35))
    return np.uint32(h ^ (h >> np.uint32(16)))
