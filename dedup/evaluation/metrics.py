"""Score clusters against labels: pairwise precision, recall and F1, B³, adjusted Rand index and V-measure.

Each article has a cluster, and may have a label and an open group. Two articles of one open group but with
different labels are not scored as a pair. B³ averages the precision and recall of each article (Bagga and
Baldwin, "Algorithms for Scoring Coreference Chains", 1998). Both scores are computed from counts of articles
with the same (cluster, label, group), without listing pairs, so a large corpus takes one pass. The adjusted
Rand index (Hubert and Arabie 1985) and the V-measure (Rosenberg and Hirschberg 2007) are those of
scikit-learn; they ignore open groups. If only pairs are labelled, only those pairs are scored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from dedup.errors import InputError
from dedup.evaluation.pair_labels import LabelledPairs
from dedup.io.records import Record, to_json_line
from dedup.pipeline.results import Result
from dedup.settings.settings import RELATIONS

__all__ = [
    "Agreement",
    "Evaluation",
    "PairEvaluation",
    "RelationVerdicts",
    "compare_labels",
    "evaluate",
    "evaluate_pairs",
    "find_failed_floors",
    "read_label_fields",
    "score_b_cubed",
    "score_pairwise",
]

Labels = Sequence[Hashable]


@dataclass(frozen=True, slots=True)
class Agreement:
    """The agreement of a clustering with the labels; each value is in [0, 1]."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class RelationVerdicts:
    """The drops of one relation, compared with the labels of the dropped and kept articles."""

    dropped: int
    right: int
    """Both articles have the same label."""
    wrong: int
    """The articles have different labels."""
    open: int
    """The pair is open, or an article has no label."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The scores of a result, with the counts behind them."""

    pairwise: Agreement
    b_cubed: Agreement
    articles: int
    """Articles with a label; the scores ignore the others."""
    unlabelled: int
    stories: int
    """Distinct labels."""
    clusters: int
    """Clusters among the labelled articles, including those of one article."""
    relations: dict[str, RelationVerdicts]
    adjusted_rand: float
    """In [-.5, 1]; 0 is the value of a random clustering."""
    v_measure: float


@dataclass(frozen=True, slots=True)
class PairEvaluation:
    """The scores of a result on labelled pairs."""

    pairwise: Agreement
    pairs: int
    """Labelled pairs that are scored."""
    same: int
    """Pairs that belong together at the scored level."""
    open: int
    """Pairs whose label leaves them open at this level."""
    unknown: int
    """Pairs with an article that is not in the corpus."""
    relations: dict[str, RelationVerdicts]


def evaluate(result: Result, labels: Labels, open_groups: Labels | None = None) -> Evaluation:
    """Return the scores of a result against labels, one for each article in input order.

    Articles with the label None are not scored. Two articles with the same value in `open_groups` but
    different labels are not scored as a pair. Raise `InputError` if the number of labels is not the number of
    articles.
    """
    leaders = result.assignments.leaders.tolist()
    open_groups = [None] * len(leaders) if open_groups is None else open_groups
    if not len(labels) == len(open_groups) == len(leaders):
        raise InputError(f"there are {len(leaders)} articles, but {len(labels)} labels")
    labelled = [a for a, label in enumerate(labels) if label is not None]
    stories, clusters, sagas = ([column[a] for a in labelled] for column in (labels, leaders, open_groups))
    return Evaluation(
        pairwise=score_pairwise(stories, clusters, sagas),
        b_cubed=score_b_cubed(stories, clusters, sagas),
        articles=len(labelled),
        unlabelled=len(labels) - len(labelled),
        stories=len(set(stories)),
        clusters=len(set(clusters)),
        relations=count_verdicts(result, lambda a, b: compare_labels(labels, open_groups, a, b)),
        adjusted_rand=compute_adjusted_rand(stories, clusters),
        v_measure=compute_v_measure(stories, clusters),
    )


