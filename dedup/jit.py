"""Compile kernels with numba: once, with a cache on disk, and without the interpreter lock.

numba checks whether a cached kernel is stale by the file that defines it, but not by the kernels that it calls. So the
cache is in a folder named after a digest of all source files that kernels depend on: other code, other folder.
`NUMBA_CACHE_DIR` in the environment takes precedence. If the home folder cannot be written, or others can write to it,
the cache is in the temporary folder.

The package may ship compiled kernels (`dedup.precompile`), for a CPU level rather than for one CPU. If it has a folder
for the same digest, Python, numba and a level of this CPU, the cache starts as a copy of it, and numba compiles for that
level in the whole process.
"""

import contextlib
import hashlib
import os
import platform
import re
import shutil
import stat
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite.binding
import numba
import numpy as np
from numba.core.registry import cpu_target
from platformdirs import user_cache_dir

PACKAGE = Path(__file__).parent
SHIPPED_KERNELS = PACKAGE / "kernels"
"""A folder with a folder of compiled kernels for each CPU level that the package was built for."""
V2_FEATURES = frozenset({"cx16", "popcnt", "sahf", "sse3", "sse4.1", "sse4.2", "ssse3"})
V3_FEATURES = V2_FEATURES | {"avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe"}
X86_LEVELS = {"x86-64-v3": V3_FEATURES, "x86-64-v2": V2_FEATURES}
"""The CPU features that each level needs, best level first (x86-64 psABI, section 3.1.1)."""
IMPORT_PATTERN = re.compile(rb"^ *from (dedup[\w.]*) import ([\w, ]+|\([^)]*\))", re.MULTILINE)
"""An import from the package: the module or package, and the imported names."""

KERNEL_PATTERN = re.compile(rb"^@jit", re.MULTILINE)
"""The decorator of a kernel."""


def compute_kernels_digest() -> str:
    """Return sixteen hexadecimal digits that change whenever a kernel, or code or data that it depends on, changes.

    The digest covers each module that decorates a kernel, all modules of the package that these import, and the Unicode
    tables.
    """
    sources = {name_module(path): path.read_bytes() for path in PACKAGE.rglob("*.py")}
    modules = {name for name, source in sources.items() if KERNEL_PATTERN.search(source)}
    pending = list(modules)
    while pending:
        new_modules = (list_imports(sources[pending.pop()]) & sources.keys()) - modules
        pending += new_modules
        modules |= new_modules
    digest = hashlib.blake2b((PACKAGE / "data" / "characters.npz").read_bytes(), digest_size=8)
    for name in sorted(modules):
        digest.update(sources[name])
    return digest.hexdigest()


