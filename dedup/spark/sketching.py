"""A DataFrame of articles → a DataFrame of sketches: what all later stages read in place of the texts.

In: the columns of `fields.SCHEMA`; those that are missing are null. Out: a row an article, with what is written of it, what it is
looked up by, and its packed sketch (`dedup.packing`). Arrow batches go through the functions of a local run, in Spark's workers.
"""

from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as sql

from dedup.dates import parse_published
from dedup.fields import FIELDS, SCHEMA
from dedup.packing import packed
from dedup.pipeline import sketch_with
from dedup.reading.batches import sliced
from dedup.settings import Settings
from dedup.sketches import Sketches

SKETCHED = (
    "id string, title string, source string, published timestamp, time bigint, day double, length int, telling bigint, "
    "salient binary, bands binary, sketch binary, position bigint"
)
"""`time` is `published` in seconds since 1970, `day` the same in days; `salient` and `bands` are uint32s end to end."""
BATCH_ARTICLES, BATCH_BYTES = 1024, 8 << 20
"""So much is sketched at once."""
LITTLE = np.dtype("<u4")

Batches = Iterator[pa.RecordBatch]


def sketched(articles: DataFrame, settings: Settings) -> DataFrame:
    """Return the sketches of a DataFrame of articles under the settings, in the order of its rows."""
    given = [field for field in (*FIELDS, "position") if field in articles.columns]
    return articles.select(*map(sql.col, given)).mapInArrow(sketcher(settings), SKETCHED)


def sketcher(settings: Settings) -> Callable[[Batches], Batches]:
    """Return the function that sketches batches of articles."""

    def sketch_all(batches: Batches) -> Batches:
        for batch in batches:
            for part in sliced(batch, BATCH_ARTICLES, BATCH_BYTES):
                articles = as_articles(part)
                made = rows_of(articles, sketch_with(articles, settings))
                given = "position" in part.schema.names
                positions = part["position"] if given else pa.nulls(part.num_rows, pa.int64())
                yield made.append_column("position", positions)

    return sketch_all


def as_articles(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return a batch with the columns of `SCHEMA`; what is missing is null, and a text that is missing is empty."""
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
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


def rows_of(articles: pa.RecordBatch, s: Sketches) -> pa.RecordBatch:
    """Return the rows of some articles and their sketches."""
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
            "telling": s.tellings.view(np.int64),
            "salient": bytes_of(s.salient),
            "bands": bytes_of(s.bands),
            "sketch": pa.array(packed(s).each(), pa.binary()),
        }
    )


def bytes_of(keys: np.ndarray) -> pa.Array:
    """Return the rows of a table of uint32 as binary values."""
    return pa.array([row.tobytes() for row in keys.astype(LITTLE)], pa.binary())


def keys_of(column: pa.ChunkedArray | pa.Array, width: int) -> np.ndarray:
    """Return a column of binary values as a table of uint32, `width` of them a row."""
    return np.frombuffer(b"".join(column.to_pylist()), LITTLE).reshape(-1, width).astype(np.uint32)
