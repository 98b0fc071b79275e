"""The folder of compiled kernels: it is another one whenever a kernel, or what it stands on, is."""

import importlib.util
import os
import shutil
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

import numba
import pytest

from dedup import jit, precompile
from dedup.errors import SettingsError

KERNEL = """from dedup.jit import jit


@jit
def add_one(x):
    return x + 1
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copied = tmp_path / "dedup"
    shutil.copytree(jit.PACKAGE, copied, ignore=shutil.ignore_patterns("kernels", "__pycache__"))
    monkeypatch.setattr(jit, "PACKAGE", copied)
    monkeypatch.setattr(jit, "SHIPPED_KERNELS", copied / "kernels")
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


@pytest.mark.parametrize("name", ["cli/main.py", "pipeline/deduplicate.py", "precompile.py"])
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


def set_cpu(monkeypatch: pytest.MonkeyPatch, machine: str, *features: str) -> None:
    present = dict.fromkeys(features, True) | {"avx512f": False}
    monkeypatch.setattr("platform.machine", lambda: machine)
    monkeypatch.setattr("llvmlite.binding.get_host_cpu_features", lambda: present)


def test_a_cpu_has_the_levels_whose_features_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    set_cpu(monkeypatch, "x86_64", *jit.V3_FEATURES, "sse4a")
    assert jit.find_cpu_levels() == ["x86-64-v3", "x86-64-v2"]

    set_cpu(monkeypatch, "AMD64", *jit.V2_FEATURES, "avx")
    assert jit.find_cpu_levels() == ["x86-64-v2"]

    set_cpu(monkeypatch, "x86_64", "sse3")
    assert jit.find_cpu_levels() == []

    set_cpu(monkeypatch, "aarch64")
    assert jit.find_cpu_levels() == ["generic"]

    set_cpu(monkeypatch, "riscv64")
    assert jit.find_cpu_levels() == []


@pytest.fixture
def shipped(package: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of one kernel for x86-64-v2, shipped in the package, on a CPU of that level."""
    set_cpu(monkeypatch, "x86_64", *jit.V2_FEATURES)
    monkeypatch.setattr(jit, "is_numba_in_use", lambda: False)
    monkeypatch.setattr(numba.config, "CPU_NAME", None)
    monkeypatch.setattr(numba.config, "CPU_FEATURES", None)
    monkeypatch.setattr(jit, "SHIPPED_LEVEL", None)
    folder = package / "kernels" / jit.name_kernel_folder("x86-64-v2")
    folder.mkdir(parents=True)
    (folder / "kernel.nbi").write_bytes(b"compiled")
    return folder


def test_the_cache_starts_as_a_copy_of_the_kernels_that_are_shipped(
    shipped: Path, caches: tuple[Path, Path]
) -> None:
    shipped.chmod(0o777)

    folder = jit.find_cache_folder(jit.find_shipped_level())

    assert folder.parent == caches[0]
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [path.read_bytes() for path in folder.iterdir()] == [b"compiled"]
    assert list(caches[0].iterdir()) == [folder]


def test_a_copy_that_was_added_to_stays_as_it_is(shipped: Path, caches: tuple[Path, Path]) -> None:
    (jit.find_cache_folder("x86-64-v2") / "more.nbi").write_bytes(b"added")

    assert (jit.find_cache_folder("x86-64-v2") / "more.nbi").read_bytes() == b"added"


def test_no_kernels_are_taken_from_behind_a_link(shipped: Path, tmp_path: Path) -> None:
    shipped.rename(tmp_path / "theirs")
    shipped.symlink_to(tmp_path / "theirs", target_is_directory=True)

    assert jit.find_shipped_level() is None


