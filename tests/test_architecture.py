"""The rules of the house, read off the syntax trees: who may import whom, who may talk, what is never called.

The tests at the end run a fresh interpreter, since what it loads cannot be read off a tree.
"""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import dedup

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "dedup"

MAY_IMPORT = {
    "errors": "",
    "formatting": "",
    "parallel": "",
    "jit": "",
    "precompile": "cli index pipeline matching settings sketches text io jit",
    "io": "",
    "text": "io jit",
    "settings": "io text",
    "sketches": "text io jit",
    "matching": "settings sketches text io jit",
    "pipeline": "matching settings sketches text io jit",
    "index": "pipeline matching settings sketches text io jit",
    "evaluation": "index pipeline matching settings sketches text io jit",
    "reports": "evaluation pipeline matching settings sketches text io",
    "origins": "reports pipeline matching settings sketches text io",
    "spark": "index pipeline matching settings sketches text io jit",
    "__init__": "reports index evaluation pipeline matching settings sketches text io",
    "server": "origins index pipeline settings io __init__",
    "cli": "server spark origins reports evaluation index pipeline matching settings sketches text io jit __init__",
    "__main__": "cli",
}
"""Which packages a package imports, or a module at the top; each may import itself and what is open to all."""
LATE_IMPORTS = {
    "pipeline/results.py": {"reports", "origins", "__init__"},
    "reports/html/story_origins.py": {"origins"},
}
"""What a module imports inside a function, beyond its package: `Result.report` writes the page that reports build, and
`Result.origins` traces the origins of its clusters, as the page does."""
OPEN_TO_ALL = {"errors", "formatting", "parallel"}

TALKERS = {"cli", "__main__"}
"""The modules that may print and know a terminal; the others return values and raise errors."""
TERMINAL_PACKAGES = {"click", "rich"}

VAGUE_NAMES = {"utils", "helpers", "common", "base", "types"}
FORBIDDEN_CALLS = {"eval", "exec", "hash"}
"""`hash` differs from one process to the next; the other two run what they are given."""
FORBIDDEN_KEYWORDS = {"shell", "allow_pickle"}
PICKLERS = {"cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve"}
"""Loading what one of these wrote runs code."""

HEAVY_PACKAGES = {"numba", "pyarrow", "sklearn"}
"""Each takes from a tenth of a second to a second to import: `dedup --help` does without."""

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

PATHS = sorted(PACKAGE.rglob("*.py"))
every_module = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.relative_to(PACKAGE).as_posix())


@cache
def parse(path: Path) -> ast.Module:
    """Return the syntax tree of a source file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def layer(path: Path) -> str:
    """Return the name under which a source file stands in `MAY_IMPORT`."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line, full dotted name) of all that a file imports, lazily and for hints too."""
    folder = path.parent.relative_to(ROOT).parts
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = folder[: len(folder) - node.level + 1] if node.level else ()
            parts = (*above, *filter(None, [node.module]))
            yield from ((node.lineno, ".".join((*parts, alias.name))) for alias in node.names)


def imported_layers(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line, name in `MAY_IMPORT`) of the parts of dedup a file imports; other names are the door's."""
    for line, name in imports(path):
        package, _, rest = name.partition(".")
        part = rest.partition(".")[0]
        if package == "dedup":
            is_module = (PACKAGE / f"{part}.py").exists() or (PACKAGE / part / "__init__.py").exists()
            yield line, part if part and is_module else "__init__"


def calls(path: Path) -> Iterator[tuple[ast.Call, str]]:
    """Yield (call, name) for each call of a plain name in a file; the name is empty for any other call."""
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Call):
            yield node, node.func.id if isinstance(node.func, ast.Name) else ""


def public_definitions(node: ast.Module | ast.ClassDef) -> Iterator[Definition]:
    """Yield the public functions and classes of a module, and the public methods of those classes."""
    for child in node.body:
        if isinstance(child, Definition) and not child.name.startswith("_"):
            yield child
            if isinstance(child, ast.ClassDef):
                yield from public_definitions(child)


