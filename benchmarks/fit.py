"""Fit the storyline model and write `dedup/data/storyline.json`: `python -m benchmarks.fit`.

The model is a logistic regression (scikit-learn) over the evidence of pairs, as in docs/decisions/0001-story-model.md. The
labels of the closed sets join reports of one event within five days. They belong to the level storyline, and all scores are at
that level.

- Positives and negatives are all pairs of the four story sets within the window. The positives of each set have the same total
  weight, and each set keeps its natural odds.
- Similar pairs of `background` and `roundups` that are over 30 days apart (sagas) are chapters of one storyline, not one story.
  They need no labels. The fit gets them *with their dates hidden*, beside the same-story pairs of `roundups`.
- Evidence for a story may not count against it. A feature whose coefficient gets the wrong sign is left out, and the fit is
  repeated. (Coefficients of any sign cancel each other, and generalise worse.)
- The threshold comes from the mean F1 and B³ over the story sets; F1 on `roundups` with its dates hidden is printed beside. A
  model that has not seen half of the stories of a set, nor their sagas, clusters the whole set, and is scored on that half and
  on the articles joined with it. The threshold is the middle of the best three adjacent values of `GRID`, over `SPLITS` ways to
  halve the sets: single values jump by .01 when one cluster falls apart.
- Pairs of two dated articles have separate coefficients: half of the regression above, and half of one over `outlets`,
  `incidents` and the judged dated pairs of natural news (*same* or *followup* is one storyline), by all columns before those of
  the neighbours. The undated saga pairs pull the common regression away from the needs of dated pairs
  (docs/decisions/0009-levels.md).
- The log-odds are stretched by `SPREAD`, and the threshold is moved to `Settings.followup_probability`. So the probability of
  the shipped model is true on pairs that it has not seen (docs/decisions/0006-evidence.md).
"""

import argparse
import hashlib
import json
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from benchmarks.data import STORY_SETS, digest
from benchmarks.fit_story import read_judged
from benchmarks.scoring import (
    CHAPTER_DAYS,
    Labelled,
    b_cubed_of,
    b_cubed_sums,
    counts_of_unseen,
    f1_of,
    labelled,
)
from dedup.matching.clustering import assign_leaders
from dedup.matching.evidence import compute_evidence
from dedup.matching.evidence_columns import (
    EVIDENCE_NAMES,
    FEATURES_START,
    FIGURE_SHARE,
    FIGURES_FOUND,
    NAMES_FOUND,
    TITLE_FOUND_MORE,
    UNDATED,
)
from dedup.matching.match_params import MatchParams, make_match_params, to_log_odds
from dedup.pipeline.deduplicate import rank_articles
from dedup.settings.model_file import NEGATIVE_EVIDENCE as LATER_AGAINST
from dedup.settings.settings import Settings
from dedup.sketches.sketch import Sketches

OUT = Path(__file__).parents[1] / "dedup" / "data" / "storyline.json"
DEFAULTS = Settings(level="storyline")
USED = (NAMES_FOUND, FIGURES_FOUND, *range(FEATURES_START, TITLE_FOUND_MORE))
"""The columns from `TITLE_FOUND_MORE` on tell chapters apart, for the story model. Here they cost .007 of the mean F1 of unseen
stories and .005 of B³ (.8968 → .8900, .9458 → .9410), though they gain .04 on the sagas."""
AGAINST = {"changed_facts", "figures_missed", "weekdays_differ", "days", "undated"}
"""Evidence that speaks against one storyline; all else speaks for it."""
DATED_USED = (NAMES_FOUND, FIGURES_FOUND, *range(FEATURES_START, FIGURE_SHARE))
"""The columns of the regression over dated pairs."""
DATED_SETS = ("outlets", "incidents")
DATED_JUDGED = ("background", "paywall", "flashes")
DATED_AGAINST = (*AGAINST, *(name for name in LATER_AGAINST if name not in AGAINST))
SHARED_THRESHOLD = -0.75
"""Where the shared regression puts its threshold; that over dated pairs has it at 0, by its own cross-validation."""
SAGA_WEIGHT = 0.3
"""What the saga pairs weigh beside a set."""
SAGA_ODDS = 10.0
"""Chapters for each same-story pair among them."""
SAGA_SHARED, SAGA_TERMS = 6, 32
"""Articles look alike when they share so many of so many salient terms."""
PENALTY = 1e-3
SPREAD = 1.2
"""The fit is too careful: of unseen stories the log-odds are so many times as large (`benchmarks.ablation` measures it)."""
SPLITS = 4
GRID = np.arange(-1.75, 0.51, 0.25)
LEARNED = (*STORY_SETS, "roundups", "background")
"""The sets that the model is made from."""
HIDDEN = "roundups, dates hidden"