@pytest.mark.parametrize("name", ["CPU_NAME", "CPU_FEATURES"])
def test_the_cpu_that_a_user_names_is_kept(shipped: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(numba.config, name, "generic")

    assert jit.find_shipped_level() is None


def test_the_cpu_of_a_process_that_compiled_already_is_kept(
    shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert jit.find_shipped_level() == "x86-64-v2"

    monkeypatch.setattr(jit, "is_numba_in_use", lambda: True)

    assert jit.find_shipped_level() is None


def test_it_is_known_whether_numba_is_in_use() -> None:
    assert jit.is_numba_in_use()  # the package's own kernels are decorated by now


def test_kernels_of_other_sources_are_not_taken(shipped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jit, "KERNELS_DIGEST", "0123456789abcdef")

    assert jit.find_shipped_level() is None
    assert jit.explain_missing_kernels().startswith("the compiled ones are for another version")


def test_a_cpu_below_the_level_of_the_kernels_is_named_as_the_reason(
    shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_cpu(monkeypatch, "x86_64", "sse3")

    assert jit.find_shipped_level() is None
    assert jit.explain_missing_kernels() == (
        "the compiled ones are for CPUs of level x86-64-v2, and this one is not"
    )


def test_without_shipped_kernels_there_is_nothing_to_explain(package: Path) -> None:
    assert jit.explain_missing_kernels() == ""


def load_module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write_kernel(folder: Path, source: str = KERNEL) -> Path:
    folder.mkdir(parents=True)
    path = folder / "arithmetic.py"
    path.write_text(source)
    return path


def test_a_kernel_is_found_again_after_its_source_has_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jit, "KERNEL_FOLDER", tmp_path / "cache")
    built: Any = load_module(write_kernel(tmp_path / "built" / "package"))
    built.add_one(1)

    moved: Any = load_module(write_kernel(tmp_path / "moved" / "package"))

    assert moved.add_one(1) == 2
    assert sum(moved.add_one.stats.cache_hits.values()) == 1


def test_a_kernel_is_compiled_anew_when_its_source_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jit, "KERNEL_FOLDER", tmp_path / "cache")
    built: Any = load_module(write_kernel(tmp_path / "built" / "package"))
    built.add_one(1)

    changed: Any = load_module(write_kernel(tmp_path / "new" / "package", KERNEL.replace("+ 1", "+ 2")))

    assert changed.add_one(1) == 3


def test_other_functions_are_cached_where_numba_puts_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jit, "KERNEL_FOLDER", tmp_path / "cache")
    source = KERNEL.replace("from dedup.jit import jit", "from numba import njit")
    path = write_kernel(tmp_path / "other", source.replace("@jit", "@njit(cache=True)"))

    module: Any = load_module(path)
    module.add_one(1)

    assert not (tmp_path / "cache").exists()


def test_kernels_that_are_there_are_not_compiled_again(
    shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precompile, "SHIPPED_KERNELS", shipped.parent)
    monkeypatch.setattr(precompile, "run_commands", None)

    assert precompile.compile_kernels() == precompile.compile_kernels("x86-64-v2") == shipped


def test_compiling_takes_the_place_of_what_older_sources_left(
    shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_kernels(_folder: Path, kernels: Path, level: str) -> None:
        (kernels / level).touch()

    monkeypatch.setattr(precompile, "SHIPPED_KERNELS", shipped.parent)
    monkeypatch.setattr(precompile, "run_commands", write_kernels)
    monkeypatch.setattr(jit, "KERNELS_DIGEST", "0123456789abcdef")

    folder = precompile.compile_kernels()

    assert folder
    assert list(shipped.parent.iterdir()) == [folder]
    assert [path.name for path in folder.iterdir()] == ["x86-64-v2"]


def test_a_level_that_the_cpu_has_not_is_refused(shipped: Path) -> None:
    with pytest.raises(SettingsError, match=r"CPU level x86-64-v3: .* for x86-64-v2$"):
        precompile.compile_kernels("x86-64-v3")


def test_a_cpu_without_a_level_compiles_at_its_first_run(monkeypatch: pytest.MonkeyPatch) -> None:
    set_cpu(monkeypatch, "riscv64")

    assert precompile.compile_kernels() is None
