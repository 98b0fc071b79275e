"""What every test may ask for: articles, and Hypothesis set up so that CI sees the same examples twice."""

import os
from pathlib import Path
from typing import Any

import pytest
from browsing import browser
from homes import lasting_place, place
from hypothesis import settings
from postgres_server import postgres
from sparking import spark

__all__ = ["browser", "lasting_place", "place", "postgres", "spark"]

ROOT = Path(__file__).parent.parent
os.environ.setdefault("DEDUP_NOW", "2040-01-01")  # invented news is dated from 2031 on

# No deadline: whichever example comes first may have to wait for a kernel to compile.
settings.register_profile("people", deadline=None)
settings.register_profile(
    "ci", deadline=None, derandomize=True, max_examples=40
)  # people try the default, 100
settings.load_profile("ci" if os.environ.get("CI") else "people")


@pytest.fixture(scope="session")
def newsroom() -> Path:
    """Return the invented newsroom, one article a line."""
    return ROOT / "examples" / "newsroom.jsonl"


@pytest.fixture(scope="session")
def stubs() -> Path:
    """Return the invented outlet whose stubs share a notice, one article a line."""
    return ROOT / "examples" / "stubs.jsonl"


@pytest.fixture(scope="session")
def seeds() -> Path:
    """Return the folder of the acceptance corpus, which lies beside the checkout and not in it."""
    folder = ROOT.parent / "shared" / "seeds"
    if not folder.is_dir():
        pytest.skip("the acceptance corpus is not beside this checkout")
    return folder


SPARK = ("test_spark", "test_cli_cluster_spark")
"""Files whose tests one process takes: two of Spark's engines on two cores hinder each other."""
LONG = (*SPARK, "test_fuzz", "test_nothing_lost", "test_workers")
"""Files that take longest: begun last, one process would be left alone with them."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of long files first."""
    items.sort(key=lambda item: not item.path.name.startswith(LONG))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return one process more than cores: many tests wait for a server, a browser or a process that was killed."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: Any, log: Any) -> Any:
    """Let a process take a file at a time, or all of Spark's."""
    from xdist.scheduler import LoadFileScheduling

    scheduler = LoadFileScheduling(config, log)
    file_of = scheduler._split_scope

    def scope_of(nodeid: str) -> str:
        return "spark" if Path(file_of(nodeid)).name.startswith(SPARK) else file_of(nodeid)

    scheduler._split_scope = scope_of
    return scheduler
