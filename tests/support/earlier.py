"""An index of the first format, as the first version of dedup made it: one model, no levels, no links."""

import json
import sqlite3
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
from homes import Place
from newsmaker import Article, batch

from dedup.index.compatibility import compute_fingerprint
from dedup.index.index import Index
from dedup.index.storage.backend import IndexRow
from dedup.matching.classifier import FOLLOWUP, REWRITE
from dedup.settings.settings import Settings

COLUMNS = 27
"""Of evidence."""
NEW_SETTINGS = {"level", "followup_probability"}
ROW = IndexRow._fields[:-1]


def make_earlier(place: Place, articles: list[Article]) -> None:
    """Make an index of the first format of some articles, at a place that lasts."""
    with Index.open(":memory:", Settings(level="storyline")) as index:
        index.decide(batch(articles))
        rows = [earlier_row(row) for rows in index.backend.iter_rows() for row in rows]
        sketches = {
            row.position: sketch[len(row.keys) :]
            for row in rows
            for sketch in index.backend.get_packed_sketches([row.position]).values()
        }
    fill = fill_schema if str(place).startswith("postgresql:") else fill_file
    fill(place, earlier_meta(), rows, sketches)


def earlier_row(row: IndexRow) -> IndexRow:
    """Return a row as the first version wrote it: what it called a rewrite may be a follow-up."""
    relation = REWRITE if row.relation == FOLLOWUP else row.relation
    return row._replace(relation=relation, evidence=row.evidence[: 4 * COLUMNS])


def earlier_meta() -> dict[str, str]:
    """Return what the first version wrote down of its rules."""
    meta = compute_fingerprint(Settings())
    meta["story model"] = meta.pop("models")
    settings = json.loads(meta["settings"])
    settings["relations"] = [name for name in settings["relations"] if name != "followup"]
    meta["settings"] = json.dumps({key: settings[key] for key in settings.keys() - NEW_SETTINGS})
    return meta


def schema(name: str) -> str:
    """Return a schema file."""
    return (files("dedup") / "index" / "storage" / "sql" / name).read_text("utf-8")


def fill_file(place: Place, meta: dict[str, str], rows: list[IndexRow], sketches: dict[int, bytes]) -> None:
    """Write all into a file."""
    database = sqlite3.connect(place)
    database.executescript(
        "PRAGMA page_size = 16384; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL"
    )
    database.executescript(schema("sqlite-1.sql"))
    database.executescript(f"PRAGMA application_id = {0x64656475}; PRAGMA user_version = 1")
    database.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())
    marks = ", ".join("?" * len(ROW))
    query = f"INSERT INTO articles ({', '.join(ROW)}) VALUES ({marks})"  # noqa: S608 - our own names
    database.executemany(query, [row[:-1] for row in rows])
    database.executemany("INSERT INTO sketches VALUES (?, ?)", sketches.items())
    database.execute("UPDATE state SET articles = ?", [len(rows)])
    database.commit()
    database.close()


def fill_schema(place: Place, meta: dict[str, str], rows: list[IndexRow], sketches: dict[int, bytes]) -> None:
    """Write all into a schema of a database."""
    with connected(place) as database:
        (name,) = parse_qs(urlsplit(str(place)).query)["schema"]
        database.execute(f"CREATE SCHEMA {name}".encode())
        database.execute(schema("postgres-1.sql").encode())
        database.execute("UPDATE dedup_index SET format = 1")
        marks = ", ".join(["%s"] * (len(ROW) + 1))
        with database.cursor() as cursor:
            cursor.executemany("INSERT INTO meta VALUES (%s, %s)", list(meta.items()))
            cursor.executemany(
                f"INSERT INTO articles ({', '.join(ROW)}, sketch) VALUES ({marks})".encode(),  # noqa: S608 - our own names
                [
                    (*row._replace(id=row.id.encode())[:-1], sketches.get(row.position, b""))  # type: ignore[arg-type]
                    for row in rows
                ],
            )
        database.execute("UPDATE state SET articles = %s", [len(rows)])


def connected(place: Place) -> "psycopg.Connection[Any]":
    """Return a connection to the schema of an index on a server."""
    url, _, query = str(place).partition("?")
    (name,) = parse_qs(query)["schema"]
    return psycopg.connect(url, autocommit=True, options=f"-c search_path={name}")


def do_beside(place: Place, *statements: str) -> None:
    """Execute statements beside an index that lasts."""
    if str(place).startswith("postgresql:"):
        with connected(place) as server:
            for statement in statements:
                server.execute(statement.encode())
        return
    database = sqlite3.connect(place)
    for statement in statements:
        database.execute(statement)
    database.commit()
    database.close()
