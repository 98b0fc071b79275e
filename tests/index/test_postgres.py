"""An index in PostgreSQL: what a place means, who is refused, and what happens when the server breaks off."""

import socket
import sys
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from newsmaker import batch, planned
from postgres_server import Server

from dedup.errors import IndexingError
from dedup.index.index import Index
from dedup.index.storage.backend import ConnectionLostError
from dedup.index.storage.postgres import PostgresBackend
from dedup.index.storage.postgres_url import format_postgres_url, parse_postgres_url
from dedup.index.storage.retry import ABSENT_SECONDS

SAID = "The river Tarn rose two metres overnight and flooded the old mill at Velden Ridge."


def do(server: Server, *statements: str) -> None:
    """Execute statements beside an index."""
    with psycopg.connect(server.url, autocommit=True) as other:
        for statement in statements:
            other.execute(statement.encode())


def end_all_others(server: Server) -> None:
    """Have the server end every connection."""
    do(server, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'dedup'")


def wait_within_a_turn(index: Index, until: Callable[[], object]) -> None:
    """Take a turn, do something else in the middle of it, and go on."""
    with index.backend.transaction():
        until()
        index.backend.read_state()


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("postgresql://ann:s%40cret@db:5433/news", "postgresql://ann@db:5433/news"),
        ("postgres://db/news?schema=dedup", "postgresql://db/news"),
        (
            "postgresql:///news?host=/run/pg&schema=the%20wire",
            "postgresql://%2Frun%2Fpg/news?schema=the%20wire",
        ),
        ("postgresql://ann@db/news?password=secret&sslmode=require", "postgresql://ann@db/news"),
    ],
)
def test_a_place_is_shown_without_its_password(place: str, name: str) -> None:
    assert format_postgres_url(*parse_postgres_url(place)) == name


@pytest.mark.parametrize(
    "place",
    [
        "postgresql://ann:s@cret@db/news",
        "postgresql://ann:5/cret@db/news",
        "postgresql://ann:cret?@db/news",
        "postgresql://ann:cret/news",
        "postgresql://ann:cret@db/news?cret",
        "postgresql://ann:cret@db/news?schema=",
        "postgresql://ann:cret@db/news?schema=" + 64 * "n",
    ],
)
def test_a_place_that_cannot_be_read_is_not_repeated(place: str) -> None:
    with pytest.raises(IndexingError) as caught:
        parse_postgres_url(place)

    assert "cret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_no_error_shows_the_password(postgres: Server) -> None:
    with pytest.raises(IndexingError, match='database "none" does not exist') as caught:
        Index.open(f"{postgres.url}?dbname=none")

    assert "secret" in postgres.url
    assert "secret" not in f"{caught.value}{caught.value.__cause__!r}"


def test_without_its_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "dedup.index.storage.postgres")
    monkeypatch.setitem(sys.modules, "psycopg", None)

    with pytest.raises(IndexingError, match=r"pip install 'news-dedup\[postgres\]'"):
        Index.open("postgresql://db/news")


def test_a_missing_index_is_made_only_when_asked(postgres: Server) -> None:
    place = postgres.place()

    with pytest.raises(IndexingError, match="there is no index"):
        Index.open(place, create=False)
    with Index.open(place), Index.open(place, create=False) as index:
        assert index.backend.read_state().articles == 0


def test_the_tables_of_others_are_refused(postgres: Server) -> None:
    do(postgres, "CREATE SCHEMA others", "CREATE TABLE others.articles (id integer)")

    with pytest.raises(IndexingError, match="tables of others"):
        Index.open(f"{postgres.url}?schema=others")


def test_a_newer_format_is_refused(postgres: Server) -> None:
    with Index.open(f"{postgres.url}?schema=newer"):
        do(postgres, "UPDATE newer.dedup_index SET format = 9")

    with pytest.raises(IndexingError, match=r"newer format \(9; this version knows 4\)"):
        Index.open(f"{postgres.url}?schema=newer")


def test_a_schema_that_may_not_be_written_to_is_told(postgres: Server) -> None:
    Index.open(f"{postgres.url}?schema=sealed").close()
    do(postgres, "CREATE ROLE reader LOGIN", "GRANT USAGE ON SCHEMA sealed TO reader")
    do(postgres, "GRANT SELECT ON ALL TABLES IN SCHEMA sealed TO reader")

    with Index.open(f"{postgres.url.replace('postgres:secret', 'reader')}?schema=sealed") as index:
        assert index.find({"id": "a", "text": SAID}) is None
        with pytest.raises(IndexingError, match="this user may not do that there"):
            index.add([{"id": "a", "text": SAID}])


def test_schemas_of_one_database_are_apart(postgres: Server) -> None:
    with Index.open(postgres.place()) as one, Index.open(postgres.place()) as two:
        answers = one.add([{"id": "a", "text": SAID}]) + two.add([{"id": "b", "text": SAID}])

    assert answers == [("a", None), ("b", None)]


