"""Compare `dedup` with other tools on the labelled sets: `python -m benchmarks.quality --peers`.

A MinHash tool runs at two fixed thresholds, datatrove in its default configuration. Vectors are clustered in each of
`ARRANGEMENTS`, with one threshold for all sets: the one with the best mean pairwise F1 over the four story sets. It is chosen
with the labels, so the row is the most that such vectors reach. `dedup` runs with its defaults, but its story model was fitted
on the same four sets.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np

from benchmarks import data, peers
from dedup import Result, Settings
from dedup.evaluation.metrics import Agreement, score_b_cubed, score_pairwise
from dedup.io.articles import to_batches
from dedup.matching.evidence import compute_evidence
from dedup.matching.match_params import get_level_threshold, make_match_params
from dedup.matching.models import choose_level_model
from dedup.pipeline.deduplicate import sketch_batches

Clusters = Callable[[str], np.ndarray]
"""A function that takes the name of a set and returns the cluster of each article, in the order of the set."""
Scores = Callable[[str], np.ndarray]
"""A function that takes the name of a set with graded pairs and returns the similarity of each pair."""

MINHASH_THRESHOLDS = (0.5, 0.8)
GRID = np.arange(5, 96) / 100
WINDOW = Settings().window_days
ARRANGEMENTS = (("single",), np.inf), (("single",), WINDOW), (("average", "complete"), WINDOW)
"""How vectors are clustered: the linkages to choose from in hindsight, and the days apart that rule a pair out."""


class Contender(NamedTuple):
    """One row of the table."""

    name: str
    clusters: Clusters
    scores: Scores | None = None


class Figures(NamedTuple):
    """What is printed of a contender."""

    stories: list[tuple[Agreement, Agreement]]
    """Of each story set: pairwise, B³."""
    trapped: float
    wire: list[float]
    russian: float
    graded: float
    seeds: bool


@cache
def records(name: str) -> list[dict[str, Any]]:
    """Return the records of a set; of one with graded pairs only those that are in its pairs; the seeds as a set."""
    if name == "seeds":
        files = sorted(data.path_of(name).glob("*.txt"))
        return [{"id": file.name[:3], "text": file.read_text("utf-8")} for file in files]
    if name not in ("russian", "graded"):
        return data.lines(name)
    named = {pair[side] for pair in graded_pairs(name) for side in "ab"}
    return [record for record in data.lines(name) if record["id"] in named]


@cache
def articles(name: str) -> list[peers.Article]:
    """Return the articles of a set as the peers take them."""
    return [peers.article(record) for record in records(name)]


def graded_pairs(name: str) -> list[dict[str, Any]]:
    """Return the pairs of `russian`, or the English ones of `graded`."""
    return [
        pair for pair in data.pairs(name) if name == "russian" or pair["lang_a"] == pair["lang_b"] == "en"
    ]


def sides(name: str, pairs: list[dict[str, Any]]) -> tuple[np.ndarray, np.ndarray]:
    """Return where the two articles of each pair stand in their set."""
    place = {record["id"]: k for k, record in enumerate(records(name))}
    return np.array([place[pair["a"]] for pair in pairs]), np.array([place[pair["b"]] for pair in pairs])


def agreement(name: str, clusters: np.ndarray) -> tuple[Agreement, Agreement]:
    """Return pairwise and B³ agreement with the stories, without the pairs that a saga leaves open."""
    stories = [record["story"] for record in records(name)]
    sagas = [record.get("saga", record["story"]) for record in records(name)]
    return score_pairwise(stories, clusters.tolist(), sagas), score_b_cubed(stories, clusters.tolist(), sagas)


def contenders(own: Callable[[str], Result]) -> Iterator[Contender]:
    """Yield the peers, then `dedup`, whose result for a set `own` returns."""
    for peer in (peers.datasketch, peers.rensa):
        for threshold in MINHASH_THRESHOLDS:
            yield Contender(
                f"{peer.__name__} ≥ .{threshold * 10:.0f}", partial(by_threshold, peer, threshold)
            )
    yield Contender("datatrove", lambda name: peers.datatrove(articles(name)))
    for embed, title in ((peers.tfidf, "TF-IDF"), (peers.minilm, "MiniLM")):
        vectors = cache(partial(of_set, embed))
        for linkages, window in ARRANGEMENTS:
            way = in_hindsight(vectors, linkages, window)
            yield Contender(f"{title} {spoken(way)}", partial(by_way, vectors, way), partial(alike, vectors))
    yield Contender("dedup", lambda name: own(name).assignments.leaders, log_odds)


def spoken(way: peers.Way) -> str:
    """Return a way in a few characters.

    >>> spoken(peers.Way("average", 5.0, 0.62))
    'average ≥ .62, 5 days'
    """
    linkage = "" if way.linkage == "single" else f"{way.linkage} "
    window = "" if way.window == np.inf else f", {way.window:.0f} days"
    return f"{linkage}≥ {f'{way.threshold:.2f}'.removeprefix('0')}{window}"


def by_threshold(
    peer: Callable[[list[peers.Article], float], np.ndarray], threshold: float, name: str
) -> np.ndarray:
    """Return the clusters that a peer finds in a set at a threshold."""
    return peer(articles(name), threshold)


def of_set(embed: Callable[[list[peers.Article]], peers.Vectors], name: str) -> peers.Vectors:
    """Return the vectors of a set."""
    return embed(articles(name))


def days(name: str) -> np.ndarray:
    """Return the days of the articles of a set."""
    return np.array([article.day for article in articles(name)])


def by_way(vectors: Callable[[str], peers.Vectors], way: peers.Way, name: str) -> np.ndarray:
    """Return the clusters of a set's vectors."""
    return peers.clusters(vectors(name), days(name), way)


