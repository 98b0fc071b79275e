"""New stories, new origins and changed facts are found in decisions, and nothing is claimed where evidence is thin."""

from typing import Any

import pyarrow as pa
import pytest
from wire_newsroom import CREDIT, OWN_REPORT, WIRE, make_article

from dedup.index.answers import Answer
from dedup.io.schema import SCHEMA
from dedup.matching.classifier import Match
from dedup.server import story_changes
from dedup.server.story_changes import StoryChanges, compare_values


def batch(*articles: dict[str, Any]) -> pa.RecordBatch:
    """Return articles as a batch without dates."""
    return pa.RecordBatch.from_pylist([{**each, "published": None} for each in articles], SCHEMA)


def answer(name: str, story: str | None = None, relation: str = "copy", **more: Any) -> Answer:
    """Return the decision on an article: kept, or a duplicate of `story`."""
    evidence = {"overlap": more.pop("overlap", 0.1)}
    match = Match(name, story, relation, 0.9, evidence) if story else None
    return Answer(
        name, more.pop("version", 1), match, again=more.pop("again", False), storyline=story or name, **more
    )


FIRST = make_article("anker-1/bridge", 8, [*WIRE, CREDIT])
OWN = make_article("lotse/bridge", 9, OWN_REPORT)


def changes(*steps: tuple[dict[str, Any], Answer]) -> list[tuple[str, str]]:
    """Return (kind, id) of the events of articles that arrive one by one."""
    watch = StoryChanges({})
    return [
        (event["kind"], event["id"])
        for article, decision in steps
        for event in watch.find_changes(batch(article), [decision])
    ]


def test_a_kept_article_is_a_new_story_and_a_follow_up_says_so() -> None:
    link = Match("next", "first", "followup", 0.8, {})

    assert changes((FIRST, answer("first")), (OWN, answer("next", link=link))) == [
        ("story", "first"),
        ("followup", "next"),
    ]


def test_the_figures_that_are_kept_are_the_same_in_every_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(story_changes, "MAX_TIES", 2)
    first = make_article("lotse/bridge", 8, [f"The harbour has {number} boats." for number in range(21, 29)])
    watch = StoryChanges({})

    watch.find_changes(batch(first), [answer("first")])

    assert sorted(value for *_, value in watch._stories["first"].values) == ["21", "22"]


def test_an_article_that_comes_again_is_no_event() -> None:
    assert changes((FIRST, answer("first", again=True))) == []


def test_a_report_in_other_words_is_a_new_origin() -> None:
    found = changes((FIRST, answer("first")), (OWN, answer("own", "first", "rewrite")))

    assert found == [("story", "first"), ("origin", "own")]


def test_a_copy_is_no_new_origin() -> None:
    found = changes((FIRST, answer("first")), (OWN, answer("own", "first", "copy")))

    assert "origin" not in {kind for kind, _ in found}


def test_an_article_with_a_third_of_the_words_is_no_new_origin() -> None:
    found = changes((FIRST, answer("first")), (OWN, answer("own", "first", "rewrite", overlap=0.6)))

    assert found == [("story", "first")]


def test_an_article_that_credits_an_agency_of_the_story_is_no_new_origin() -> None:
    credited = make_article("lotse/bridge", 9, [*OWN_REPORT, CREDIT])

    assert changes((FIRST, answer("first")), (credited, answer("own", "first", "rewrite"))) == [
        ("story", "first")
    ]


def test_an_article_of_an_outlet_of_the_story_is_no_new_origin() -> None:
    own = make_article("anker-1/again", 9, OWN_REPORT)

    assert changes((FIRST, answer("first")), (own, answer("own", "first", "rewrite"))) == [("story", "first")]


def test_without_a_source_or_an_earlier_article_no_origin_is_claimed() -> None:
    nameless = {**OWN, "source": None, "url": None}
    unknown = {**FIRST, "source": None, "url": None, "text": " ".join(WIRE[:3])}
    rewrite = answer("own", "first", "rewrite")

    assert changes((FIRST, answer("first")), (nameless, rewrite)) == [("story", "first")]
    assert changes((unknown, answer("first")), (OWN, rewrite)) == [("story", "first")]
    assert changes((OWN, rewrite)) == []


def test_a_version_with_another_figure_is_a_changed_fact() -> None:
    watch = StoryChanges({})
    changed = {**FIRST, "text": FIRST["text"].replace("Twelve people", "Fourteen people")}
    watch.find_changes(batch(FIRST), [answer("a")])

    [event] = watch.find_changes(batch(changed), [answer("a", "a", version=2)])

    assert (event["kind"], event["id"], event["older"]) == ("facts", "a#2", "a")
    assert event["changes"] == [{"kind": "number", "about": "peopl", "before": ["12"], "after": ["14"]}]


def test_a_copy_with_another_figure_is_a_changed_fact_once() -> None:
    changed = {**FIRST, "text": FIRST["text"].replace("Twelve people", "Fourteen people")}

    found = changes(
        (FIRST, answer("a")),
        (changed, answer("b", "a")),
        (changed, answer("c", "a")),
        (FIRST, answer("d", "a")),
    )

    assert found == [("story", "a"), ("facts", "b")]


def test_a_cut_changes_no_fact() -> None:
    cut = {**FIRST, "text": " ".join(WIRE[2:6])}

    assert changes((FIRST, answer("a")), (cut, answer("b", "a", "excerpt"))) == [("story", "a")]


def test_a_value_more_or_less_is_no_change() -> None:
    one, two = ("number", "car", "9"), ("number", "car", "12")

    assert compare_values([one], [one, two]) == compare_values([one, two], [two]) == []
    assert compare_values([one], [two]) == [
        {"kind": "number", "about": "car", "before": ["9"], "after": ["12"]}
    ]


def test_memory_is_bounded(monkeypatch: Any) -> None:
    monkeypatch.setattr(story_changes, "KEPT_STORIES", 2)
    watch = StoryChanges({})
    for name in "abc":
        watch.find_changes(batch(FIRST), [answer(name)])

    assert watch.find_changes(batch(OWN), [answer("late", "a", "rewrite")]) == []
    assert [e["kind"] for e in watch.find_changes(batch(OWN), [answer("own", "c", "rewrite")])] == ["origin"]


def test_only_the_beginning_of_a_long_text_is_examined(monkeypatch: Any) -> None:
    monkeypatch.setattr(story_changes, "MAX_CHARACTERS", 60)
    changed = {**FIRST, "text": FIRST["text"].replace("Twelve people", "Fourteen people")}

    assert changes((FIRST, answer("a")), (changed, answer("a", "a", version=2))) == [("story", "a")]
