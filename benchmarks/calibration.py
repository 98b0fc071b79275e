"""Measure what `dedup calibrate` learns from half of a set, scored on the other half: `python -m benchmarks.calibration`.

Each story set, base model and share of the labels gets a line: how often the model was changed, and pairwise F1 and B³ of the
other half with the current and with the fitted model, over `SPLITS` ways to halve the set. The set is clustered whole, and the
halves have no story and no saga in common. The shipped model has seen all four sets. The base `without incidents` is the fit of
`benchmarks/fit.py` without that set, which shows the gain on a kind of news that the model never saw.
"""

import argparse
from typing import NamedTuple

import numpy as np

from benchmarks.data import STORY_SETS
from benchmarks.fit import calibrated, clustered, everyone, fitted, halves, material, parts_of
from benchmarks.scoring import Labelled, b_cubed_of, b_cubed_sums, counts_of_unseen, f1_of, labelled
from dedup.errors import InputError
from dedup.evaluation.fitting import ModelWeights
from dedup.evaluation.fitting import TrainingPairs as Pairs
from dedup.evaluation.model_refit import refit_model
from dedup.evaluation.training_data import sample_by_story, select_model_pairs
from dedup.matching.evidence import compute_evidence
from dedup.matching.evidence_columns import EVIDENCE_NAMES
from dedup.matching.match_params import make_match_params
from dedup.matching.models import read_shipped_model
from dedup.pipeline.deduplicate import rank_articles
from dedup.settings.settings import Settings

SPLITS = 3
SHARES = (1.0, 0.25, 0.1, 0.05)
MOST_PAIRS = 20_000
DEFAULTS = Settings(level="storyline")
"""The labels of the closed sets are of the storyline level."""


class Score(NamedTuple):
    """What a model reaches on the halves that were not learned from: counts for F1, sums for B³."""

    counts: np.ndarray
    sums: np.ndarray


def taught(data: Labelled, seen: np.ndarray) -> Pairs:
    """Return the pairs among some articles about which a run would ask the model, but those that the saga leaves open."""
    order = rank_articles(data.articles, data.sketches.lengths, np.full(len(data.stories), -1), DEFAULTS)
    pairs = select_model_pairs(data.sketches, order[np.isin(order, seen)], DEFAULTS, MOST_PAIRS)
    same = data.stories[pairs[:, 0]] == data.stories[pairs[:, 1]]
    closed = same | (data.sagas[pairs[:, 0]] != data.sagas[pairs[:, 1]])
    pairs, same = pairs[closed], same[closed]
    sagas = np.unique(data.sagas, return_inverse=True)[1]
    return Pairs(compute_evidence(data.sketches, pairs[:, 1], pairs[:, 0]), same, sagas[pairs])


def score(data: Labelled, weights: ModelWeights, unseen: np.ndarray, seen: np.ndarray) -> Score:
    """Return what a model reaches on the unseen half of a set, clustered whole."""
    rules = make_match_params(DEFAULTS)._replace(
        storyline_coefficients=np.stack([weights.coefficients] * 2), storyline_intercept=weights.intercept
    )
    clusters = clustered(data, rules)
    return Score(counts_of_unseen(data, clusters, unseen, seen), b_cubed_sums(data, clusters, unseen))


def row(name: str, base: ModelWeights, share: float) -> str:
    """Return the line of a set, a base and a share of the labels."""
    data, before, after, pairs, changed = labelled(name), [], [], [], 0
    for split in range(1, SPLITS + 1):
        both = halves(data, split)
        for seen, unseen in (both, both[::-1]):
            lessons = sample_by_story(taught(data, seen), share, split)
            weights = base
            try:
                found = refit_model(lessons, base)
            except InputError:
                pass
            else:
                changed += found.helped
                columns = [found.model.coefficients.get(column, 0.0) for column in EVIDENCE_NAMES]
                weights = ModelWeights(np.array(columns), found.model.intercept, "storyline")
            pairs.append(len(lessons.same))
            before.append(score(data, base, unseen, seen))
            after.append(score(data, weights, unseen, seen))
    return f"{np.mean(pairs):7,.0f} {changed}/{2 * SPLITS}   {shown(before)}   {shown(after)}"


def shown(scores: list[Score]) -> str:
    """Return F1 and B³ over all halves."""
    counts, sums = (np.sum(column, axis=0) for column in zip(*scores, strict=True))
    return f"{f1_of(counts):.4f} {b_cubed_of(sums):.4f}"


def main() -> None:
    """Print the tables."""
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    model = read_shipped_model("storyline")
    shipped = ModelWeights(model.coefficients[1], model.intercept, "storyline")
    print("set          base               share   pairs changed  F1, B³ before    after")
    for name in STORY_SETS:
        for share in SHARES if name == "incidents" else SHARES[:1]:
            print(f"{name:12} shipped            {share:5.2f} {row(name, shipped, share)}", flush=True)
    given = material()
    parts = parts_of(given, {name: everyone(data) for name, data in given.sets.items()})
    del parts["incidents"]
    without = ModelWeights(*calibrated(fitted(parts.values()), 0.0), "storyline")
    for share in SHARES:
        print(f"incidents    without incidents  {share:5.2f} {row('incidents', without, share)}", flush=True)


if __name__ == "__main__":
    main()
