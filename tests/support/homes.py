"""The homes that an index may have, each empty: the same tests run over all of them."""

from collections.abc import Callable
from pathlib import Path

import pytest

Place = str | Path
HOMES: dict[str, Callable[[pytest.FixtureRequest], Place]] = {
    "memory": lambda _: ":memory:",
    "sqlite": lambda request: request.getfixturevalue("tmp_path") / "seen.db",
    "postgres": lambda request: request.getfixturevalue("postgres").place(),
}


@pytest.fixture(params=HOMES)
def place(request: pytest.FixtureRequest) -> Place:
    """Return a place for a new index, in each kind of home in turn."""
    return HOMES[request.param](request)


@pytest.fixture(params=[name for name in HOMES if name != "memory"])
def lasting_place(request: pytest.FixtureRequest) -> Place:
    """Return a place for a new index that outlives its process."""
    return HOMES[request.param](request)
