"""The rows of a query are articles: of a file of DuckDB, and of a PostgreSQL server."""

import sys
from pathlib import Path

import duckdb
import psycopg
import pytest
from commands import called, lines_of
from newsmaker import story, version
from postgres_server import Server

ROWS = [
    (name, article["title"], article["text"], day)
    for name, article, day in (
        ("a", story(1), "2026-05-01 08:00:00"),
        ("b", version(1, "cut", 3), "2026-05-01 11:00:00"),
        ("c", story(2), "2026-05-02 08:00:00"),
    )
]
QUERY = "SELECT nr AS id, title, body AS text, day AS published FROM news ORDER BY nr"
TABLE = "CREATE TABLE news (nr TEXT, title TEXT, body TEXT, day TIMESTAMP)"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a file of DuckDB with a table of articles."""
    with duckdb.connect(str(tmp_path / "news.duckdb")) as connection:
        connection.execute(TABLE)
        connection.executemany("INSERT INTO news VALUES (?, ?, ?, ?)", ROWS)
    return tmp_path / "news.duckdb"


@pytest.fixture
def url(postgres: Server) -> str:
    """Return a server with a table of articles."""
    with psycopg.connect(postgres.url) as connection:
        connection.execute("DROP TABLE IF EXISTS news")
        connection.execute(TABLE)
        connection.cursor().executemany("INSERT INTO news VALUES (%s, %s, %s, %s)", ROWS)
    return postgres.url


def test_rows_of_duckdb_are_clustered(file: Path) -> None:
    (cluster,) = lines_of(called("cluster", file, "--sql", QUERY).stdout)

    assert [cluster["cluster"], *(member["id"] for member in cluster["members"])] == ["a", "b"]
    assert cluster["members"][0]["published"] == "2026-05-01T11:00:00+00:00"


def test_rows_of_postgresql_are_filtered(url: str, tmp_path: Path) -> None:
    answer = called("filter", url, "--sql", QUERY, "-o", tmp_path / "kept.csv")

    assert answer.exit_code == 0, answer.stderr
    assert [line.partition(",")[0] for line in (tmp_path / "kept.csv").read_text().splitlines()] == [
        "id",
        "a",
        "c",
    ]


def test_both_databases_give_the_same(file: Path, url: str) -> None:
    assert (
        called("cluster", file, "--sql", QUERY).stdout == called("cluster", url, "--sql", QUERY).stdout != ""
    )


def test_a_row_without_an_id_is_named_after_the_database(file: Path) -> None:
    kept = lines_of(called("filter", file, "--sql", "SELECT body AS text FROM news", "--annotate").stdout)

    assert kept[0]["dedup"]["cluster"] == "news.arrow:1"


def test_a_query_that_fails_is_one_sentence(file: Path, url: str) -> None:
    for database in (file, url):
        answer = called("cluster", database, "--sql", "SELECT nothing FROM nowhere")

        assert answer.exit_code == 1
        assert answer.stderr.startswith("Error: cannot query ")
        assert answer.stderr.count("\n") == 1
        assert "secret" not in answer.stderr


@pytest.mark.parametrize("query", ["DELETE FROM news", "CREATE TABLE other (x INT)"])
def test_a_query_changes_nothing(query: str, file: Path, url: str) -> None:
    assert [called("filter", database, "--sql", query).exit_code for database in (file, url)] == [1, 1]
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM news").fetchone() == (3,)


def test_a_server_that_does_not_answer_is_one_sentence() -> None:
    answer = called("cluster", "postgresql://ann:hunter2@127.0.0.1:1/news", "--sql", QUERY)

    assert answer.exit_code == 1
    assert "hunter2" not in answer.stderr


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    answer = called("cluster", tmp_path / "none.duckdb", "--sql", QUERY)

    assert answer.stderr == f"Error: there is no database {tmp_path / 'none.duckdb'}\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("database", "module", "package"),
    [
        ("news.duckdb", "duckdb", "duckdb"),
        ("postgresql://db/news", "adbc_driver_postgresql", "adbc-driver-postgresql"),
    ],
)
def test_a_missing_package_is_one_sentence(
    database: str, module: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)

    answer = called("cluster", database, "--sql", QUERY)

    assert answer.stderr == f"Error: --sql needs the package {package}: pip install 'news-dedup[sql]'\n"


def test_a_query_needs_one_database(file: Path) -> None:
    assert called("cluster", file, "other.duckdb", "--sql", QUERY).exit_code == 2
