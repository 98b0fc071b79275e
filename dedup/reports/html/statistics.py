"""Compute the statistics of a report: outcomes, cluster sizes, time lags, outlets and scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedup.matching.classifier import FOLLOWUP, NO_RELATION, REWRITE
from dedup.pipeline.results import Result
from dedup.settings.settings import LEVEL_RELATIONS, RELATIONS, Settings

__all__ = [
    "HistogramBin",
    "Outlet",
    "OutletLags",
    "Overview",
    "compute_clipped_log_odds",
    "compute_outlet_lags",
    "count_cluster_sizes",
    "count_lags",
    "count_log_odds",
    "count_retellings",
    "format_date_span",
    "get_level_relation",
    "rank_outlets",
    "summarize_result",
]

HOUR_SECONDS, DAY_SECONDS = 3_600, 86_400
SIZE_BINS = (
    (2, "2"),
    (3, "3"),
    (4, "4"),
    (5, "5"),
    (6, "6–9"),
    (10, "10–19"),
    (20, "20–49"),
    (50, "50–99"),
    (100, "100+"),
)
"""The smallest cluster size of each column, and its label."""
LAG_BINS = (
    (0, "< 1 h"),
    (HOUR_SECONDS, "1–3 h"),
    (3 * HOUR_SECONDS, "3–6 h"),
    (6 * HOUR_SECONDS, "6–12 h"),
    (12 * HOUR_SECONDS, "12–24 h"),
    (DAY_SECONDS, "1–2 d"),
    (2 * DAY_SECONDS, "2–3 d"),
    (3 * DAY_SECONDS, "3–5 d"),
    (5 * DAY_SECONDS, "5–10 d"),
    (10 * DAY_SECONDS, "10 d +"),
)
"""The shortest lag of each column in seconds, and its label."""
LAG_BINS_IN_DAYS = (
    (0, "same day"),
    (DAY_SECONDS, "1 d"),
    (2 * DAY_SECONDS, "2 d"),
    (3 * DAY_SECONDS, "3 d"),
    (4 * DAY_SECONDS, "4 d"),
    (5 * DAY_SECONDS, "5 d"),
    (6 * DAY_SECONDS, "6–10 d"),
    (11 * DAY_SECONDS, "11 d +"),
)
"""The same for dates without times."""
LAG_QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
"""The quantiles of the lags of an outlet: its median, and how far most of them spread."""
LOG_ODDS_EDGES = np.arange(-8.0, 8.5, 0.5)
"""The edges of the columns of log-odds; the first and last column also count everything beyond."""
MIN_UNCERTAINTY = 1e-9
"""The smallest distance of a probability from 0 and 1."""
MAX_MATRIX_OUTLETS = 10
"""The most outlets in the matrix."""


@dataclass(frozen=True, slots=True)
class HistogramBin:
    """A column of a histogram."""

    label: str
    count: int


class Outlet(NamedTuple):
    """A source, the number of its articles, and the number of dropped ones."""

    name: str
    articles: int
    dropped: int

    @property
    def share(self) -> float:
        """Return the share of its articles that were dropped."""
        return self.dropped / self.articles


class OutletLags(NamedTuple):
    """How far behind the first telling an outlet publishes, over the stories that it shares with others."""

    name: str
    first: int
    """The stories that it published first."""
    later: int
    """Its later articles with a date."""
    quantiles: tuple[int, ...]
    """The `LAG_QUANTILES` of the time behind the first telling of the later ones, in seconds; empty without any."""


@dataclass(frozen=True, slots=True)
class Overview:
    """The counts of a result."""

    articles: int
    kept: int
    clusters: int
    again: int
    """Repeats in the input, with the same id and text."""
    relations: tuple[tuple[str, int], ...]
    """Each relation that joins at this level, with its number of drops, in the order of `RELATIONS`."""
    followups: int
    """Kept articles that follow another."""
    storylines: int
    """Storylines of two or more kept articles."""
    outlets: int
    undated: int
    first: datetime | None
    last: datetime | None

    @property
    def dropped(self) -> int:
        """Return how many articles are dropped."""
        return self.articles - self.kept


def summarize_result(result: Result, groups: Sequence[Sequence[int]]) -> Overview:
    """Return the overview of a result; `groups` are its clusters."""
    assignments, published = result.assignments, result.articles["published"]
    counts = Counter(assignments.relations[assignments.relations != NO_RELATION].tolist())
    ends = pc.min_max(published).as_py()
    followups, storylines = result.count_followups()
    return Overview(
        articles=len(result.ids),
        kept=len(result.kept_positions),
        clusters=len(groups),
        again=int(np.count_nonzero(result.duplicate_of_input >= 0)),
        relations=tuple(
            (name, counts[RELATIONS.index(name)]) for name in LEVEL_RELATIONS[result.settings.level]
        ),
        followups=followups,
        storylines=storylines,
        outlets=pc.count_distinct(result.articles["source"]).as_py(),
        undated=published.null_count,
        first=ends["min"],
        last=ends["max"],
    )


def count_cluster_sizes(groups: Sequence[Sequence[int]]) -> list[HistogramBin]:
    """Return the number of clusters of each size."""
    return count_in_bins([len(group) for group in groups], SIZE_BINS)


def count_lags(result: Result, groups: Sequence[Sequence[int]]) -> list[HistogramBin]:
    """Return the number of later articles by time since the first of their cluster; undated ones are not counted."""
    seconds = to_epoch_seconds(result.articles["published"])
    lags: list[float] = []
    for group in groups:
        dated = np.sort(seconds[list(group)])
        dated = dated[~np.isnan(dated)]
        lags += (dated[1:] - dated[0]).tolist() if len(dated) else []
    clocked = bool(np.any(seconds[~np.isnan(seconds)] % DAY_SECONDS))
    return count_in_bins(lags, LAG_BINS if clocked else LAG_BINS_IN_DAYS)


def compute_outlet_lags(result: Result, groups: Sequence[Sequence[int]]) -> list[OutletLags]:
    """Return the lags of each outlet in clusters with two dates or more, most later articles first.

    Articles as early as the first of their cluster are first; undated ones and those without a source are not counted.
    """
    seconds, sources = to_epoch_seconds(result.articles["published"]), result.articles["source"].to_pylist()
    first: Counter[str] = Counter()
    lags: dict[str, list[float]] = {}
    for group in groups:
        dated = [a for a in group if not np.isnan(seconds[a])]
        if len(dated) < 2:  # noqa: PLR2004 - a first and a later one
            continue
        start = min(seconds[a] for a in dated)
        for a in dated:
            if sources[a] is not None and seconds[a] > start:
                lags.setdefault(sources[a], []).append(seconds[a] - start)
            elif sources[a] is not None:
                first[sources[a]] += 1
    outlets = [
        OutletLags(name, first[name], len(times), compute_lag_quantiles(times))
        for name, times in ((name, lags.get(name, [])) for name in {**lags, **first})
    ]
    return sorted(outlets, key=lambda outlet: (-outlet.later, -outlet.first, outlet.name))


def compute_lag_quantiles(times: Sequence[float]) -> tuple[int, ...]:
    """Return the `LAG_QUANTILES` of times in seconds, each one of the times; empty for none."""
    if not times:
        return ()
    return tuple(np.quantile(times, LAG_QUANTILES, method="inverted_cdf").astype(int).tolist())


def to_epoch_seconds(published: pa.ChunkedArray) -> np.ndarray:
    """Return dates as seconds since 1970 (float64), NaN for null."""
    return pc.cast(published, pa.int64()).to_numpy().astype(np.float64)


def count_in_bins(values: Sequence[float], columns: Sequence[tuple[float, str]]) -> list[HistogramBin]:
    """Return the number of values in each column, up to the last that has any; columns are in ascending order."""
    places = (
        np.searchsorted([least for least, _ in columns], np.asarray(values, np.float64), side="right") - 1
    )
    counts = np.bincount(places, minlength=len(columns)).tolist() if len(values) else []
    used = max((n for n, count in enumerate(counts) if count), default=-1) + 1
    return [HistogramBin(label, count) for (_, label), count in zip(columns[:used], counts, strict=False)]


def rank_outlets(result: Result) -> list[Outlet]:
    """Return the sources, most dropped articles first; articles without a source are not counted."""
    table = pa.table(
        {
            "source": result.articles["source"],
            "dropped": pa.array(result.assignments.relations != NO_RELATION),
        }
    )
    counts = table.filter(table["source"].is_valid()).group_by("source")
    rows = counts.aggregate([("dropped", "count"), ("dropped", "sum")]).to_pylist()
    outlets = [Outlet(row["source"], row["dropped_count"], row["dropped_sum"]) for row in rows]
    return sorted(outlets, key=lambda outlet: (-outlet.dropped, -outlet.articles, outlet.name))


def count_retellings(result: Result) -> tuple[list[str], list[list[int]]]:
    """Return the names of the most active outlets, and how often each (column) republishes each (row)."""
    sources = result.articles["source"].to_pylist()
    again = np.flatnonzero(result.assignments.relations != NO_RELATION).tolist()
    leaders = result.assignments.leaders
    pairs = Counter((sources[leaders[a]], sources[a]) for a in again)
    both = Counter({pair: count for pair, count in pairs.items() if None not in pair})
    busy: Counter[str] = Counter()
    for (one, other), count in both.items():
        busy[one] += count
        if other != one:
            busy[other] += count
    names = sorted(busy, key=lambda name: (-busy[name], name))[:MAX_MATRIX_OUTLETS]
    return names, [[both[one, other] for other in names] for one in names]


def count_log_odds(result: Result, missed_odds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of matched and of unmatched pairs between each two of `LOG_ODDS_EDGES`."""
    assignments = result.assignments
    matched = compute_clipped_log_odds(
        assignments.scores[assignments.relations == get_level_relation(result.settings)]
    )
    matched_counts, missed_counts = (
        np.histogram(np.clip(odds, LOG_ODDS_EDGES[0], LOG_ODDS_EDGES[-1]), LOG_ODDS_EDGES)[0]
        for odds in (matched, missed_odds)
    )
    return matched_counts, missed_counts


def get_level_relation(settings: Settings) -> int:
    """Return the relation that the level's model decides, as an index into `RELATIONS`."""
    return FOLLOWUP if settings.level == "storyline" else REWRITE


def compute_clipped_log_odds(chances: Any) -> Any:
    """Return probabilities as log-odds, clipped to `MIN_UNCERTAINTY` from 0 and 1."""
    bounded = np.clip(chances, MIN_UNCERTAINTY, 1 - MIN_UNCERTAINTY)
    return np.log(bounded / (1 - bounded))


def format_date_span(first: datetime | None, last: datetime | None) -> str:
    """Return the time between two dates in words."""
    if first is None or last is None:
        return "undated"
    one, other = (f"{day.day} {day:%b}" for day in (first, last))
    if first.date() == last.date():
        return f"{one} {first.year}"
    return (
        f"{one} – {other} {last.year}"
        if first.year == last.year
        else f"{one} {first.year} – {other} {last.year}"
    )
