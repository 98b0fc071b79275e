"""Which tests one process takes, where several share them."""

from types import SimpleNamespace

from conftest import pytest_xdist_make_scheduler


def test_a_process_takes_a_file_or_all_of_sparks() -> None:
    two_processes = SimpleNamespace(getvalue=lambda _option: ["popen", "popen"])

    scheduler = pytest_xdist_make_scheduler(two_processes, None)

    scopes = [
        scheduler._split_scope(f"tests/{file}.py::test[1::2]")
        for file in ("test_spark", "test_spark_lake", "test_cli_cluster_spark", "test_cli_cluster")
    ]
    assert scopes == ["spark", "spark", "spark", "tests/test_cli_cluster.py"]
