"""A library is used if it was compiled for this CPU and from these sources; otherwise one is compiled, once."""

import json
import subprocess
from pathlib import Path

import pytest

from dedup import precompile
from dedup.errors import SettingsError
from dedup.jit import cpu_levels, kernel_library
from dedup.jit.cpu_levels import V2_FEATURES, V3_FEATURES, find_cpu_levels
from dedup.jit.digest import digest_files

SOURCES = ["text/tokenizer.py"]


def set_cpu(monkeypatch: pytest.MonkeyPatch, machine: str, *features: str) -> None:
    present = dict.fromkeys(features, True) | {"avx512f": False}
    monkeypatch.setattr("platform.machine", lambda: machine)
    monkeypatch.setattr("llvmlite.binding.get_host_cpu_features", lambda: present)


def write_library(folder: Path, digest: str = "") -> Path:
    folder.mkdir(parents=True, mode=0o700)
    manifest = {
        "digest": digest or digest_files(SOURCES),
        "code": kernel_library.digest_code(b"code"),
        "sources": SOURCES,
        "entry_points": [],
    }
    (folder / kernel_library.OBJECT_FILE).write_bytes(b"code")
    (folder / kernel_library.MANIFEST).write_text(json.dumps(manifest))
    return folder


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of shipped libraries, empty, on a CPU of level x86-64-v3."""
    set_cpu(monkeypatch, "x86_64", *V3_FEATURES)
    folder = tmp_path / "package" / "kernels"
    monkeypatch.setattr(kernel_library, "PACKAGE", tmp_path / "package")
    monkeypatch.setattr(kernel_library, "SHIPPED_KERNELS", folder)
    monkeypatch.setattr(precompile, "SHIPPED_KERNELS", folder)
    monkeypatch.setattr(kernel_library, "find_cache_folder", lambda: tmp_path / "cache")
    return folder


def test_a_cpu_has_the_levels_whose_features_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    set_cpu(monkeypatch, "x86_64", *V3_FEATURES, "sse4a")
    assert find_cpu_levels() == ["x86-64-v3", "x86-64-v2"]

    set_cpu(monkeypatch, "AMD64", *V2_FEATURES, "avx")
    assert find_cpu_levels() == ["x86-64-v2"]


@pytest.mark.parametrize("machine", ["x86_64", "aarch64", "riscv64"])
def test_any_other_cpu_is_generic(monkeypatch: pytest.MonkeyPatch, machine: str) -> None:
    set_cpu(monkeypatch, machine, "sse3")

    assert find_cpu_levels() == [cpu_levels.GENERIC_LEVEL]


def test_the_best_level_that_is_shipped_is_used(shipped: Path) -> None:
    second_best = write_library(shipped / kernel_library.name_library("x86-64-v2"))
    assert kernel_library.find_library() == second_best

    best = write_library(shipped / kernel_library.name_library("x86-64-v3"))
    assert kernel_library.find_library() == best


def test_a_library_of_other_sources_is_not_used(shipped: Path) -> None:
    write_library(shipped / kernel_library.name_library("x86-64-v3"), digest="0123456789abcdef")

    assert kernel_library.find_library() is None


@pytest.mark.parametrize("manifest", [b'{"digest"', b"{}", b"[]", b'{"code": 1, "sources": null}'])
def test_a_broken_manifest_is_no_library(shipped: Path, manifest: bytes) -> None:
    folder = write_library(shipped / kernel_library.name_library("x86-64-v3"))
    (folder / kernel_library.MANIFEST).write_bytes(manifest)

    assert kernel_library.find_library() is None


def test_code_that_was_cut_is_no_library(shipped: Path) -> None:
    folder = write_library(shipped / kernel_library.name_library("x86-64-v3"))
    (folder / kernel_library.OBJECT_FILE).write_bytes(b"cod")

    assert kernel_library.find_library() is None


def test_a_cached_library_that_others_can_write_is_not_used(shipped: Path) -> None:
    write_library(kernel_library.find_cached_library()).chmod(0o777)

    assert kernel_library.find_library() is None


def test_two_processes_that_compile_at_once_leave_one_library(shipped: Path, tmp_path: Path) -> None:
    folder = write_library(shipped / kernel_library.name_library("x86-64-v3"))
    later = write_library(tmp_path / "later")

    precompile.replace_library(folder, later)

    assert kernel_library.is_current(folder)


def test_a_library_behind_a_link_is_not_used(shipped: Path, tmp_path: Path) -> None:
    theirs = write_library(tmp_path / "theirs")
    shipped.mkdir(parents=True)
    (shipped / kernel_library.name_library("x86-64-v3")).symlink_to(theirs, target_is_directory=True)

    assert kernel_library.find_library() is None


def test_without_a_shipped_library_the_one_in_the_cache_is_used(shipped: Path) -> None:
    cached = write_library(kernel_library.find_cached_library())

    assert kernel_library.find_library() == cached


def test_a_missing_library_is_compiled_into_the_cache(shipped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = []
    monkeypatch.setattr(subprocess, "run", lambda command, **_: commands.append(command))

    folder = kernel_library.compile_into_cache()

    assert folder == kernel_library.find_cached_library()
    assert commands[0][1:] == ["-P", "-m", "dedup.precompile", "x86-64-v3", str(folder)]


def test_a_library_that_cannot_be_compiled_is_done_without(
    shipped: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(command: list[str], **_: object) -> None:
        raise subprocess.CalledProcessError(1, command)

    monkeypatch.setattr(subprocess, "run", fail)
    kernel_library.load_once.cache_clear()

    try:
        assert kernel_library.load_library() is None
    finally:
        kernel_library.load_once.cache_clear()
    assert "cannot be compiled ahead of time" in caplog.text


def test_a_library_that_is_current_is_not_compiled_again(
    shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_library(shipped / kernel_library.name_library("x86-64-v3"))
    monkeypatch.setattr(precompile, "compile_library", None)
    monkeypatch.setattr(precompile, "list_library_files", lambda: SOURCES)

    assert precompile.compile_kernels() == precompile.compile_kernels("x86-64-v3") == folder


def test_compiling_replaces_a_library_of_other_sources(
    shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_code(level: str, folder: Path, _work: Path) -> None:
        (folder / kernel_library.OBJECT_FILE).write_text(level)

    write_library(shipped / kernel_library.name_library("x86-64-v3"), digest="0123456789abcdef")
    monkeypatch.setattr(precompile, "compile_library", write_code)

    folder = precompile.compile_kernels()

    assert list(shipped.iterdir()) == [folder]
    assert [path.name for path in folder.iterdir()] == [kernel_library.OBJECT_FILE]
    assert (folder / kernel_library.OBJECT_FILE).read_text() == "x86-64-v3"


def test_a_new_module_with_kernels_makes_a_library_out_of_date(
    shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = []
    write_library(shipped / kernel_library.name_library("x86-64-v3"))
    monkeypatch.setattr(precompile, "compile_library", lambda level, *_: compiled.append(level))

    precompile.compile_kernels()

    assert compiled == ["x86-64-v3"]


def test_a_level_that_the_cpu_does_not_have_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    set_cpu(monkeypatch, "x86_64", *V2_FEATURES)

    with pytest.raises(SettingsError, match=r"CPU level x86-64-v3: .* for x86-64-v2$"):
        precompile.compile_kernels("x86-64-v3")


def test_all_levels_are_compiled_each_in_its_own_process(monkeypatch: pytest.MonkeyPatch) -> None:
    set_cpu(monkeypatch, "x86_64", *V3_FEATURES)
    levels = []
    monkeypatch.setattr(subprocess, "run", lambda command, **_: levels.append(command[-1]))

    precompile.compile_requested_kernels("all")

    assert levels == ["x86-64-v3", "x86-64-v2"]
