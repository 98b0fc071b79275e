"""What a report is made of: figures, boilerplate, texts within a budget, and the pairs nearest the threshold."""

import base64
import json
import re
import zlib
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from newsmaker import Article, batch, corpora, planned, story
from sagas import CHAPTERS, STORYLINES, linked, saga

from dedup.evaluation import near_threshold
from dedup.evaluation.near_threshold import find_near_misses
from dedup.io.corpus import read_articles
from dedup.pipeline.deduplicate import deduplicate
from dedup.reports.explanation import explain_in_corpus
from dedup.reports.html import page, statistics
from dedup.reports.html.boilerplate_counts import (
    LEARNED_RULE,
    RULE_DESCRIPTIONS,
    BoilerplateCounts,
    BoilerplatePiece,
    find_boilerplate_pieces,
)
from dedup.reports.html.borderline_pairs import NEAR_LOG_ODDS, find_borderline_pairs
from dedup.reports.html.data_islands import build_islands
from dedup.reports.html.page import RELATION_MEANINGS, build_listing
from dedup.reports.html.snippets import compute_cut_length, find_passage_spans, read_snippets
from dedup.settings.settings import Settings
from dedup.text.boilerplate.profile import BoilerplateProfile
from dedup.text.boilerplate.rules import ANYWHERE_RULES, LINE_RULES, find_boilerplate

FURNISHED = (
    "PORT ELLERY (Norwire) – The quay burned.\nShare\nRead more: - One\n- Two\nIt rained.\nAll rights reserved.",
    "",
    "Nothing but a story about a share of the harvest.",
    "Photo by Ana Ruiz\n(Photo: x) &amp; <b>bold</b>\nSign up for our newsletter. It is free.\nBe the first to comment",
    "\x02 odd \x03 characters\nShare | Tweet",
)


def test_boilerplate_is_found_in_columns_as_it_is_in_one_text(newsroom: Path) -> None:
    articles = [*next(iter(read_articles(newsroom)))["text"].to_pylist(), *FURNISHED]

    found = list(find_boilerplate_pieces(batch(articles), None))

    assert len(found) > 10
    for row, text in enumerate(articles):
        assert [(rule, passage) for at, rule, passage in found if at == row] == find_boilerplate(text)


def test_learned_boilerplate_is_found_too() -> None:
    line = "You have come to the end of what we give away."
    learned = BoilerplateProfile({"Bugle": {line: 9}})
    articles = [{"text": f"A story.\n{line}", "source": source} for source in ("Bugle", "Courier")]

    assert [*find_boilerplate_pieces(batch(articles), learned)] == [BoilerplatePiece(0, LEARNED_RULE, line)]


def test_every_rule_of_boilerplate_is_told_in_words() -> None:
    rules = {rule.name for group in (*ANYWHERE_RULES, *LINE_RULES) for rule in group}

    assert set(RULE_DESCRIPTIONS) == rules | {LEARNED_RULE}


def test_a_tally_counts_passages_and_the_articles_that_have_them() -> None:
    tally = BoilerplateCounts()

    tally.add(
        [
            BoilerplatePiece(0, "button", "Share"),
            BoilerplatePiece(0, "button", "Share"),
            BoilerplatePiece(3, "button", "Print"),
        ]
    )
    tally.add([BoilerplatePiece(0, "button", "Share")])

    assert (tally.pieces["button"], tally.articles["button"]) == (4, 3)
    assert tally.passages["button"].most_common(1) == [("Share", 3)]


@given(st.lists(st.integers(0, 50), max_size=20), st.integers(0, 300))
def test_texts_are_cut_no_more_than_the_budget_asks_for(lengths: list[int], budget: int) -> None:
    def used(limit: int) -> int:
        return sum(min(length, limit) for length in lengths)

    limit = compute_cut_length(lengths, budget)

    assert used(limit) <= budget
    assert used(limit + 1) > budget or limit >= max(lengths, default=0)


def test_places_are_counted_as_browsers_count() -> None:
    text = "🦊 Shared news\nShare\nShare"

    (one, other) = find_passage_spans(text, ["Share", "Share"])

    units = text.encode("utf-16-le")
    assert [units[2 * a : 2 * b].decode("utf-16-le") for a, b in (one, other)] == ["Share", "Share"]
    assert one[0] == len("🦊 Shared news\n") + 1


def test_texts_go_to_the_first_that_are_wanted_as_far_as_the_budget_goes() -> None:
    articles = batch([{"text": f"{n} " + "word " * 400} for n in range(4)])

    some = read_snippets([articles.slice(0, 2), articles.slice(2)], [3, 0, 1], 1_000, None)

    assert set(some.shown) == {3, 0}
    assert some.limit == 500
    assert [some.shown[a].text[:2] for a in (0, 3)] == ["0 ", "3 "]
    assert some.shown[3].length == 2_002
    assert set(some.openings) == {0, 1, 3}


