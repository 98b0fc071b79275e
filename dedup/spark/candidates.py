"""Keys of sketches → candidate pairs: articles that share a band or enough salient terms within their windows.

In: the keys of the numbered sketches. Out: a row a pair, the later article first, and a row without the earlier one for each
article whose lookup reached a bound. Terms and bands go through cells of time each on their own, for their windows differ: in a
cell articles are looked up in the order of their dates by the functions of a local run, `candidates.fill_candidates` and its
index. A local run looks among those that it kept, here all are looked at: what it finds is found here too.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as sql

from dedup.index.lookup import LEVEL_ALL, LEVEL_NONE, LookupKeys
from dedup.matching.candidates import MIN_ARTICLES_PER_UNDATED
from dedup.matching.match_params import make_match_params
from dedup.settings.settings import Settings
from dedup.spark.kernels import NO_ARTICLE, find_cell_pairs
from dedup.spark.sketch import decode_keys
from dedup.spark.time_cells import assign_cells, choose_cell_bounds

PAIR_SCHEMA = "later bigint, earlier bigint, banded boolean"
CELL_SCHEMA = "cell bigint, number bigint, day double, home boolean, old boolean, twin bigint, keys binary"
CELL_ARTICLES = 1 << 17
"""About so many articles are at home in a cell, if they are dated: an index of them takes some hundred megabytes."""
QUANTILE_ACCURACY = 1000


def generate_candidates(sketches: DataFrame, settings: Settings, past: DataFrame | None = None) -> DataFrame:
    """Return the candidate pairs of numbered sketches; a pair that shares terms and bands comes twice, banded and not.

    With sketches of articles that were decided about `before`, each with its `mark` (`dedup.index.lookup`), the pairs of the
    others with these are found too, but not theirs with each other. They come before all others.
    """
    able = sketches.where(sql.col("length") >= settings.min_words).select(
        "number",
        "day",
        build_twin_column(settings).alias("twin"),
        "salient",
        "bands",
        sql.lit(None).alias("mark"),
    )
    if past is not None:
        able = able.unionByName(select_past_in_window(past, able, settings))
    dated, articles = able.agg(sql.count("day"), sql.count(sql.lit(1))).first() or (0, 0)
    # With more undated articles there is one cell: they would go to all of them.
    cells = articles // CELL_ARTICLES if (articles - dated) * MIN_ARTICLES_PER_UNDATED <= articles else 0
    steps = [k / (cells + 1) for k in range(1, cells + 1)]
    quantiles = able.agg(sql.percentile_approx("day", steps, QUANTILE_ACCURACY)).first() if steps else None
    days = np.array(quantiles[0] if quantiles else [])
    channels = [
        generate_by_keys(able, "salient", settings.window_days, days, settings),
        generate_by_keys(able, "bands", settings.copy_window_days, days, settings),
    ]
    return channels[0].unionByName(channels[1])


def build_twin_column(settings: Settings) -> Any:
    """Return the column that is equal for articles that differ in nothing but their dates; 0 where they may not match.

    Of such articles the nearest in time stands for those before it: they match each other, and what matches one of them
    that lies farther off matches the nearest.
    """
    if settings.window_days > settings.copy_window_days or not {"exact", "copy"} & set(settings.relations):
        return sql.lit(0).cast("bigint")
    same = sql.xxhash64("sketch", "salient", "bands")
    return sql.when(sql.col("bands") == sql.lit(bytes(4 * settings.bands)), 0).otherwise(same)


def select_past_in_window(past: DataFrame, new: DataFrame, settings: Settings) -> DataFrame:
    """Return those articles of `before` that new ones may find by their dates; they have no twins."""
    reach = max(settings.window_days, settings.copy_window_days)
    ends = new.agg(sql.min("day"), sql.max("day"), sql.max(sql.col("day").isNull())).first()
    first, last, undated = ends or (None, None, True)
    known = past.where(sql.col("mark") != LEVEL_NONE)
    if not undated and first is not None and last is not None:
        known = known.where(sql.col("day").isNull() | sql.col("day").between(first - reach, last + reach))
    return known.select("number", "day", sql.lit(0).cast("bigint").alias("twin"), "salient", "bands", "mark")


def generate_by_keys(
    sketches: DataFrame, keys: str, window: float, quantiles: np.ndarray, settings: Settings
) -> DataFrame:
    """Return the pairs found by one kind of keys, the column `salient` or `bands`."""
    mark = sql.col("mark")
    found = sketches if keys == "bands" else sketches.where(mark.isNull() | (mark == LEVEL_ALL))
    needed = found.select("number", "day", mark.isNotNull().alias("old"), "twin", sql.col(keys).alias("keys"))
    placed = needed.mapInArrow(
        build_cell_assigner(choose_cell_bounds(quantiles, window), window), CELL_SCHEMA
    )
    return placed.groupBy("cell").applyInArrow(
        build_pair_finder(settings, banded=keys == "bands"), PAIR_SCHEMA
    )


def build_cell_assigner(
    bounds: np.ndarray, window: float
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return the function that sends articles to their cells."""

    def assign_batches(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            days = batch["day"].to_numpy(zero_copy_only=False).astype(np.float64)
            places = assign_cells(days, batch["number"].to_numpy(), bounds, window)
            sent = batch.take(pa.array(places.articles))
            sent = sent.append_column("cell", pa.array(places.cells)).append_column(
                "home", pa.array(places.is_home)
            )
            yield sent.select(parse_schema_names(CELL_SCHEMA))

    return assign_batches


def parse_schema_names(columns: str) -> list[str]:
    """Return the names of columns that are written down with their types.

    >>> parse_schema_names("a bigint, b double")
    ['a', 'b']
    """
    return [column.split()[0] for column in columns.split(", ")]


def build_pair_finder(settings: Settings, *, banded: bool) -> Callable[[pa.Table], pa.Table]:
    """Return the function that finds the pairs of a cell by its bands, or by its terms."""

    def find_table_pairs(table: pa.Table) -> pa.Table:
        table = table.sort_by([("day", "ascending"), ("number", "ascending")])  # the undated last
        days = table["day"].to_numpy().astype(np.float64)
        numbers, home = table["number"].to_numpy(), table["home"].to_numpy()
        width = settings.bands if banded else settings.salient_terms
        found, none = decode_keys(table["keys"], width), np.zeros((len(table), 0), np.uint32)
        keys = LookupKeys(none, found) if banded else LookupKeys(found, none)
        twins = np.unique(table["twin"].to_numpy(), return_inverse=True)[1]
        twins[table["twin"].to_numpy() == 0] = NO_ARTICLE
        later, earlier = find_cell_pairs(
            keys, days, home, table["old"].to_numpy(), twins, make_match_params(settings)
        )
        return pa.table(
            {
                "later": numbers[later],
                "earlier": pa.array(numbers[earlier], mask=earlier == NO_ARTICLE),
                "banded": np.full(len(later), banded),
            }
        )

    return find_table_pairs
