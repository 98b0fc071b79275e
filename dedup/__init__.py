"""Find news articles that tell the same story, keep one of each group, and explain every decision.

    from dedup import deduplicate

    result = deduplicate("news/", window_days=7)
    result.clusters, result.kept, result.dropped

All public names are here. Each is imported from its module on first use, so `import dedup` alone loads neither
numba nor Arrow.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dedup.errors import DedupError
    from dedup.evaluation.metrics import evaluate
    from dedup.index.answers import Answer
    from dedup.index.index import Index
    from dedup.io.corpus import Corpus, read_articles
    from dedup.matching.classifier import Match
    from dedup.pipeline.deduplicate import deduplicate
    from dedup.pipeline.estimate import RunEstimate
    from dedup.pipeline.plan import plan
    from dedup.pipeline.results import Cluster, Result
    from dedup.reports.explain import explain
    from dedup.reports.explanation import Explanation
    from dedup.settings.model_file import read_model
    from dedup.settings.settings import Settings
    from dedup.sketches.minhash import from_minhash, to_minhash
    from dedup.text.boilerplate.learn import learn_boilerplate
    from dedup.text.boilerplate.profile import read_boilerplate

    __version__: str

__all__ = [
    "Answer",
    "Cluster",
    "Corpus",
    "DedupError",
    "Explanation",
    "Index",
    "Match",
    "Result",
    "RunEstimate",
    "Settings",
    "deduplicate",
    "evaluate",
    "explain",
    "from_minhash",
    "learn_boilerplate",
    "plan",
    "read_articles",
    "read_boilerplate",
    "read_model",
    "to_minhash",
]

HOMES = {
    "Answer": "index.answers",
    "Cluster": "pipeline.results",
    "Corpus": "io.corpus",
    "DedupError": "errors",
    "Explanation": "reports.explanation",
    "Index": "index.index",
    "Match": "matching.classifier",
    "Result": "pipeline.results",
    "RunEstimate": "pipeline.estimate",
    "Settings": "settings.settings",
    "deduplicate": "pipeline.deduplicate",
    "evaluate": "evaluation.metrics",
    "explain": "reports.explain",
    "from_minhash": "sketches.minhash",
    "learn_boilerplate": "text.boilerplate.learn",
    "plan": "pipeline.plan",
    "read_articles": "io.corpus",
    "read_boilerplate": "text.boilerplate.profile",
    "read_model": "settings.model_file",
    "to_minhash": "sketches.minhash",
}
"""The module of each public name."""

DISTRIBUTION = "news-dedup"
UNINSTALLED = "0+unknown"
"""The version of a checkout that is not installed."""


def __getattr__(name: str) -> Any:
    """Return a public name from its module, or the installed version (PEP 562), and cache it."""
    if name == "__version__":
        value: Any = installed_version()
    elif name in HOMES:
        value = getattr(import_module(f"dedup.{HOMES[name]}"), name)
    else:
        raise AttributeError(f"module 'dedup' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names."""
    return [*__all__, "__version__"]


def installed_version() -> str:
    """Return the version of the installed package."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return UNINSTALLED
