"""Components of matches → what becomes of each article: the leader rule of a local run, inside each component.

In: the components, and numbered sketches. Out: for each article its cluster, relation, score and evidence.
What a local run decides about an article depends only on articles that it is connected with by matches: those that it repeats,
and those that speak for it. So `clusters.assign` on a component says what it says on the whole corpus, as long as no bound
on the work is reached. Several components share a call.
"""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as sql

from dedup.clusters import Assignments, assign
from dedup.evidence import EVIDENCE, FEATURES
from dedup.matches import EXACT, NONE, rules_of
from dedup.packing import unpacked
from dedup.pipeline import ranked
from dedup.results import DIGITS, named_evidence
from dedup.settings import RELATIONS, Settings
from dedup.sketches import Sketches
from dedup.spark.sketching import keys_of

DECIDED = (
    "number bigint, cluster string, canonical boolean, relation string, score double, evidence map<string, double>, "
    "bounded boolean"
)
BUCKET = 1 << 12
"""About so many articles are decided about in one call."""
EVIDENCE_TYPE = pa.map_(pa.string(), pa.float64())


def decided(members: DataFrame, sketches: DataFrame, settings: Settings) -> DataFrame:
    """Return what becomes of the members of components, by their numbered sketches; all others are kept."""
    buckets = max(1, members.count() // BUCKET)
    bucket = sql.pmod(sql.xxhash64("component"), sql.lit(buckets)).alias("bucket")
    needed = ("number", "id", "source", "time", "length", "day", "salient", "bands", "sketch")
    found = members.select("number", bucket).join(sketches.select(*needed), "number")
    return found.groupBy("bucket").applyInArrow(decider(settings), DECIDED)


def decided_again(repeats: DataFrame, articles: DataFrame) -> DataFrame:
    """Return what becomes of articles that were given twice: the same as of the first, or its exact copies."""
    columns = ("row", "cluster", "relation", "score", "evidence")
    firsts = articles.select(*columns).withColumnRenamed("row", "first")
    copy = sql.map_from_arrays(
        sql.array(*map(sql.lit, EVIDENCE[:FEATURES])), sql.array(*[sql.lit(0.0)] * FEATURES)
    )
    return repeats.join(firsts, "first").withColumns(
        {
            "canonical": sql.lit(False),  # noqa: FBT003 - a value
            "relation": sql.coalesce("relation", sql.lit(RELATIONS[EXACT])),
            "score": sql.coalesce("score", sql.lit(1.0)),
            "evidence": sql.coalesce("evidence", copy),
        }
    )


def decider(settings: Settings) -> Callable[[pa.Table], pa.Table]:
    """Return the function that decides about the articles of a bucket."""

    def decide(table: pa.Table) -> pa.Table:
        table = table.sort_by("number")
        s = sketches_of(table, settings)
        articles = table.select(["id", "source"]).append_column("published", table["time"])
        order = ranked(articles, s.lengths, np.full(len(table), -1, np.int64), settings)
        return rows_of(table, assign(s, order, rules_of(settings)))

    return decide


def sketches_of(table: pa.Table, settings: Settings) -> Sketches:
    """Return the sketches of some rows."""
    return unpacked(
        table["sketch"].to_pylist(),
        np.array(table["day"].to_numpy(), np.float64),
        keys_of(table["salient"], settings.salient_terms),
        keys_of(table["bands"], settings.bands),
    )


def rows_of(table: pa.Table, made: Assignments) -> pa.Table:
    """Return the rows that say what became of some articles."""
    dropped = made.relations != NONE
    relations = [RELATIONS[r] if r != NONE else None for r in made.relations.tolist()]
    evidence = [
        named_evidence(row, relation) if relation else None
        for row, relation in zip(made.evidence, relations, strict=True)
    ]
    return pa.table(
        {
            "number": table["number"],
            "cluster": table["id"].take(pa.array(made.leaders)),
            "canonical": ~dropped,
            "relation": pa.array(relations, pa.string()),
            "score": pa.array(np.round(made.scores, DIGITS), mask=~dropped),
            "evidence": pa.array([e and list(e.items()) for e in evidence], EVIDENCE_TYPE),
            "bounded": made.bounded != 0,
        }
    )