Model = tuple[np.ndarray, float]
"""A coefficient for each column of evidence, and the intercept."""


class Pairs(NamedTuple):
    """Pairs to learn from: evidence, label, weight."""

    evidence: np.ndarray
    same: np.ndarray
    weight: np.ndarray


class Material(NamedTuple):
    """What models are fitted to, and judged on."""

    sets: dict[str, Labelled]
    background: np.ndarray
    """The evidence of the chapters in `background`."""


class Half(NamedTuple):
    """A half of the stories to learn from, and where its articles and the others stand in each set."""

    parts: dict[str, Pairs]
    seen: dict[str, np.ndarray]
    unseen: dict[str, np.ndarray]


def material() -> Material:
    """Return the labelled sets, sketched, `roundups` with its dates hidden as one more."""
    sets = {name: labelled(name) for name in LEARNED}
    sets[HIDDEN] = dates_hidden(sets["roundups"])
    return Material(sets, chapters(sets["background"], everyone(sets["background"])))


def everyone(data: Labelled) -> np.ndarray:
    """Return the positions of all articles of a set."""
    return np.arange(len(data.stories))


def dates_hidden(data: Labelled) -> Labelled:
    """Return a set whose sketches tell no dates."""
    return data._replace(sketches=undated(data.sketches))


def undated(sketches: Sketches) -> Sketches:
    """Return the sketches with their dates hidden."""
    return sketches._replace(days=np.full(len(sketches.days), np.nan))


def story_pairs(data: Labelled, members: np.ndarray) -> Pairs:
    """Return all pairs within the window among `members` of a set (positions), but those that the saga leaves open."""
    left, right = np.triu_indices(len(members), 1)
    left, right = members[left], members[right]
    days = data.sketches.days
    same = data.stories[left] == data.stories[right]
    taken = ~(np.abs(days[left] - days[right]) > DEFAULTS.window_days) & (
        same | (data.sagas[left] != data.sagas[right])
    )
    left, right, same = left[taken], right[taken], same[taken]
    return Pairs(
        compute_evidence(data.sketches, left, right), same, np.full(len(same), 1.0 / max(same.sum(), 1))
    )


def chapters(data: Labelled, members: np.ndarray) -> np.ndarray:
    """Return the evidence, dates hidden, of pairs among `members` that look alike and lie far apart."""
    sketches = data.sketches
    terms = sketches.salient[members, :SAGA_TERMS]
    rows, columns = np.nonzero(terms)
    _, ids = np.unique(terms[rows, columns], return_inverse=True)
    holds = csr_matrix((np.ones(len(rows), np.int32), (rows, ids)), shape=(len(members), ids.max() + 1))
    found = []
    for start in range(0, len(members), 2000):
        shared = (holds[start : start + 2000] @ holds.T).tocoo()
        alike = (shared.data >= SAGA_SHARED) & (shared.row + start < shared.col)
        found.append(np.stack([shared.row[alike] + start, shared.col[alike]]))
    left, right = members[np.concatenate(found, axis=1)]
    far = np.abs(sketches.days[left] - sketches.days[right]) > CHAPTER_DAYS
    return compute_evidence(undated(sketches), left[far], right[far])


def saga_pairs(background: np.ndarray, roundups: Labelled, members: np.ndarray) -> Pairs:
    """Return chapters as negatives and the same-story pairs of `roundups` as positives, dates hidden from both."""
    left, right = np.triu_indices(len(members), 1)
    same = roundups.stories[members[left]] == roundups.stories[members[right]]
    positives = compute_evidence(undated(roundups.sketches), members[left[same]], members[right[same]])
    negatives = np.concatenate([background, chapters(roundups, members)])
    label = np.arange(len(positives) + len(negatives)) < len(positives)
    weight = np.where(label, SAGA_WEIGHT / len(positives), SAGA_WEIGHT * SAGA_ODDS / len(negatives))
    return Pairs(np.concatenate([positives, negatives]), label, weight)


