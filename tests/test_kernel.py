"""The folder of compiled kernels: it is another one whenever a kernel, or what it stands on, is."""

import shutil
from pathlib import Path

import pytest

from dedup import kernel


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copied = tmp_path / "dedup"
    shutil.copytree(kernel.PACKAGE, copied)
    monkeypatch.setattr(kernel, "PACKAGE", copied)
    return copied


@pytest.mark.parametrize("name", ["words.py", "kernel.py", "settings.py", "data/characters.npz"])
def test_kernels_are_compiled_anew_when_what_they_stand_on_changes(package: Path, name: str) -> None:
    before = kernel.kernels_digest()

    (package / name).write_bytes((package / name).read_bytes() + b"\n")

    assert kernel.kernels_digest() != before


@pytest.mark.parametrize("name", ["cli.py", "writing.py", "terminal/talk.py"])
def test_they_are_not_when_something_else_changes(package: Path, name: str) -> None:
    before = kernel.kernels_digest()

    (package / name).write_bytes((package / name).read_bytes() + b"\n")

    assert kernel.kernels_digest() == before
