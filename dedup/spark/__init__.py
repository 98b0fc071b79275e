"""The same stages on Apache Spark: `deduplicate(df, settings)` gives the clusters of a local run.

Needs the extra `spark`. Nothing else in the package imports this one but when it is asked for.
"""

try:
    import pyspark as _  # noqa: F401 - only to say in a sentence what is missing
except ImportError as missing:
    sentence = "Spark is not installed; install it with: pip install 'news-dedup[spark]'"
    raise ImportError(sentence) from missing

from dedup.spark.deduplicate import deduplicate

__all__ = ["deduplicate"]