def evaluate_pairs(result: Result, labelled: LabelledPairs) -> PairEvaluation:
    """Return the scores of a result on labelled pairs; all other pairs are open."""
    leaders, true = result.assignments.leaders, int(labelled.together.sum())
    joined = leaders[labelled.left] == leaders[labelled.right]
    pairs_ = zip(labelled.left.tolist(), labelled.right.tolist(), labelled.together.tolist(), strict=True)
    labels_by_pair = {frozenset((a, b)): together for a, b, together in pairs_}
    return PairEvaluation(
        pairwise=compute_agreement(int((joined & labelled.together).sum()), int(joined.sum()), true),
        pairs=len(labelled.together),
        same=true,
        open=labelled.open,
        unknown=labelled.unknown,
        relations=count_verdicts(result, lambda a, b: labels_by_pair.get(frozenset((a, b)))),
    )


def compute_agreement(both: float, claimed: float, true: float) -> Agreement:
    """Return precision, recall and F1 from counts of pairs.

    `both` counts pairs that are claimed and true. Precision is 1 if nothing is claimed, recall is 1 if
    nothing is true.
    """
    return Agreement(
        precision=both / claimed if claimed else 1.0,
        recall=both / true if true else 1.0,
        f1=2 * both / (claimed + true) if claimed + true else 1.0,
    )


def compute_adjusted_rand(labels: Labels, clusters: Labels) -> float:
    """Return the adjusted Rand index.

    >>> compute_adjusted_rand(["a", "a", "b"], [1, 1, 2])
    1.0
    """
    from sklearn.metrics import adjusted_rand_score

    return float(adjusted_rand_score(encode_labels(labels), encode_labels(clusters)))


def compute_v_measure(labels: Labels, clusters: Labels) -> float:
    """Return the V-measure: the harmonic mean of homogeneity and completeness.

    >>> compute_v_measure(["a", "a", "b"], [1, 1, 2])
    1.0
    """
    from sklearn.metrics import v_measure_score

    return float(v_measure_score(encode_labels(labels), encode_labels(clusters)))


def encode_labels(labels: Labels) -> list[int]:
    """Return labels as integers, the same for equal labels."""
    numbers: dict[Hashable, int] = {}
    return [numbers.setdefault(label, len(numbers)) for label in labels]


def score_pairwise(labels: Labels, clusters: Labels, open_groups: Labels | None = None) -> Agreement:
    """Return the agreement of the pairs within clusters with the pairs within stories.

    Precision is 1 if no articles are clustered, recall is 1 if no story has two articles.

    >>> score_pairwise(["a", "a", "b"], [1, 1, 1])
    Agreement(precision=0.3333333333333333, recall=1.0, f1=0.5)
    """
    open_groups = [None] * len(labels) if open_groups is None else open_groups
    both = count_pairs(Counter(zip(clusters, labels, strict=True)).values())
    claimed = count_pairs(Counter(clusters).values()) - count_open_pairs(labels, clusters, open_groups)
    true = count_pairs(Counter(labels).values())
    return compute_agreement(both, claimed, true)


def score_b_cubed(labels: Labels, clusters: Labels, open_groups: Labels | None = None) -> Agreement:
    """Return B³: the mean precision and recall of the articles, and their harmonic mean.

    The precision of an article is the share of its own story in its cluster, without the articles that are
    open to it. Its recall is the share of its story that is in its cluster. Each article counts itself.
    Without articles, all values are 1.

    >>> score_b_cubed(["a", "a", "b"], [1, 1, 1])
    Agreement(precision=0.5555555555555555, recall=1.0, f1=0.7142857142857143)
    """
    open_groups = [None] * len(labels) if open_groups is None else open_groups
    triples = Counter(zip(clusters, labels, open_groups, strict=True))
    both, size, story = Counter(zip(clusters, labels, strict=True)), Counter(clusters), Counter(labels)
    saga = Counter(zip(clusters, open_groups, strict=True))
    precision = recall = 0.0
    for (c, s, o), count in triples.items():
        left_out = 0 if o is None else saga[c, o] - count
        precision += count * both[c, s] / (size[c] - left_out)
        recall += count * both[c, s] / story[s]
    articles = len(labels)
    if not articles:
        return Agreement(1.0, 1.0, 1.0)
    precision, recall = precision / articles, recall / articles
    return Agreement(precision, recall, 2 * precision * recall / (precision + recall))


