"""A page of several stories is none of them."""

import json
from pathlib import Path

import pytest
from newsmaker import Article, story

from dedup.io.articles import to_batches
from dedup.matching.classifier import NO_RELATION, classify_articles
from dedup.matching.match_params import make_match_params
from dedup.pipeline.deduplicate import sketch_with_settings
from dedup.reports.explanation import explain_pair
from dedup.settings.settings import RELATIONS, Settings

NEWSROOM = Path(__file__).parents[2] / "examples" / "newsroom.jsonl"
UNLIKE_STORIES = ("glass-snail", "council-parking", "theater-reopening-1", "cup-semifinal", "poetry-prize")


def find_relation(kept: Article, other: Article) -> str | None:
    """Return the relation of an article to a kept one."""
    (batch,) = to_batches([{**kept, "id": "kept"}, {**other, "id": "other"}])
    relation, _, _ = classify_articles(
        sketch_with_settings(batch, Settings()), 0, 1, make_match_params(Settings())
    )
    return None if relation == NO_RELATION else RELATIONS[relation]


def read_stories() -> dict[str, Article]:
    """Return unlike stories of the newsroom by their ids."""
    lines = map(json.loads, NEWSROOM.read_text("utf-8").splitlines())
    return {line["id"]: line for line in lines if line["id"] in UNLIKE_STORIES}


def make_page(held: Article) -> Article:
    """Return a page of all these stories, published when one of them was."""
    texts = [article["text"] for article in read_stories().values()]
    return {**held, "id": "page", "title": "News in brief: the morning", "text": "\n\n".join(texts)}


@pytest.mark.parametrize("name", UNLIKE_STORIES)
def test_a_digest_swallows_no_story_that_it_holds_and_extends_none(name: str) -> None:
    held = read_stories()[name]

    assert find_relation(make_page(held), held) is None
    assert find_relation(held, make_page(held)) is None


def test_the_reason_names_the_digest() -> None:
    held = read_stories()[UNLIKE_STORIES[0]]
    (batch,) = to_batches([make_page(held), held])

    assert "a digest matches none of its stories" in explain_pair(batch).verdict


def test_a_short_rest_has_no_room_for_another_story() -> None:
    text = (
        "A ferry with 120 passengers ran aground on a sandbank near Port Ellery on Monday morning, and the coast guard "
        "brought everyone ashore, officials said."
    )
    rest = " Nobody was hurt, the harbour master said, and she is to be towed free at high tide, as soon as the wind drops."
    short = {**story(1), "title": "Ferry aground", "text": text}

    assert find_relation(short, {**short, "title": "A morning at sea", "text": text + rest}) is not None


def test_an_article_of_the_same_title_is_extended_by_another_text() -> None:
    extended = {**story(1), "text": story(1)["text"] + "\n\n" + story(2)["text"]}

    assert find_relation(story(1), extended) == "extension"


@pytest.mark.parametrize("share", [0.3, 0.5])
def test_the_first_part_of_a_long_article_stays_an_excerpt(share: float) -> None:
    whole = {**story(1), "text": "\n\n".join(story(n)["text"] for n in (1, 2, 3, 4))}
    words = whole["text"].split()
    part = {**whole, "text": " ".join(words[: int(share * len(words))])}

    assert find_relation(whole, part) == "excerpt"
