"""Decide on the articles of each component with the leader rule of a local run.

The input is the components and the numbered sketches, the output is the cluster, relation, score and evidence
of each article. The decision on an article depends only on articles to which matches connect it: those that
it repeats, and their witnesses. So `assign_leaders` decides the same on a component as on the whole corpus,
unless a limit is reached. One call handles several components.
"""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as sql

from dedup.index.decide import compute_index_levels
from dedup.index.key_run import LEVEL_ALL, LEVEL_NONE
from dedup.matching.assignments import Assignments, PriorAssignments
from dedup.matching.classifier import EXACT, NO_RELATION
from dedup.matching.clustering import assign_leaders
from dedup.matching.match_params import make_match_params
from dedup.matching.small_storylines import join_small_storylines
from dedup.pipeline.deduplicate import EXACT_REPEAT_EVIDENCE, rank_articles, should_join_undated
from dedup.pipeline.results import FOLLOWUP_NAME, SCORE_DIGITS, to_evidence_dict
from dedup.settings.settings import RELATIONS, Settings
from dedup.sketches.codec import unpack_sketches
from dedup.sketches.sketch import Sketches
from dedup.spark.sketch import decode_keys, sort_by_number

DECISION_SCHEMA = (
    "number bigint, cluster string, canonical boolean, relation string, score double, evidence map<string, double>, "
    "bounded boolean, leader bigint, mark tinyint, storyline string, follows string, probability double, first bigint"
)
SKETCH_COLUMNS = ("number", "id", "source", "time", "length", "day", "salient", "bands", "sketch")
BUCKET_ARTICLES = 1 << 12
"""The approximate number of articles in one call."""
EVIDENCE_TYPE = pa.map_(pa.string(), pa.float64())


def cluster_components(
    members: DataFrame, sketches: DataFrame, settings: Settings, past: DataFrame | None = None
) -> DataFrame:
    """Return the decisions on the members of components; articles outside of components are kept.

    `past` has the articles of earlier runs, with the columns leader, first (of their storyline), mark and
    witnesses (the number of witnesses of a kept article). Their sketches must be in `sketches`.
    """
    buckets = max(1, members.count() // BUCKET_ARTICLES)
    bucket = sql.pmod(sql.xxhash64("component"), sql.lit(buckets)).alias("bucket")
    rows = members.select("number", bucket).join(sketches.select(*SKETCH_COLUMNS), "number")
    if past is None:
        none = {"leader": "bigint", "first": "bigint", "mark": "tinyint", "witnesses": "int"}
        rows = rows.withColumns({name: sql.lit(None).cast(kind) for name, kind in none.items()})
    else:
        rows = rows.join(past.select("number", "leader", "first", "mark", "witnesses"), "number", "left")
    return rows.groupBy("bucket").applyInArrow(build_clusterer(settings), DECISION_SCHEMA)


def decide_repeated_inputs(repeats: DataFrame, articles: DataFrame) -> DataFrame:
    """Return the decisions on repeats of the input: that of the first copy if it is dropped, otherwise exact."""
    columns = ("row", "cluster", "relation", "score", "evidence", "storyline")
    firsts = articles.select(*columns).withColumnRenamed("row", "first")
    named = to_evidence_dict(EXACT_REPEAT_EVIDENCE, RELATIONS[EXACT])
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


def build_clusterer(settings: Settings) -> Callable[[pa.Table], pa.Table]:
    """Return the function that decides on the articles of a bucket."""

    def cluster_table(table: pa.Table) -> pa.Table:
        return cluster_bucket(sort_by_number(table), settings)

    return cluster_table


def cluster_bucket(table: pa.Table, settings: Settings) -> pa.Table:
    """Return the decisions on the new articles of a bucket, keyed by article number."""
    s, rules = unpack_table_sketches(table, settings), make_match_params(settings)
    past_count = len(table) - table["leader"].null_count
    prior = build_prior_assignments(table[:past_count])
    articles = table.select(["id", "source"]).append_column("published", table["time"])
    new = np.where(np.arange(len(table)) < past_count, 0, NO_RELATION)
    order = rank_articles(articles, s.lengths, new, settings)
    assignments = assign_leaders(s, order, rules, prior=prior)
    if should_join_undated(settings):
        assignments, _ = join_small_storylines(s, order, assignments, rules)
    marks = np.full(len(table), LEVEL_NONE, np.int8)
    marks[order] = compute_index_levels(
        assignments.leaders[order], assignments.relations[order], prior.witnesses, rules
    )
    return build_decision_rows(table, assignments, marks)[past_count:]


def build_prior_assignments(past: pa.Table) -> PriorAssignments:
    """Return the decisions of earlier runs in the form that `assign_leaders` accepts."""
    numbers = past["number"].to_numpy()
    return PriorAssignments(
        leaders=np.searchsorted(numbers, past["leader"].to_numpy()),
        storylines=np.searchsorted(numbers, past["first"].to_numpy()),
        indexed_by_terms=past["mark"].to_numpy() == LEVEL_ALL,
        witnesses=np.array(past["witnesses"].to_numpy(), np.int32),
    )


def unpack_table_sketches(table: pa.Table, settings: Settings) -> Sketches:
    """Return the sketches in a table."""
    return unpack_sketches(
        table["sketch"].to_pylist(),
        np.array(table["day"].to_numpy(), np.float64),
        decode_keys(table["salient"], settings.salient_terms),
        decode_keys(table["bands"], settings.bands),
    )


def build_decision_rows(table: pa.Table, assignments: Assignments, marks: np.ndarray) -> pa.Table:
    """Return the decisions as rows of `DECISION_SCHEMA`."""
    dropped = assignments.relations != NO_RELATION
    relations = [RELATIONS[r] if r != NO_RELATION else None for r in assignments.relations.tolist()]
    evidence = [
        to_evidence_dict(assignments.evidence[place], relation or FOLLOWUP_NAME) if place >= 0 else None
        for place, relation in zip(assignments.evidence_rows.tolist(), relations, strict=True)
    ]
    follows = assignments.is_follower()
    first = pa.array(assignments.storylines)
    return pa.table(
        {
            "number": table["number"],
            "cluster": table["id"].take(pa.array(assignments.leaders)),
            "canonical": ~dropped,
            "relation": pa.array(relations, pa.string()),
            "score": pa.array(np.round(assignments.scores, SCORE_DIGITS), mask=~dropped),
            "evidence": pa.array([e and list(e.items()) for e in evidence], EVIDENCE_TYPE),
            "bounded": assignments.limit_reached != 0,
            "leader": table["number"].take(pa.array(assignments.leaders)),
            "mark": marks,
            "storyline": table["id"].take(first),
            "follows": table["id"].take(pa.array(assignments.storylines, mask=~follows)),
            "probability": pa.array(np.round(assignments.scores, SCORE_DIGITS), mask=~follows),
            "first": table["number"].take(first),
        }
    )
