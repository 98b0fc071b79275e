"""dedup finds the news stories that were told more than once, keeps one telling of each, and can say why.

    from dedup import Settings, deduplicate, read_articles

    result = deduplicate(read_articles("news/"), Settings(window_days=7))
    result.clusters, result.kept, result.dropped

This is the one door: a name is imported from its module when it is first asked for, so that `import dedup`
alone loads neither numba nor Arrow.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dedup.corpus import Corpus, read_articles
    from dedup.errors import DedupError
    from dedup.evaluation import evaluate
    from dedup.index.answers import Answer
    from dedup.index.index import Index
    from dedup.learned import read_furniture
    from dedup.learning import learn_furniture
    from dedup.matches import Match
    from dedup.model import read_model
    from dedup.pipeline import deduplicate
    from dedup.results import Cluster, Result
    from dedup.settings import Settings
    from dedup.signatures import from_minhash, to_minhash

    __version__: str

__all__ = [
    "Answer",
    "Cluster",
    "Corpus",
    "DedupError",
    "Index",
    "Match",
    "Result",
    "Settings",
    "deduplicate",
    "evaluate",
    "from_minhash",
    "learn_furniture",
    "read_articles",
    "read_furniture",
    "read_model",
    "to_minhash",
]

HOMES = {
    "Answer": "index.answers",
    "Cluster": "results",
    "Corpus": "corpus",
    "DedupError": "errors",
    "Index": "index.index",
    "Match": "matches",
    "Result": "results",
    "Settings": "settings",
    "deduplicate": "pipeline",
    "evaluate": "evaluation",
    "from_minhash": "signatures",
    "learn_furniture": "learning",
    "read_articles": "corpus",
    "read_furniture": "learned",
    "read_model": "model",
    "to_minhash": "signatures",
}
"""The module of each public name."""

DISTRIBUTION = "news-dedup"
UNINSTALLED = "0+unknown"
"""The version of a checkout that was never installed."""


def __getattr__(name: str) -> Any:
    """Return a public name from its module, or the installed version (PEP 562); it is looked up once."""
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