def find_failed_floors(scores: Evaluation | PairEvaluation, floors: Mapping[str, float]) -> list[str]:
    """Return a sentence for each score below its floor; names of B³ scores start with "b3_".

    Raise `InputError` for a score that labelled pairs do not have.
    """
    values = asdict(scores.pairwise)
    if isinstance(scores, Evaluation):
        values |= {f"b3_{name}": value for name, value in asdict(scores.b_cubed).items()}
        values |= {"ari": scores.adjusted_rand, "v_measure": scores.v_measure}
    missing = [name for name in floors if name not in values]
    if missing:
        raise InputError(
            f"{missing[0]} cannot be computed from labelled pairs; use a floor for f1, precision or recall"
        )
    return [
        f"{name} is {values[name]:.4f}, below its floor of {floor}"
        for name, floor in floors.items()
        if values[name] < floor
    ]


def read_label_fields(records: Iterable[Record], *names: str) -> list[list[Hashable]]:
    """Return the labels in each of the named fields of the records, None where a record has none.

    Raise `InputError` if no record has the field.
    """
    columns: list[list[Hashable]] = [[] for _ in names]
    for record in records:
        fields = record.to_dict()
        for column, name in zip(columns, names, strict=True):
            column.append(parse_field_label(fields.get(name)))
    for column, name in zip(columns, names, strict=True):
        if all(value is None for value in column):
            raise InputError(f"no article has a label in the field {name!r}")
    return columns


def parse_field_label(value: Any) -> Hashable:
    """Return a value of a record as a label: None for null, NaN and blank text; JSON for nested values."""
    missing = value is None or value != value or (isinstance(value, str) and not value.strip())  # noqa: PLR0124 - NaN
    if missing:
        return None
    return value if isinstance(value, str) else to_json_line(value)


def count_pairs(sizes: Iterable[int]) -> int:
    """Return the number of pairs within groups of these sizes."""
    return sum(n * (n - 1) // 2 for n in sizes)


def count_open_pairs(labels: Labels, clusters: Labels, open_groups: Labels) -> int:
    """Return the number of pairs within clusters that share an open group but not their label."""
    triples = [(c, o, s) for c, o, s in zip(clusters, open_groups, labels, strict=True) if o is not None]
    return count_pairs(Counter((c, o) for c, o, _ in triples).values()) - count_pairs(
        Counter(triples).values()
    )


def count_verdicts(
    result: Result, are_together: Callable[[int, int], bool | None]
) -> dict[str, RelationVerdicts]:
    """Return, for each relation, how many drops are right, wrong or open by the labels of the dropped and the kept article."""
    assignments = result.assignments
    counts: dict[str, Counter[bool | None]] = {name: Counter() for name in RELATIONS}
    for a in np.flatnonzero(assignments.relations >= 0).tolist():
        counts[RELATIONS[assignments.relations[a]]][are_together(a, int(assignments.leaders[a]))] += 1
    return {
        name: RelationVerdicts(count.total(), right=count[True], wrong=count[False], open=count[None])
        for name, count in counts.items()
    }


def compare_labels(labels: Labels, open_groups: Labels, a: int, b: int) -> bool | None:
    """Return whether two articles belong together; None if one has no label, or if the pair is open."""
    if labels[a] is None or labels[b] is None:
        return None
    if labels[a] == labels[b]:
        return True
    return None if open_groups[a] is not None and open_groups[a] == open_groups[b] else False
