"""The same stages on Apache Spark: `deduplicate(df, settings)` gives the clusters of a local run.

Needs the extra `spark`. Nothing else in the package imports this one but when it is asked for.
"""

from dedup.spark.outcome import deduplicate

__all__ = ["deduplicate"]