def parts_of(given: Material, members: dict[str, np.ndarray]) -> dict[str, Pairs]:
    """Return the pairs to learn from among `members` of each set, by story set, then those of the sagas."""
    parts = {name: story_pairs(given.sets[name], members[name]) for name in STORY_SETS}
    return parts | {"sagas": saga_pairs(given.background, given.sets["roundups"], members["roundups"])}


def dated_judged() -> Pairs:
    """Return the judged pairs of natural news that are both dated; *same* and *followup* are one storyline."""
    rows = [row for row in read_judged() if row["set"] in DATED_JUDGED]
    evidence, together = [], []
    for name in DATED_JUDGED:
        corpus = labelled(name)
        place = {article: k for k, article in enumerate(corpus.articles["id"].to_pylist())}
        own = [row for row in rows if row["set"] == name]
        sides = (np.array([place[row[side]] for row in own]) for side in ("a", "b"))
        evidence.append(compute_evidence(corpus.sketches, *sides))
        together += [row["label"] != "different" for row in own]
    all_rows, label = np.concatenate(evidence), np.array(together)
    dated = all_rows[:, UNDATED] == 0
    count = int((label & dated).sum())
    return Pairs(all_rows[dated], label[dated], np.full(int(dated.sum()), 1.0 / count))


def mix_models(shared: Model, dated: Model) -> Model:
    """Return the mean of two models, each taken from its own threshold."""
    return (shared[0] + dated[0]) / 2, (shared[1] - SHARED_THRESHOLD + dated[1]) / 2


def fitted(
    parts: Iterable[Pairs], used: Iterable[int] = USED, against: Collection[str] = frozenset(AGAINST)
) -> Model:
    """Return the regression over all parts, by the columns `used`; those `against` may only speak against."""
    parts = list(parts)
    evidence = np.concatenate([p.evidence for p in parts]).astype(np.float64)
    same = np.concatenate([p.same for p in parts])
    weight = np.concatenate([p.weight for p in parts])
    signs = np.array([-1.0 if name in against else 1.0 for name in EVIDENCE_NAMES])
    columns = list(used)
    while True:
        scaler = StandardScaler().fit(evidence[:, columns])
        model = LogisticRegression(C=1 / (2 * PENALTY * weight.sum()), max_iter=2000, tol=1e-6)
        model.fit(scaler.transform(evidence[:, columns]), same, sample_weight=weight)
        pull = model.coef_[0] * signs[columns]
        if pull.min() >= 0:
            break
        columns.pop(int(pull.argmin()))
    coefficients = np.zeros(len(EVIDENCE_NAMES))
    coefficients[columns] = model.coef_[0] / scaler.scale_
    return coefficients, float(model.intercept_[0] - coefficients[columns] @ scaler.mean_)


