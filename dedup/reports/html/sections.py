"""Build the parts of a report for its template: charts, outlets, borderline pairs, boilerplate and rejects.

Titles and passages are plain text here; the template escapes them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import Any
from urllib.parse import urlencode

from dedup.evaluation.near_threshold import NearMisses
from dedup.formatting import format_date
from dedup.io.records import Reject
from dedup.matching.match_params import get_level_threshold, make_match_params
from dedup.pipeline.results import Result
from dedup.reports.html import statistics
from dedup.reports.html.boilerplate_counts import RULE_DESCRIPTIONS, BoilerplateCounts
from dedup.reports.html.borderline_pairs import BorderlinePairs
from dedup.reports.html.charts import Chart, build_bar_chart, build_score_chart, build_volume_chart
from dedup.reports.html.snippets import Snippets
from dedup.reports.html.volume import choose_ticks, count_volume, describe_volume, format_start
from dedup.settings.settings import Settings

__all__ = [
    "build_boilerplate_table",
    "build_charts",
    "build_outlet_tables",
    "build_pair_groups",
    "get_level_words",
    "summarize_rejects",
]

MAX_OUTLETS, MAX_EXAMPLES, MAX_REJECTS, MAX_REJECT_PREVIEW = 12, 3, 200, 160
"""The most rows in the table of outlets, examples of a rule, rejects, and characters of a reject."""
MATRIX_SHADES = 5
"""The number of shades in the matrix."""
WITNESSED_NOTE = " Those matched below the threshold also matched another article in the cluster."
PAIR_GROUPS = (
    ("Just matched", "{Matches} with the lowest probability."),
    (
        "Matched with help",
        "Scored below the threshold, but also matched another article in the cluster.",
    ),
    ("Just missed", "Pairs of kept articles just below the threshold."),
    (
        "Held apart",
        "Scored above the threshold as one {unit}, but another rule keeps them apart.",
    ),
)
"""Heading and description of each group of `BorderlinePairs`; `get_level_words` has the words in braces."""


def get_level_words(settings: Settings) -> dict[str, str]:
    """Return the words for matches at the level, and for the groups that they form."""
    by_storyline = settings.level == "storyline"
    matches = "follow-ups" if by_storyline else "rewrites"
    return {
        "unit": "storyline" if by_storyline else "story",
        "matches": matches,
        "Matches": matches.capitalize(),
    }


def build_pair_groups(result: Result, pairs: BorderlinePairs, texts: Snippets) -> list[dict[str, Any]]:
    """Return the tables of the pairs nearest the threshold, without empty tables."""
    rows = result.articles
    wanted = dict.fromkeys(a for pair in chain.from_iterable(pairs) for a in (pair.first, pair.later))
    articles_by_position = (
        dict(zip(wanted, rows.take(list(wanted)).to_pylist(), strict=True)) if wanted else {}
    )

    def make_table_article(a: int) -> dict[str, Any]:
        row = articles_by_position[a]
        facts = " · ".join(filter(None, [row["source"], format_date(row["published"])]))
        return {"title": row["title"] or texts.openings.get(a) or row["id"], "facts": facts}

    return [
        {
            "title": title,
            "says": says.format(**get_level_words(result.settings)),
            "rows": [
                {
                    "probability": f"{pair.probability:.1%}",
                    "first": make_table_article(pair.first),
                    "later": make_table_article(pair.later),
                    "reason": pair.reason,
                    "link": "#"
                    + urlencode(
                        {
                            "a": articles_by_position[pair.first]["id"],
                            "b": articles_by_position[pair.later]["id"],
                        }
                    ),
                }
                for pair in group
            ],
        }
        for (title, says), group in zip(PAIR_GROUPS, pairs, strict=True)
        if group
    ]


def build_charts(
    result: Result, groups: Sequence[Sequence[int]], near_misses: NearMisses, pairs: BorderlinePairs
) -> dict[str, Chart]:
    """Return the charts by name."""
    sizes, lags = statistics.count_cluster_sizes(groups), statistics.count_lags(result, groups)
    matched, apart = statistics.count_log_odds(result, near_misses.log_odds)
    threshold = get_level_threshold(make_match_params(result.settings))
    later = sum(lag.count for lag in lags)
    words, volume = get_level_words(result.settings), count_volume(result)
    return {
        "volume": Chart("Articles over time", "No article has a date.", (), ())
        if volume is None
        else build_volume_chart(
            "Articles over time",
            [format_start(start, volume.unit) for start in volume.starts],
            volume.kept,
            volume.dropped,
            choose_ticks(volume),
            describe_volume(volume),
        ),
        "sizes": build_bar_chart(
            "Articles per cluster", sizes, describe_highest_bin(sizes, " articles", "clusters")
        ),
        "lags": build_bar_chart(
            "Time since the first article",
            lags,
            describe_highest_bin(lags, "", f"of {later:,} later articles"),
        ),
        "scores": build_score_chart(
            f"Probability of the {words['unit']} model",
            matched,
            apart,
            threshold,
            f"{matched.sum():,} {words['matches']} were matched. "
            f"{apart.sum():,} of {near_misses.articles_searched:,} kept articles had a candidate "
            "among the other kept articles; these pairs were not matched."
            + (WITNESSED_NOTE if pairs.witnessed else ""),
        ),
    }


def describe_highest_bin(bins: Sequence[statistics.HistogramBin], unit: str, whole: str) -> str:
    """Return a sentence with the highest column and its count."""
    if not bins:
        return ""
    top = max(bins, key=lambda column: column.count)
    return f"Most often {top.label}{unit}: {top.count:,} {whole}."


def build_outlet_tables(result: Result) -> dict[str, Any]:
    """Return the table of outlets and the matrix of which outlet republishes which."""
    repeating = [outlet for outlet in statistics.rank_outlets(result) if outlet.dropped]
    names, counts = statistics.count_retellings(result)
    most = max(chain([MATRIX_SHADES], *counts))
    shades = [[-(-MATRIX_SHADES * count // most) for count in row] for row in counts]
    return {
        "outlets": repeating[:MAX_OUTLETS],
        "more_outlets": len(repeating) - len(repeating[:MAX_OUTLETS]),
        "matrix": {
            "names": names,
            "rows": [list(zip(row, shade, strict=True)) for row, shade in zip(counts, shades, strict=True)],
        },
    }


def build_boilerplate_table(tally: BoilerplateCounts) -> list[dict[str, Any]]:
    """Return each rule that matched, most frequent first, with its most frequent passages."""
    return [
        {
            "rule": rule,
            "means": RULE_DESCRIPTIONS.get(rule, ""),
            "count": count,
            "articles": tally.articles[rule],
            "examples": sorted(tally.passages[rule].items(), key=lambda item: (-item[1], item[0]))[
                :MAX_EXAMPLES
            ],
        }
        for rule, count in sorted(tally.pieces.items(), key=lambda item: (-item[1], item[0]))
    ]


def summarize_rejects(rejected: Sequence[Reject]) -> dict[str, Any]:
    """Return the number of rejects by reason, and the first rejects."""
    reasons = Counter(reject.reason for reject in rejected)
    rows = [
        (reject.path, reject.line, reject.reason, reject.record[:MAX_REJECT_PREVIEW])
        for reject in rejected[:MAX_REJECTS]
    ]
    return {"reasons": reasons.most_common(), "rows": rows}
