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

from dedup.index.ingest import marks_of
from dedup.index.lookup import FULL, UNSEEN
from dedup.matching.classifier import EXACT, NONE, rules_of
from dedup.matching.clustering import Assignments, Settled, assign, join_small_storylines
from dedup.pipeline.deduplicate import SAME, joins_undated, ranked
from dedup.pipeline.results import DIGITS, FOLLOWUP_NAME, named_evidence
from dedup.settings.settings import RELATIONS, Settings
from dedup.sketches.codec import unpacked
from dedup.sketches.sketch import Sketches
from dedup.spark.sketch import in_order, keys_of

DECIDED = (
    "number bigint, cluster string, canonical boolean, relation string, score double, evidence map<string, double>, "
    "bounded boolean, leader bigint, mark tinyint, storyline string, follows string, probability double, first bigint"
)
NEEDED = ("number", "id", "source", "time", "length", "day", "salient", "bands", "sketch")
BUCKET = 1 << 12
"""About so many articles are decided about in one call."""
EVIDENCE_TYPE = pa.map_(pa.string(), pa.float64())


def decided(
    members: DataFrame, sketches: DataFrame, settings: Settings, before: DataFrame | None = None
) -> DataFrame:
    """Return what becomes of the members of components, by their numbered sketches; all others are kept.

    `before` has the `leader` of articles that were decided about before, the `first` of their storyline, their `mark`, and
    how many `witnesses` speak for those that are kept; their sketches must be among the others.
    """
    buckets = max(1, members.count() // BUCKET)
    bucket = sql.pmod(sql.xxhash64("component"), sql.lit(buckets)).alias("bucket")
    found = members.select("number", bucket).join(sketches.select(*NEEDED), "number")
    if before is None:
        none = {"leader": "bigint", "first": "bigint", "mark": "tinyint", "witnesses": "int"}
        found = found.withColumns({name: sql.lit(None).cast(kind) for name, kind in none.items()})
    else:
        found = found.join(before.select("number", "leader", "first", "mark", "witnesses"), "number", "left")
    return found.groupBy("bucket").applyInArrow(decider(settings), DECIDED)


def decided_again(repeats: DataFrame, articles: DataFrame) -> DataFrame:
    """Return what becomes of articles that were given twice: the same as of the first, or its exact copies."""
    columns = ("row", "cluster", "relation", "score", "evidence", "storyline")
    firsts = articles.select(*columns).withColumnRenamed("row", "first")
    named = named_evidence(SAME, RELATIONS[EXACT])
    copy = sql.map_from_arrays(sql.array(*map(sql.lit, named)), sql.array(*map(sql.lit, named.values())))
    return repeats.join(firsts, "first").withColumns(
        {
            "canonical": sql.lit(False),  # noqa: FBT003 - a value
            "repeated": sql.lit(True),  # noqa: FBT003 - as above
            "relation": sql.coalesce("relation", sql.lit(RELATIONS[EXACT])),
            "score": sql.when(sql.col("relation").isNull(), sql.lit(1.0)).otherwise(sql.col("score")),
            "evidence": sql.when(sql.col("relation").isNull(), copy).otherwise(sql.col("evidence")),
            "follows": sql.lit(None).cast("string"),
            "probability": sql.lit(None).cast("double"),
        }
    )


def decider(settings: Settings) -> Callable[[pa.Table], pa.Table]:
    """Return the function that decides about the articles of a bucket."""

    def decide(table: pa.Table) -> pa.Table:
        return decisions(in_order(table), settings)

    return decide


def decisions(table: pa.Table, settings: Settings) -> pa.Table:
    """Return what becomes of the articles of a bucket, by number, but of those that were decided about before."""
    s, rules = sketches_of(table, settings), rules_of(settings)
    known = len(table) - table["leader"].null_count
    settled = settled_of(table[:known])
    articles = table.select(["id", "source"]).append_column("published", table["time"])
    new = np.where(np.arange(len(table)) < known, 0, NONE)
    order = ranked(articles, s.lengths, new, settings)
    made = assign(s, order, rules, settled=settled)
    if joins_undated(settings):
        made, _ = join_small_storylines(s, order, made, rules)
    marks = np.full(len(table), UNSEEN, np.int8)
    marks[order] = marks_of(made.leaders[order], made.relations[order], settled.witnesses, rules)
    return rows_of(table, made, marks)[known:]


def settled_of(before: pa.Table) -> Settled:
    """Return articles that were decided about before, as `assign` takes them."""
    numbers = before["number"].to_numpy()
    return Settled(
        leaders=np.searchsorted(numbers, before["leader"].to_numpy()),
        storylines=np.searchsorted(numbers, before["first"].to_numpy()),
        full=before["mark"].to_numpy() == FULL,
        witnesses=np.array(before["witnesses"].to_numpy(), np.int32),
    )


def sketches_of(table: pa.Table, settings: Settings) -> Sketches:
    """Return the sketches of some rows."""
    return unpacked(
        table["sketch"].to_pylist(),
        np.array(table["day"].to_numpy(), np.float64),
        keys_of(table["salient"], settings.salient_terms),
        keys_of(table["bands"], settings.bands),
    )


def rows_of(table: pa.Table, made: Assignments, marks: np.ndarray) -> pa.Table:
    """Return the rows that say what became of some articles."""
    dropped = made.relations != NONE
    relations = [RELATIONS[r] if r != NONE else None for r in made.relations.tolist()]
    evidence = [
        named_evidence(made.evidence[place], relation or FOLLOWUP_NAME) if place >= 0 else None
        for place, relation in zip(made.places.tolist(), relations, strict=True)
    ]
    follows = made.follows()
    first = pa.array(made.storylines)
    return pa.table(
        {
            "number": table["number"],
            "cluster": table["id"].take(pa.array(made.leaders)),
            "canonical": ~dropped,
            "relation": pa.array(relations, pa.string()),
            "score": pa.array(np.round(made.scores, DIGITS), mask=~dropped),
            "evidence": pa.array([e and list(e.items()) for e in evidence], EVIDENCE_TYPE),
            "bounded": made.bounded != 0,
            "leader": table["number"].take(pa.array(made.leaders)),
            "mark": marks,
            "storyline": table["id"].take(first),
            "follows": table["id"].take(pa.array(made.storylines, mask=~follows)),
            "probability": pa.array(np.round(made.scores, DIGITS), mask=~follows),
            "first": table["number"].take(first),
        }
    )
