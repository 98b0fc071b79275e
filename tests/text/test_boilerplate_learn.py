"""What is learned of the sources of a corpus: notices, and no paragraph of a story."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import chain
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from newsmaker import FIRST_DAY, planned, story

from dedup import learn_boilerplate, read_articles
from dedup.errors import InputError
from dedup.io.corpus import Corpus
from dedup.pipeline.deduplicate import deduplicate
from dedup.settings.settings import Settings
from dedup.text.boilerplate.learn import collect_passage_texts
from dedup.text.boilerplate.profile import encode_profile, parse_profile

Article = dict[str, Any]

NOTICE = "All of this is read aloud for friends of the Bugle, who pay two crowns a month."
GREETING = "Dear friends of slow news"
PARAGRAPH = "The mayor has promised since 1974 that the old bridge over the Senn will be painted."


def printed(numbers: range, *passages: str, source: str | None = "Bugle", days: float = 4) -> list[Article]:
    """Return stories of a source, some days apart, each with some passages under it."""
    return [
        {
            **story(n),
            "source": source,
            "published": FIRST_DAY + timedelta(days=n * days),
            "text": "\n".join([story(n)["text"], *passages]),
        }
        for n in numbers
    ]


def learned_from(articles: list[Article]) -> dict[str, dict[str, int]]:
    """Return what was learned, as plain dicts."""
    return {source: dict(passages) for source, passages in learn_boilerplate(articles).sources.items()}


def test_the_notice_of_an_outlet_is_learned() -> None:
    articles = (
        printed(range(0, 20, 2), NOTICE) + printed(range(1, 20, 2)) + printed(range(20, 29), source="Post")
    )

    assert learned_from(articles) == {"Bugle": {NOTICE: 10}}


def test_a_notice_is_learned_wherever_it_stands() -> None:
    above = [{**a, "text": f"{GREETING}\n{a['text']}"} for a in printed(range(0, 12, 2))]
    within = [{**a, "text": a["text"].replace(". ", f". {NOTICE} ", 1)} for a in printed(range(1, 12, 2))]

    assert learned_from(above + within) == {"Bugle": {GREETING: 6, NOTICE: 6}}


def test_a_story_that_is_printed_many_times_is_none() -> None:
    again = [{**story(1), "source": "Bugle", "published": FIRST_DAY + timedelta(days=n)} for n in range(30)]

    assert learned_from(again + printed(range(2, 8))) == {}


def test_a_story_that_is_printed_many_times_without_a_headline_is_none() -> None:
    again = [
        {**a, "title": "", "text": f"{story(1)['text']} Update {n}."}
        for n, a in enumerate(printed(range(30)))
    ]

    assert learned_from(again) == {}


def test_a_story_told_for_some_days_under_new_headlines_is_none() -> None:
    live = [
        {
            **a,
            "text": f"{a['title']} of hour {n}.\n{PARAGRAPH}",
            "published": FIRST_DAY + timedelta(hours=4 * n),
        }
        for n, a in enumerate(printed(range(20)))
    ]
    others = printed(range(30, 40), days=2)

    assert learned_from(live + others) == {}
    assert learned_from(live) == {}
    assert learned_from([{**article, "published": FIRST_DAY} for article in live]) == {}


def test_a_story_followed_up_every_day_of_a_week_is_none() -> None:
    follow_ups = printed(range(6), PARAGRAPH, days=1)
    others = printed(range(6, 31), days=0.8)

    assert learned_from(follow_ups + others) == {}
    assert learned_from(follow_ups) == {}


@pytest.mark.parametrize(
    ("spread", "lifetime", "learned"),
    [(13, 13, False), (14, 14, True), (14, 28, True), (14, 29, False), (30, 60, True), (29, 60, False)],
)
def test_two_weeks_and_half_of_the_time_of_the_source_are_asked_for(
    spread: int, lifetime: int, learned: bool
) -> None:
    articles = printed(range(5), NOTICE, days=spread / 4) + printed(range(5, 6), days=lifetime / 5)

    assert (learned_from(articles) != {}) == learned


@pytest.mark.parametrize(("days", "learned"), [(4, False), (5, True)])
def test_five_days_are_asked_for(days: int, learned: bool) -> None:
    articles = [
        {**a, "published": FIRST_DAY + timedelta(days=n % days * 7)}
        for n, a in enumerate(printed(range(10), NOTICE))
    ]

    assert (learned_from(articles) != {}) == learned


def test_a_source_of_less_than_two_weeks_teaches_nothing_and_is_counted() -> None:
    short = [a for n in range(3) for a in printed(range(9), NOTICE, source=f"Week {n}", days=1.6)]

    learned = learn_boilerplate(short + printed(range(9), NOTICE))

    assert (list(learned.sources), learned.short_lived_sources) == (["Bugle"], 3)


@pytest.mark.parametrize(
    ("with_it", "without_it", "learned"),
    [(4, 0, False), (5, 0, True), (5, 20, True), (5, 21, False), (10, 90, True), (9, 91, False)],
)
def test_five_headlines_and_the_square_root_of_all_are_asked_for(
    with_it: int, without_it: int, learned: bool
) -> None:
    articles = printed(range(with_it), NOTICE, days=4 * (1 + without_it / with_it))
    articles += printed(range(with_it, with_it + without_it))

    assert (learned_from(articles) != {}) == learned


def test_each_source_is_learned_by_itself() -> None:
    scattered = [a for n in range(20) for a in printed(range(n, n + 1), NOTICE, source=f"Outlet {n % 7}")]

    assert learned_from(scattered) == {}


def test_articles_without_a_source_teach_nothing_and_are_counted() -> None:
    learned = learn_boilerplate(printed(range(9), NOTICE, source=None) + printed(range(9), NOTICE, source=""))

    assert (dict(learned.sources), learned.articles, learned.skipped) == ({}, 0, 18)
    assert learn_boilerplate([]) == learned


def test_articles_without_a_date_teach_nothing_and_are_counted() -> None:
    undated = [{**article, "published": None} for article in printed(range(30), NOTICE)]

    learned = learn_boilerplate(undated)

    assert (dict(learned.sources), learned.articles, learned.undated) == ({}, 0, 30)
    assert learn_boilerplate(undated + printed(range(9), GREETING)).sources == {"Bugle": {GREETING: 9}}


def test_a_name_that_no_file_may_hold_is_none() -> None:
    assert learn_boilerplate(printed(range(9), NOTICE, source="B" * 1_001)).skipped == 9
    longest = learn_boilerplate(printed(range(9), NOTICE, source="B" * 1_000))

    assert parse_profile(json.loads(encode_profile(longest, ""))) == longest
    assert longest.sources != {}


def test_a_corpus_is_read_again_only_where_something_was_learned(
    newsroom: Path, stubs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes: list[Corpus] = []
    iterated = Corpus.__iter__

    def counted(corpus: Corpus) -> Iterator[pa.RecordBatch]:
        passes.append(corpus)
        return iterated(corpus)

    monkeypatch.setattr(Corpus, "__iter__", counted)

    assert learn_boilerplate(read_articles(newsroom)).sources == {}
    assert len(passes) == 1
    assert learn_boilerplate(read_articles(stubs)).sources
    assert len(passes) == 1 + 2


def test_a_corpus_that_changes_between_the_passes_is_an_error(
    stubs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "news.jsonl"
    path.write_bytes(stubs.read_bytes())

    def changed(*arguments: Any) -> Any:
        path.write_bytes(b'{"text": "Another article.", "source": "Bugle"}\n')
        return collect_passage_texts(*arguments)

    monkeypatch.setattr("dedup.text.boilerplate.learn.collect_passage_texts", changed)
    with pytest.raises(InputError, match=r"news\.jsonl was changed while it was being read; run again"):
        learn_boilerplate(read_articles(path))


def test_what_rules_leave_out_is_not_learned_again() -> None:
    assert learned_from(printed(range(9), "Share this article", "Sign up for our morning newsletter!")) == {}


def test_texts_without_a_headline_are_told_apart_by_their_beginnings() -> None:
    untitled = [{**article, "title": None} for article in printed(range(9), NOTICE)]

    assert learned_from(untitled) == {"Bugle": {NOTICE: 9}}


@given(st.integers(0, 2**32), st.integers(1, 60))
@examples(max_examples=20)
def test_order_and_repetition_change_nothing(seed: int, again: int) -> None:
    random = Random(seed)
    articles = (
        printed(range(12), NOTICE, GREETING) + printed(range(12, 20), source="Post") + planned(30, seed)
    )
    shuffled = articles + random.choices(articles, k=again)
    random.shuffle(shuffled)

    one, other = (learn_boilerplate(given_) for given_ in (articles, shuffled))

    assert one.sources["Bugle"] == {NOTICE: 12, GREETING: 12}
    assert encode_profile(replace(one, articles=0), "") == encode_profile(replace(other, articles=0), "")


def test_stories_that_share_their_notice_alone_are_kept_apart(stubs: Path) -> None:
    articles = read_articles(stubs)
    settings = Settings(boilerplate=learn_boilerplate(articles))

    assert len(deduplicate(articles).dropped) == 5
    assert deduplicate(articles, settings).dropped == []
    assert len(deduplicate(chain(articles, articles), settings).dropped) == 6, "copies are found as before"


def test_a_verdict_depends_on_two_articles_and_the_boilerplate_alone() -> None:
    settings = Settings(boilerplate=learn_boilerplate(printed(range(9), NOTICE)))
    copy = [{**a, "id": f"{n}"} for n, a in enumerate(printed(range(1), NOTICE) + printed(range(1)))]
    around = printed(range(20, 60), NOTICE) + printed(range(20, 60), NOTICE, source="Post")

    (alone,) = deduplicate(copy, settings).dropped
    among = {m.id: m for m in deduplicate([*copy, *around], settings).dropped}

    assert alone.relation == "exact"
    assert among[alone.id] == alone
    assert deduplicate(copy).dropped[0].relation != "exact"
