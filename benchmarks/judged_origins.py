"""Measure origins on judged stories, and fit the model of weak merges: `python -m benchmarks.judged_origins [--fit]`.

`benchmarks/judged/origins.jsonl` says which articles of 200 stories have one origin, by a reader who saw no answer of the
program. The stories are traced as they were judged, without a run, so the clusters of a run make no difference.

The model is a logistic regression over the pairs that no certain evidence joins (`dedup.origins.shared_origin`). All figures
of weak merges are held out: each story is traced by a model fitted to the stories of the other folds. `--fit` writes the model
fitted to all stories.

Credits are those of the passages that the reader saw: the first 1,700 and the last 600 characters.
"""

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.linear_model import LogisticRegression

from benchmarks import data
from dedup.io.articles import to_batches
from dedup.origins.agency_table import load_aliases
from dedup.origins.attribution import find_attribution
from dedup.origins.independence import OriginMerge, find_merges, number_origins
from dedup.origins.publishers import load_default_groups
from dedup.origins.shared_origin import MAX_WORDING, OriginModel, SharedEvidence, find_shared_evidence
from dedup.origins.trace import OriginEdge, StoryArticle, find_parents, make_story_articles, sort_by_date
from dedup.settings.settings import Settings

JUDGED = Path(__file__).parent / "judged" / "origins.jsonl"
OUT = Path(__file__).parents[1] / "dedup" / "data" / "origins.json"
FOLDS = 20
"""A story is in the fold of its number."""
PENALTY = 10.0
"""Inverse strength of the penalty; from 1 to 100 the held-out log loss changes by less than .01."""
SHOWN_START, SHOWN_END = 1_700, 600
"""The characters of a long text that the reader saw."""
NO_WEAK_MERGES = OriginModel(0.0, 0.0, -50.0)
BINS = (0.0, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9, 1.0)
LEAST_PRECISION, LEAST_RECALL = 0.9, 0.85


class JudgedStory(NamedTuple):
    """A story with its articles, and the partition that the reader found."""

    articles: Sequence[StoryArticle]
    edges: Sequence[OriginEdge]
    groups: Mapping[str, int]
    """The origin of each article."""
    agencies: Mapping[str, frozenset[str]]
    """The agencies that the reader saw each article credit."""
    shown: Mapping[str, frozenset[str]]
    """The agencies that we find in the same passages."""

    def list_pairs(self) -> list[tuple[StoryArticle, StoryArticle]]:
        """Return the pairs of articles."""
        return list(combinations(self.articles, 2))

    def is_same(self, first: str, second: str) -> bool:
        """Return whether two articles have one origin by the reader."""
        return self.groups[first] == self.groups[second]


class WeakPairs(NamedTuple):
    """Pairs that no certain evidence joins; arrays of one length."""

    evidence: list[SharedEvidence]
    same: np.ndarray
    story: np.ndarray


def read_stories() -> list[JudgedStory]:
    """Return the judged stories."""
    judged = [json.loads(line) for line in JUDGED.read_text("utf-8").splitlines()]
    wanted = {(row["set"], name) for row in judged for group in row["groups"] for name in group}
    rows = {
        (name, row["id"]): row
        for name in sorted({row["set"] for row in judged})
        for row in data.lines(name)
        if (name, row["id"]) in wanted
    }
    return [
        make_story(row, [rows[row["set"], name] for group in row["groups"] for name in group])
        for row in judged
    ]


def make_story(judged: Mapping[str, Any], rows: Sequence[dict[str, Any]]) -> JudgedStory:
    """Return a judged story with its articles."""
    articles: list[StoryArticle] = []
    for batch in to_batches(rows):
        articles += make_story_articles(batch, batch["id"].to_pylist(), Settings(), load_default_groups())
    articles = sort_by_date(articles)
    return JudgedStory(
        articles,
        find_parents(articles, Settings()),
        {name: number for number, group in enumerate(judged["groups"]) for name in group},
        {row["id"]: normalize_agencies(judged["agencies"].get(row["id"], [])) for row in rows},
        {row["id"]: find_attribution(cut_text(row["text"]), row.get("source")).agencies for row in rows},
    )


def normalize_agencies(names: Iterable[str]) -> frozenset[str]:
    """Return the agencies of our table among these names."""
    return frozenset(load_aliases()[name] for name in names if name in load_aliases())


def cut_text(text: str) -> str:
    """Return the parts of a text that the reader saw."""
    is_short = len(text) <= SHOWN_START + SHOWN_END + 100
    return text if is_short else f"{text[:SHOWN_START]}\n   [...]\n{text[-SHOWN_END:]}"


def list_weak_pairs(stories: Sequence[JudgedStory]) -> WeakPairs:
    """Return the pairs that no certain evidence joins."""
    evidence, same, numbers = [], [], []
    for number, story in enumerate(stories):
        origins = number_articles(story, NO_WEAK_MERGES)
        for first, second in story.list_pairs():
            if origins[first.id] != origins[second.id]:
                evidence.append(find_shared_evidence(first, second))
                same.append(story.is_same(first.id, second.id))
                numbers.append(number)
    return WeakPairs(evidence, np.array(same), np.array(numbers))


def number_articles(story: JudgedStory, model: OriginModel) -> dict[str, int]:
    """Return the number of the origin of each article."""
    numbers = number_origins(story.articles, find_merges(story.articles, story.edges, model))
    return {article.id: number for article, number in zip(story.articles, numbers, strict=True)}


