"""Measure the share of matching pairs that are candidates: `python -m benchmarks.recall --data FOLDER`.

The input is every labelled set, with `background` mixed in. There are three tables. *By set:* the pairs that verification
accepts among all pairs within the date windows (brute force, no sampling), and how many of them the candidate stage finds if
every article is indexed; copies are all relations except `rewrite`. *By size:* the same among more articles, with the limits on
the work of a run. *By rule:* other numbers of salient terms, and of shared terms. All runs use one thread.
"""

import argparse
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from benchmarks import data
from benchmarks.scoring import DEFAULTS, f1_of, labelled, pair_counts
from dedup import Settings
from dedup.jit import jit
from dedup.matching.candidates import fill_candidates, fill_lookup_keys, make_lookup_scratch
from dedup.matching.classifier import FOLLOWUP, NO_RELATION, classify_pair
from dedup.matching.clustering import assign_leaders, is_date_ordered
from dedup.matching.inverted_index import insert_postings, make_index_for_articles
from dedup.matching.match_params import MatchParams, make_match_params
from dedup.matching.pair_workspace import load_article, make_pair_workspace
from dedup.pipeline.deduplicate import rank_articles
from dedup.sketches.sketch import Sketches, concat_sketches

SIZES = (1_000, 3_000, 10_000, 18_664)
"""Articles of a set and of `background` together; the last is all of `background`."""
SHARED, TERMS = (3, 4, 5, 6), (28, 32, 48, 64)
"""The rules that are compared."""
DOUBTFUL = ("russian", "graded")
"""Undated articles of a few sagas, in `graded` in ten languages. What matches here and does not come up is nearly all unlabelled
and mostly wrong by its openings (benchmarks/README.md): a floor would ask for false matches."""
MOST = Settings(salient_terms=max(TERMS))
UNBOUNDED = 2**31 - 1
MARKS = 1 << 16
"""Room for the marks of an article's shingles: most have under a thousand, so few share a mark."""
SEED = 1


class Matches(NamedTuple):
    """The pairs of a set that verification accepts."""

    pairs: np.ndarray
    """n × 2, int64: positions, the earlier in rank order first."""
    relations: np.ndarray
    """n, int8: what the second is to the first."""
    compared: int
    """How many pairs lie within the window of copies, or are undated."""


class Lookups(NamedTuple):
    """What comes up when articles are looked up in order, each among all before it."""

    found: np.ndarray
    """Whether each pair that was asked for came up."""
    counts: np.ndarray
    """Candidates of each article, in order; what is beyond `max_candidates` is not counted."""
    bounded: np.ndarray
    """Whether a bound on the work was reached, for each article in order."""


@cache
def matches_in(name: str) -> Matches:
    """Return the pairs of a set that verification accepts under the default settings, whether they come up or not."""
    s = labelled(name)
    return matches_of(s.sketches, order_of(s.articles, s.sketches), make_match_params(DEFAULTS))


def matches_of(sketches: Sketches, order: np.ndarray, rules: MatchParams) -> Matches:
    """Return all pairs that verification accepts, each article compared with all before it in `order`."""
    used, marks, relations = make_pair_workspace(), np.zeros(MARKS, np.int8), np.empty(len(order), np.int8)
    pairs, kinds, compared = [np.zeros((0, 2), np.int64)], [np.zeros(0, np.int8)], 0
    for rank, a in enumerate(order):
        compared += fill_relations(sketches, a, order[:rank], rules, used, marks, relations)
        matched = np.flatnonzero(relations[:rank] != NO_RELATION)
        pairs.append(np.stack([order[matched], np.full(len(matched), a)], axis=1))
        kinds.append(relations[matched])
    return Matches(np.concatenate(pairs), np.concatenate(kinds), compared)


def order_of(articles: pa.Table, sketches: Sketches) -> np.ndarray:
    """Return the positions of all articles in rank order."""
    return rank_articles(articles, sketches.lengths, np.full(len(articles), -1), DEFAULTS)


@jit
def fill_relations(s, a, others, rules, desk, marks, out):
    """Write the relation of article `a` to each of `others`, and return how many are near enough for a copy.

    What is too far apart for a rewrite, or no rewrite by its story, is judged again only if the shingles may allow a copy.
    """
    compared = 0
    load_article(s, a, desk)
    mine = s.shingles[s.shingle_offsets[a] : s.shingle_offsets[a + 1]]
    for shingle in mine:
        marks[np.int64(shingle) & (MARKS - 1)] = 1
    for k in range(len(others)):
        other, relation = others[k], NO_RELATION
        apart = abs(s.days[a] - s.days[other])  # NaN, and so in no comparison, where either is undated
        if not apart > rules.copy_window_days:
            compared += 1
            if not apart > rules.window_days:
                relation = relate(s, other, a, rules, False, desk)
            its = s.shingles[s.shingle_offsets[other] : s.shingle_offsets[other + 1]]
            if relation == NO_RELATION and may_be_copy(mine, its, marks, rules):
                relation = relate(s, other, a, rules, True, desk)
        out[k] = relation
    for shingle in mine:
        marks[np.int64(shingle) & (MARKS - 1)] = 0
    return compared


