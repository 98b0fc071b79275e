"""Compiled code lies in a folder that nobody else can write."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from dedup.jit import cache_folder
from dedup.jit.cache_folder import find_cache_folder


@pytest.fixture
def homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, Path]]:
    """Return the first and the second choice, neither of which exists."""
    first, temporary = tmp_path / "home" / "dedup", tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr(cache_folder, "user_cache_dir", lambda: str(first.parent))
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    find_cache_folder.cache_clear()
    yield first, temporary / f"dedup-{os.getuid()}"
    find_cache_folder.cache_clear()


def test_it_is_private_to_its_user(homes: tuple[Path, Path]) -> None:
    assert find_cache_folder() == homes[0]
    assert homes[0].stat().st_mode & 0o777 == 0o700


def test_a_folder_that_others_can_write_is_skipped(homes: tuple[Path, Path]) -> None:
    homes[0].mkdir(parents=True)
    homes[0].chmod(0o777)

    assert find_cache_folder() == homes[1]


def test_without_a_private_folder_it_is_a_new_one(homes: tuple[Path, Path]) -> None:
    for home in homes:
        home.mkdir(parents=True)
        home.chmod(0o777)

    folder = find_cache_folder()

    assert folder not in homes
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_link_is_skipped(homes: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    homes[0].parent.mkdir()
    homes[0].symlink_to(tmp_path / "theirs", target_is_directory=True)

    assert find_cache_folder() == homes[1]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_another_user_is_skipped(homes: tuple[Path, Path]) -> None:
    homes[0].mkdir(parents=True)
    os.chown(homes[0], 65534, 65534)

    assert find_cache_folder() == homes[1]
