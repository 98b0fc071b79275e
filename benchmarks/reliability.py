"""Measure whether the probabilities of models are true on stories that they have not seen.

Each half of the stories has a model, fitted as in `benchmarks.fit`. Its probabilities for pairs of the other half are compared
with whether these are one story. There are three kinds of pairs: `all` within the window, as in the fit; `asked`, the pairs about
which a run over the other half asks the model (an article, and a kept article that shares keys with it or with its witnesses, and
is neither its copy nor another filling of its template); and `reported`, the rewrites of this run. The other half is clustered
alone, because in half of a set same-story pairs are twice as common as in the whole.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from benchmarks.data import STORY_SETS
from benchmarks.fit import Half, Material, Model, calibrated, rules_with, story_pairs
from benchmarks.scoring import Labelled
from dedup.matching.assignments import Assignments
from dedup.matching.candidates import fill_candidates, fill_lookup_keys, make_lookup_scratch
from dedup.matching.classifier import NO_RELATION, REWRITE, classify_articles
from dedup.matching.clustering import MAX_WITNESSES, assign_leaders, is_date_ordered
from dedup.matching.evidence import compute_evidence
from dedup.matching.inverted_index import insert_postings, make_index_for_articles
from dedup.matching.match_params import MatchParams
from dedup.pipeline.deduplicate import rank_articles
from dedup.settings.settings import Settings

KINDS = ("all", "asked", "reported")
BINS = 10
NEVER_LESS = -1e9
"""Log-odds that every pair has that is for a model to decide."""
Map = Callable[[np.ndarray], np.ndarray]
"""A function from log-odds to probabilities."""


class Said(NamedTuple):
    """What a model says of pairs it has not seen: log-odds, whether they are one story, and what each weighs."""

    odds: np.ndarray
    same: np.ndarray
    weight: np.ndarray


def probability(odds: np.ndarray) -> np.ndarray:
    """Return the probability that log-odds stand for."""
    return 1 / (1 + np.exp(-odds))


def expected_error(said: np.ndarray, same: np.ndarray, weight: np.ndarray) -> float:
    """Return the expected calibration error: |said - observed| of each of `RELIABILITY_BINS` equal bins, by what it weighs.

    >>> round(expected_error(np.array([0.9, 0.9]), np.array([True, False]), np.ones(2)), 6)
    0.4
    """
    return float(sum(w * abs(p - share) for w, p, share in reliability(said, same, weight)))


def reliability(said: np.ndarray, same: np.ndarray, weight: np.ndarray) -> list[tuple[float, float, float]]:
    """Return for each bin of probability (share of the weight, mean of what is said, share of one story); 0s if empty."""
    place = np.minimum((said * BINS).astype(int), BINS - 1)
    total, claimed, observed = (np.bincount(place, w, BINS) for w in (weight, weight * said, weight * same))
    each = np.where(total > 0, total, 1.0)
    return list(zip(total / total.sum(), claimed / each, observed / each, strict=True))


def pooled(parts: Iterable[Said]) -> Said:
    """Return what is said of several lots of pairs as one."""
    return Said(*map(np.concatenate, zip(*parts, strict=True)))


def straight(learned: Said) -> Map:
    """Return a logistic map of the log-odds, a·z + b (Platt 1999), learned from pairs."""
    model = LogisticRegression(C=np.inf).fit(learned.odds[:, None], learned.same, learned.weight)
    return lambda odds: model.predict_proba(odds[:, None])[:, 1]


def stepped(learned: Said) -> Map:
    """Return the monotone step map that is closest to pairs (isotonic regression)."""
    model = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip")
    model.fit(learned.odds, learned.same, learned.weight)
    return model.predict


def unseen(
    given: Material, halves: Iterable[tuple[Half, Model]], threshold: float
) -> dict[str, list[dict[str, Said]]]:
    """Return, by kind of pair, for each half what its model, calibrated, says of the other half, by set."""
    found: dict[str, list[dict[str, Said]]] = {kind: [] for kind in KINDS}
    for half, model in halves:
        by_set = {name: of_set(given.sets[name], half.unseen[name], model, threshold) for name in STORY_SETS}
        for kind in KINDS:
            found[kind].append({name: by_set[name][kind] for name in STORY_SETS})
    return found


def of_set(data: Labelled, members: np.ndarray, model: Model, threshold: float) -> dict[str, Said]:
    """Return by kind of pair what a model says of the pairs among `members`; sets weigh the same by their positives."""
    coefficients, intercept = calibrated(model, threshold)
    within = story_pairs(data, members)
    found = {"all": Said(within.evidence @ coefficients + intercept, within.same, within.weight)}
    rules = rules_with(model, threshold)
    order = rank_articles(data.articles, data.sketches.lengths, np.full(len(data.stories), -1), Settings())
    order = order[np.isin(order, members)]
    made = assign_leaders(data.sketches, order, rules)
    dropped = order[made.relations[order] >= REWRITE]
    for kind, left, right in (
        ("asked", *asked(data, order, rules, made)),
        ("reported", dropped, made.leaders[dropped]),
    ):
        same = data.stories[left] == data.stories[right]
        known = same | (data.sagas[left] != data.sagas[right])
        odds = compute_evidence(data.sketches, left[known], right[known]) @ coefficients + intercept
        weight = np.full(len(odds), 1 / max(same.sum(), 1))
        found[kind] = Said(odds, same[known], weight)
    return found


def asked(
    data: Labelled, order: np.ndarray, rules: MatchParams, made: Assignments
) -> tuple[np.ndarray, np.ndarray]:
    """Return the pairs (article, kept article) about which a run asks the story model: the run `made`, gone through again."""
    sketches, each = data.sketches, data.sketches.salient.shape[1] + data.sketches.bands.shape[1]
    index, scratch = make_index_for_articles(len(order), each), make_lookup_scratch(len(data.stories), each)
    witnesses, in_order = np.zeros(len(data.stories), int), is_date_ordered(sketches.days[order])
    pairs: set[tuple[int, int]] = set()
    for a in order.tolist():
        terms, n = fill_lookup_keys(sketches, a, scratch.keys)
        candidates, _, _ = fill_candidates(
            index, sketches.days, terms, n, sketches.days[a], rules, in_order, scratch
        )
        pairs.update((a, int(made.leaders[b])) for b in scratch.candidates[:candidates])
        if made.relations[a] == NO_RELATION or made.relations[a] >= REWRITE:
            leader = made.leaders[a]
            first = 0 if leader == a or witnesses[leader] < MAX_WITNESSES else terms
            witnesses[leader] += leader != a
            insert_postings(index, scratch.keys, first, n, a)
    anything = rules._replace(
        story_threshold=NEVER_LESS, story_witnessed_threshold=NEVER_LESS, storyline_threshold=NEVER_LESS
    )
    put = [(a, b) for a, b in sorted(pairs) if classify_articles(sketches, b, a, anything)[0] >= REWRITE]
    left, right = np.array(put, np.int64).reshape(-1, 2).T
    return left, right


def print_reliability(found: dict[str, list[dict[str, Said]]]) -> None:
    """Print what is said beside what is so, and what a second map from log-odds to probability would make of it.

    A map is learned from the pairs asked about one half and judged on the other, of the same split: stories that neither the
    model nor the map has seen.
    """
    print(f"\n{'said':>9}" + "".join(f"  {kind:>9}: share  said  so" for kind in KINDS))
    tables = [
        reliability(probability(every.odds), every.same, every.weight)
        for every in (pooled(said for half in found[kind] for said in half.values()) for kind in KINDS)
    ]
    for k, row in enumerate(zip(*tables, strict=True)):
        cells = "".join(f"  {w:16.4f} {p:5.2f} {so:.2f}" for w, p, so in row)
        print(f"{k / BINS:.1f} – {(k + 1) / BINS:.1f}{cells}")
    count = len(found["asked"])
    learned = [pooled(found["asked"][k ^ 1].values()) for k in range(count)]
    maps: dict[str, list[Map]] = {
        "as shipped": [probability] * count,
        "a·z + b": [straight(lot) for lot in learned],
        "steps": [stepped(lot) for lot in learned],
    }
    print(f"\n{'expected calibration error':36}" + "".join(f"{kind:>10}" for kind in KINDS), end="")
    print("".join(f"{name:>12}" for name in STORY_SETS) + "   (sets: asked)")
    for name, by_half in maps.items():
        errors = [error(by_half, found[kind], STORY_SETS) for kind in KINDS]
        errors += [error(by_half, found["asked"], (one,)) for one in STORY_SETS]
        print(f"{name:36}" + "".join(f"{e:{10 if k < len(KINDS) else 12}.4f}" for k, e in enumerate(errors)))
    every = pooled(said for half in found["asked"] for said in half.values())
    b, ab = (float(np.log(p / (1 - p))) for p in straight(every)(np.array([0.0, 1.0])))
    print(f"a·z + b, learned from all pairs asked about: a = {ab - b:.3f}, b = {b:.3f}")


def error(by_half: list[Map], halves: list[dict[str, Said]], names: Iterable[str]) -> float:
    """Return the expected calibration error over some sets, each half by its own map."""
    names = tuple(names)
    lots = [(read, pooled(half[name] for name in names)) for read, half in zip(by_half, halves, strict=True)]
    said = np.concatenate([read(lot.odds) for read, lot in lots])
    every = pooled(lot for _, lot in lots)
    return expected_error(said, every.same, every.weight)