def name_module(path: Path) -> str:
    """Return the full dotted name of a source file of the package."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(("dedup", *(part for part in parts if part != "__init__")))


def list_imports(source: bytes) -> set[str]:
    """Return the full dotted names that a source file imports from the package: modules, and names that may be modules."""
    names = set()
    for package, imported_names in IMPORT_PATTERN.findall(source):
        names.add(package.decode())
        names |= {f"{package.decode()}.{name}" for name in re.findall(r"\w+", imported_names.decode())}
    return names


def find_cpu_levels() -> list[str]:
    """Return the levels of this CPU by their LLVM names, best first; empty on an unknown architecture."""
    machine = platform.machine().lower()
    if machine in {"aarch64", "arm64"}:
        return ["generic"]
    if machine not in {"x86_64", "amd64"}:
        return []
    features = {name for name, present in llvmlite.binding.get_host_cpu_features().items() if present}
    return [level for level, level_features in X86_LEVELS.items() if level_features <= features]


def name_kernel_folder(level: str) -> str:
    """Return the name of the folder of kernels for a level, which contains everything that compiled code depends on."""
    code = f"{sys.implementation.cache_tag}-numba-{numba.__version__}-{KERNELS_DIGEST}"
    return f"{sysconfig.get_platform()}-{level}-{code}"


def find_shipped_level() -> str | None:
    """Return the best CPU level for which the package ships kernels and that this process can use; None if there is none.

    Return None too if the user chose a CPU (`NUMBA_CPU_NAME`, `NUMBA_CPU_FEATURES`), or if numba is already in use, since
    the CPU cannot be changed then.
    """
    config = numba.config
    if config.CPU_NAME is not None or config.CPU_FEATURES is not None or is_numba_in_use():  # type: ignore[attr-defined]
        return None
    return next((level for level in find_cpu_levels() if is_shipped(level)), None)


def is_numba_in_use() -> bool:
    """Return whether a function was decorated before this module was imported, which fixes the CPU for the process."""
    return "_toplevel_target_context" in vars(cpu_target)


def is_shipped(level: str) -> bool:
    """Return whether kernels for a level are in the package itself, not behind a link."""
    folder = SHIPPED_KERNELS / name_kernel_folder(level)
    return folder.is_dir() and folder.resolve().is_relative_to(PACKAGE.resolve())


def find_cache_folder(level: str | None = None) -> Path:
    """Return the folder for the compiled kernels of this version, which only this user can write; make it if it is missing.

    numba unpickles the files in it, so a folder that somebody else made or can change could run their code. Folders that
    are not private are skipped; if none is left, a new one is made for this process. With a level, it starts as a copy of
    the kernels that the package ships for it.
    """
    homes = [
        Path(user_cache_dir("dedup")),
        Path(tempfile.gettempdir()) / f"dedup-{os.getuid() if hasattr(os, 'getuid') else 0}",
    ]
    for home in homes:
        folder = home / f"kernels-{name_kernel_folder(level) if level else KERNELS_DIGEST}"
        try:
            home.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not is_private_folder(home):
                continue
            make_kernel_folder(folder, level)
        except OSError:
            continue
        if is_private_folder(folder) and os.access(folder, os.W_OK):
            return folder
    folder = Path(tempfile.mkdtemp(prefix="dedup-kernels-"))
    copy_shipped_kernels(folder, level)
    return folder


def make_kernel_folder(folder: Path, level: str | None) -> None:
    """Make a private folder with the kernels shipped for the level, unless it exists; on failure, make no folder."""
    if os.path.lexists(folder):
        return
    draft = Path(tempfile.mkdtemp(prefix="draft-", dir=folder.parent))
    try:
        copy_shipped_kernels(draft, level)
        with contextlib.suppress(FileExistsError, PermissionError):  # another process was faster
            draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def copy_shipped_kernels(folder: Path, level: str | None) -> None:
    """Copy the kernels that the package ships for a level into a folder; without a level, do nothing."""
    if level:
        for path in (SHIPPED_KERNELS / name_kernel_folder(level)).iterdir():
            shutil.copyfile(path, folder / path.name)


def are_kernels_compiled() -> bool:
    """Return whether a run of this version has ended, so that its kernels are in the cache."""
    return find_compiled_mark().exists()


def mark_kernels_compiled() -> None:
    """Record that a run has ended; do nothing if the cache cannot be written."""
    with contextlib.suppress(OSError):
        find_compiled_mark().touch()


def find_compiled_mark() -> Path:
    """Return the path of the file that exists if the kernels of this version are in the cache."""
    return Path(os.environ.get("NUMBA_CACHE_DIR") or KERNEL_FOLDER) / f"compiled-{KERNELS_DIGEST}"


def explain_missing_kernels() -> str:
    """Return why the kernels that the package ships are not used; "" if it ships none."""
    if SHIPPED_LEVEL or not SHIPPED_KERNELS.is_dir():
        return ""
    names = [path.name for path in SHIPPED_KERNELS.iterdir()]
    levels = [level for level in (*X86_LEVELS, "generic") if any(f"-{level}-" in name for name in names)]
    if not levels:
        return ""
    if not set(levels) & set(find_cpu_levels()):
        return f"the compiled ones are for CPUs of level {' or '.join(levels)}, and this one is not"
    return "the compiled ones are for another version of Python, numba or dedup, or another CPU was asked for"


def is_private_folder(folder: Path) -> bool:
    """Return whether a path is a folder of this user, not a link, that nobody else can write."""
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode):
        return False
    if not hasattr(os, "getuid"):  # Windows: a user's folders are private unless shared
        return True
    return status.st_uid == os.getuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


KERNELS_DIGEST = compute_kernels_digest()
SHIPPED_LEVEL = None if os.environ.get("NUMBA_CACHE_DIR") else find_shipped_level()
if SHIPPED_LEVEL:
    numba.config.CPU_NAME, numba.config.CPU_FEATURES = SHIPPED_LEVEL, ""  # type: ignore[attr-defined]
KERNEL_FOLDER = Path(os.environ.get("NUMBA_CACHE_DIR") or find_cache_folder(SHIPPED_LEVEL))


class KernelLocator:
    """Tell numba where a kernel is cached: all in one folder, stamped by content, so that the files can be moved.

    The locators of numba name a folder after the path of the source, which differs between installations.
    """

    def __init__(self, function: Callable[..., Any], path: str) -> None:
        self._py_file = path  # numba shows it in its warnings
        self._line = function.__code__.co_firstlineno

    @classmethod
    def from_function(cls, py_func: Callable[..., Any], py_file: str) -> "KernelLocator":
        """Return the locator of a function."""
        return cls(py_func, py_file)

    def ensure_cache_path(self) -> None:
        """Make the folder."""
        KERNEL_FOLDER.mkdir(parents=True, exist_ok=True)

    def get_cache_path(self) -> str:
        """Return the folder."""
        return str(KERNEL_FOLDER)

    def get_source_stamp(self) -> str:
        """Return a value that changes with the source of the kernel, and with that of all kernels of the package."""
        return f"{KERNELS_DIGEST}-{digest_file(self._py_file)}"

    def get_disambiguator(self) -> str:
        """Return a part of the file name that distinguishes functions of one name, in modules of one name too."""
        return f"{Path(self._py_file).parent.name}-{self._line}"


@cache
def digest_file(path: str) -> str:
    """Return sixteen hexadecimal digits of the content of a file."""
    return hashlib.blake2b(Path(path).read_bytes(), digest_size=8).hexdigest()


@contextlib.contextmanager
def locate_kernels() -> Iterator[None]:
    """Make numba use `KernelLocator` for the functions decorated inside the context, and only for those."""
    config: Any = numba.config
    previous_locators = config.CACHE_LOCATOR_CLASSES
    config.CACHE_LOCATOR_CLASSES = f"{__name__}.{KernelLocator.__name__}"
    try:
        yield
    finally:
        config.CACHE_LOCATOR_CLASSES = previous_locators


def compile_lazily(function: Callable[..., Any], **options: Any) -> Any:
    """Return a kernel, compiled at its first call: cached, without the interpreter lock, with the division of numpy."""
    with locate_kernels():
        return numba.njit(cache=True, nogil=True, error_model="numpy", **options)(function)


def jit(function: Callable[..., Any]) -> Any:
    """Compile a kernel for whole batches: cached, without the interpreter lock, with the division of numpy."""
    return compile_lazily(function)


def jit_leaf(function: Callable[..., Any]) -> Any:
    """Compile a kernel that makes no array and that other kernels call: as `jit`, but without reference counts.

    Each access to a field of a tuple of arrays would count up and down, atomically; threads that read the same sketches
    would spend most of their time on these counters (similar: numba issue 8156).
    """
    return compile_lazily(function, _nrt=False)  # numba compiles such functions of its own this way


def jit_inline(function: Callable[..., Any]) -> Any:
    """Compile a small function into each kernel that calls it."""
    return compile_lazily(function, inline="always")


@jit_inline
def murmur3_fmix32(h):
    """Return the MurmurHash3 finalizer of a uint32, a bijection (numba widens each product, hence the casts)."""
    h = np.uint32(h ^ (h >> np.uint32(16)))
    h = np.uint32(h * np.uint32(0x85EBCA6B))
    h = np.uint32(h ^ (h >> np.uint32(13)))
    h = np.uint32(h * np.uint32(0xC2B2AE35))
    return np.uint32(h ^ (h >> np.uint32(16)))
