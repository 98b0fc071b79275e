"""Find and load the library: the machine code of all kernels, compiled ahead of time for a level of the CPU.

A library is a folder with an object file and a manifest, which has the types of each kernel and a digest of the sources.
The package ships one or more; if none fits this CPU and these sources, one is compiled into the user's cache, once.
Loading takes a few milliseconds, since numba is not needed for it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import platform
import subprocess
import sys
import threading
from functools import cache
from pathlib import Path
from typing import NamedTuple

import llvmlite.binding as llvm

from dedup.jit.cache_folder import find_cache_folder, is_private_folder
from dedup.jit.cpu_levels import find_cpu_levels
from dedup.jit.digest import PACKAGE, digest_files, list_library_files
from dedup.jit.entry_point import EntryPoint, Parameter

LOGGER = logging.getLogger(__name__)
SHIPPED_KERNELS = PACKAGE / "kernels"
"""A folder with a library for each CPU level that the package was built for."""
LOADING = threading.Lock()
"""Held while the library is loaded, which must happen once."""
COMPILING = threading.Event()
"""Set in a process that compiles a library, in which numba compiles each kernel at its first call."""
OBJECT_FILE, MANIFEST = "kernels.o", "kernels.json"


class KernelLibrary(NamedTuple):
    """The machine code of all kernels, loaded."""

    entry_points: dict[str, tuple[EntryPoint, ...]]
    """By the full name of a kernel."""
    engine: llvm.ExecutionEngine
    """The owner of the code."""


def load_library() -> KernelLibrary | None:
    """Return the library for this CPU and these sources; compile it if there is none.

    Return None if it cannot be compiled, or if this process compiles it.
    """
    if COMPILING.is_set():
        return None
    with LOADING:
        return load_once()


@cache
def load_once() -> KernelLibrary | None:
    """Return the library, or None if it cannot be compiled."""
    try:
        return read_library(find_library() or compile_into_cache())
    except subprocess.CalledProcessError as error:
        reason = (error.stderr or b"").decode(errors="replace").strip().rpartition("\n")[2]
        LOGGER.warning("the kernels cannot be compiled ahead of time: %s", reason or error)
    except OSError as error:
        LOGGER.warning("the kernels cannot be compiled ahead of time: %s", error)
    return None


def find_library() -> Path | None:
    """Return the folder of a library for this CPU and these sources, in the package or in the cache; None if there is none."""
    for level in find_cpu_levels():
        shipped = SHIPPED_KERNELS / name_library(level)
        if is_current(shipped) and shipped.resolve().is_relative_to(PACKAGE.resolve()):
            return shipped
    try:
        cached = find_cached_library()
        return cached if is_private_folder(cached) and is_current(cached) else None
    except OSError:
        return None


def find_cached_library() -> Path:
    """Return the folder of the library in the user's cache, whether or not it exists."""
    digest = digest_files(list_library_files())
    return find_cache_folder() / f"{name_library(find_cpu_levels()[0])}-{digest}"


def name_library(level: str) -> str:
    """Return the name of the folder of a library for a level of the CPU."""
    return f"{sys.platform}-{platform.machine().lower()}-{level}"


def is_current(folder: Path) -> bool:
    """Return whether a folder holds a library of these sources, undamaged."""
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        is_whole = manifest["code"] == digest_code((folder / OBJECT_FILE).read_bytes())
        return bool(is_whole and manifest["digest"] == digest_files(manifest["sources"]))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def digest_code(code: bytes) -> str:
    """Return the digest of machine code, as in the manifest."""
    return hashlib.blake2b(code, digest_size=16).hexdigest()


def compile_into_cache() -> Path:
    """Return the folder in the cache after compiling a library into it, in another process, which takes about a minute."""
    folder = find_cached_library()
    # -P: no module is imported from the current folder.
    command = [sys.executable, "-P", "-m", "dedup.precompile", find_cpu_levels()[0], str(folder)]
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("NUMBA_", "DEDUP_"))},
        "PYTHONPATH": os.pathsep.join(filter(None, [str(PACKAGE.parent), os.environ.get("PYTHONPATH")])),
    }
    subprocess.run(command, env=environment, check=True, capture_output=True)  # noqa: S603 - our own module
    return folder


def read_library(folder: Path) -> KernelLibrary:
    """Return the library in a folder, loaded into this process."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_default_triple().create_target_machine()
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    engine.add_object_file(llvm.ObjectFileRef.from_data((folder / OBJECT_FILE).read_bytes()))
    engine.finalize_object()
    entry_points: dict[str, list[EntryPoint]] = {}
    for entry in json.loads((folder / MANIFEST).read_bytes())["entry_points"]:
        entry_point = EntryPoint(
            engine.get_function_address(entry["symbol"]),
            [Parameter(*parameter) for parameter in entry["parameters"]],
            entry["results"],
            is_tuple=entry["is_tuple"],
            owner=engine,
        )
        entry_points.setdefault(entry["kernel"], []).append(entry_point)
    return KernelLibrary({name: tuple(variants) for name, variants in entry_points.items()}, engine)
