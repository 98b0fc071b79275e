"""The documentation is true: examples print the output they show, references are complete, and links lead somewhere."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import dedup
from tools.examples import Example, prepare_folder, run_examples, update_page
from tools.navigation import SOURCE, expand_folders
from tools.reference import FOLDER, PAGES, iter_contexts

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
WRITTEN = sorted(
    [*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *ROOT.glob("benchmarks/*.md"), *ROOT.glob("examples/*.md")]
)
TRIED = sorted(
    [DOCS / "index.md", DOCS / "tutorial.md", *DOCS.glob("how-to/*.md"), *DOCS.glob("explanation/*.md")]
)

FENCED = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"(?<!`)\[[^\]\n]+\]\((?P<target>[^)\s]+)\)")
HEADING = re.compile(r"^#+ (?P<title>.+)$", re.MULTILINE)
OBJECT = re.compile(r"^::: (?P<name>[\w.]+)$", re.MULTILINE)
NAMED = re.compile(r"`(?P<path>(?!.*NNNN)(?:benchmarks|dedup|docs|examples|tests|tools)/[\w./-]+\.\w+)`")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
ELSEWHERE = ("http://", "https://", "mailto:")

FOREIGN = {
    "--articles",
    "--build",
    "--corpus",
    "--data-binary",
    "--fit",
    "--peers",
    "--pin",
    "--lower",
    "--data",
    "--compare",
    "--folder",
    "--from",
    "--no-deps",
    "--recipe",
    "--user",
    "--wait",
    "--grow",
    "--sizes",
    "--system-site-packages",
}
"""Options of other programs, the benchmarks among them."""

every_page = pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.relative_to(ROOT).as_posix())
every_tried_page = pytest.mark.parametrize("path", TRIED, ids=lambda path: path.relative_to(DOCS).as_posix())


def prose(path: Path) -> str:
    """Return a page without its blocks of code."""
    return FENCED.sub("", path.read_text(encoding="utf-8"))


def anchors(path: Path) -> set[str]:
    """Return the places of a page that a link may lead to."""
    page = prose(path)
    titles = (re.sub(r"[^\w\s-]", "", title.lower()) for title in HEADING.findall(page))
    return {re.sub(r"[\s-]+", "-", title.strip()) for title in titles} | set(OBJECT.findall(page))


def broken_links(path: Path) -> Iterator[str]:
    """Yield the links of a page that lead nowhere."""
    for target in LINK.findall(prose(path)):
        place, _, anchor = target.partition("#")
        if target.startswith(ELSEWHERE):
            continue
        found = (path.parent / place).resolve() if place else path
        if not found.exists() or (anchor and anchor not in anchors(found)):
            yield target


def format_difference(example: Example) -> str:
    """Return an example with the output in the page and the output of today."""
    return f"$ {example.source}\n--- the page\n{example.expected}--- today\n{example.actual}"


@every_tried_page
def test_examples_print_what_the_page_says(path: Path, tmp_path: Path) -> None:
    examples = list(run_examples(path.read_text(encoding="utf-8"), prepare_folder(tmp_path)))

    assert [format_difference(example) for example in examples if not example.is_current] == []


def test_the_sessions_of_the_readme_print_what_it_says(tmp_path: Path) -> None:
    page = re.sub(
        r"```python\n.*?```\n", "", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL
    )

    examples = list(run_examples(page, prepare_folder(tmp_path)))

    assert examples
    assert [format_difference(example) for example in examples if not example.is_current] == []


def test_a_page_that_says_something_else_is_found_and_can_be_update_page(tmp_path: Path) -> None:
    page = "```console\n$ echo one\ntwo\n$ echo three\nfour\n```\n\n```python\nprint(5)\n```\n\n```text\n6\n```\n"

    examples = list(run_examples(page, prepare_folder(tmp_path)))

    assert [example.is_current for example in examples] == [False, False, False]
    assert update_page(page) == page.replace("two", "one").replace("four", "three").replace("6", "5")
    assert update_page("```python\nprint(5)\n```\n") == "```python\nprint(5)\n```\n\n```text\n5\n```\n"


@pytest.mark.parametrize(
    ("expected", "is_current"),
    [
        ("a\n…\nc\n", True),
        ("…\n", True),
        ("a\nc\n", False),
        ("…\nb\n", False),
        ("a\nb\nc\n…\n", True),
        ("", False),
    ],
)
def test_an_ellipsis_stands_for_any_lines(expected: str, is_current: bool) -> None:
    assert Example("…", expected, 0, "a  \nb\nc\n").is_current == is_current


def test_the_tried_pages_have_examples() -> None:
    silent = [path.name for path in TRIED if "```console" not in path.read_text(encoding="utf-8")]

    assert silent == [
        "deciding.md",
        "laws.md",
        "limits.md",
        "scale.md",
        "security.md",
        "agents.md",
        "deploy.md",
        "python.md",
        "service.md",
        "spark.md",
    ]


@pytest.mark.parametrize("name", PAGES)
def test_generated_pages_are_what_the_code_says(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == PAGES[name](), "run: python -m tools.reference"


def test_every_command_and_option_is_in_the_reference() -> None:
    page = (FOLDER / "commands.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## ([^\n]+)\n\n```text\n(.*?)^```$", page, flags=re.DOTALL | re.MULTILINE))

    missing = [
        f"{context.command_path} {name}"
        for context in iter_contexts()
        for option in context.command.params
        if isinstance(option, click.Option) and not option.hidden
        for name in option.opts
        if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", sections.get(context.command_path, ""))
    ]

    assert missing == []
    assert len(sections) == len(list(iter_contexts()))


def test_every_public_name_is_in_the_python_reference() -> None:
    page = (FOLDER / "python.md").read_text(encoding="utf-8")

    assert sorted(OBJECT.findall(page)) == sorted(f"dedup.{name}" for name in dedup.__all__)


def test_every_page_is_in_the_navigation() -> None:
    config = tomllib.loads(expand_folders(SOURCE.read_text(encoding="utf-8"), DOCS))

    entries = [entry for titled in config["project"]["nav"] for entry in titled.values()]
    listed = [name for entry in entries for name in ([entry] if isinstance(entry, str) else entry)]

    assert sorted(listed) == sorted(page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md"))


@every_page
def test_links_lead_somewhere(path: Path) -> None:
    assert list(broken_links(path)) == []


@every_page
def test_files_that_a_page_names_exist(path: Path) -> None:
    assert [name for name in NAMED.findall(prose(path)) if not (ROOT / name).exists()] == []


@every_page
def test_options_that_a_page_names_exist(path: Path) -> None:
    known = {
        name
        for context in iter_contexts()
        for option in context.command.params
        for name in (*option.opts, *option.secondary_opts)
    }

    named = set(OPTION.findall(path.read_text(encoding="utf-8")))

    assert named - known - {"--help"} - FOREIGN == set()


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# One *two*: three\n\n[a](#one-two-three) [b](page.md#none) [c](none.md) `[d](none)`\n",
        encoding="utf-8",
    )

    assert list(broken_links(page)) == ["page.md#none", "none.md"]
