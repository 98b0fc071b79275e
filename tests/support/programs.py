"""The programs that some tests run: each is found, or its tests are skipped by name. In CI a missing one is an error."""

import os
import shutil

import pytest

DEBIAN = {
    "chromium": "chromium",
    "java": "openjdk-17-jre-headless",
    "nginx": "nginx-light",
    "redis-server": "redis-server",
}
"""The package of Debian that brings a program."""
NAMES = {"chromium": ("chromium", "chromium-browser", "google-chrome")}
"""What a program may be called, where it has more than one name."""


def require(program: str) -> str:
    """Return the path of a program; without it the test is skipped, and fails in CI."""
    found = next(filter(None, map(shutil.which, NAMES.get(program, (program,)))), None)
    if not found:
        give_up(f"{program} is missing; on Debian and Ubuntu: apt-get install {DEBIAN[program]}")
    return str(found)


def give_up(reason: str) -> None:
    """Skip a test that cannot be run on this machine; in CI, which never skips, it fails."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