def alike(vectors: Callable[[str], peers.Vectors], name: str) -> np.ndarray:
    """Return the cosines of the graded pairs of a set."""
    return peers.cosines(vectors(name), *sides(name, graded_pairs(name)))


def log_odds(name: str) -> np.ndarray:
    """Return for the graded pairs of a set how far they lie above the threshold, with the default settings."""
    return above_threshold(graded_evidence(name))


def above_threshold(evidence: np.ndarray) -> np.ndarray:
    """Return how far (log-odds) pairs with some evidence lie above the storyline model's threshold."""
    settings = Settings(level="storyline")
    return choose_level_model(settings).compute_log_odds(evidence) - get_level_threshold(
        make_match_params(settings)
    )


@cache
def graded_evidence(name: str) -> np.ndarray:
    """Return the evidence for the graded pairs of a set, with the default settings."""
    _, sketches = sketch_batches(to_batches(records(name)), Settings(), None)
    return compute_evidence(sketches, *sides(name, graded_pairs(name)))


def in_hindsight(
    vectors: Callable[[str], peers.Vectors], linkages: Iterable[str], window: float
) -> peers.Way:
    """Return the way with the best mean pairwise F1 over the story sets."""
    best, reached = peers.Way("", window, 1.0), -1.0
    for linkage in linkages:
        joins = {name: peers.tree(vectors(name), days(name), linkage, window) for name in data.STORY_SETS}
        for threshold in GRID.tolist():
            found = {name: peers.cut(joins[name], threshold) for name in data.STORY_SETS}
            f1 = float(np.mean([agreement(name, clusters)[0].f1 for name, clusters in found.items()]))
            if f1 > reached:
                best, reached = peers.Way(linkage, window, threshold), f1
    return best