def halves(data: Labelled, split: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of a set in two halves that have no story (and no saga) in common, by hash of the saga's name."""
    side = np.array(
        [hashlib.blake2b(f"{split}{saga}".encode(), digest_size=1).digest()[0] % 2 for saga in data.sagas]
    )
    return np.flatnonzero(side == 0), np.flatnonzero(side == 1)


def halvings(given: Material, splits: int) -> Iterator[Half]:
    """Yield both halves of the stories as what is seen, for each of so many ways to halve them."""
    for split in range(1, splits + 1):
        both = {name: halves(data, split) for name, data in given.sets.items()}
        for side in (0, 1):
            seen, unseen = ({name: half[s] for name, half in both.items()} for s in (side, 1 - side))
            yield Half(parts_of(given, seen), seen, unseen)


def clustered(data: Labelled, rules: MatchParams) -> np.ndarray:
    """Return the kept article of each article of a set."""
    order = rank_articles(data.articles, data.sketches.lengths, np.full(len(data.stories), -1), DEFAULTS)
    return assign_leaders(data.sketches, order, rules).leaders


def rules_with(model: Model, threshold: float) -> MatchParams:
    """Return the default rules of the storyline level, with a fitted model that matches from a threshold (log-odds) on."""
    coefficients, intercept = calibrated(model, threshold)
    return make_match_params(DEFAULTS)._replace(
        storyline_coefficients=np.stack([coefficients, coefficients]), storyline_intercept=intercept
    )


def calibrated(model: Model, threshold: float) -> Model:
    """Return a model whose probabilities mean what they say, and whose threshold (log-odds) is the default setting."""
    least = to_log_odds(DEFAULTS.followup_probability)
    return model[0] * SPREAD, (model[1] - threshold) * SPREAD + least


def counts_on_grid(given: Material, name: str, half: Half, model: Model) -> np.ndarray:
    """Return the `counts_of_unseen` and `b_cubed_sums` (thresholds of `GRID` × 6) of a set, of a model that has seen a half."""
    data, unseen, seen = given.sets[name], half.unseen[name], half.seen[name]
    clusterings = (clustered(data, rules_with(model, float(threshold))) for threshold in GRID)
    return np.array(
        [
            np.concatenate(
                [counts_of_unseen(data, clusters, unseen, seen), b_cubed_sums(data, clusters, unseen)]
            )
            for clusters in clusterings
        ]
    )


def means_of(counts: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean pairwise F1 and the mean B³ F1 over sets, from their `counts_on_grid`."""
    return (
        np.mean([f1_of(c) for c in counts.values()], axis=0),
        np.mean([b_cubed_of(c[..., 3:]) for c in counts.values()], axis=0),
    )


def middle_of_best(mean: np.ndarray) -> int:
    """Return the place of the middle one of the three neighbours on `GRID` that are best together."""
    return int(np.convolve(mean, np.ones(3), "valid").argmax()) + 1


def main() -> None:
    """Cross-validate, choose the threshold, fit on everything, write the model."""
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    given, judged = material(), (*STORY_SETS, HIDDEN)
    counts = {name: np.zeros((len(GRID), 6)) for name in judged}
    for half in halvings(given, SPLITS):
        model = fitted(half.parts.values())
        for name in judged:
            counts[name] += counts_on_grid(given, name, half, model)
    f1 = {name: f1_of(c) for name, c in counts.items()}
    mean_f1, mean_b3 = means_of({name: counts[name] for name in STORY_SETS})
    best = middle_of_best(mean_f1 + mean_b3)
    everything = parts_of(given, {name: everyone(data) for name, data in given.sets.items()})
    shared = fitted(everything.values())
    dated = fitted([*(everything[name] for name in DATED_SETS), dated_judged()], DATED_USED, DATED_AGAINST)
    for k, threshold in enumerate(GRID):
        print(
            f"{threshold:6.2f}  F1 {mean_f1[k]:.4f}  B³ {mean_b3[k]:.4f}  "
            + "  ".join(f"{name} {f1[name][k]:.3f}" for name in judged),
            "<" * (k == best),
        )
    write(
        calibrated(shared, float(GRID[best])),
        calibrated(mix_models(shared, dated), 0.0),
        {name: round(float(scores[best]), 4) for name, scores in f1.items()},
    )


def write(undated: Model, dated: Model, validated: dict[str, float]) -> None:
    """Write the models of undated and of dated pairs as one, with what it was made from.

    It has one intercept, that of dated pairs: the coefficient of `undated` holds the difference.
    """
    coefficients = undated[0].copy()
    coefficients[UNDATED] += undated[1] - dated[1]
    named = [
        {name: round(float(c), 6) for name, c in zip(EVIDENCE_NAMES, part, strict=True) if c}
        for part in (dated[0], coefficients)
    ]
    shipped: dict[str, Any] = {
        "coefficients": named[0],
        "undated": named[1],
        "intercept": round(float(dated[1]), 6),
        "made_by": "python -m benchmarks.fit",
        "cross_validated_f1": validated,
        "data": {name: digest(name) for name in (*LEARNED, *DATED_JUDGED)},
    }
    OUT.write_text(json.dumps(shipped, indent=1) + "\n", "utf-8")
    print(OUT.name, shipped["coefficients"], shipped["intercept"])


if __name__ == "__main__":
    main()
