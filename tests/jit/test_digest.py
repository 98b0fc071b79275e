"""The digest of the kernels changes whenever a kernel, or what it depends on, changes."""

import shutil
from pathlib import Path

import pytest

from dedup.jit import digest


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copied = tmp_path / "dedup"
    shutil.copytree(digest.PACKAGE, copied, ignore=shutil.ignore_patterns("kernels", "__pycache__"))
    monkeypatch.setattr(digest, "PACKAGE", copied)
    return copied


@pytest.mark.parametrize(
    "name",
    [
        "text/tokenizer.py",
        "jit/__init__.py",
        "settings/settings.py",
        "text/boilerplate/passages.py",
        "index/lookup.py",
        "data/characters.npz",
    ],
)
def test_a_file_that_kernels_depend_on_changes_the_digest(package: Path, name: str) -> None:
    before = digest.compute_kernels_digest()

    (package / name).write_bytes((package / name).read_bytes() + b"\n")

    assert digest.compute_kernels_digest() != before


@pytest.mark.parametrize("name", ["cli/main.py", "pipeline/deduplicate.py", "precompile/__init__.py"])
def test_another_file_does_not(package: Path, name: str) -> None:
    before = digest.compute_kernels_digest()

    (package / name).write_bytes((package / name).read_bytes() + b"\n")

    assert digest.compute_kernels_digest() == before


def test_a_file_that_is_gone_changes_the_digest(package: Path) -> None:
    names = digest.list_kernel_files()
    before = digest.digest_files(names)

    (package / "text" / "tokenizer.py").unlink()

    assert digest.digest_files(names) != before
