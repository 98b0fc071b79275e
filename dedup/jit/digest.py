"""Digest the source files that the kernels depend on: other code, other machine code."""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

PACKAGE = Path(__file__).parent.parent
CHARACTERS = "data/characters.npz"
"""The Unicode tables, which become constants in the machine code."""
IMPORT_PATTERN = re.compile(rb"^ *from (dedup[\w.]*) import ([\w, ]+|\([^)]*\))", re.MULTILINE)
"""An import from the package: the module or package, and the imported names."""
COMPILER_FILES = ("jit/linker.py", "precompile/__init__.py", "precompile/workload.py")
"""The modules that decide what is compiled, and how."""
KERNEL_PATTERN = re.compile(rb"^@jit", re.MULTILINE)
"""The decorator of a kernel."""


def compute_kernels_digest() -> str:
    """Return sixteen hexadecimal digits that change whenever a kernel, or code or data that it depends on, changes."""
    return digest_files(list_kernel_files())


def list_library_files() -> list[str]:
    """Return the files that a library depends on, as paths within the package."""
    return [*list_kernel_files(), *COMPILER_FILES]


def list_kernel_files() -> list[str]:
    """Return the files that kernels depend on, as paths within the package, sorted.

    These are the modules that decorate a kernel, all modules of the package that these import, and the Unicode tables.
    """
    paths = {name_module(path): path for path in PACKAGE.rglob("*.py")}
    sources = {name: path.read_bytes() for name, path in paths.items()}
    modules = {name for name, source in sources.items() if KERNEL_PATTERN.search(source)}
    pending = list(modules)
    while pending:
        new_modules = (list_imports(sources[pending.pop()]) & sources.keys()) - modules
        pending += new_modules
        modules |= new_modules
    return sorted([CHARACTERS, *(paths[name].relative_to(PACKAGE).as_posix() for name in modules)])


def digest_files(names: Iterable[str]) -> str:
    """Return the digest of files of the package; of a missing file, only the name counts."""
    digest = hashlib.blake2b(digest_size=8)
    for name in names:
        path = PACKAGE / name
        digest.update(name.encode() + b"\0" + (path.read_bytes() if path.is_file() else b"") + b"\0")
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
