"""The notebook of the examples runs, and prints what it shows.

Its cells are run in their order in one namespace, as a kernel does, without the packages of Jupyter. To renew the
outputs: `python -m tests.docs.test_notebook`.
"""

import ast
import contextlib
import io
import json
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "examples" / "notebook.ipynb"


def run_notebook(notebook: dict[str, Any]) -> dict[str, Any]:
    """Return the notebook with the outputs that its code cells have today."""
    namespace: dict[str, Any] = {}
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for number, cell in enumerate(code, start=1):
        cell["execution_count"] = number
        cell["outputs"] = run_cell("".join(cell["source"]), number, namespace)
    return notebook


def run_cell(source: str, number: int, namespace: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the outputs of a cell: what it prints, and the value of its last line where that is an expression."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    printed, value = io.StringIO(), None
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, "notebook", "exec"), namespace)  # noqa: S102 - the notebook is ours
        if last:
            expression = ast.Expression(last.value)  # type: ignore[attr-defined]
            value = eval(compile(expression, "notebook", "eval"), namespace)  # noqa: S307 - as above
    outputs: list[dict[str, Any]] = []
    if printed.getvalue():
        outputs.append({"name": "stdout", "output_type": "stream", "text": split_lines(printed.getvalue())})
    if value is not None:
        outputs.append(
            {
                "data": render_value(value),
                "execution_count": number,
                "metadata": {},
                "output_type": "execute_result",
            }
        )
    return outputs


def render_value(value: object) -> dict[str, list[str]]:
    """Return a value as a notebook shows it: as HTML where it can, and as text."""
    shown = {"text/plain": split_lines(repr(value))}
    html = getattr(value, "_repr_html_", None)
    return {"text/html": split_lines(html()), **shown} if html else shown


def split_lines(text: str) -> list[str]:
    """Return the lines of a text as a notebook file has them."""
    return text.splitlines(keepends=True)


def test_the_notebook_shows_what_happens_today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    stored = json.loads(NOTEBOOK.read_text(encoding="utf-8"))

    run = run_notebook(json.loads(NOTEBOOK.read_text(encoding="utf-8")))

    assert [cell.get("outputs") for cell in run["cells"]] == [cell.get("outputs") for cell in stored["cells"]]


def test_the_notebook_runs_in_its_own_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(NOTEBOOK.parent)

    run = run_notebook(json.loads(NOTEBOOK.read_text(encoding="utf-8")))

    assert all(cell["outputs"] for cell in run["cells"] if cell["cell_type"] == "code")


if __name__ == "__main__":
    renewed = run_notebook(json.loads(NOTEBOOK.read_text(encoding="utf-8")))
    NOTEBOOK.write_text(json.dumps(renewed, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