@examples(max_examples=25)
@given(corpora(12))
def test_the_figures_add_up(articles: list[Article]) -> None:
    result = deduplicate(articles)
    groups = result.list_cluster_positions()

    seen = statistics.summarize_result(result, groups)
    outlets = statistics.rank_outlets(result)

    assert seen.articles == seen.kept + seen.dropped == len(articles)
    assert sum(count for _, count in seen.relations) == seen.dropped == len(result.dropped)
    assert (
        sum(found.count for found in statistics.count_cluster_sizes(groups))
        == seen.clusters
        == len(result.clusters)
    )
    assert sum(outlet.articles for outlet in outlets) == sum(bool(a.get("source")) for a in articles)
    assert sum(outlet.dropped for outlet in outlets) == seen.dropped


def test_lags_are_counted_from_the_first_telling() -> None:
    start = datetime(2031, 5, 4, 6, tzinfo=UTC)
    articles = [
        {"id": str(n), **story(1), "published": start + timedelta(hours=hours)}
        for n, hours in enumerate((0, 0.5, 2, 30))
    ]
    result = deduplicate([*articles, {"id": "undated", **story(1), "published": None}])

    lags = statistics.count_lags(result, result.list_cluster_positions())

    assert {found.label: found.count for found in lags if found.count} == {"< 1 h": 1, "1–3 h": 1, "1–2 d": 1}


def test_dates_without_times_are_counted_in_days() -> None:
    articles = [
        {"id": str(n), **story(1), "published": datetime(2031, 5, 4 + day, tzinfo=UTC)}
        for n, day in enumerate((0, 0, 3))
    ]
    result = deduplicate(articles)

    lags = statistics.count_lags(result, result.list_cluster_positions())

    assert {found.label: found.count for found in lags if found.count} == {"same day": 1, "3 d": 1}


def test_the_matrix_says_who_tells_again_what_whom_told() -> None:
    start = story(1)["published"]
    outlets = ("Norwire", "Coastal Daily", "Coastal Daily", None)
    articles = [
        {"id": str(n), **story(1), "source": outlet, "published": start + timedelta(hours=n)}
        for n, outlet in enumerate(outlets)
    ]

    names, counts = statistics.count_retellings(deduplicate(articles))

    assert counts[names.index("Norwire")][names.index("Coastal Daily")] == 2
    assert sum(map(sum, counts)) == 2


def test_what_just_missed_is_what_explain_says_of_it(newsroom: Path) -> None:
    corpus = read_articles(newsroom)
    result = deduplicate(corpus)

    found = find_near_misses(corpus.read_again(), result)

    assert found.articles_searched == len(result.kept)
    assert len(found.later) > 5
    for first, later, odds in zip(found.first, found.later, found.log_odds, strict=True):
        said = explain_in_corpus(corpus, (result.ids[first], result.ids[later]))
        assert said.relation in {None, "followup"}
        assert said.kept.id == result.ids[first]
        assert said.probability == pytest.approx(1 / (1 + np.exp(-odds)), abs=1e-5)


def test_only_so_many_kept_articles_are_looked_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near_threshold, "MAX_LOOKUPS", 5)
    articles = batch([{"id": str(n), **story(n)} for n in range(12)])
    result = deduplicate(articles)

    found = find_near_misses([articles.slice(0, 7), articles.slice(7)], result)

    assert found.articles_searched == 5
    assert set(found.first.tolist() + found.later.tolist()) <= set(result.order[-5:].tolist())


def test_borderline_pairs_lie_on_their_side_of_the_threshold(newsroom: Path) -> None:
    settings = Settings(rewrite_probability=0.6)
    corpus = read_articles(newsroom)
    result = deduplicate(corpus, settings)
    least = np.log(0.6 / 0.4)

    pairs = find_borderline_pairs(result, find_near_misses(corpus.read_again(), result))

    assert pairs.matched
    assert all(least <= pair.log_odds <= least + NEAR_LOG_ODDS for pair in pairs.matched)
    assert pairs.apart
    assert all(least - NEAR_LOG_ODDS <= pair.log_odds < least for pair in pairs.apart)
    assert pairs.blocked
    assert all(pair.log_odds >= least and re.search("form|template", pair.reason) for pair in pairs.blocked)
    for group in pairs:
        away = [abs(pair.log_odds - least) for pair in group]
        assert group is pairs.blocked or away == sorted(away)


def test_a_pair_that_lies_too_far_apart_says_so() -> None:
    far = story(1)["published"] + timedelta(days=1)
    half = ". ".join([*story(1)["text"].split(". ")[:4], *story(2)["text"].split(". ")[6:]])
    articles = batch([{"id": "a", **story(1)}, {"id": "b", **story(1), "text": half, "published": far}])
    result = deduplicate(articles, Settings(window_days=0.5, rewrite_probability=0.2))

    (pair,) = find_borderline_pairs(result, find_near_misses([articles], result)).blocked

    assert pair.reason == "they are 1 day apart, and rewrites at most 0.5 days (window_days)"


