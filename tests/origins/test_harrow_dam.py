"""An invented newsroom, `harrow_dam.jsonl`: one agency story in twelve outlets of three groups, and everything about it is known.

Each article has a note on what it is there to show, and the parent, the relation, the origin and the credit that it must get.
Beside the twelve stand an independent report, a correction, a change without a note, and four later chapters.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from commands import called, written

from dedup import Result, deduplicate
from dedup.origins.independence import CREDITED, UNCREDITED_COPY
from dedup.origins.reuse import list_reuse, sum_reuse_by_origin
from dedup.origins.story_diff import StoryDiff, diff_articles
from dedup.origins.trace import Story

ARTICLES = [
    json.loads(line) for line in Path(__file__).with_name("harrow_dam.jsonl").read_text("utf-8").splitlines()
]
OWNERS = {
    f"{stem}-{number}.example": stem.title()
    for stem in ("anker", "boje", "kompass")
    for number in range(1, 5)
}
CHAPTERS = ["anker-1/flood", "orlepost/return", "kompass-1/railway", "anker-1/resignation", "boje-1/inquiry"]


def name_versions() -> list[str]:
    """Return the name of each article in a result: a second version has a suffix."""
    seen: Counter[str] = Counter()
    names = []
    for article in ARTICLES:
        seen[article["id"]] += 1
        names.append(article["id"] + (f"#{seen[article['id']]}" if seen[article["id"]] > 1 else ""))
    return names


NAMES = name_versions()
EXPECTED: dict[str, dict[str, Any]] = {
    name: article["expect"] for name, article in zip(NAMES, ARTICLES, strict=True) if article["expect"]
}
every_telling = pytest.mark.parametrize("name", EXPECTED)


@pytest.fixture(scope="module")
def result() -> Result:
    """Return the run with the default settings."""
    return deduplicate(
        [{k: v for k, v in article.items() if k not in {"note", "expect"}} for article in ARTICLES]
    )


@pytest.fixture(scope="module")
def story(result: Result) -> Story:
    """Return the one story: the first chapter."""
    [found] = result.origins(publishers=OWNERS)
    return found


@pytest.fixture(scope="module")
def diff(result: Result) -> StoryDiff:
    """Return what the articles of the first chapter tell differently."""
    assert result.source is not None
    return diff_articles(result, result.source, ["anker-1/flood"])


def test_the_story_has_all_its_tellings_and_two_origins(story: Story) -> None:
    assert {article.id for article in story.articles} == set(EXPECTED)
    assert (story.count_text, story.unknown) == ("2 of 15", frozenset())


@every_telling
def test_each_article_leads_to_the_one_that_it_was_made_from(name: str, story: Story) -> None:
    edges = {edge.child: (edge.parent, edge.relation) for edge in story.edges}

    assert edges.get(name, (None, None)) == (EXPECTED[name]["parent"], EXPECTED[name]["relation"])


@every_telling
def test_each_article_has_its_origin(name: str, story: Story) -> None:
    origins = dict(zip((article.id for article in story.articles), story.origins, strict=True))

    assert origins[name] == EXPECTED[name]["origin"]


@every_telling
def test_each_article_has_its_credit(name: str, story: Story) -> None:
    credits_ = dict(zip((article.id for article in story.articles), story.credits, strict=True))

    assert credits_[name].status == EXPECTED[name]["credit"]
    assert credits_[name].agencies == (("dpa",) if EXPECTED[name]["origin"] == 0 else ())


def test_the_report_of_its_own_has_a_byline_and_shares_nothing(story: Story) -> None:
    [own] = [article for article in story.articles if article.id == "orlepost/flood"]

    assert own.attribution.byline == "Merle Ashgrove"
    assert "orlepost/flood" not in {name for merge in story.merges for name in (merge.first, merge.second)}


def test_without_credits_and_owners_the_copies_are_one_origin_still() -> None:
    articles = [
        {"id": a["id"], "title": a["title"], "text": a["text"].replace("dpa", "own desk")}
        for a in ARTICLES[:13]
    ]

    [story] = deduplicate(articles).origins()

    assert Counter(story.origins) == {0: 12, 1: 1}


def test_a_correction_changes_one_figure_and_says_so(diff: StoryDiff) -> None:
    [log] = [log for log in diff.versions if log.key == "anker-1/flood"]

    [edit] = log.edits
    assert edit.is_noted
    assert ("17", "19") in [(change.removed, change.added) for change in edit.changes]


def test_a_change_without_a_note_shows_both_figures(diff: StoryDiff) -> None:
    [log] = [log for log in diff.versions if log.key == "boje-2/flood"]

    [edit] = log.edits
    assert not edit.is_noted
    assert [(change.removed, change.added) for change in edit.changes] == [("two", "three"), ("12", "8")]


@pytest.mark.parametrize(
    ("kind", "about", "values"),
    [
        ("number", "people", {"17": "anker-1/flood", "19": "anker-1/flood#2"}),
        ("number", "firefighters", {"2": "anker-1/flood", "3": "boje-2/flood#2"}),
        ("sum", "euro", {"12000000": "anker-1/flood", "8000000": "boje-2/flood#2"}),
    ],
)
def test_a_changed_fact_names_who_told_it_first(
    kind: str, about: str, values: dict[str, str], diff: StoryDiff
) -> None:
    facts = [fact for fact in diff.facts if (fact.kind, fact.about, fact.status) == (kind, about, "differ")]

    told = {value.value: value.articles[0] for fact in facts for value in fact.values}
    assert told.items() >= values.items()


def test_the_five_chapters_are_kept_in_one_storyline(result: Result) -> None:
    rows = {row["id"]: row for row in result.to_arrow().to_pylist()}

    assert {rows[name]["storyline"] for name in CHAPTERS} == {CHAPTERS[0]}
    assert [rows[name]["cluster"] for name in CHAPTERS] == CHAPTERS
    assert all(rows[name]["follows"] in CHAPTERS for name in CHAPTERS[1:])


def test_the_reuse_counts_each_outlet_by_its_credit(story: Story) -> None:
    statuses = Counter(each["credit"] for each in EXPECTED.values())

    rows = list_reuse([story])

    [total] = sum_reuse_by_origin([story])
    assert (total.origin, total.outlets) == ("dpa", 12)
    assert (total.credited, total.uncredited) == (statuses[CREDITED], statuses[UNCREDITED_COPY])
    assert "Orle Valley Post" not in {row.outlet for row in rows}
    assert {row.outlet for row in rows if row.uncredited} == {
        "Anker 2", "Boje 2", "Boje 3", "Boje 4", "Kompass 2", "Kompass 4"
    }  # fmt: skip


def test_the_command_gives_the_same_rows(tmp_path: Path) -> None:
    corpus = written(tmp_path / "news.jsonl", ARTICLES)

    done = called("origins", corpus, "--format", "jsonl", "-q")

    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert {row["id"]: (row["parent"], row["relation"], row["credit"]) for row in rows} == {
        name: (each["parent"], each["relation"], each["credit"]) for name, each in EXPECTED.items()
    }
