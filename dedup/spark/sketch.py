"""Sketch a DataFrame of articles; all later stages read the sketches instead of the texts.

The input has the columns of `DEFAULT_SCHEMA`; missing columns count as null. The output has a row per article
with its identity columns, its lookup keys and its packed sketch (`dedup.sketches.codec`). Spark's workers
apply the functions of a local run to Arrow batches.
"""

from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as sql

from dedup.io.batching import split_batch
from dedup.io.dates import parse_published
from dedup.io.schema import FIELDS, SCHEMA
from dedup.io.source_domain import fill_missing_sources
from dedup.io.values import replace_blanks
from dedup.pipeline.deduplicate import sketch_with_settings
from dedup.settings.settings import Settings
from dedup.sketches.codec import pack_sketches
from dedup.sketches.sketch import Sketches

SKETCH_SCHEMA = (
    "id string, title string, source string, published timestamp, time bigint, day double, length int, telling bigint, "
    "salient binary, bands binary, sketch binary, position bigint"
)
"""Column time is published in seconds since 1970, day the same in days, telling the hash of the text; salient
and bands are concatenated uint32 values."""
POSITION_COLUMN = "dedup_position"
"""The optional column with the unique position of each article in the input."""
BATCH_ARTICLES, BATCH_BYTES = 1024, 8 << 20
"""The most articles and bytes sketched at a time."""
LITTLE_ENDIAN_UINT32 = np.dtype("<u4")

Batches = Iterator[pa.RecordBatch]


def sketch_frame(articles: DataFrame, settings: Settings) -> DataFrame:
    """Return the sketches of a DataFrame of articles, in the order of its rows."""
    names = [field for field in (*FIELDS, POSITION_COLUMN) if field in articles.columns]
    named = articles.select(*map(sql.col, names)).withColumn("id", build_id_column(names))
    return named.mapInArrow(build_sketcher(settings), SKETCH_SCHEMA)


def build_id_column(columns: list[str]) -> Column:
    """Return the column of ids; a missing id is a hash of the other columns, so it is the same in every run."""
    others = [sql.col(name) for name in columns if name not in {"id", POSITION_COLUMN}]
    made = sql.concat(sql.lit("made-"), sql.lower(sql.hex(sql.xxhash64(*others))))
    return sql.coalesce(sql.col("id").cast("string"), made) if "id" in columns else made


def build_sketcher(settings: Settings) -> Callable[[Batches], Batches]:
    """Return the function that sketches batches of articles."""

    def sketch_all(batches: Batches) -> Batches:
        for batch in batches:
            for part in split_batch(batch, BATCH_ARTICLES, BATCH_BYTES):
                articles = to_article_batch(part)
                rows = build_sketch_rows(articles, sketch_with_settings(articles, settings))
                has_positions = POSITION_COLUMN in part.schema.names
                positions = part[POSITION_COLUMN] if has_positions else pa.nulls(part.num_rows, pa.int64())
                yield rows.append_column("position", positions)

    return sketch_all


def to_article_batch(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return a batch with the columns of `DEFAULT_SCHEMA`; missing values are null, missing texts are empty."""
    columns = {name: batch.column(name) for name in batch.schema.names}
    if "published" in columns:
        columns["published"], _ = parse_published(columns["published"])
    arrays = [
        columns[field.name].cast(field.type)
        if field.name in columns
        else pa.nulls(batch.num_rows, field.type)
        for field in SCHEMA
    ]
    text = FIELDS.index("text")
    arrays[text] = pc.fill_null(arrays[text], "")
    source, url = FIELDS.index("source"), FIELDS.index("url")
    arrays[source] = fill_missing_sources(replace_blanks(arrays[source]), arrays[url])
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


def build_sketch_rows(articles: pa.RecordBatch, s: Sketches) -> pa.RecordBatch:
    """Return the rows of articles and their sketches."""
    published = articles["published"]
    return pa.RecordBatch.from_pydict(
        {
            "id": articles["id"],
            "title": articles["title"],
            "source": articles["source"],
            "published": published.cast(pa.timestamp("us", tz="UTC")),
            "time": published.cast(pa.int64()),
            "day": pa.array(s.days, from_pandas=True),
            "length": s.lengths,
            "telling": s.content_hashes.view(np.int64),
            "salient": encode_keys(s.salient),
            "bands": encode_keys(s.bands),
            "sketch": pa.array(pack_sketches(s).to_byte_strings(), pa.binary()),
        }
    )


def sort_by_number(sketches: pa.Table) -> pa.Table:
    """Return sketches sorted by number; this also works for more than two gigabytes, the limit of a binary array."""
    wide = sketches.column("sketch").cast(pa.large_binary())
    return sketches.set_column(sketches.schema.get_field_index("sketch"), "sketch", wide).sort_by("number")


def encode_keys(keys: np.ndarray) -> pa.Array:
    """Return the rows of a uint32 table as binary values."""
    return pa.array([row.tobytes() for row in keys.astype(LITTLE_ENDIAN_UINT32)], pa.binary())


def decode_keys(column: pa.ChunkedArray | pa.Array, width: int) -> np.ndarray:
    """Return a column of binary values as a uint32 table with `width` columns."""
    return (
        np.frombuffer(b"".join(column.to_pylist()), LITTLE_ENDIAN_UINT32).reshape(-1, width).astype(np.uint32)
    )
