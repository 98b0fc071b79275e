"""Compile the kernels ahead of time, into the package: `python -m dedup.precompile [LEVEL]`.

Each kernel runs once (`dedup.precompile.workload`) while numba compiles it for a CPU level, such as x86-64-v3: without a
level, for the best one of this CPU; with `all`, for each one. Their machine code becomes a library (`dedup.jit.kernel_library`).
The build of a wheel and the installation of a checkout call this, and so does a first run that finds no library.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from dedup.errors import SettingsError
from dedup.jit import KERNELS
from dedup.jit.cpu_levels import find_cpu_levels
from dedup.jit.digest import PACKAGE, digest_files, list_library_files
from dedup.jit.kernel_library import (
    COMPILING,
    MANIFEST,
    OBJECT_FILE,
    SHIPPED_KERNELS,
    digest_code,
    is_current,
    name_library,
)
from dedup.precompile.workload import run_all_kernels
from dedup.text.boilerplate.rules import load_line_scanner

ALL_LEVELS = "all"


def compile_kernels(level: str | None = None, folder: Path | None = None) -> Path:
    """Return the folder of the library for a CPU level; compile it if it is missing or of other sources.

    Without a level, it is the best one of this CPU; without a folder, the one in the package. Raise `SettingsError` for a
    level that this CPU does not have, because the kernels run once here.
    """
    levels = find_cpu_levels()
    if level is not None and level not in levels:
        raise SettingsError(f"CPU level {level}: kernels can be compiled here for {', '.join(levels)}")
    level = level or levels[0]
    mode = 0o777 if folder is None else 0o700  # the package is for all users, a cache for one
    folder = folder or SHIPPED_KERNELS / name_library(level)
    if is_current(folder) and read_sources(folder) == list_library_files():
        return folder
    sys.stderr.write(f"Compiling kernels for {level}, once: about a minute.\n")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="draft-", dir=folder.parent) as draft:
        library = Path(draft, "library")
        library.mkdir(mode)
        compile_library(level, library, Path(draft))
        replace_library(folder, library)
    return folder


def replace_library(folder: Path, library: Path) -> None:
    """Move a new library to a folder, unless another process has just put a current one there."""
    if is_current(folder) and read_sources(folder) == list_library_files():
        return
    shutil.rmtree(folder, ignore_errors=True)
    try:
        library.rename(folder)
    except OSError:
        if not is_current(folder):
            raise


def compile_library(level: str, library: Path, work: Path) -> None:
    """Write the library for a level into the folder `library`; `work` is a folder for the corpus and outputs."""
    os.environ |= {"NUMBA_CPU_NAME": level, "NUMBA_CPU_FEATURES": ""}  # before anything imports numba
    COMPILING.set()
    run_all_kernels(work)
    from dedup.jit.linker import link_kernels  # imports numba

    code, entry_points = link_kernels([kernel for kernel in KERNELS if kernel.is_called], level)
    sources = list_library_files()
    digests = {"digest": digest_files(sources), "code": digest_code(code)}
    manifest = {**digests, "sources": sources, "entry_points": entry_points}
    (library / OBJECT_FILE).write_bytes(code)
    (library / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    if scanner := load_line_scanner():
        scanner.write_database(library)


def read_sources(folder: Path) -> list[str]:
    """Return the files from which the library in a folder was compiled: modules may have come since."""
    return list(json.loads((folder / MANIFEST).read_bytes())["sources"])


def compile_requested_kernels(level: str | None = None, folder: str | None = None) -> None:
    """Compile the kernels for a level; for `all`, for each level of this CPU, each in its own process."""
    if level == ALL_LEVELS:
        for each in find_cpu_levels():
            command = [sys.executable, "-m", "dedup.precompile", each]
            subprocess.run(command, cwd=PACKAGE.parent, check=True)  # noqa: S603 - our own module
    else:
        compile_kernels(level, Path(folder) if folder else None)
