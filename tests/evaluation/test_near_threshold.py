"""The pairs nearest the threshold: what a run found of them, and what an obvious search of the missed finds."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from newsmaker import Article, corpora, planned

from dedup.evaluation.near_threshold import MAX_SHORTFALL, find_nearest_pairs
from dedup.io.articles import to_batches
from dedup.matching.classifier import REWRITE, classify_articles
from dedup.matching.evidence_columns import EVIDENCE_NAMES
from dedup.matching.match_params import get_level_threshold, make_match_params
from dedup.matching.models import choose_level_model, read_shipped_model
from dedup.matching.pair_scoring import compute_evidence_in_context, score_pairs
from dedup.pipeline.deduplicate import SketchedCorpus, cluster_sketches, deduplicate, sketch_corpus
from dedup.pipeline.results import Result
from dedup.reports.explanation import count_common_keys
from dedup.settings.model_file import Model
from dedup.settings.settings import Settings

SETTINGS = Settings(threads=1)
UNFORGIVING = Settings(threads=1, rewrite_probability=0.999999, relations=("exact", "rewrite"))
"""Under it most rewrites, and most copies, are just missed."""
STORYLINE = Settings(
    threads=1, level="storyline", followup_probability=0.999999, relations=("exact", "followup")
)
"""The same of follow-ups."""
EVERYTHING = 10**6


def both(articles: list[Article], settings: Settings = SETTINGS) -> tuple[SketchedCorpus, Result]:
    """Return a corpus, sketched, and what becomes of it."""
    given = sketch_corpus(to_batches(articles), settings)
    return given, cluster_sketches(given, settings)


def obvious_misses(given: SketchedCorpus, result: Result) -> dict[int, float]:
    """Return for each kept article the log-odds of its best candidate that falls short, by trying all pairs."""
    s, settings = given.sketches, result.settings
    least = get_level_threshold(make_match_params(settings))
    rewrites = replace(settings, level="story", relations=(*settings.relations, "rewrite"))
    anything = make_match_params(rewrites)._replace(
        story_threshold=-1e9,
        story_witnessed_threshold=-1e9,
        storyline_threshold=-1e9,
        storyline_witnessed_threshold=-1e9,
    )
    model = choose_level_model(settings)
    kept = [a for a in result.order.tolist() if a in set(result.kept_positions.tolist())]
    found: dict[int, float] = {}
    for n, a in enumerate(kept):
        for other in kept[:n]:
            terms, bands = count_common_keys(s, other, a)
            if bands == 0 and terms < settings.shared_terms:
                continue
            if classify_articles(s, other, a, anything)[0] != REWRITE:
                continue
            pair, leaders = np.array([[other, a]]), result.assignments.leaders
            row = compute_evidence_in_context(s, result.order, pair, settings, leaders)[0]
            score = float(model.compute_log_odds(row[None])[0])
            if least - MAX_SHORTFALL <= score < least:
                found[a] = max(found.get(a, -1e9), score)
    return found


@pytest.mark.parametrize("settings", [UNFORGIVING, STORYLINE])
@given(articles=corpora(least=2, most=16, stories=2))
@examples(max_examples=30)
def test_misses_are_those_of_an_obvious_search(settings: Settings, articles: list[Article]) -> None:
    given_, result = both(articles, settings)

    missed = {
        p.other: p.log_odds for p in find_nearest_pairs(result, given_.sketches, EVERYTHING) if not p.matched
    }

    assert missed == pytest.approx(obvious_misses(given_, result), abs=1e-4)


@pytest.mark.parametrize("level", ["story", "storyline"])
def test_matches_are_those_that_a_model_made_with_the_log_odds_of_the_level(level: str) -> None:
    given_, result = both(planned(60, seed=3), Settings(threads=1, level=level))
    model = choose_level_model(result.settings)

    matched = [p for p in find_nearest_pairs(result, given_.sketches, EVERYTHING) if p.matched]

    by_model = {(m.canonical, m.id) for m in result.dropped if m.relation in {"rewrite", "followup"}}
    assert {(result.ids[p.kept], result.ids[p.other]) for p in matched} == by_model
    assert len(by_model) > 1
    for p in matched:
        row = result.assignments.get_evidence_rows(p.other).astype(np.float64)
        assert p.log_odds == pytest.approx(float(model.compute_log_odds(row[None])[0]))


def test_a_pair_that_only_its_neighbours_hold_apart_is_a_miss() -> None:
    coefficients, intercept = read_shipped_model("story")
    weights = {n: float(c) for n, c in zip(EVIDENCE_NAMES, coefficients[0], strict=True) if c}
    wary = Model({**weights, "neighbours": -4.0}, intercept)
    strict = Settings(
        threads=1, model=wary, rewrite_probability=0.99, relations=("exact", "rewrite", "followup")
    )
    given_, result = both(planned(120, seed=3, stories=6), strict)
    least = get_level_threshold(make_match_params(result.settings))

    missed = [p for p in find_nearest_pairs(result, given_.sketches, EVERYTHING) if not p.matched]

    alone = score_pairs(
        given_.sketches, np.array([(p.kept, p.other) for p in missed], np.int64), result.settings
    )
    assert (alone >= least).any()
    assert all(p.log_odds < least for p in missed)


def test_the_nearest_come_first_and_each_side_is_bounded() -> None:
    given_, result = both(planned(60, seed=3))
    least = make_match_params(SETTINGS).story_threshold

    pairs = find_nearest_pairs(result, given_.sketches, 2)

    distances = [abs(p.log_odds - least) for p in pairs]
    assert distances == sorted(distances)
    assert sum(p.matched for p in pairs) == 2
    assert sum(not p.matched for p in pairs) <= 2


@pytest.mark.parametrize("articles", [[], [{"text": "Too short."}]])
def test_nothing_has_no_borderline(articles: list[Any]) -> None:
    given_, result = both(articles)

    assert find_nearest_pairs(result, given_.sketches, 10) == []


def test_a_trial_is_a_run() -> None:
    articles = planned(80, seed=5)
    given_, _ = both(articles)

    for settings in (SETTINGS, UNFORGIVING):
        run, tried = deduplicate(articles, settings), cluster_sketches(given_, settings)
        assert list(tried) == list(run)
