"""Scores from counts, against the same scores from pairs."""

import math
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from newsmaker import planned

from dedup.errors import InputError
from dedup.evaluation.metrics import (
    Agreement,
    evaluate,
    find_failed_floors,
    parse_field_label,
    read_label_fields,
    score_b_cubed,
    score_pairwise,
)
from dedup.io.records import Record
from dedup.pipeline.deduplicate import deduplicate

few = st.sampled_from("abc")
articles = st.lists(st.tuples(few, st.integers(0, 3), st.sampled_from([None, "s", "t"])), max_size=12)


def is_open(labels: Sequence[Any], opened: Sequence[Any], i: int, j: int) -> bool:
    """Return whether a pair is neither right nor wrong."""
    return labels[i] != labels[j] and opened[i] is not None and opened[i] == opened[j]


def slow_pairwise(
    labels: Sequence[Any], clusters: Sequence[Any], opened: Sequence[Any]
) -> tuple[float, float]:
    """Return precision and recall, pair by pair."""
    pairs = [(i, j) for i, j in combinations(range(len(labels)), 2) if not is_open(labels, opened, i, j)]
    claimed = [(i, j) for i, j in pairs if clusters[i] == clusters[j]]
    true = [(i, j) for i, j in pairs if labels[i] == labels[j]]
    both = len(set(claimed) & set(true))
    return (both / len(claimed) if claimed else 1.0), (both / len(true) if true else 1.0)


def slow_b_cubed(
    labels: Sequence[Any], clusters: Sequence[Any], opened: Sequence[Any]
) -> tuple[float, float]:
    """Return precision and recall, article by article."""
    everyone = range(len(labels))
    precision = recall = 0.0
    for i in everyone:
        cluster = {j for j in everyone if clusters[j] == clusters[i] and not is_open(labels, opened, i, j)}
        story = {j for j in everyone if labels[j] == labels[i]}
        precision += len(cluster & story) / len(cluster) / len(labels)
        recall += len(cluster & story) / len(story) / len(labels)
    return (precision, recall) if labels else (1.0, 1.0)


@given(articles)
def test_counting_agrees_with_going_through_the_pairs(given_: list[Any]) -> None:
    labels, clusters, opened = ([row[k] for row in given_] for k in range(3))

    fast, cubed = score_pairwise(labels, clusters, opened), score_b_cubed(labels, clusters, opened)

    assert (fast.precision, fast.recall) == pytest.approx(slow_pairwise(labels, clusters, opened))
    assert (cubed.precision, cubed.recall) == pytest.approx(slow_b_cubed(labels, clusters, opened))


@given(articles)
def test_f1_is_the_harmonic_mean(given_: list[Any]) -> None:
    labels, clusters, opened = ([row[k] for row in given_] for k in range(3))

    for found in (score_pairwise(labels, clusters, opened), score_b_cubed(labels, clusters, opened)):
        both = found.precision + found.recall
        assert found.f1 == pytest.approx(2 * found.precision * found.recall / both if both else 0.0)


def test_the_example_of_bagga_and_baldwin() -> None:
    """Their figure 1: stories of 5, 2 and 5; the second answer puts the two large ones together."""
    truth = "aaaaabbccccc"

    first = score_b_cubed(truth, [1] * 5 + [2] * 7)
    second = score_b_cubed(truth, [1, 1, 1, 1, 1, 2, 2, 1, 1, 1, 1, 1])

    assert first.precision == pytest.approx(0.76, abs=0.005)
    assert second.precision == pytest.approx(0.58, abs=0.005)
    assert first.recall == second.recall == 1


def test_nothing_is_wrong_with_nothing() -> None:
    assert score_pairwise([], []) == score_b_cubed([], []) == Agreement(1.0, 1.0, 1.0)


def test_all_apart_finds_nothing_and_claims_nothing() -> None:
    assert score_pairwise("aab", [1, 2, 3]) == Agreement(precision=1.0, recall=0.0, f1=0.0)


def test_a_hundred_thousand_articles_of_one_story_are_counted_at_once() -> None:
    labels = ["a"] * 100_000

    assert score_pairwise(labels, [0] * 100_000).f1 == 1
    assert score_b_cubed(labels, range(100_000)).recall == pytest.approx(1e-5)


def test_a_result_is_scored_by_position() -> None:
    corpus = planned(30, 4)
    result = deduplicate(corpus)

    scores = evaluate(result, [int(leader) for leader in result.assignments.leaders])

    assert scores.pairwise == Agreement(1.0, 1.0, 1.0)
    assert scores.clusters == scores.stories == len(result.kept)
    assert sum(drops.right for drops in scores.relations.values()) == len(result.dropped)


def test_articles_without_a_label_are_left_out() -> None:
    result = deduplicate(planned(10, 4))

    scores = evaluate(result, [None] * 9 + ["x"])

    assert (scores.articles, scores.unlabelled, scores.clusters) == (1, 9, 1)
    assert all(drops.right == drops.wrong == 0 for drops in scores.relations.values())


def test_labels_must_be_as_many_as_articles() -> None:
    with pytest.raises(InputError, match="there are 10 articles, but 3 labels"):
        evaluate(deduplicate(planned(10, 4)), ["a", "b", "c"])


def test_scores_below_their_floor_are_named() -> None:
    scores = evaluate(deduplicate(planned(10, 4)), list(range(10)))

    assert find_failed_floors(scores, {"recall": 1.0, "b3_recall": 1.0}) == []
    assert find_failed_floors(scores, {"precision": 0.9})[0].startswith(
        "precision is 0.0000, below its floor of 0.9"
    )


@pytest.mark.parametrize("nothing", [None, "", "  ", math.nan])
def test_what_says_nothing_is_no_label(nothing: object) -> None:
    assert parse_field_label(nothing) is None


def test_labels_are_compared_by_what_they_say() -> None:
    assert parse_field_label(7) == parse_field_label(7) != parse_field_label("x")
    assert parse_field_label({"a": 1}) == parse_field_label({"a": 1})
    assert parse_field_label("a ") != parse_field_label("a")


def test_labels_come_from_records() -> None:
    records = [Record(b'{"story": "a"}'), Record({"saga": 1})]

    assert read_label_fields(records, "story", "saga") == [["a", None], [None, b"1"]]
    with pytest.raises(InputError, match="no article has a label in the field 'x'"):
        read_label_fields(records, "x")
