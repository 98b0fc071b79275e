"""The folder of compiled kernels: it is another one whenever a kernel, or what it stands on, is."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from dedup import jit


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copied = tmp_path / "dedup"
    shutil.copytree(jit.PACKAGE, copied)
    monkeypatch.setattr(jit, "PACKAGE", copied)
    return copied


@pytest.mark.parametrize(
    "name",
    [
        "text/tokenizer.py",
        "jit.py",
        "settings/settings.py",
        "text/boilerplate/passages.py",
        "index/lookup.py",
        "data/characters.npz",
    ],
)
def test_kernels_are_compiled_anew_when_what_they_stand_on_changes(package: Path, name: str) -> None:
    before = jit.compute_kernels_digest()

    (package / name).write_bytes((package / name).read_bytes() + b"\n")

    assert jit.compute_kernels_digest() != before


@pytest.mark.parametrize("name", ["cli/main.py", "pipeline/writers.py", "reports/html/page.py"])
def test_they_are_not_when_something_else_changes(package: Path, name: str) -> None:
    before = jit.compute_kernels_digest()

    (package / name).write_bytes((package / name).read_bytes() + b"\n")

    assert jit.compute_kernels_digest() == before


@pytest.fixture
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Return the first and the second home of the cache, neither of which is there yet."""
    first, temporary = tmp_path / "home" / "dedup", tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr(jit, "user_cache_dir", lambda name: str(first.with_name(name)))
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    return first, temporary / f"dedup-{os.getuid()}"


def test_the_cache_is_private_to_its_user(caches: tuple[Path, Path]) -> None:
    folder = jit.find_cache_folder()

    assert folder.parent == caches[0]
    assert folder.stat().st_mode & 0o777 == 0o700
    assert jit.find_cache_folder() == folder


def test_a_cache_that_others_can_write_is_passed_over(caches: tuple[Path, Path]) -> None:
    jit.find_cache_folder().chmod(0o777)

    assert jit.find_cache_folder().parent == caches[1]


def test_a_cache_home_that_others_can_write_is_passed_over(caches: tuple[Path, Path]) -> None:
    for home in caches:
        home.mkdir(parents=True)
        home.chmod(0o777)

    folder = jit.find_cache_folder()

    assert folder.parent not in caches
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_cache_home_that_is_a_link_is_passed_over(caches: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    caches[0].parent.mkdir()
    caches[0].symlink_to(tmp_path / "theirs", target_is_directory=True)

    assert jit.find_cache_folder().parent == caches[1]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
def test_a_cache_home_of_another_user_is_passed_over(caches: tuple[Path, Path]) -> None:
    caches[0].mkdir(parents=True)
    os.chown(caches[0], 65534, 65534)

    assert jit.find_cache_folder().parent == caches[1]
