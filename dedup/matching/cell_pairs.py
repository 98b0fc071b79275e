"""Find pairs without clusters: the candidate pairs of some articles, and the matching pairs that join two sets.

Spark distributes this work (`dedup.spark`): the articles of a time cell, and slices of pairs.
"""

from typing import Any

import numpy as np

from dedup.jit import jit
from dedup.matching.candidates import fill_candidates, fill_lookup_keys, make_lookup_scratch
from dedup.matching.classifier import NO_RELATION, classify_pair
from dedup.matching.inverted_index import insert_postings, make_index_for_articles
from dedup.matching.match_params import MatchParams
from dedup.matching.pair_workspace import load_article, make_pair_workspace

NO_ARTICLE = -1
PAIRS_BUFFER = 1 << 16
"""The number of pairs that are found at a time, at least."""
PAIRS_PER_CANDIDATE = 5
"""The most pairs of an article, as a multiple of `max_candidates`; a local run compares only one copy of each story."""
LOG_ODDS_TOLERANCE = 1e-3
"""Log-odds by which a match may miss the threshold: swapping the two articles changes their evidence by less.
"""


def with_tolerance(rules: MatchParams) -> MatchParams:
    """Return rules with the storyline threshold lowered by `LOG_ODDS_TOLERANCE`."""
    return rules._replace(storyline_threshold=rules.storyline_threshold - LOG_ODDS_TOLERANCE)


def find_cell_pairs(
    keys: Any,
    days: np.ndarray,
    home: np.ndarray,
    old: np.ndarray,
    twins: np.ndarray,
    rules: MatchParams,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of the later and the earlier article of each pair; `NO_ARTICLE` where a limit was reached."""
    width = keys.salient.shape[1] + keys.bands.shape[1]
    index, scratch = make_index_for_articles(len(days), width), make_lookup_scratch(len(days), width)
    latest = np.full(len(days), NO_ARTICLE, np.int64)
    max_pairs = PAIRS_PER_CANDIDATE * rules.max_candidates + 1
    buffer = np.empty((max(PAIRS_BUFFER, max_pairs), 2), np.int64)
    parts, start = [np.empty((0, 2), np.int64)], 0
    while start < len(days):
        start, n = fill_cell_pairs(
            keys, days, home, old, twins, latest, rules, index, scratch, start, max_pairs, buffer
        )
        parts.append(buffer[:n].copy())
    pairs = np.concatenate(parts)
    return pairs[:, 0], pairs[:, 1]


@jit
def fill_cell_pairs(keys, days, home, old, twins, latest, rules, index, scratch, start, max_pairs, pairs):
    """Write the pairs of a cell from article `start` on; return (the next article, the number of pairs).

    An article has at most `max_pairs`. Dates rise, undated articles are last, and `latest` is scratch for twins.
    """
    n = 0
    for a in range(start, len(days)):
        if n + max_pairs > len(pairs):
            return a, n
        terms, k = fill_lookup_keys(keys, a, scratch.keys)
        m, _, bounded = fill_candidates(index, days, terms, k, days[a], rules, True, scratch)
        insert_postings(index, scratch.keys, 0, k, a)
        dated, first = not np.isnan(days[a]), n
        if dated and not home[a]:
            continue
        for c in range(m):
            other = scratch.candidates[c]
            undated = np.isnan(days[other])
            if not dated and not (home[a] if undated else home[other]):
                continue
            if old[a] and old[other]:
                continue
            twin = twins[other]
            if twin >= 0 and (dated or undated):
                if latest[twin] == a:
                    continue
                latest[twin] = a
            if n - first == max_pairs - 1:
                bounded = 1
                break
            pairs[n, 0], pairs[n, 1] = (other, a) if old[a] else (a, other)
            n += 1
        if bounded:
            pairs[n, 0], pairs[n, 1] = a, NO_ARTICLE
            n += 1
    return len(days), n


@jit
def find_root(parents, a):
    """Return the representative of the set of `a`, with path halving (Tarjan and van Leeuwen, 1984)."""
    while parents[a] != a:
        parents[a] = parents[parents[a]]
        a = parents[a]
    return a


def find_joining_pairs(
    s: Any, later: np.ndarray, earlier: np.ndarray, banded: np.ndarray, rules: MatchParams, *, both_ways: bool
) -> np.ndarray:
    """Return (bool) which pairs match and join two sets of articles; pairs must be grouped by later article.

    With `both_ways`, a pair matches if either article may repeat the other; otherwise, if the later may repeat the earlier.
    """
    joins, parents = np.zeros(len(later), bool), np.arange(len(s.text_hashes))
    workspace = make_pair_workspace()
    mark_joining_pairs(s, later, earlier, banded, rules, both_ways, workspace, parents, joins)
    return joins


@jit
def can_match(s, kept, other, rules, banded, workspace):
    """Return whether `other`, the loaded article, repeats or follows `kept`, or may do so in context."""
    relation, _, _, storyline = classify_pair(
        s, kept, other, rules, rules.storyline_threshold, banded, workspace
    )
    return relation != NO_RELATION or storyline >= rules.storyline_threshold


@jit
def mark_joining_pairs(s, later, earlier, banded, rules, both_ways, workspace, parents, joins):
    """Mark in `joins` the pairs that match and join two sets of the forest `parents`."""
    for p in range(len(later)):
        a, b = later[p], earlier[p]
        load_article(s, a, workspace)
        first, second = find_root(parents, a), find_root(parents, b)
        if first == second:
            continue
        matches = can_match(s, b, a, rules, banded[p], workspace)
        if not matches and both_ways:
            load_article(s, b, workspace)
            matches = can_match(s, a, b, rules, banded[p], workspace)
            load_article(s, a, workspace)
        if matches:
            parents[max(first, second)] = min(first, second)
            joins[p] = True


@jit
def join_edges(edges, parents):
    """Join the sets of both ends of each edge; the smallest member represents a set."""
    for k in range(len(edges)):
        first, second = find_root(parents, edges[k, 0]), find_root(parents, edges[k, 1])
        parents[max(first, second)] = min(first, second)
    for a in range(len(parents)):
        parents[a] = find_root(parents, a)