def figures(contender: Contender) -> Figures:
    """Return all that is printed of a contender."""
    clusters, scores = contender.clusters, contender.scores
    wire, paywall = data.pairs("wire"), data.pairs("paywall")
    copies, jaccard = together("wire", clusters, wire), np.array([pair["jaccard3"] for pair in wire])
    seeds = dict(zip([record["id"] for record in records("seeds")], clusters("seeds").tolist(), strict=True))
    return Figures(
        stories=[agreement(name, clusters(name)) for name in data.STORY_SETS],
        trapped=float(together("paywall", clusters, paywall).mean()),
        wire=[float(copies[jaccard >= least].mean()) for least in (0.8, 0.5, 0.3)],
        russian=russian_f1(scores("russian")) if scores else np.nan,
        graded=graded_r(scores("graded")) if scores else np.nan,
        seeds=seeds_right(seeds),
    )


def seeds_right(clusters: dict[str, int]) -> bool:
    """Return whether the seeds that tell one story, and no others, share a cluster; seeds go by the heads of their names."""
    told = [
        {name for name, other in clusters.items() if other == number} for number in set(clusters.values())
    ]
    return [group for group in told if len(group) > 1] == [data.RETOLD]


def together(name: str, clusters: Clusters, pairs: list[dict[str, Any]]) -> np.ndarray:
    """Return for each labelled pair of a set whether it ended in one cluster."""
    found, (left, right) = clusters(name), sides(name, pairs)
    return found[left] == found[right]


def russian_f1(scores: np.ndarray) -> float:
    """Return the best F1 that scores of the pairs of `russian` allow."""
    return best_f1(scores, same_in_russian())


def same_in_russian() -> np.ndarray:
    """Return for each pair of `russian` whether it is one story."""
    return np.array([pair["same_story"] for pair in graded_pairs("russian")])


def graded_r(scores: np.ndarray) -> float:
    """Return Pearson's r of scores of the English pairs of `graded` with their similarity (there 1 is most similar)."""
    unlike = np.array([pair["similarity"] for pair in graded_pairs("graded")])
    return float(np.corrcoef(scores, -unlike)[0, 1])


def best_f1(scores: np.ndarray, same: np.ndarray) -> float:
    """Return the F1 of "alike is the same story" at the threshold where it is best.

    >>> best_f1(np.array([0.9, 0.8, 0.1]), np.array([True, False, True]))
    0.8
    """
    return max(f1_of(scores >= least, same) for least in np.unique(scores))


def f1_of(claimed: np.ndarray, same: np.ndarray) -> float:
    """Return the F1 of pairs that are claimed to be one story."""
    return float(2 * (claimed & same).sum() / (claimed.sum() + same.sum()))


def compare(own: Callable[[str], Result]) -> None:
    """Print the table of the peers and, in its last row, `dedup`, whose result for a set `own` returns."""
    rows = {contender.name: figures(contender) for contender in contenders(own)}
    wide = max(map(len, rows))
    print("\nthe same articles, other tools; a threshold with two decimals is the best in hindsight\n")
    print(" " * wide + "".join(f"  {name:<20}" for name in data.STORY_SETS) + "  mean")
    print(" " * wide + f"  {'   P    R   F1   B³':20}" * len(data.STORY_SETS) + "    F1    B³")
    for name, row in rows.items():
        cells = [f"{p.precision:5.2f}{p.recall:5.2f}{p.f1:5.2f}{b.f1:5.2f}" for p, b in row.stories]
        f1, b3 = (np.mean([both[k].f1 for both in row.stories]) for k in (0, 1))
        print(f"{name:{wide}}  {'  '.join(cells)}  {f1:.3f} {b3:.3f}")
    print(f"\n{'':{wide}}  paywall  wire, J ≥ .8    .5    .3  russian F1  graded r  seeds")
    for name, row in rows.items():
        wire = "".join(f"{share:6.3f}" for share in row.wire)
        seeds = "right" if row.seeds else "wrong"
        scores = f"{row.russian:10.3f}  {row.graded:8.3f}".replace("nan", "  –")
        print(f"{name:{wide}}  {row.trapped:7.3f}      {wire}  {scores}  {seeds}")
