"""Measure what each piece of evidence is worth: `python -m benchmarks.ablation`.

This prints three tables about the labelled sets. The models are fitted as in `benchmarks.fit`, and scored on stories that they
have not seen (with `--splits` ways to halve the sets, fewer than there):

- one column, or a group of columns, is left out. The table has the mean pairwise F1 over the story sets, at the best threshold
  and at the one that the rule of `benchmarks.fit` chooses; the number of halves in which the latter is worse than with all
  evidence; F1 of `roundups` with its dates hidden; how well the model ranks the pairs of `russian` and `graded`, for which it
  was not made; and by how much, in log-odds, the seeds that are one story lie above those that are not;
- a story set is left out of the fit and clustered whole, beside the result of the shipped model;
- reliability (`benchmarks.reliability`).
"""

import argparse
import sys
from functools import cache
from typing import NamedTuple

import numpy as np

from benchmarks import comparison
from benchmarks.data import RETOLD, STORY_SETS
from benchmarks.fit import (
    GRID,
    HIDDEN,
    USED,
    Material,
    Model,
    Pairs,
    clustered,
    counts_on_grid,
    everyone,
    fitted,
    halvings,
    material,
    means_of,
    middle_of_best,
    parts_of,
    rules_with,
)
from benchmarks.reliability import print_reliability, unseen
from benchmarks.scoring import f1_of
from dedup.evaluation.metrics import score_b_cubed, score_pairwise
from dedup.io.articles import to_batches
from dedup.matching.evidence import compute_evidence
from dedup.matching.evidence_columns import EVIDENCE_NAMES
from dedup.matching.match_params import MatchParams, make_match_params
from dedup.pipeline.deduplicate import sketch_batches
from dedup.settings.settings import Settings

SPLITS = 2
GROUPS = {
    "names": ("names_found", "names_cosine", "names_jaccard", "facts_jaccard"),
    "names × words": ("story_45", "story_80", "story_220", "title_story"),
    "windows": ("story_45", "story_80", "story_220", "lead_cosine", "opening_cosine", "words_220"),
    "title": ("title_story",),
    "numbers": ("figures_found", "figures_missed", "changed_facts"),
    "weekdays": ("weekdays_shared", "weekdays_differ"),
    "dates": ("days", "undated"),
    "quotations": ("quotes",),
    "wording": ("overlap",),
}
"""Columns that tell of one thing."""


PARTS = (*STORY_SETS, "sagas")
"""What a model is fitted to."""


class Trial(NamedTuple):
    """What a model is fitted to: parts of the pairs, by columns of the evidence."""

    parts: tuple[str, ...] = PARTS
    used: tuple[int, ...] = USED

    def fitted(self, parts: dict[str, Pairs]) -> Model:
        """Return the model."""
        return fitted([parts[name] for name in self.parts], self.used)

    @property
    def sets(self) -> list[str]:
        """Return the story sets among the parts."""
        return [name for name in STORY_SETS if name in self.parts]


