"""Find candidate pairs: articles that share a band or enough salient terms within the window.

The input is the lookup keys of the numbered sketches. The output has a row for each pair, later article
first. If the lookup of an article reached a limit, it also has a row without the earlier article.

Terms and bands have different windows, so each kind has its own time cells. Within a cell, articles are
looked up in date order with the functions of a local run. A local run looks only among kept articles; here
all articles are looked up, so every pair of a local run is found.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as sql

from dedup.index.key_run import LEVEL_ALL, LEVEL_NONE, LookupKeys
from dedup.matching.candidates import MIN_ARTICLES_PER_UNDATED
from dedup.matching.cell_pairs import NO_ARTICLE, find_cell_pairs
from dedup.matching.match_params import make_match_params
from dedup.settings.settings import Settings
from dedup.spark.sketch import decode_keys
from dedup.spark.time_cells import assign_cells, choose_cell_bounds

PAIR_SCHEMA = "later bigint, earlier bigint, banded boolean"
CELL_SCHEMA = "cell bigint, number bigint, day double, home boolean, old boolean, twin bigint, keys binary"
CELL_ARTICLES = 1 << 17
"""The approximate number of dated articles with a cell as home; an index of them takes a few hundred megabytes."""
QUANTILE_ACCURACY = 1000


def generate_candidates(sketches: DataFrame, settings: Settings, past: DataFrame | None = None) -> DataFrame:
    """Return the candidate pairs of numbered sketches.

    A pair that shares both terms and bands has two rows, one of them banded. `past` has the sketches of
    articles of earlier runs, with the column "mark" (`dedup.index.lookup`). Their pairs with new articles are
    found too, but not those among themselves. In these pairs the past article is the earlier one.
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
    # With many undated articles there is only one cell, because they would be in every cell.
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
    """Return a column that is equal for articles that differ only in their dates; 0 if such articles may not match.

    Only the nearest in time of such articles is looked up for a later article. They match each other, and an
    article that matches one further away also matches the nearest.
    """
    if settings.window_days > settings.copy_window_days or not {"exact", "copy"} & set(settings.relations):
        return sql.lit(0).cast("bigint")
    same = sql.xxhash64("sketch", "salient", "bands")
    return sql.when(sql.col("bands") == sql.lit(bytes(4 * settings.bands)), 0).otherwise(same)


def select_past_in_window(past: DataFrame, new: DataFrame, settings: Settings) -> DataFrame:
    """Return the past articles that new articles can find by date; their twin is 0."""
    window = max(settings.window_days, settings.copy_window_days)
    ends = new.agg(sql.min("day"), sql.max("day"), sql.max(sql.col("day").isNull())).first()
    first, last, undated = ends or (None, None, True)
    selected = past.where(sql.col("mark") != LEVEL_NONE)
    if not undated and first is not None and last is not None:
        selected = selected.where(
            sql.col("day").isNull() | sql.col("day").between(first - window, last + window)
        )
    return selected.select(
        "number", "day", sql.lit(0).cast("bigint").alias("twin"), "salient", "bands", "mark"
    )


def generate_by_keys(
    sketches: DataFrame, keys: str, window: float, quantiles: np.ndarray, settings: Settings
) -> DataFrame:
    """Return the pairs that share keys of one kind; `keys` is the column "salient" or "bands"."""
    mark = sql.col("mark")
    selected = sketches if keys == "bands" else sketches.where(mark.isNull() | (mark == LEVEL_ALL))
    columns = selected.select(
        "number", "day", mark.isNotNull().alias("old"), "twin", sql.col(keys).alias("keys")
    )
    cell_rows = columns.mapInArrow(
        build_cell_assigner(choose_cell_bounds(quantiles, window), window), CELL_SCHEMA
    )
    return cell_rows.groupBy("cell").applyInArrow(
        build_pair_finder(settings, banded=keys == "bands"), PAIR_SCHEMA
    )


def build_cell_assigner(
    bounds: np.ndarray, window: float
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return the function that assigns articles to their cells."""

    def assign_batches(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            days = batch["day"].to_numpy(zero_copy_only=False).astype(np.float64)
            visits = assign_cells(days, batch["number"].to_numpy(), bounds, window)
            rows = batch.take(pa.array(visits.articles))
            rows = rows.append_column("cell", pa.array(visits.cells)).append_column(
                "home", pa.array(visits.is_home)
            )
            yield rows.select(parse_schema_names(CELL_SCHEMA))

    return assign_batches


def parse_schema_names(columns: str) -> list[str]:
    """Return the column names of a schema string.

    >>> parse_schema_names("a bigint, b double")
    ['a', 'b']
    """
    return [column.split()[0] for column in columns.split(", ")]


def build_pair_finder(settings: Settings, *, banded: bool) -> Callable[[pa.Table], pa.Table]:
    """Return the function that finds the pairs of a cell by bands, or by terms."""

    def find_table_pairs(table: pa.Table) -> pa.Table:
        table = table.sort_by([("day", "ascending"), ("number", "ascending")])  # undated articles last
        days = table["day"].to_numpy().astype(np.float64)
        numbers, home = table["number"].to_numpy(), table["home"].to_numpy()
        width = settings.bands if banded else settings.salient_terms
        decoded, none = decode_keys(table["keys"], width), np.zeros((len(table), 0), np.uint32)
        keys = LookupKeys(none, decoded) if banded else LookupKeys(decoded, none)
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
