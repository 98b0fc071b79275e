"""A folder in the navigation of the site stands for all its pages."""

from pathlib import Path

from tools.navigation import expand_folders

CONFIG = """\
nav = [
    { "Home" = "index.md" },
    { "Recipes" = "recipes/" },
    { "Decisions" = "decisions/" },
    { "How to" = ["how-to/a.md"] },
]
"""


def test_a_folder_stands_for_its_pages_and_vanishes_without_them(tmp_path: Path) -> None:
    (tmp_path / "recipes").mkdir()
    for name in ("b.md", "a.md", "README.md", "picture.png"):
        (tmp_path / "recipes" / name).touch()

    config = expand_folders(CONFIG, tmp_path)

    assert config == (
        "nav = [\n"
        '    { "Home" = "index.md" },\n'
        '    { "Recipes" = ["recipes/README.md", "recipes/a.md", "recipes/b.md"] },\n'
        '    { "How to" = ["how-to/a.md"] },\n'
        "]\n"
    )
