"""A result and what was found beside it → the parts of its report: charts, outlets, borderline pairs, furniture, rejects.

In: positions and counts. Out: values that the template shows as they are; titles and passages are plain text in them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import Any
from urllib.parse import urlencode

from dedup.formatting import date
from dedup.io.records import Reject
from dedup.matching.classifier import level_threshold, rules_of
from dedup.pipeline.results import Result
from dedup.reports.html import statistics
from dedup.reports.html.boilerplate_counts import RULES, Tally
from dedup.reports.html.borderline_pairs import Pairs
from dedup.reports.html.charts import Chart, columns_of, scores_of
from dedup.reports.html.near_misses import Missed
from dedup.reports.html.snippets import Texts
from dedup.settings.settings import Settings

__all__ = ["charts", "furniture", "level_words", "outlets", "paired", "rejects"]

OUTLETS, EXAMPLES, REJECTS, REJECT_SHOWN = 12, 3, 200, 160
"""Rows of the table of outlets, examples of a rule's furniture, rejects, and characters of a reject, at most."""
SHADES = 5
"""Shades of the matrix."""
HELPED = " For those matched below the threshold an earlier member of the same cluster spoke too."
GROUPS = (
    ("Just matched", "{Matches} that the model is least sure of."),
    (
        "Matched with help",
        "Below the threshold alone; an earlier member of the cluster speaks for them too.",
    ),
    ("Just missed", "Kept articles that came near to being matched with another kept one."),
    (
        "Held apart",
        "The model takes them for one {unit}, however likely, and something else keeps them apart.",
    ),
)
"""The kinds of pairs nearest the threshold, in the order of `Pairs`, in the words of `level_words`."""


def level_words(settings: Settings) -> dict[str, str]:
    """Return the words for the matches of the model that decides at the level in force, and for the unit that it joins."""
    by_storyline = settings.level == "storyline"
    matches = "follow-ups" if by_storyline else "rewrites"
    return {
        "unit": "storyline" if by_storyline else "story",
        "matches": matches,
        "Matches": matches.capitalize(),
    }


def paired(result: Result, pairs: Pairs, texts: Texts) -> list[dict[str, Any]]:
    """Return the groups of pairs nearest the threshold, for their tables; those that have any."""
    rows = result.articles
    wanted = dict.fromkeys(a for pair in chain.from_iterable(pairs) for a in (pair.first, pair.later))
    known = dict(zip(wanted, rows.take(list(wanted)).to_pylist(), strict=True)) if wanted else {}

    def article(a: int) -> dict[str, Any]:
        row = known[a]
        facts = " · ".join(filter(None, [row["source"], date(row["published"])]))
        return {"title": row["title"] or texts.openings.get(a) or row["id"], "facts": facts}

    return [
        {
            "title": title,
            "says": says.format(**level_words(result.settings)),
            "rows": [
                {
                    "probability": f"{pair.probability:.1%}",
                    "first": article(pair.first),
                    "later": article(pair.later),
                    "reason": pair.reason,
                    "link": "#" + urlencode({"a": known[pair.first]["id"], "b": known[pair.later]["id"]}),
                }
                for pair in group
            ],
        }
        for (title, says), group in zip(GROUPS, pairs, strict=True)
        if group
    ]


def charts(result: Result, groups: Sequence[Sequence[int]], found: Missed, pairs: Pairs) -> dict[str, Chart]:
    """Return the charts by name."""
    sizes, lags = statistics.cluster_sizes(groups), statistics.lags(result, groups)
    matched, apart = statistics.scores(result, found.log_odds)
    threshold = level_threshold(rules_of(result.settings))
    later = sum(found.count for found in lags)
    words = level_words(result.settings)
    return {
        "sizes": columns_of("How often a story was told", sizes, commonest(sizes, " times", "clusters")),
        "lags": columns_of(
            "How long after the first telling",
            lags,
            commonest(lags, "", f"of {later:,} later tellings"),
        ),
        "scores": scores_of(
            f"How sure the {words['unit']} model is",
            matched,
            apart,
            threshold,
            f"{matched.sum():,} {words['matches']} were matched. Of {found.looked_through:,} kept articles, {apart.sum():,} had "
            "another kept one that shares enough to be weighed against them; these pairs were not matched."
            + (HELPED if pairs.helped else ""),
        ),
    }


def commonest(bins: Sequence[statistics.Bin], unit: str, whole: str) -> str:
    """Return a sentence on the highest column: which it is, and how many of the whole it counts."""
    if not bins:
        return ""
    top = max(bins, key=lambda found: found.count)
    return f"Most often {top.label}{unit}: {top.count:,} {whole}."


def outlets(result: Result) -> dict[str, Any]:
    """Return the table of outlets and the matrix of who tells again what whom told."""
    repeating = [outlet for outlet in statistics.outlets(result) if outlet.dropped]
    names, counts = statistics.matrix(result)
    most = max(chain([SHADES], *counts))
    shades = [[-(-SHADES * count // most) for count in row] for row in counts]
    return {
        "outlets": repeating[:OUTLETS],
        "more_outlets": len(repeating) - len(repeating[:OUTLETS]),
        "matrix": {
            "names": names,
            "rows": [list(zip(row, shade, strict=True)) for row, shade in zip(counts, shades, strict=True)],
        },
    }


def furniture(tally: Tally) -> list[dict[str, Any]]:
    """Return each rule that recognised anything, the most frequent first, with its commonest passages."""
    return [
        {
            "rule": rule,
            "means": RULES.get(rule, ""),
            "count": count,
            "articles": tally.articles[rule],
            "examples": sorted(tally.passages[rule].items(), key=lambda found: (-found[1], found[0]))[
                :EXAMPLES
            ],
        }
        for rule, count in sorted(tally.pieces.items(), key=lambda found: (-found[1], found[0]))
    ]


def rejects(found: Sequence[Reject]) -> dict[str, Any]:
    """Return what could not be read: how often for each reason, and the first of them."""
    reasons = Counter(reject.reason for reject in found)
    rows = [
        (reject.path, reject.line, reject.reason, reject.record[:REJECT_SHOWN]) for reject in found[:REJECTS]
    ]
    return {"reasons": reasons.most_common(), "rows": rows}
