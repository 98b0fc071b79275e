"""Candidates of articles among those before them, looked up again: in whatever portions, the same."""

import numpy as np
import pytest
from newsmaker import planned

from dedup.io.articles import to_batches
from dedup.matching import pair_scoring
from dedup.matching.pair_scoring import iter_candidate_pairs
from dedup.pipeline.deduplicate import sketch_corpus
from dedup.settings.settings import Settings

SETTINGS = Settings(threads=1)


def test_pairs_are_the_same_however_many_are_handed_out_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sketches = sketch_corpus(to_batches(planned(120, seed=5, stories=8)), SETTINGS).sketches
    order = np.arange(120)
    whole = list(iter_candidate_pairs(sketches, order, SETTINGS))
    monkeypatch.setattr(pair_scoring, "PAIRS_PER_BATCH", 1)

    portions = list(iter_candidate_pairs(sketches, order, SETTINGS))

    assert len(whole) == 1
    assert len(portions) > 3
    assert np.array_equal(np.concatenate(portions), whole[0])
    assert (whole[0][:, 0] < whole[0][:, 1]).all()


def test_of_many_candidates_those_that_share_most_are_taken() -> None:
    sketches = sketch_corpus(to_batches(planned(60, seed=5, stories=3)), SETTINGS).sketches
    (every,) = iter_candidate_pairs(sketches, np.arange(60), SETTINGS)

    (few,) = iter_candidate_pairs(sketches, np.arange(60), SETTINGS, max_candidates=2)

    _, places = np.unique(every[:, 1], return_index=True)
    assert len(few) < len(every)
    assert few.tolist() == [
        pair
        for first, rest in zip(places, [*places[1:], len(every)], strict=True)
        for pair in every[first : min(first + 2, rest)].tolist()
    ]