def names_public_in_readme() -> set[str]:
    """Return every name that the README's section on Python imports with `from dedup import …`."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    sections = re.findall(r"^##+ [^\n]*\bPython\b.*?(?=^## |\Z)", readme, flags=re.MULTILINE | re.DOTALL)
    statements = re.findall(r"from dedup import (\([^)]*\)|[^\n]*)", "\n".join(sections))
    return set(re.findall(r"[A-Za-z_]\w*", " ".join(statements)))


def packages_loaded_by(*arguments: str) -> set[str]:
    """Return the top-level packages that a fresh interpreter imports when run with these arguments."""
    command = [sys.executable, "-X", "importtime", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}


@every_module
def test_a_package_imports_only_what_it_may(path: Path) -> None:
    here = layer(path)
    late = LATE_IMPORTS.get(path.relative_to(PACKAGE).as_posix(), set())
    allowed = {here, *OPEN_TO_ALL, *MAY_IMPORT[here].split(), *late}

    assert [f"line {line}: {name}" for line, name in imported_layers(path) if name not in allowed] == []


@every_module
def test_only_the_command_line_talks(path: Path) -> None:
    printed = [f"line {call.lineno}: print" for call, name in calls(path) if name == "print"]
    imported = [f"line {n}: {name}" for n, name in imports(path) if name.split(".")[0] in TERMINAL_PACKAGES]

    assert layer(path) in TALKERS or not printed + imported


@every_module
def test_every_module_is_named_for_what_it_holds(path: Path) -> None:
    assert not VAGUE_NAMES & {part.strip("_") for part in path.relative_to(PACKAGE).with_suffix("").parts}


@every_module
def test_nothing_runs_strings_or_depends_on_the_hash_seed(path: Path) -> None:
    called = [f"line {call.lineno}: {name}()" for call, name in calls(path) if name in FORBIDDEN_CALLS]
    allowed = [
        f"line {call.lineno}: {keyword.arg}="
        for call, _ in calls(path)
        for keyword in call.keywords
        if keyword.arg in FORBIDDEN_KEYWORDS and getattr(keyword.value, "value", True) is not False
    ]

    assert not called + allowed


@every_module
def test_nothing_is_pickled(path: Path) -> None:
    assert not [f"line {n}: {name}" for n, name in imports(path) if name.split(".")[0] in PICKLERS]


@every_module
def test_everything_public_says_what_it_is(path: Path) -> None:
    tree = parse(path)

    silent = [f"line {d.lineno}: {d.name}" for d in public_definitions(tree) if not ast.get_docstring(d)]

    assert ast.get_docstring(tree), "the module says nothing of itself"
    assert not silent


def test_the_readme_and_the_door_name_the_same_things() -> None:
    assert set(dedup.__all__) == names_public_in_readme()


def test_every_public_name_can_be_imported() -> None:
    assert [name for name in dedup.__all__ if getattr(dedup, name, None) is None] == []


def test_importing_dedup_loads_nothing_heavy() -> None:
    loaded = packages_loaded_by("-c", "import dedup")

    assert "dedup" in loaded
    assert not HEAVY_PACKAGES & loaded


def test_asking_for_help_loads_nothing_heavy() -> None:
    loaded = packages_loaded_by("-m", "dedup", "--help")

    assert "click" in loaded
    assert not HEAVY_PACKAGES & loaded


@pytest.mark.parametrize("command", ["cluster", "filter", "report", "explain", "plan", "boilerplate"])
def test_a_command_loads_nothing_that_it_has_no_use_for(command: str, tmp_path: Path) -> None:
    corpus = "examples/newsroom.jsonl"
    first, second, *_ = (json.loads(line)["id"] for line in (ROOT / corpus).read_text().splitlines())
    given = {
        "report": [corpus, "-o", str(tmp_path / "report.html")],
        "explain": [corpus, first, second],
    }
    source = (
        "import sys; from dedup.cli.main import cli; cli(sys.argv[1:], standalone_mode=False); "
        "print(*sys.modules, file=sys.stderr); import pandas, scipy.linalg, cffi"
    )

    done = subprocess.run(
        [sys.executable, "-c", source, command, *given.get(command, [corpus])],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-2000:]
    assert not {"pandas", "scipy.linalg", "cffi"} & set(done.stderr.split())
