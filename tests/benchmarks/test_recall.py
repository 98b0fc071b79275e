"""The benchmark's brute force and its lookups, against the same by hand; its tables need the data."""

import numpy as np
from hypothesis import given
from hypothesis import settings as examples
from newsmaker import Article, corpora, planned, sketched, story, version

from benchmarks.recall import looked_up, matches_of
from dedup.matching.classifier import FOLLOWUP, NO_RELATION, REWRITE, classify_articles
from dedup.matching.match_params import make_match_params
from dedup.settings.settings import Settings

RULES = make_match_params(Settings())


@given(corpora(least=2, most=20))
@examples(max_examples=30)
def test_brute_force_skips_no_pair_that_matches(articles: list[Article]) -> None:
    s = sketched(articles)

    matches = matches_of(s, np.arange(len(articles)), RULES)

    found = dict(zip(map(tuple, matches.pairs.tolist()), matches.relations.tolist(), strict=True))
    relations = {(a, b): classify_articles(s, a, b, RULES)[0] for b in range(len(articles)) for a in range(b)}
    # What a model joins is of one storyline: benchmarks.recall does not part rewrites from follow-ups.
    expected = {
        pair: FOLLOWUP if kind == REWRITE else kind for pair, kind in relations.items() if kind != NO_RELATION
    }
    assert found == expected


def test_pairs_come_up_whichever_way_round_and_in_whatever_order_they_are_asked_for() -> None:
    s = sketched(planned(60, seed=3))
    order = np.random.default_rng(3).permutation(60)
    pairs = np.stack(np.triu_indices(60, 1), axis=1)

    found = looked_up(s, order, pairs, RULES).found
    turned = looked_up(s, order, pairs[::-1, ::-1], RULES).found

    assert 0 < found.sum() < len(pairs)
    assert (turned[::-1] == found).all()


def test_candidates_beyond_the_bound_do_not_come_up_and_are_reported() -> None:
    s = sketched([story(1), version(1, "reworded", 1), version(1, "reworded", 2)])
    pairs = np.array([[0, 1], [0, 2], [1, 2]])

    seen = looked_up(s, np.arange(3), pairs, RULES._replace(max_candidates=1))

    assert seen.found[0]
    assert seen.found[1:].sum() == 1
    assert seen.counts.tolist() == [0, 1, 1]
    assert seen.bounded.tolist() == [False, False, True]
