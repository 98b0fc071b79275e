"""Run the stages on Apache Spark: `deduplicate(df, settings)` returns the same clusters as a local run.

This needs the extra "spark". The rest of the package imports this one only on demand.
"""

try:
    import pyspark as _  # noqa: F401 - only to say in a sentence what is missing
except ImportError as missing:
    sentence = "Spark is not installed; install it with: pip install 'news-dedup[spark]'"
    raise ImportError(sentence) from missing

from dedup.spark.deduplicate import deduplicate

__all__ = ["deduplicate"]
