"""The code of the recipes, as a reader would copy it."""

import re
from pathlib import Path
from types import ModuleType
from typing import Any

FOLDER = Path(__file__).parents[2] / "docs" / "recipes"
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)


def code_of(page: str) -> str:
    """Return all Python code of a page."""
    return "\n\n".join(BLOCK.findall((FOLDER / f"{page}.md").read_text(encoding="utf-8")))


def recipe(page: str) -> Any:
    """Return the code of a page as a module."""
    module = ModuleType(page)
    exec(compile(code_of(page), f"{page}.md", "exec"), module.__dict__)  # noqa: S102 - the page is ours
    return module
