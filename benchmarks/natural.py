"""Score runs over whole corpora of natural news by pairs that were judged one by one.

The runs have default settings, and the judged pairs of the data folder have weights by stratum. The result is tables, and the
figures of the levels story and storyline. Corpora of picked stories have hardly any chapters, so they cannot tell a rewrite
from a follow-up; these corpora can (docs/decisions/0009-levels.md).
"""

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from benchmarks import data
from benchmarks.fit_story import OUT
from dedup import Result, Settings, deduplicate
from dedup.settings.settings import LEVELS

WEIGHED = ("background", "paywall", "incidents", "vietnamese")
"""The corpora whose judged pairs stand for all candidate pairs."""
PINNED = ("background", "paywall")
SAGAS = "sagas"
Clusterer = Callable[[str, str], Result]
"""Takes the name of a set and a level."""


class Share(NamedTuple):
    """What a run does to the judged pairs of a corpus, weighted to the whole of it."""

    dropped: int
    """Articles dropped by a model, not as copies."""
    pairs: int
    """Judged pairs that it joins."""
    same: float
    """Of what is joined, one story."""
    storyline: float
    """Of what is joined, one story or a follow-up."""
    recall: float
    """Of the pairs of one story, joined."""


def judged_rows(name: str) -> list[dict[str, Any]]:
    """Return the judged pairs of a set."""
    return [row for row in data.pairs("judged") if row["set"] == name]


def find_joined(result: Result, pairs: list[dict[str, Any]]) -> np.ndarray:
    """Return for each pair whether it ended in one cluster."""
    place = {name: a for a, name in enumerate(result.ids)}
    leaders = result.assignments.leaders
    return np.array([leaders[place[pair["a"]]] == leaders[place[pair["b"]]] for pair in pairs], np.bool_)


def weigh_judged(result: Result, pairs: list[dict[str, Any]]) -> Share:
    """Return the shares of a run over a corpus whose judged pairs have weights."""
    pairs = [pair for pair in pairs if pair.get("weight")]
    joined = find_joined(result, pairs)
    weight = np.array([pair["weight"] for pair in pairs])
    same = np.array([pair["label"] == "same" for pair in pairs])
    storyline = np.array([pair["label"] != "different" for pair in pairs])

    def share(part: np.ndarray, whole: np.ndarray) -> float:
        return float((weight * (part & whole)).sum() / max(float(weight[whole].sum()), 1e-9))

    return Share(
        count_modelled(result),
        int(joined.sum()),
        share(same, joined),
        share(storyline, joined),
        share(joined, same),
    )


def count_modelled(result: Result) -> int:
    """Return how many articles a model drops: rewrites, and follow-ups where they join."""
    return sum(match.relation in {"rewrite", "followup"} for match in result.dropped)


def natural_figures(cluster: Clusterer) -> dict[str, float]:
    """Print what runs join of natural news; return the figures that have floors."""
    figures: dict[str, float] = {}
    print(
        f"{'natural news, by judged pairs':30} {'level':9} {'dropped':>7} {'joined':>6} "
        f"{'same':>6} {'storyline':>9} {'recall':>6}"
    )
    for name in WEIGHED:
        for level in ("story", "storyline"):
            found = weigh_judged(cluster(name, level), judged_rows(name))
            print(
                f"{name:30} {level:9} {found.dropped:7} {found.pairs:6} "
                f"{found.same:6.3f} {found.storyline:9.3f} {found.recall:6.3f}"
            )
            if name not in PINNED:
                continue
            if level == "story":
                figures[f"{name}, story: joined, one story"] = found.same
                figures[f"{name}, story: one story, joined"] = found.recall
            else:
                figures[f"{name}, storyline: joined, one storyline"] = found.storyline
    return figures | wire_figures(cluster) | flashes_figure(cluster) | saga_figure() | calibration_figure()


def wire_figures(cluster: Clusterer) -> dict[str, float]:
    """Return what a run keeps of an archive without dates: articles, and judged follow-ups."""
    result, pairs = cluster("wire", "story"), judged_rows("wire")
    dropped = count_modelled(result)
    followups = [pair for pair in pairs if pair["label"] == "followup"]
    joined = int(find_joined(result, followups).sum())
    kept = f"{joined} of {len(followups)} judged follow-ups joined"
    print(f"wire, no dates: {dropped} of {len(result.ids)} dropped as rewrites, {kept}")
    return {
        "wire, not dropped as rewrites": 1 - dropped / len(result.ids),
        "wire, judged follow-ups kept apart": 1 - joined / len(followups),
    }


def flashes_figure(cluster: Clusterer) -> dict[str, float]:
    """Return the share of judged pairs of one-line reports that are joined at no level."""
    pairs = judged_rows("flashes")
    joined = np.zeros(len(pairs), np.bool_)
    for level in LEVELS:
        joined |= find_joined(cluster("flashes", level), pairs)
    print(f"flashes: {int(joined.sum())} of {len(pairs)} judged pairs are joined at any level")
    return {"flashes, judged pairs kept apart": 1 - float(joined.mean())}


def saga_figure() -> dict[str, float]:
    """Return the least share of different-story pairs kept apart, of seven languages, each run alone, dated."""
    shares = dict(saga_shares())
    print(
        "sagas, different-story pairs joined: "
        + ", ".join(f"{name} {1 - kept:.2%}" for name, kept in shares.items())
    )
    return {"sagas, dated, chapters kept apart": min(shares.values())}


def saga_shares() -> Iterator[tuple[str, float]]:
    """Yield (language, share of its different-story pairs that stay apart)."""
    articles = data.lines(SAGAS)
    pairs = [pair for pair in data.pairs(SAGAS) if not pair["same_story"]]
    for language in sorted({article["language"] for article in articles}):
        own = [article for article in articles if article["language"] == language]
        ids = {article["id"] for article in own}
        chosen = [pair for pair in pairs if pair["a"] in ids and pair["b"] in ids]
        yield language, 1 - float(find_joined(deduplicate(own, Settings()), chosen).mean())


def calibration_figure() -> dict[str, float]:
    """Return 1 - the calibration error of the story model on judged pairs that it has not seen, as the fit wrote it down."""
    errors = json.loads(OUT.read_text("utf-8"))["calibration_error"]
    print(f"story model, calibration error on unseen pairs of natural news: {errors}")
    return {"story model, 1 - calibration error": 1 - errors["by pair"]}