class Trained(NamedTuple):
    """The models of a trial, and their scores."""

    halves: list[Model]
    """One for each half of the stories."""
    whole: Model
    counts: dict[str, np.ndarray]
    """By set: halves × thresholds × `pair_counts`."""

    def means(self, half: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return for each threshold the mean F1 and the mean B³ over the story sets, of one half or of all."""
        lots = slice(None) if half is None else slice(half, half + 1)
        return means_of({name: c[lots].sum(axis=0) for name, c in self.counts.items() if name != HIDDEN})

    def mean(self, half: int | None = None) -> np.ndarray:
        """Return for each threshold the mean F1 over the story sets, of one half or of all."""
        return self.means(half)[0]

    @property
    def rule(self) -> int:
        """Return the place on `GRID` of the threshold that the rule takes."""
        return middle_of_best(np.add(*self.means()))

    def at_rule(self, half: int | None = None) -> float:
        """Return the mean F1 over the story sets at the threshold that the rule takes for all halves."""
        return float(self.mean(half)[self.rule])


def trials() -> dict[str, Trial]:
    """Return what is left out of the evidence, in turn: nothing, the groups, the single columns."""
    left_out = {"nothing": (), **GROUPS, **{EVIDENCE_NAMES[k]: (EVIDENCE_NAMES[k],) for k in USED}}
    alone = {columns[0] for columns in GROUPS.values() if len(columns) == 1}
    return {
        name: Trial(used=tuple(k for k in USED if EVIDENCE_NAMES[k] not in columns))
        for name, columns in left_out.items()
        if name not in alone
    }


def trained(given: Material, wanted: dict[str, Trial], splits: int) -> dict[str, Trained]:
    """Return the models of each trial, for each half and for the whole, and the counts on what the halves have not seen."""
    models: dict[str, list[Model]] = {name: [] for name in wanted}
    counts: dict[str, dict[str, list[np.ndarray]]] = {
        name: {judged: [] for judged in (*trial.sets, HIDDEN)} for name, trial in wanted.items()
    }
    for number, half in enumerate(halvings(given, splits), 1):
        print(f"half {number} of {2 * splits}: {len(wanted)} models", file=sys.stderr)
        for name, trial in wanted.items():
            models[name].append(trial.fitted(half.parts))
            for judged, found in counts[name].items():
                found.append(counts_on_grid(given, judged, half, models[name][-1]))
    whole = parts_of(given, {name: everyone(data) for name, data in given.sets.items()})
    return {
        name: Trained(
            models[name],
            trial.fitted(whole),
            {judged: np.array(found) for judged, found in counts[name].items()},
        )
        for name, trial in wanted.items()
    }


def seeds_margin(model: Model) -> float:
    """Return by how much (log-odds) the least alike of the seeds that are one story lie above the most alike that are not."""
    evidence, same = seeds()
    odds = evidence @ model[0]
    return float(odds[same].min() - odds[~same].max())


@cache
def seeds() -> tuple[np.ndarray, np.ndarray]:
    """Return (evidence, whether they are one story) of all pairs of seeds."""
    records = comparison.records("seeds")
    _, sketches = sketch_batches(to_batches(records), Settings(), None)
    left, right = np.triu_indices(len(records), 1)
    told = np.array([record["id"] in RETOLD for record in records])
    return compute_evidence(sketches, left, right), told[left] & told[right]


def print_evidence(found: dict[str, Trained]) -> None:
    """Print the scores with each piece of evidence left out."""
    full = found["nothing"]
    halves = range(len(full.halves))
    print(f"{'left out':18}{'best':>7}{'at rule':>9}{'worse in':>10}{'hidden':>8}", end="")
    print(f"{'russian':>9}{'graded':>8}{'seeds':>7}")
    for name, lot in found.items():
        worse = sum(lot.at_rule(half) < full.at_rule(half) for half in halves)
        hidden = f1_of(lot.counts[HIDDEN].sum(axis=0))[lot.rule]
        odds = {graded: comparison.graded_evidence(graded) @ lot.whole[0] for graded in ("russian", "graded")}
        print(
            f"{name:18}{lot.mean().max():7.4f}{lot.at_rule():9.4f}{worse:6} of {len(halves)}{hidden:8.3f}"
            f"{comparison.russian_f1(odds['russian']):9.3f}{comparison.graded_r(odds['graded']):8.3f}"
            f"{seeds_margin(lot.whole):7.2f}"
        )


def print_sets(given: Material, full: Trained, without: dict[str, Trained]) -> None:
    """Print F1 and B³ of each story set by models that have seen all of it, half of it, nothing of it."""
    best = full.rule
    print(f"\n{'set':12}{'shipped: F1':>12}{'B³':>7}{'half unseen: F1':>17}{'left out: F1':>14}{'B³':>7}")
    rows = []
    for name, lot in without.items():
        half = float(f1_of(full.counts[name].sum(axis=0))[best])
        own = scores(given, name, make_match_params(Settings()))
        rows.append((*own, half, *scores(given, name, rules_with(lot.whole, float(GRID[lot.rule])))))
        print_set(name, rows[-1])
    print_set("mean", tuple(np.mean(rows, axis=0)))


def print_set(name: str, row: tuple[float, ...]) -> None:
    """Print a line of the table of sets."""
    print(f"{name:12}{row[0]:12.3f}{row[1]:7.3f}{row[2]:17.3f}{row[3]:14.3f}{row[4]:7.3f}")


def scores(given: Material, name: str, rules: MatchParams) -> tuple[float, float]:
    """Return (pairwise F1, B³ F1) of a set, clustered whole."""
    data = given.sets[name]
    labels = data.stories.tolist(), clustered(data, rules).tolist(), data.sagas.tolist()
    return score_pairwise(*labels).f1, score_b_cubed(*labels).f1


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--splits", type=int, default=SPLITS, help=f"ways to halve the sets ({SPLITS})")
    splits = parser.parse_args().splits
    given, wanted = material(), trials()
    without = {name: Trial(parts=tuple(part for part in PARTS if part != name)) for name in STORY_SETS}
    found = trained(given, wanted | without, splits)
    full = found["nothing"]
    print_evidence({name: found[name] for name in wanted})
    print_sets(given, full, {name: found[name] for name in without})
    threshold = float(GRID[full.rule])
    halves = zip(halvings(given, splits), full.halves, strict=True)
    print_reliability(unseen(given, halves, threshold))


if __name__ == "__main__":
    main()
