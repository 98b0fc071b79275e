"""A session of Spark: Java and the extra are found, or asked for in one sentence."""

import subprocess
import sys
from pathlib import Path

import pytest
from commands import called

from dedup.errors import EngineError
from dedup.settings.settings import Settings
from dedup.spark.session import (
    detect_java_version,
    find_java,
    find_java_error,
    get_default_conf,
    restore_error,
)


def java(folder: Path, version: str) -> Path:
    """Return a program that says it is Java of a version."""
    program = folder / "java"
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2031-05-04' >&2\n")
    program.chmod(0o755)
    return program


@pytest.mark.parametrize(("said", "version"), [("1.8.0_292", 8), ("17.0.15", 17), ("25", 25), ("ea", None)])
def test_java_says_its_version_old_and_new(tmp_path: Path, said: str, version: int | None) -> None:
    assert detect_java_version(java(tmp_path, said)) == version


def test_java_on_the_path_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    there = java(tmp_path, "21.0.2")

    assert find_java() == there


def test_java_that_is_too_old_is_named_with_what_to_install(
    newsroom: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = java(tmp_path, "11.0.20")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))

    answer = called("cluster", newsroom, "--engine", "spark")

    assert answer.exit_code == 1
    assert f"Spark needs Java 17 or later, and {old} is Java 11." in answer.stderr
    assert all(way in answer.stderr for way in ("apt install openjdk-17-jre-headless", "brew", "conda"))


def test_a_java_home_without_java_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))

    with pytest.raises(EngineError, match=f"JAVA_HOME names {tmp_path}, where there is none"):
        find_java()


def test_a_path_without_java_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(EngineError, match="there is none on the path"):
        find_java()


def test_without_the_extra_its_name_is_told(newsroom: Path) -> None:
    without = "import sys; sys.modules['pyspark'] = None; from dedup.cli.main import main; main()"
    command = [sys.executable, "-c", without, "cluster", str(newsroom), "--engine", "spark"]

    answer = subprocess.run(command, capture_output=True, text=True, check=False)

    assert answer.returncode == 1
    assert answer.stderr.count("\n") == 1
    assert "pip install 'news-dedup[spark]'" in answer.stderr


def test_a_setting_that_is_none_is_told_without_its_value(newsroom: Path) -> None:
    answer = called("cluster", newsroom, "--engine", "spark", "--conf", "fs.s3a.secret.key=hidden")

    assert answer.exit_code == 2
    assert "'fs.s3a.secret.key'" in answer.stderr
    assert "hidden" not in answer.stderr


def test_memory_is_the_drivers_beside_what_spark_takes() -> None:
    assert (
        get_default_conf(Settings(memory=5 << 30), is_local=True, progress=False)["spark.driver.memory"]
        == "6144m"
    )


def test_a_start_that_fails_is_told_in_javas_own_words() -> None:
    said = b"WARNING: modules\nError: Could not find or load main class x\n\tat y\n"

    assert find_java_error(said) == "Error: Could not find or load main class x"


def test_an_error_of_ours_comes_back_from_a_worker_as_itself() -> None:
    assert repr(restore_error("InputError", "no text")) == "InputError('no text')"


def test_spark_options_without_spark_are_wrong_usage(newsroom: Path) -> None:
    answer = called("cluster", newsroom, "--master", "local[2]")

    assert answer.exit_code == 2
    assert "need --engine spark" in answer.stderr


def test_a_setting_of_spark_is_a_key_and_a_value(newsroom: Path) -> None:
    answer = called("cluster", newsroom, "--engine", "spark", "--conf", "executor.memory")

    assert answer.exit_code == 2
    assert "KEY=VALUE" in answer.stderr


def test_a_lake_gives_verdicts_on_articles_and_no_clusters(newsroom: Path, tmp_path: Path) -> None:
    answer = called("cluster", newsroom, "--engine", "spark", "--lake", tmp_path / "lake")

    assert answer.exit_code == 2
    assert "--lake needs --format articles" in answer.stderr
