"""Reliability: errors by hand, and that the run gone through again asks about what the run reported."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.reliability import Said, asked, expected_error, reliability, straight
from benchmarks.scoring import Labelled
from dedup.io.articles import to_batches
from dedup.matching.classifier import REWRITE
from dedup.matching.clustering import assign_leaders
from dedup.matching.match_params import make_match_params
from dedup.pipeline.deduplicate import rank_articles, sketch_batches
from dedup.settings.settings import Settings

lots = st.lists(st.tuples(st.floats(0, 1), st.booleans(), st.floats(0.1, 9)), min_size=1)


def test_the_error_is_the_distance_from_what_is_so_by_weight() -> None:
    said, same = np.array([0.95, 0.95, 0.25]), np.array([True, False, False])

    assert expected_error(said, same, np.array([1.0, 1.0, 2.0])) == pytest.approx(0.45 / 2 + 0.25 / 2)


@given(lots)
def test_bins_lose_nothing(lot: list[tuple[float, bool, float]]) -> None:
    said, same, weight = (np.array(column) for column in zip(*lot, strict=True))

    shares, claimed, observed = np.array(reliability(said, same, weight)).T

    assert shares.sum() == pytest.approx(1)
    assert shares @ claimed == pytest.approx(np.average(said, weights=weight))
    assert shares @ observed == pytest.approx(np.average(same, weights=weight))


def test_a_map_learns_how_far_scores_overstate() -> None:
    odds = np.repeat([-2.0, 2.0], 100)
    same = np.arange(200) % 100 < np.repeat([40, 60], 100)  # said: .12 and .88; so: .4 and .6

    said = straight(Said(odds, same, np.ones(200)))(odds)

    assert said[[0, -1]] == pytest.approx([0.4, 0.6], abs=0.01)


def test_a_run_asks_about_every_rewrite_that_it_reports(newsroom: Path) -> None:
    articles = [json.loads(line) for line in newsroom.read_text("utf-8").splitlines()]
    table, sketches = sketch_batches(to_batches(articles), Settings(), None)
    stories = np.array([article["story"] for article in articles])
    data = Labelled(table, sketches, stories, stories, sketches.days, -1.0)
    order = rank_articles(table, sketches.lengths, np.full(len(stories), -1), Settings())
    made = assign_leaders(sketches, order, make_match_params(Settings()))

    pairs = set(
        zip(*(side.tolist() for side in asked(data, order, make_match_params(Settings()), made)), strict=True)
    )

    rewrites = np.flatnonzero(made.relations == REWRITE).tolist()
    assert rewrites
    assert pairs >= {(a, int(made.leaders[a])) for a in rewrites}
