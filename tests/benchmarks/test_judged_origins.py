"""The figures on judged stories: a model learns from pairs, and wrong merges lower the figures."""

import json

import numpy as np
import pytest

from benchmarks.judged_origins import (
    JUDGED,
    JudgedStory,
    WeakPairs,
    cut_text,
    fit_model,
    list_weak_pairs,
    make_story,
    name_kind,
    print_counts,
)
from dedup.origins.independence import OriginMerge
from dedup.origins.shared_origin import OriginModel, SharedEvidence

SENTENCE = (
    "The divers looked all night for the two pillars that the river had carried away in the first hour."
)
RAIN = (
    "Rain had fallen on the valley for nine days when the gauge at the mill went under. Farmers moved their sheep to the "
    "churchyard, and the school sent its pupils home by the upper road before noon, with bread for two meals."
)
LUCK = (
    "Nobody was hurt, which the mayor called luck and the fire chief called drill. Her people had closed both ends with "
    "tractors at dusk, after a beekeeper told them of cracks that he had seen below the third lamp on Tuesday."
)
JOINS_ALL, JOINS_NONE = OriginModel(0.0, 0.0, 5.0), OriginModel(0.0, 0.0, -5.0)


def story(groups: list[list[str]]) -> JudgedStory:
    """Return a judged story of three articles by three outlets; the first two credit an agency."""
    rows = [
        {"id": "a", "text": f"{RAIN} {SENTENCE} (dpa)", "source": "a.example"},
        {"id": "b", "text": "A bridge is gone, and so is the last bus. (dpa)", "source": "b.example"},
        {"id": "c", "text": f"{LUCK} {SENTENCE}", "source": "c.example"},
    ]
    return make_story({"groups": groups, "agencies": {"a": ["Deutsche Presse-Agentur"]}}, rows)


def test_pairs_of_certain_evidence_are_not_weak() -> None:
    pairs = list_weak_pairs([story([["a", "b"], ["c"]]), story([["a", "b", "c"]])])

    assert pairs.same.tolist() == [False, False, True, True]
    assert pairs.story.tolist() == [0, 0, 1, 1]
    assert pairs.evidence[0].wording > 0 == pairs.evidence[1].wording


def test_wrong_merges_lower_precision_and_missed_ones_recall() -> None:
    judged = [story([["a", "b"], ["c"]])]

    assert print_counts(judged, [JOINS_NONE] * 20) == (1.0, 1.0)
    assert print_counts(judged, [JOINS_ALL] * 20) == pytest.approx((1 / 3, 1.0))
    assert print_counts([story([["a", "b", "c"]])], [JOINS_NONE] * 20) == pytest.approx((1.0, 1 / 3))


def test_agencies_are_compared_by_the_name_of_our_table() -> None:
    judged = story([["a", "b", "c"]])

    assert judged.agencies["a"] == judged.shown["a"] == {"dpa"}


def test_a_fit_learns_that_words_and_sources_join() -> None:
    evidence = [SharedEvidence(0.0)] * 40 + [SharedEvidence(0.1)] * 40 + [SharedEvidence(0.0, ("dpa",))] * 40
    same = np.array(([False] * 36 + [True] * 4) + ([True] * 36 + [False] * 4) + ([True] * 28 + [False] * 12))

    model = fit_model(WeakPairs(evidence, same, np.zeros(120, int)), np.ones(120, bool))

    said = [model.estimate(evidence[k]) for k in (0, 40, 80)]
    assert said == pytest.approx([0.1, 0.9, 0.7], abs=0.06)


def test_a_kind_of_merge_has_no_names_or_figures() -> None:
    merges = [
        OriginMerge("a", "b", "copy of a"),
        OriginMerge("a", "b", "shares 12 % of the wording", 0.9),
        OriginMerge("a", "b", "same source (cnn.com), 0 % of the wording", 0.6),
    ]

    assert [name_kind(merge) for merge in merges] == [
        "copy",
        "shares, with a probability",
        "same source, with a probability",
    ]


def test_a_credit_in_the_hidden_middle_is_not_shown() -> None:
    text = "a" * 2_000 + "(dpa)" + "b" * 2_000

    assert "dpa" not in cut_text(text)
    assert cut_text(text[1_000:3_000]) == text[1_000:3_000]


def test_judged_stories_are_partitions_of_ids_without_texts() -> None:
    rows = [json.loads(line) for line in JUDGED.read_text("utf-8").splitlines()]

    names = [(row["set"], name) for row in rows for group in row["groups"] for name in group]
    assert len(rows) == 200
    assert len(set(names)) == len(names)
    assert {field for row in rows for field in row} == {"set", "groups", "sure", "agencies", "mentioned"}