@jit
def relate(s, kept, other, rules, banded, desk):
    """Return the relation of the loaded article `other` to `kept`: of the text, a follow-up, or `NO_RELATION`."""
    relation, _, _, storyline = classify_pair(s, kept, other, rules, rules.storyline_threshold, banded, desk)
    if relation == NO_RELATION and storyline >= rules.storyline_threshold:
        return FOLLOWUP
    return relation


@jit
def may_be_copy(mine, its, marks, rules):
    """Return whether two texts may share enough for a copy, an excerpt or an extension: never false where they do.

    Each shingle of the one is marked, and two may have one mark: marks found are at least as many as shingles shared.
    """
    found = 0
    for shingle in its:
        found += marks[np.int64(shingle) & (MARKS - 1)]
    return found >= min(rules.copy_jaccard, rules.excerpt_containment) * min(len(mine), len(its))


def looked_up(sketches: Sketches, order: np.ndarray, pairs: np.ndarray, rules: MatchParams) -> Lookups:
    """Return what comes up when the articles in `order` are looked up and all indexed, and which of `pairs` do."""
    ranks = np.zeros(len(sketches.text_hashes), np.int64)
    ranks[order] = np.arange(len(order))
    wanted = order[np.sort(ranks[pairs], axis=1)]
    by_later = np.argsort(ranks[wanted[:, 1]], kind="stable")
    each = sketches.salient.shape[1] + sketches.bands.shape[1]
    index, scratch = make_index_for_articles(len(order), each), make_lookup_scratch(len(ranks), each)
    lookups = Lookups(np.zeros(len(pairs), bool), np.zeros(len(order), np.int64), np.zeros(len(order), bool))
    is_ordered = is_date_ordered(sketches.days[order])
    fill_lookups(sketches, order, rules, is_ordered, index, scratch, wanted[by_later], *lookups)
    return lookups._replace(found=lookups.found[np.argsort(by_later, kind="stable")])


@jit
def fill_lookups(sketches, order, rules, in_order, index, scratch, wanted, found, counts, bounded):
    """Fill the `Lookups` of articles in order, for pairs `wanted` (earlier, later; by later)."""
    next_pair = 0
    for rank in range(len(order)):
        a, m, reached = order[rank], 0, 0
        enough = sketches.lengths[a] >= rules.min_words
        if enough:
            terms, n = fill_lookup_keys(sketches, a, scratch.keys)
            m, _, reached = fill_candidates(
                index, sketches.days, terms, n, sketches.days[a], rules, in_order, scratch
            )
            insert_postings(index, scratch.keys, 0, n, a)
        counts[rank] = min(m, rules.max_candidates)
        bounded[rank] = reached or m > rules.max_candidates
        while next_pair < len(wanted) and wanted[next_pair, 1] == a:
            for k in range(counts[rank]):
                found[next_pair] |= scratch.candidates[k] == wanted[next_pair, 0]
            next_pair += 1


@cache
def found_in(name: str) -> np.ndarray:
    """Return which of the pairs of a set that match come up as candidates, no bounds on the work."""
    s = labelled(name)
    rules = make_match_params(DEFAULTS)._replace(max_candidates=UNBOUNDED, max_postings=UNBOUNDED)
    return looked_up(s.sketches, order_of(s.articles, s.sketches), matches_in(name).pairs, rules).found


def least_recall() -> float:
    """Return recall of what matches on the set where it is least, those of `DOUBTFUL` left out."""
    return min(float(found_in(name).mean()) for name in data.LABELLED_SETS if name not in DOUBTFUL)


def labelled_recall(name: str, pairs: list[dict[str, Any]]) -> float:
    """Return the share of labelled pairs of a set that come up."""
    s = labelled(name)
    place = {name: a for a, name in enumerate(s.articles["id"].to_pylist())}
    wanted = np.array([[place[p["a"]], place[p["b"]]] for p in pairs])
    order = order_of(s.articles, s.sketches)
    return float(looked_up(s.sketches, order, wanted, make_match_params(DEFAULTS)).found.mean())


def by_set() -> None:
    """Print recall on each set: of all pairs that match, of copies, of rewrites, of pairs with one label."""
    print(
        f"{'set':11}{'articles':>9}{'compared':>11}{'matches':>9}{'recall':>8}{'copies':>9}{'recall':>8}"
        f"{'rewrites':>10}{'recall':>8}{'one story':>11}{'recall':>8}"
    )
    for name in data.LABELLED_SETS:
        matches, stories = matches_in(name), labelled(name).stories
        rewrite = matches.relations == FOLLOWUP
        same = stories[matches.pairs[:, 0]] == stories[matches.pairs[:, 1]]
        parts = ((np.ones_like(same), 9), (~rewrite, 9), (rewrite, 10), (same, 11))
        print(
            f"{name:11}{len(stories):9}{matches.compared:11}"
            + "".join(f"{part.sum():{width}}{share(found_in(name)[part])}" for part, width in parts)
        )


