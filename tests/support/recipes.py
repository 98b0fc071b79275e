"""The code of the recipes, as a reader would copy it."""

import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

FOLDER = Path(__file__).parents[2] / "docs" / "recipes"
JSON_BLOCK = re.compile(r"```json\n(.*?)```", re.DOTALL)
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)


def read_json_blocks(page: str) -> list[Any]:
    """Return the values of all JSON on a page."""
    return [
        json.loads(block) for block in JSON_BLOCK.findall((FOLDER / f"{page}.md").read_text(encoding="utf-8"))
    ]


def code_of(page: str) -> str:
    """Return all Python code of a page."""
    return "\n\n".join(BLOCK.findall((FOLDER / f"{page}.md").read_text(encoding="utf-8")))


def recipe(page: str) -> Any:
    """Return the code of a page as a module."""
    module = ModuleType(page)
    exec(compile(code_of(page), f"{page}.md", "exec"), module.__dict__)  # noqa: S102 - the page is ours
    return module