def test_a_pair_that_is_kept_as_a_chapter_and_its_follow_up_says_so(newsroom: Path) -> None:
    corpus = read_articles(newsroom)
    result = deduplicate(corpus)
    found = find_near_misses(corpus.read_again(), result)
    first, later = result.ids[found.first[0]], result.ids[found.later[0]]

    pairs = find_borderline_pairs(linked(result, {first: [later]}, 0.87), found)

    said = {
        (result.ids[pair.first], result.ids[pair.later]): pair.reason
        for pair in (*pairs.apart, *pairs.blocked)
    }
    expected = "it is kept as a follow-up: the probability that they belong to one storyline is 87%"
    assert [pair for pair, reason in said.items() if reason == expected] == [(first, later)]


def test_islands_hold_no_sign_that_could_end_them() -> None:
    articles = batch([{"id": f"</script>{n}", **story(1), "title": "<!--</script>"} for n in range(3)])
    result = deduplicate(articles)
    texts = read_snippets([articles], [0, 1, 2], 10_000, None)

    islands = build_islands(result, build_listing(result.list_cluster_positions(), [], []), [], texts)

    letters = Counter("".join([islands.index, *islands.texts]))
    assert all(letter.isalnum() or letter in "+/=" for letter in letters)


def unpacked(packed: str) -> Any:
    """Return what an island holds."""
    return json.loads(zlib.decompress(base64.b64decode(packed)))


def test_the_index_of_a_page_holds_storylines_with_how_often_each_chapter_is_told_again() -> None:
    articles = batch(saga())
    result = linked(deduplicate(articles), STORYLINES)
    listing = build_listing(result.list_cluster_positions(), result.list_chapters(), [])

    index = unpacked(
        build_islands(result, listing, [], read_snippets([articles], listing.positions, 10_000, None)).index
    )

    ids = index["ids"]
    (first, chapters, retold), (other, *_) = index["storylines"]
    assert (ids[first], ids[other]) == ("c1", "e1")
    assert [ids[place] for place in chapters] == [f"c{n}" for n in range(1, CHAPTERS + 1)]
    assert retold == [2, 0, 1, 0, 0, 0, 0, 0, 0]
    assert [index["scores"][place] for place in chapters] == [0] + [900] * 8


def test_every_article_of_a_page_is_listed_once_clusters_first() -> None:
    result = linked(deduplicate(saga()), STORYLINES)

    listing = build_listing(result.list_cluster_positions(), result.list_chapters(), [])

    assert sorted(listing.positions) == list(range(len(result.ids)))
    assert [result.ids[a] for a in listing.positions[:5]] == [
        "c1",
        "c1 again",
        "c1 once more",
        "c3",
        "c3 again",
    ]
    assert listing.sizes == [3, 2]


def test_a_page_lists_only_so_many_chapters_and_says_how_many_storylines_it_leaves_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(page, "MAX_CHAPTERS", 5)
    result = linked(deduplicate(saga()), STORYLINES)

    listing = build_listing(result.list_cluster_positions(), result.list_chapters(), [])

    assert [[result.ids[a] for a in chapters] for chapters in listing.storylines] == [["e1", "e2"]]
    assert listing.storylines_left_out == 1


def test_the_overview_counts_storylines_and_followups() -> None:
    result = linked(deduplicate(saga()), STORYLINES)

    seen = statistics.summarize_result(result, result.list_cluster_positions())

    assert (seen.storylines, seen.followups) == (2, 9)
    assert "followup" not in dict(seen.relations)


def test_where_followups_join_they_are_a_relation_among_others(newsroom: Path) -> None:
    result = deduplicate(read_articles(newsroom), Settings(level="storyline"))

    seen = statistics.summarize_result(result, result.list_cluster_positions())
    matched, _ = statistics.count_log_odds(result, np.zeros(0))

    assert dict(seen.relations)["followup"] == matched.sum() > 0
    assert (seen.storylines, seen.followups) == (0, 0)
    assert set(RELATION_MEANINGS) == set(dict(seen.relations))


def test_a_corpus_of_any_plan_has_pairs_without_error() -> None:
    articles = batch(planned(150, seed=3))
    result = deduplicate(articles)

    pairs = find_borderline_pairs(result, find_near_misses([articles], result))

    kept = set(result.kept_positions.tolist())
    for pair in (*pairs.apart, *pairs.blocked):
        assert {pair.first, pair.later} <= kept
    for pair in (*pairs.matched, *pairs.witnessed):
        assert result.assignments.leaders[pair.later] == pair.first
    assert isinstance(result.articles, pa.Table)