def fit_model(pairs: WeakPairs, is_used: np.ndarray) -> OriginModel:
    """Return the model fitted to the pairs of a mask."""
    columns = np.array(
        [(min(each.wording, MAX_WORDING) / MAX_WORDING, bool(each.sources)) for each in pairs.evidence]
    )
    fitted = LogisticRegression(C=PENALTY).fit(columns[is_used], pairs.same[is_used])
    wording, source = fitted.coef_[0]
    return OriginModel(
        round(float(wording / MAX_WORDING), 2), round(float(source), 2), round(float(fitted.intercept_[0]), 2)
    )


def print_weak_pairs(pairs: WeakPairs, models: Sequence[OriginModel]) -> None:
    """Print how reliable the held-out probabilities are."""
    said = np.array(
        [
            models[story % FOLDS].estimate(each)
            for each, story in zip(pairs.evidence, pairs.story, strict=True)
        ]
    )
    likelihood = np.where(pairs.same, said, 1 - said)
    error = 0.0
    print(f"\n{'pairs that no certain evidence joins':44}{len(said):8,}")
    print(f"  {'said':14}{'pairs':>8}{'said':>8}{'same':>8}")
    for low, high in pairwise(BINS):
        inside = (said >= low) & ((said < high) | (high == BINS[-1]))
        if inside.any():
            error += inside.mean() * abs(said[inside].mean() - pairs.same[inside].mean())
            print(
                f"  {f'{low:.2f} to {high:.2f}':14}{inside.sum():8,}{said[inside].mean():8.2f}{pairs.same[inside].mean():8.2f}"
            )
    print(f"{'  log loss':44}{-np.log(likelihood.clip(1e-3)).mean():8.3f}")
    print(f"{'  calibration error':44}{error:8.3f}")


def print_merges(stories: Sequence[JudgedStory], models: Sequence[OriginModel]) -> None:
    """Print how many merges of each kind are right."""
    right: dict[str, Counter[bool]] = defaultdict(Counter)
    for number, story in enumerate(stories):
        for merge in find_merges(story.articles, story.edges, models[number % FOLDS]):
            right[name_kind(merge)][story.is_same(merge.first, merge.second)] += 1
    print(f"\n{'merges':44}{'all':>8}{'right':>8}")
    for kind, counts in sorted(right.items(), key=lambda item: -item[1].total()):
        print(f"  {kind:42}{counts.total():8,}{counts[True] / counts.total():8.2f}")


def name_kind(merge: OriginMerge) -> str:
    """Return the kind of a merge: its reason without names and figures."""
    kind = merge.because.partition(" of ")[0].partition(" (")[0]
    return kind if merge.probability is None else f"{kind.rstrip(' 0123456789%')}, with a probability"


def print_credits(stories: Sequence[JudgedStory]) -> None:
    """Print precision and recall of the credits that the reader saw."""
    pairs = [(story.shown[name], story.agencies[name]) for story in stories for name in story.groups]
    ours, theirs, both = (
        sum(len(found) for found, _ in pairs),
        sum(len(seen) for _, seen in pairs),
        sum(len(found & seen) for found, seen in pairs),
    )
    print(f"\n{'credits that the reader saw':44}{theirs:8,}")
    print(f"{'  precision':44}{both / ours:8.3f}\n{'  recall':44}{both / theirs:8.3f}")


def print_counts(stories: Sequence[JudgedStory], models: Sequence[OriginModel]) -> tuple[float, float]:
    """Print the counts of origins and the pairs; return precision and recall of the pairs."""
    exact = near = joined = same = both = 0
    for number, story in enumerate(stories):
        origins = number_articles(story, models[number % FOLDS])
        difference = abs(len(set(origins.values())) - len(set(story.groups.values())))
        exact, near = exact + (difference == 0), near + (difference <= 1)
        for first, second in story.list_pairs():
            ours, theirs = origins[first.id] == origins[second.id], story.is_same(first.id, second.id)
            joined, same, both = joined + ours, same + theirs, both + (ours and theirs)
    precision, recall = both / max(joined, 1), both / max(same, 1)
    print(f"{'stories':44}{len(stories):8,}")
    print(f"{'  origins counted right':44}{exact:8,}\n{'  within one':44}{near:8,}")
    print(
        f"{'pairs of one origin':44}{same:8,}\n{'  precision':44}{precision:8.3f}\n{'  recall':44}{recall:8.3f}"
    )
    return precision, recall


def main() -> int:
    """Print the tables; return 1 if pairs miss their aims."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fit", action="store_true", help="write the model fitted to all stories")
    options = parser.parse_args()
    stories = read_stories()
    pairs = list_weak_pairs(stories)
    models = [fit_model(pairs, pairs.story % FOLDS != fold) for fold in range(FOLDS)]
    precision, recall = print_counts(stories, models)
    print_merges(stories, models)
    print_weak_pairs(pairs, models)
    print_credits(stories)
    model = fit_model(pairs, np.ones(len(pairs.same), bool))
    print(f"\nfitted to all: {model}")
    if options.fit:
        OUT.write_text(json.dumps(asdict(model)) + "\n", "utf-8")
    return int(precision < LEAST_PRECISION or recall < LEAST_RECALL)


if __name__ == "__main__":
    sys.exit(main())
