"""Every regular expression of dedup.io and dedup.text takes time in proportion to its input, however hostile.

The rules of boilerplate are not here: RE2, which compiles them, has no backtracking.
"""

import ast
import importlib
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import dedup

PACKAGE = Path(dedup.__file__).parent
MODULES = sorted(path for name in ("io", "text") for path in (PACKAGE / name).rglob("*.py"))
INLINE = {'f"[{UNSPACED_RANGES}]"'}
"""A single class of characters, matched at one place: it needs no pumping."""
SIZE, FACTOR = 10_000, 10
MAX_GROWTH = 30
"""Ten times the input may take this many times as long: quadratic time would be a hundredfold."""
NOISE_SECONDS = 0.002
"""Shorter times say nothing about growth."""

PUMPS = [
    *(
        " ",
        "\n",
        "\t",
        " \n",
        "1",
        "a",
        "A",
        "é",
        "中",
        ".",
        ",",
        "-",
        "_",
        "{",
        "[",
        "]",
        "\\",
        '"',
        "\ud800",
        "\x00",
    ),
    *(
        "1.",
        "1,1.",
        "a.1",
        "a 1",
        ". ",
        "- ",
        "+0",
        "e1",
        "1e",
        "Z",
        "UTC",
        " Z",
        " +01",
        "{\n",
        "[ ",
        "[\n",
        ", ",
        "中a",
    ),
]


def iter_patterns() -> Iterator[tuple[str, Any]]:
    """Yield the compiled patterns of all modules, those in tables among them."""
    for path in MODULES:
        name = ".".join(("dedup", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")
        for variable, value in vars(importlib.import_module(name)).items():
            held = value.values() if isinstance(value, dict) else [value]
            yield from ((f"{name}.{variable}", item) for item in held if isinstance(item, re.Pattern))


PATTERNS = list(iter_patterns())


def measure(use: Callable[[str], object], text: str, times: int = 1) -> float:
    """Return the least processor time of a few runs."""
    seconds = []
    for _ in range(times):
        start = time.process_time()
        use(text)
        seconds.append(time.process_time() - start)
    return min(seconds)


def grows_too_fast(use: Callable[[str], object], small: str, large: str) -> bool:
    """Return whether a function takes more than thirty times as long for ten times the text; a doubt is measured again."""
    return all(
        measure(use, large, times) > MAX_GROWTH * max(measure(use, small, times), NOISE_SECONDS)
        for times in (1, 3)
    )


def find_quadratic_pump(pattern: Any) -> tuple[str, str] | None:
    """Return the text on which a pattern takes more than linear time, or None."""

    def find_all(text: str) -> None:
        for _ in pattern.finditer(text):
            pass

    for pump in PUMPS:
        for head, tail in (("", ""), ("", "\x01"), ("[", "\x01"), ("{", "\x01")):
            texts = [head + pump * (size // len(pump)) + tail for size in (SIZE, SIZE * FACTOR)]
            if isinstance(pattern.pattern, bytes):
                texts = [text.encode("utf-8", "surrogatepass") for text in texts]  # type: ignore[misc]
            if grows_too_fast(find_all, *texts) or grows_too_fast(pattern.fullmatch, *texts):
                return pump, tail
    return None


@pytest.mark.parametrize(
    ("name", "pattern"), PATTERNS, ids=[f"{name}-{n}" for n, (name, _) in enumerate(PATTERNS)]
)
def test_a_pattern_stays_linear(name: str, pattern: Any) -> None:
    assert find_quadratic_pump(pattern) is None


def test_every_pattern_is_one_that_is_pumped() -> None:
    """A pattern inside of a function would not be seen."""
    compiled = {pattern.pattern for _, pattern in PATTERNS}
    assert len(compiled) > 12
    for path in MODULES:
        tree = ast.parse(path.read_text("utf-8"))
        inside = {
            ast.unparse(call.args[0])
            for function in ast.walk(tree)
            if isinstance(function, ast.FunctionDef)
            for call in ast.walk(function)
            if isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and isinstance(call.func.value, ast.Name)
            and call.func.value.id == "re"
        }
        assert {text.replace("'", '"') for text in inside} <= INLINE, path


def test_a_quadratic_pattern_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "SIZE", 2000)

    assert find_quadratic_pump(re.compile(r"\s+$")) == (" ", "\x01")
