"""llms.txt lists each page of the site with one line on it."""

from pathlib import Path

import pytest

from tools.llms import format_llms, summarize_page


def test_pages_are_listed_under_their_headings(tmp_path: Path) -> None:
    (tmp_path / "recipes").mkdir()
    (tmp_path / "index.md").write_text("---\nhide: [toc]\n---\n\n# Home\n\nFinds it. Keeps it.\n")
    (tmp_path / "recipes" / "README.md").write_text("# All\n\nOne each.\n")
    config = {
        "site_name": "dedup",
        "site_description": "Finds duplicates.",
        "nav": [{"Start": "index.md"}, {"Recipes": ["recipes/README.md"]}],
    }

    page = format_llms(config, tmp_path)

    assert page == (
        "# dedup\n\n> Finds duplicates.\n\n"
        "## Start\n\n- [Home](index.html): Finds it.\n\n"
        "## Recipes\n\n- [All](recipes/index.html): One each.\n"
    )


@pytest.mark.parametrize(
    ("page", "summary"),
    [
        (
            "# T\n\n    code\n\n| a |\n|---|\n\n![p](p.png)\n\nIt is **text** with a [link](x.md).\n",
            "It is text with a link.",
        ),
        ("# T\n\n**Context.** A match is rare. More.\n", "A match is rare."),
        (
            "# T\n\n```console\n$ dedup --help\n```\n\n`dedup 0.1` is a\ncommand.\n",
            "`dedup 0.1` is a command.",
        ),
        ("# T\n", ""),
    ],
)
def test_the_line_on_a_page_is_its_first_sentence(page: str, summary: str) -> None:
    assert summarize_page(page) == ("T", summary)
