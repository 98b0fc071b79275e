"""The pairs nearest the threshold: what a run found of them, and what an obvious search of the missed finds."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from newsmaker import Article, corpora, planned

from dedup.articles import to_batches
from dedup.borderline import REACH, nearest_pairs
from dedup.evidence import desk, lay_open
from dedup.explanation import shared_keys
from dedup.matches import REWRITE, judged_on, rules_of
from dedup.pipeline import Prepared, decided, deduplicate, prepared
from dedup.results import Result
from dedup.settings import Settings

SETTINGS = Settings(threads=1)
UNFORGIVING = Settings(threads=1, rewrite_probability=0.999999, relations=("exact", "rewrite"))
"""Under it most rewrites, and most copies, are just missed."""
EVERYTHING = 10**6


def both(articles: list[Article], settings: Settings = SETTINGS) -> tuple[Prepared, Result]:
    """Return a corpus, sketched, and what becomes of it."""
    given = prepared(to_batches(articles), settings)
    return given, decided(given, settings)


def obvious_misses(given: Prepared, result: Result) -> dict[int, float]:
    """Return for each kept article the log-odds of its best candidate that falls short, by trying all pairs."""
    s, rules = given.sketches, rules_of(result.settings)
    kept = [a for a in result.order.tolist() if a in set(result.kept_positions.tolist())]
    used = desk()
    found: dict[int, float] = {}
    for n, a in enumerate(kept):
        for other in kept[:n]:
            terms, bands = shared_keys(s, other, a)
            if bands == 0 and terms < result.settings.shared_terms:
                continue
            lay_open(s, a, used)
            relation, score = judged_on(s, other, a, rules, rules.least_logit - REACH, True, used)
            if relation == REWRITE and score < rules.least_logit:
                found[a] = max(found.get(a, -1e9), float(score))
    return found


@given(corpora(least=2, most=16, stories=2))
@examples(max_examples=30)
def test_misses_are_those_of_an_obvious_search(articles: list[Article]) -> None:
    given_, result = both(articles, UNFORGIVING)

    missed = {
        p.other: p.log_odds for p in nearest_pairs(result, given_.sketches, EVERYTHING) if not p.matched
    }

    assert missed == pytest.approx(obvious_misses(given_, result))


def test_matches_are_the_rewrites_of_the_result_with_their_log_odds() -> None:
    given_, result = both(planned(60, seed=3))

    matched = [p for p in nearest_pairs(result, given_.sketches, EVERYTHING) if p.matched]

    rewrites = {(m.canonical, m.id) for m in result.dropped if m.relation == "rewrite"}
    assert {(result.ids[p.kept], result.ids[p.other]) for p in matched} == rewrites
    assert len(rewrites) > 1


def test_the_nearest_come_first_and_each_side_is_bounded() -> None:
    given_, result = both(planned(60, seed=3))
    least = rules_of(SETTINGS).least_logit

    pairs = nearest_pairs(result, given_.sketches, 2)

    distances = [abs(p.log_odds - least) for p in pairs]
    assert distances == sorted(distances)
    assert sum(p.matched for p in pairs) == 2
    assert sum(not p.matched for p in pairs) <= 2


@pytest.mark.parametrize("articles", [[], [{"text": "Too short."}]])
def test_nothing_has_no_borderline(articles: list[Any]) -> None:
    given_, result = both(articles)

    assert nearest_pairs(result, given_.sketches, 10) == []


def test_a_trial_is_a_run() -> None:
    articles = planned(80, seed=5)
    given_, _ = both(articles)

    for settings in (SETTINGS, UNFORGIVING):
        run, tried = deduplicate(articles, settings), decided(given_, settings)
        assert list(tried) == list(run)