def share(found: np.ndarray) -> str:
    """Return a share as the tables have it; a dash where there is nothing."""
    return f"{found.mean():8.4f}" if len(found) else f"{'–':>8}"


class Crowd(NamedTuple):
    """A set among articles of `background`."""

    sketches: Sketches
    order: np.ndarray
    own: np.ndarray
    """Whether each article in order is of the set; there its positions are the same as when it is alone."""


def crowd(name: str, size: int, settings: Settings) -> Crowd:
    """Return a set among so many of `background`, a seeded sample, that they are `size` articles together."""
    s, others = labelled(name, settings), labelled("background", settings)
    articles, sketches = (
        pa.concat_tables([s.articles, others.articles]),
        concat_sketches([s.sketches, others.sketches]),
    )
    own = len(s.stories)
    drawn = np.random.default_rng(SEED).permutation(len(others.stories))[: size - own]
    taken = np.arange(len(articles)) < own
    taken[own + drawn] = True
    order = order_of(articles, sketches)
    order = order[taken[order]]
    return Crowd(sketches, order, order < own)


def by_size() -> None:
    """Print recall of what matches in each set, and the work, among more and more articles."""
    print(f"\n{'set':11}{'articles':>9}{'recall':>8}{'candidates':>12}{'of its own':>12}{'bounded':>9}")
    for name in data.LABELLED_SETS:
        for size in SIZES:
            if size < len(labelled(name).stories):
                continue
            among = crowd(name, size, DEFAULTS)
            seen = looked_up(among.sketches, among.order, matches_in(name).pairs, make_match_params(DEFAULTS))
            print(
                f"{name:11}{size:9}{share(seen.found)}{seen.counts.mean():12.1f}"
                f"{seen.counts[among.own].mean():12.1f}{seen.bounded.mean():9.4f}"
            )


def by_rule() -> None:
    """Print recall of other rules, each set among `background`; the candidates of `background`; F1 of the story sets."""
    table = {(salient, shared): "" for salient in TERMS for shared in SHARED}
    for name in data.LABELLED_SETS:
        among = crowd(name, SIZES[-1], MOST)
        for rule in table:
            sketches, rules = under(among.sketches, *rule)
            table[rule] += share(looked_up(sketches, among.order, matches_in(name).pairs, rules).found)[1:]
    print(
        "\nterms shared"
        + "".join(f"{name[:6]:>7}" for name in data.LABELLED_SETS)
        + "  dated undated mean F1"
    )
    for rule, recalls in table.items():
        dated, undated = candidates_each(*rule)
        print(f"{rule[0]:5}{rule[1]:7}{recalls}{dated:7.1f}{undated:8.1f}{mean_f1(*rule):8.3f}")


def under(sketches: Sketches, salient: int, shared: int) -> tuple[Sketches, MatchParams]:
    """Return sketches with their `salient` most salient terms alone, and the rules that ask for so many `shared`."""
    narrowed = sketches._replace(salient=np.ascontiguousarray(sketches.salient[:, :salient]))
    return narrowed, make_match_params(DEFAULTS)._replace(shared_terms=shared)


def candidates_each(salient: int, shared: int) -> tuple[float, float]:
    """Return how many candidates an article of `background` has under a rule, as dated and with the dates hidden."""
    others = labelled("background", MOST)
    sketches, rules = under(others.sketches, salient, shared)
    hidden = sketches._replace(days=np.full(len(sketches.days), np.nan))
    order = order_of(others.articles, sketches)
    dated, undated = (looked_up(s, order, np.zeros((0, 2), int), rules) for s in (sketches, hidden))
    return float(dated.counts.mean()), float(undated.counts.mean())


def mean_f1(salient: int, shared: int) -> float:
    """Return the mean pairwise F1 of the story sets under a rule."""
    scores = []
    for name in data.STORY_SETS:
        s = labelled(name, MOST)
        sketches, rules = under(s.sketches, salient, shared)
        leaders = assign_leaders(sketches, order_of(s.articles, sketches), rules).leaders
        scores.append(f1_of(pair_counts(s, leaders, np.arange(len(leaders)))))
    return float(np.mean(scores))


def main() -> int:
    """Print the three tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=data.FOLDER)
    data.FOLDER = parser.parse_args().data
    if not data.FOLDER.is_dir():
        print(f"the labelled news is not at {data.FOLDER}; name its folder with --data", file=sys.stderr)
        return 1
    started = time.monotonic()
    by_set()
    by_size()
    by_rule()
    print(f"\n{time.monotonic() - started:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
