"""A folder in the navigation of the site stands for all its pages."""

from pathlib import Path

from tools.navigation import on_config


def test_a_folder_stands_for_its_pages_and_vanishes_without_them(tmp_path: Path) -> None:
    (tmp_path / "recipes").mkdir()
    for name in ("b.md", "a.md", "README.md", "picture.png"):
        (tmp_path / "recipes" / name).touch()
    given = ["index.md", {"Recipes": "recipes/"}, {"Decisions": "decisions/"}, {"How to": ["how-to/a.md"]}]

    config = on_config({"docs_dir": str(tmp_path), "nav": given})

    assert config["nav"] == [
        "index.md",
        {"Recipes": ["recipes/README.md", "recipes/a.md", "recipes/b.md"]},
        {"How to": ["how-to/a.md"]},
    ]
