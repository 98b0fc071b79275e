"""A model fitted to labels: it learns what is there, stays where it is when nothing is, and is judged on unseen stories."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from newsmaker import planned

from dedup.errors import InputError
from dedup.evaluation.fitting import (
    EVIDENCE_SIGNS,
    MODEL_COLUMNS,
    ModelWeights,
    TrainingPairs,
    compute_log_losses,
    fit_toward_base,
    to_model,
)
from dedup.evaluation.ground_truth import PairTruth, StoryTruth
from dedup.evaluation.model_refit import refit_model, run_cross_validation
from dedup.evaluation.pair_labels import LabelledPairs
from dedup.evaluation.training_data import (
    assign_folds,
    build_training_set,
    is_decided_by_model,
    label_connected_stories,
    sample_by_story,
    select_model_pairs,
)
from dedup.io.articles import to_batches
from dedup.matching.classifier import REWRITE, classify_articles
from dedup.matching.evidence_columns import CONTEXT_START, EVIDENCE_COUNT, EVIDENCE_NAMES
from dedup.matching.match_params import get_level_threshold, make_match_params
from dedup.matching.models import choose_level_model, read_shipped_model
from dedup.pipeline.deduplicate import SketchedCorpus, cluster_sketches, sketch_corpus
from dedup.pipeline.results import Result
from dedup.reports.explanation import count_common_keys
from dedup.settings.settings import Settings


def as_weights(level: str) -> ModelWeights:
    """Return the shipped model of a level, as it weighs dated pairs."""
    model = read_shipped_model(level)
    return ModelWeights(model.coefficients[0], model.intercept, level)


SHIPPED, STORYLINE = as_weights("story"), as_weights("storyline")
SETTINGS = Settings(threads=1)


class Invented(NamedTuple):
    """Pairs whose labels follow a model, and that model."""

    labelled: TrainingPairs
    true: ModelWeights


def invented(seed: int, pairs: int = 1500, *, noise: bool = False) -> Invented:
    """Return pairs of random evidence, labelled by the shipped model with two coefficients changed, or by a coin."""
    random = np.random.default_rng(seed)
    evidence = random.random((pairs, EVIDENCE_COUNT)).astype(np.float32)
    coefficients = SHIPPED.coefficients.copy()
    coefficients[EVIDENCE_NAMES.index("text_cosine")] = 9.0
    coefficients[EVIDENCE_NAMES.index("days")] = -7.0
    true = ModelWeights(coefficients, -float(np.median(evidence @ coefficients)))
    chance = np.full(pairs, 0.5) if noise else 1 / (1 + np.exp(-true.log_odds(evidence)))
    stories = random.integers(0, 300, (pairs, 2))
    return Invented(TrainingPairs(evidence, random.random(pairs) < chance, stories), true)


def loss(weights: ModelWeights, labelled: TrainingPairs) -> float:
    """Return the mean log loss of log-odds that mean what they say."""
    return float(compute_log_losses(weights.log_odds(labelled.evidence), labelled.same).mean())


def test_what_is_there_is_learned() -> None:
    labelled, true = invented(1)
    fresh, _ = invented(2)
    base = ModelWeights(SHIPPED.coefficients, true.intercept)

    found = refit_model(labelled, base)

    weights = ModelWeights(
        np.array([found.model.coefficients.get(name, 0.0) for name in EVIDENCE_NAMES]), found.model.intercept
    )
    assert found.helped
    assert found.after.log_loss < found.before.log_loss
    assert loss(weights, fresh) < loss(base, fresh)
    assert found.model.coefficients["days"] < SHIPPED.coefficients[EVIDENCE_NAMES.index("days")]


@pytest.mark.parametrize("seed", range(4))
def test_labels_that_the_model_foretells_change_nothing(seed: int) -> None:
    random = np.random.default_rng(seed)
    labelled, _ = invented(seed, 600)
    base = ModelWeights(SHIPPED.coefficients, -float(np.median(labelled.evidence @ SHIPPED.coefficients)))
    odds = base.log_odds(labelled.evidence)
    same = random.random(600) < 1 / (1 + np.exp(-odds))

    found = refit_model(labelled._replace(same=same), base)

    assert not found.helped
    assert found.pull == np.inf
    assert found.model == to_model(base)


def test_few_labels_change_nothing() -> None:
    labelled, true = invented(3, 40)

    assert refit_model(labelled, ModelWeights(SHIPPED.coefficients, true.intercept)).pull == np.inf


def test_too_few_labels_of_a_kind_are_an_error() -> None:
    labelled, _ = invented(3, 40)

    for base, kind in ((SHIPPED, "story"), (STORYLINE, "storyline")):
        with pytest.raises(InputError, match=f"40 pairs of the same {kind} and 0 of different ones"):
            refit_model(labelled._replace(same=np.ones(40, bool)), base)


@given(st.sampled_from([SHIPPED, STORYLINE]), st.integers(0, 50), st.sampled_from([0.1, 10.0, 1e3]))
@examples(max_examples=20)
def test_signs_are_kept_and_a_hard_pull_moves_nothing(base: ModelWeights, seed: int, pull: float) -> None:
    labelled, _ = invented(seed, 120, noise=True)
    used = MODEL_COLUMNS[base.level]

    free, held = fit_toward_base(labelled, base, pull), fit_toward_base(labelled, base, 1e12)

    assert (EVIDENCE_SIGNS[used] * free.coefficients[used] >= 0).all()
    assert set(np.flatnonzero(free.coefficients)) <= set(used)
    assert held.coefficients == pytest.approx(base.coefficients, abs=1e-6)
    assert held.intercept == pytest.approx(base.intercept, abs=1e-6)
    assert loss(free, labelled) <= loss(base, labelled)


@given(st.integers(0, 50))
@examples(max_examples=10)
def test_a_storyline_model_learns_nothing_from_the_neighbours(seed: int) -> None:
    labelled, _ = invented(seed, 200)
    tempting = labelled.evidence.copy()
    tempting[:, CONTEXT_START:] = np.where(
        labelled.same[:, None] == (EVIDENCE_SIGNS[CONTEXT_START:] > 0), 1, 0
    )

    found = fit_toward_base(labelled._replace(evidence=tempting), STORYLINE, 0.1)
    story = fit_toward_base(labelled._replace(evidence=tempting), SHIPPED, 0.1)

    assert not found.coefficients[CONTEXT_START:].any()
    assert (found.coefficients[:CONTEXT_START] != STORYLINE.coefficients[:CONTEXT_START]).any()
    assert to_model(found).level == found.level == "storyline"
    assert (np.abs(story.coefficients[CONTEXT_START:]) > np.abs(SHIPPED.coefficients[CONTEXT_START:])).all()


def test_evidence_that_does_not_vary_keeps_its_coefficient() -> None:
    labelled, _ = invented(5)
    column = EVIDENCE_NAMES.index("undated")
    labelled.evidence[:, column] = 0

    assert fit_toward_base(labelled, SHIPPED, 1.0).coefficients[column] == SHIPPED.coefficients[column]


@given(st.integers(0, 1000), st.integers(2, 6))
@examples(max_examples=30)
def test_no_story_that_is_judged_was_seen(seed: int, folds: int) -> None:
    labelled, _ = invented(seed, 80)
    dealt = assign_folds(labelled.stories, folds, seed)
    seen_by_fit: list[set[int]] = []

    def fit(seen: TrainingPairs) -> ModelWeights:
        seen_by_fit.append(set(seen.stories.ravel().tolist()))
        return SHIPPED

    trial = run_cross_validation(labelled, dealt, fit)

    for fold, seen in enumerate(seen_by_fit):
        assert seen.isdisjoint(labelled.stories[dealt == fold].tolist())
    assert trial.losses[:, 1].sum() == pytest.approx(80)  # each pair is judged once in all
    assert trial.compute_scores().log_loss == pytest.approx(loss(SHIPPED, labelled))


def test_a_share_of_the_stories_is_a_share_of_the_pairs() -> None:
    labelled, _ = invented(1, 4000)

    assert len(sample_by_story(labelled, 0.25, 1).same) == pytest.approx(1000, rel=0.1)
    assert sample_by_story(labelled, 1, 1) is labelled


def test_stories_are_what_pairs_of_one_story_connect() -> None:
    pairs, same = np.array([[0, 1], [1, 2], [3, 4], [2, 3]]), np.array([True, True, True, False])

    first, _, third, fourth, _, last = label_connected_stories(pairs, same, 6).tolist()

    assert first == third != fourth
    assert last not in {first, fourth}


@pytest.fixture(scope="module")
def corpus() -> tuple[SketchedCorpus, list[str]]:
    """Return eighty articles, sketched, and the story of each."""
    articles = planned(80, seed=9, stories=12)
    return sketch_corpus(to_batches(articles), SETTINGS), [a["id"].split()[2] for a in articles]


def obvious_pairs(
    corpus: tuple[SketchedCorpus, list[str]], settings: Settings
) -> tuple[set[tuple[int, int]], Result]:
    """Return the pairs that come up as candidates and that the model is not hopeless about, by trying all; and the run."""
    given_, _ = corpus
    result, s = cluster_sketches(given_, settings), given_.sketches
    least = get_level_threshold(make_match_params(settings)) - 8
    anything = make_match_params(replace(settings, level="story"))._replace(
        story_threshold=-1e9, storyline_threshold=-1e9
    )
    model = choose_level_model(settings)
    obvious = set()
    for n, a in enumerate(result.order.tolist()):
        for other in result.order[:n].tolist():
            terms, bands = count_common_keys(s, other, a)
            relation, _, row = classify_articles(s, other, a, anything)
            odds = float(model.compute_log_odds(row[None])[0])
            if (bands or terms >= 3) and relation == REWRITE and odds >= least:
                obvious.add((other, a))
    return obvious, result


@pytest.mark.parametrize("level", ["story", "storyline"])
def test_pairs_asked_are_those_of_an_obvious_search(
    level: str, corpus: tuple[SketchedCorpus, list[str]]
) -> None:
    settings = replace(SETTINGS, level=level)
    obvious, result = obvious_pairs(corpus, settings)
    s = corpus[0].sketches

    pairs = select_model_pairs(s, result.order, settings, 10_000)
    few = select_model_pairs(s, result.order, settings, len(obvious) // 2)

    assert set(map(tuple, pairs.tolist())) == obvious
    assert len(pairs) == len(obvious) > 20
    assert 0 < len(few) <= len(obvious) // 2
    assert set(map(tuple, few.tolist())) < obvious
    assert is_decided_by_model(s, pairs, settings).all()


def test_copies_teach_the_model_nothing(corpus: tuple[SketchedCorpus, list[str]]) -> None:
    given_, stories = corpus
    result = cluster_sketches(given_, SETTINGS)
    left, right = np.triu_indices(len(stories), 1)
    same = np.array([stories[a] == stories[b] for a, b in zip(left, right, strict=True)])

    taught = build_training_set(
        given_, result, PairTruth.from_labels(LabelledPairs(left, right, same, 0, 0, {}))
    )
    by_field = build_training_set(given_, result, StoryTruth(stories, [None] * len(stories)))

    assert taught.settled > 0
    assert len(taught.pairs.same) + taught.settled == len(same)
    assert taught.pairs.evidence[:, 0].max() < SETTINGS.copy_jaccard
    assert by_field.pairs.same.sum() <= taught.pairs.same.sum()
    assert (
        by_field.pairs.stories[:, 0] == by_field.pairs.stories[:, 1]
    ).tolist() == by_field.pairs.same.tolist()