def test_who_is_silent_for_too_long_loses_the_turn(postgres: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    place = postgres.place()
    monkeypatch.setattr("dedup.index.storage.postgres.IDLE_TIMEOUT_SECONDS", 1)
    with Index.open(place) as one, Index.open(place) as two:
        with pytest.raises(ConnectionLostError, match="timeout"):
            wait_within_a_turn(one, until=lambda: two.add([{"id": "a", "text": SAID}]))

        assert one.add([{"id": "b", "text": SAID}])[0][1]


def test_a_turn_that_is_broken_off_is_taken_anew(postgres: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    articles = planned(30, seed=8, stories=4)
    with Index.open(":memory:") as index:
        expected = index.add(articles[:10]) + index.add(articles[10:])

    with Index.open(postgres.place()) as index:
        first = index.add(articles[:10])
        end_all_others(postgres)
        record, broken = PostgresBackend.record, iter([True])

        def break_once(self: Any, *given: Any) -> None:
            record(self, *given)
            if next(broken, False):
                end_all_others(postgres)

        monkeypatch.setattr(PostgresBackend, "record", break_once)
        answers = index.decide(batch(articles[10:]))

    assert next(broken, None) is None
    assert first + [(answer.name, answer.match) for answer in answers] == expected
    assert not any(answer.again for answer in answers)


def test_a_commit_whose_answer_is_lost_counts_once(postgres: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    execute, lost = psycopg.Connection.execute, iter([True])

    def lose_the_answer(self: Any, query: Any, *given: Any, **named: Any) -> Any:
        done = execute(self, query, *given, **named)
        if query == "COMMIT" and next(lost, False):
            self.close()
            raise psycopg.OperationalError("the server closed the connection unexpectedly")
        return done

    with Index.open(postgres.place()) as index:
        monkeypatch.setattr(psycopg.Connection, "execute", lose_the_answer)
        answers = index.decide(batch([{"id": "a", "text": SAID}, {"id": "b", "text": SAID}]))
        state = index.backend.read_state()

    assert next(lost, None) is None
    assert [(answer.match and answer.match.canonical, answer.again) for answer in answers] == [
        (None, False),
        ("a", False),
    ]
    assert state.articles == 2


def test_a_server_that_stays_away_is_told(monkeypatch: pytest.MonkeyPatch, postgres: Server) -> None:
    monkeypatch.setattr("dedup.index.storage.retry.BACKOFF_SECONDS", (0.01, 0.01))
    with Index.open(postgres.place()) as index:
        postgres.stop()
        try:
            with pytest.raises(IndexingError, match="its server does not let us in") as caught:
                index.add([{"id": "a", "text": SAID}])
        finally:
            postgres.start()

        assert "secret" not in str(caught.value)
        assert index.add([{"id": "a", "text": SAID}]) == [("a", None)]


def test_an_index_opens_when_its_server_comes_back(postgres: Server) -> None:
    place = postgres.place()
    with Index.open(place) as index:
        index.add([{"id": "a", "text": SAID}])
    postgres.stop()
    coming_back = threading.Timer(1.0, postgres.start)
    coming_back.start()
    try:
        with Index.open(place) as index, Index.open_for_maintenance(place) as same:
            assert [answer.name for answer in index.history("a")] == ["a"]
            assert same.stats().articles == 1
    finally:
        coming_back.join()


def test_an_index_opens_when_its_connection_breaks_meanwhile(
    postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_meta, broken = PostgresBackend.read_meta, iter([True])

    def break_once(self: Any) -> dict[str, str]:
        if next(broken, False):
            end_all_others(postgres)
        return read_meta(self)

    monkeypatch.setattr(PostgresBackend, "read_meta", break_once)
    with Index.open(postgres.place()) as index:
        assert index.add([{"id": "a", "text": SAID}]) == [("a", None)]
    assert next(broken, None) is None


def test_a_wrong_port_is_told_within_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]

    def sleep(seconds: float) -> None:
        clock[0] += seconds

    monkeypatch.setattr(
        "dedup.index.storage.retry.time", SimpleNamespace(monotonic=lambda: clock[0], sleep=sleep)
    )
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        place = f"postgresql://ann:secret@127.0.0.1:{silent.getsockname()[1]}/news"
        for open_index in (Index.open, Index.open_for_maintenance):
            clock[0] = 0.0
            with pytest.raises(IndexingError, match=r"its server does not let us in: .*refused") as caught:
                open_index(place)

            assert clock[0] == ABSENT_SECONDS
            assert "secret" not in str(caught.value)
            assert "\n" not in str(caught.value)


def test_a_server_that_refuses_us_is_asked_once(postgres: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dedup.index.storage.retry.BACKOFF_SECONDS", (60.0,))

    with pytest.raises(IndexingError, match='role "nobody here" does not exist'):
        Index.open(postgres.url.replace("postgres:secret", "nobody%20here"))


def test_space_that_was_freed_is_used_again(postgres: Server) -> None:
    with Index.open(postgres.place()) as index:
        home, sizes = index.backend, []
        for turn in range(4):
            index.add([{**article, "id": f"{turn} {article['id']}"} for article in planned(150, turn, 60)])
            with home.transaction():
                home.remove([row.position for rows in home.iter_rows() for row in rows])
            home.release_space()
            sizes.append(home.get_size())

    assert sizes[-1] < 1.5 * sizes[0]


def test_a_damaged_page_is_told(postgres: Server) -> None:
    place = postgres.place()
    with Index.open(place) as index:
        index.add(planned(20, seed=4))
        assert index.backend.find_damage() == []
    with psycopg.connect(place.partition("?")[0]) as other:
        table = place.partition("=")[2] + ".articles"
        ((path,),) = other.execute("SELECT pg_relation_filepath(%s)", [table]).fetchall()

    postgres.stop()
    with (postgres.folder / "data" / path).open("r+b") as file:
        file.seek(4_000)
        file.write(bytes(200))
    postgres.start()

    with Index.open(place) as index:
        assert "invalid page in block 0" in "".join(index.backend.find_damage())
        with pytest.raises(IndexingError, match="it is damaged"):
            index.add([{"id": "a", "text": SAID}])
