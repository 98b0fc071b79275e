"""The `jit` decorator: a function compiled by numba once, cached on disk, free of the interpreter lock.

numba decides that a cached kernel is stale by looking at the file that defines it, not at the kernels it calls.
The cache therefore lives in a folder named after a digest of all that kernels stand on: other code, other folder.
`NUMBA_CACHE_DIR` in the environment wins. A home that cannot be written, or that others can write, falls back to the temporary
folder.
"""

import contextlib
import hashlib
import os
import re
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np
from platformdirs import user_cache_dir

PACKAGE = Path(__file__).parent
IMPORT_PATTERN = re.compile(rb"^ *from (dedup[\w.]*) import ([\w, ]+|\([^)]*\))", re.MULTILINE)
"""A module, or a package and its modules, that another module imports."""


def compute_kernels_digest() -> str:
    """Return sixteen hexadecimal digits that change whenever a kernel, or what it stands on, does.

    That is each module of the package that makes kernels, and all that these import, packages included; and the table of
    characters.
    """
    sources = {name_module(path): path.read_bytes() for path in PACKAGE.rglob("*.py")}
    needed = {name for name, source in sources.items() if "dedup.jit" in list_imports(source)}
    waiting = list(needed)
    while waiting:
        imported = (list_imports(sources[waiting.pop()]) & sources.keys()) - needed
        waiting += imported
        needed |= imported
    digest = hashlib.blake2b((PACKAGE / "data" / "characters.npz").read_bytes(), digest_size=8)
    for name in sorted(needed):
        digest.update(sources[name])
    return digest.hexdigest()


def name_module(path: Path) -> str:
    """Return the full dotted name of a source file of the package."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(("dedup", *(part for part in parts if part != "__init__")))


def list_imports(source: bytes) -> set[str]:
    """Return the full dotted names that a source file imports from the package: modules, and names that may be modules."""
    names = set()
    for package, imported in IMPORT_PATTERN.findall(source):
        names.add(package.decode())
        names |= {f"{package.decode()}.{name}" for name in re.findall(r"\w+", imported.decode())}
    return names


def find_cache_folder() -> Path:
    """Return a folder for this version's compiled kernels that only this user can write; make it if it is missing.

    numba unpickles what it finds there, so a folder that somebody else made or can change would run their code. A folder
    that is not private is passed over; if none is left, a new one is made for this process.
    """
    homes = [
        Path(user_cache_dir("dedup")),
        Path(tempfile.gettempdir()) / f"dedup-{os.getuid() if hasattr(os, 'getuid') else 0}",
    ]
    for home in homes:
        folder = home / f"kernels-{compute_kernels_digest()}"
        try:
            home.mkdir(parents=True, exist_ok=True, mode=0o700)
            folder.mkdir(exist_ok=True, mode=0o700)
        except OSError:
            continue
        if is_private_folder(home) and is_private_folder(folder) and os.access(folder, os.W_OK):
            return folder
    return Path(tempfile.mkdtemp(prefix="dedup-kernels-"))


def are_kernels_compiled() -> bool:
    """Return whether a run of this version has ended, so that its kernels lie in the cache."""
    return find_compiled_mark().exists()


def mark_kernels_compiled() -> None:
    """Record that a run has ended; a cache that cannot be written is left as it is."""
    with contextlib.suppress(OSError):
        find_compiled_mark().touch()


def find_compiled_mark() -> Path:
    """Return the path of the file whose presence says that the kernels of this version lie in the cache."""
    return Path(numba.config.CACHE_DIR) / f"compiled-{compute_kernels_digest()}"  # type: ignore[attr-defined]


def is_private_folder(folder: Path) -> bool:
    """Return whether a path is a folder of this user's own, not a link, which nobody else can write."""
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode):
        return False
    if not hasattr(os, "getuid"):  # Windows: a user's folders are private unless somebody shares them
        return True
    return status.st_uid == os.getuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


if not os.environ.get("NUMBA_CACHE_DIR"):
    numba.config.CACHE_DIR = str(find_cache_folder())  # type: ignore[attr-defined]


def jit(function: Callable[..., Any]) -> Any:
    """Compile a function for whole batches: cached, without the interpreter lock, division as in numpy."""
    return numba.njit(cache=True, nogil=True, error_model="numpy")(function)


def jit_leaf(function: Callable[..., Any]) -> Any:
    """Compile a function that makes no array, for other kernels to call: as `jit`, but without reference counts.

    Each look at a field of a tuple of arrays would count up and down, atomically; threads that read the same sketches
    would spend most of their time fighting over the counters (numba issue 8156 tells of the like).
    """
    options: dict[str, Any] = {"_nrt": False}  # as numba compiles such functions of its own
    return numba.njit(cache=True, nogil=True, error_model="numpy", **options)(function)


def jit_inline(function: Callable[..., Any]) -> Any:
    """Compile a small function into each kernel that calls it."""
    return numba.njit(cache=True, nogil=True, error_model="numpy", inline="always")(function)


@jit_inline
def murmur3_fmix32(h):
    """Return the MurmurHash3 finalizer of a uint32, a bijection (numba widens each product, hence the casts)."""
    h = np.uint32(h ^ (h >> np.uint32(16)))
    h = np.uint32(h * np.uint32(0x85EBCA6B))
    h = np.uint32(h ^ (h >> np.uint32(13)))
    h = np.uint32(h * np.uint32(0xC2B2AE35))
    return np.uint32(h ^ (h >> np.uint32(16)))
