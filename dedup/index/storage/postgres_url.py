"""Parse the URL of an index in PostgreSQL, and format it for people, without the password or parts of it."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote

import psycopg
from psycopg.conninfo import conninfo_to_dict

from dedup.errors import IndexingError

DEFAULT_SCHEMA = "dedup"
MAX_NAME_BYTES = 63
"""PostgreSQL cuts off a longer name, and two indexes could become one."""


def parse_postgres_url(url: str) -> tuple[dict[str, Any], str]:
    """Return the parameters for the client library, and the schema.

    >>> parse_postgres_url("postgresql://ann@db/news?schema=wire")
    ({'user': 'ann', 'dbname': 'news', 'host': 'db'}, 'wire')
    """
    head, _, query = url.partition("?")
    server = head.partition("://")[2].partition("/")[0]
    if url.count("@") > min(server.count("@"), 1):
        raise make_url_error()
    parameters = query.split("&") if query else []
    schemas = [unquote(part.partition("=")[2]) for part in parameters if part.startswith("schema=")]
    others = "&".join(part for part in parameters if not part.startswith("schema="))
    schema = schemas[-1] if schemas else DEFAULT_SCHEMA
    if not 0 < len(schema.encode()) <= MAX_NAME_BYTES or "\0" in schema:
        raise IndexingError(
            f"the name of a schema has 1 to {MAX_NAME_BYTES} bytes, and {schema!r} has {len(schema.encode())}"
        )
    try:
        given = conninfo_to_dict(f"{head}?{others}" if others else head)
    except psycopg.Error:
        raise make_url_error() from None  # its message holds parts of the password
    if not str(given.get("port", 0)).replace(",", "0").isdecimal():
        raise make_url_error()
    return given, schema


def make_url_error() -> IndexingError:
    """Return the error of a URL that cannot be read; no part of it is shown, for a password may be anywhere."""
    return IndexingError(
        "the URL of an index in PostgreSQL is postgresql://user:password@host:port/database?schema=NAME, and this one is not; "
        "write @ / ? # % and : within a name or a password as %40 %2F %3F %23 %25 and %3A"
    )


def format_postgres_url(parameters: Mapping[str, Any], schema: str) -> str:
    """Return a URL as it is shown: without anything that may be secret.

    >>> format_postgres_url(
    ...     {"user": "ann", "password": "?", "host": "db", "port": "5433", "dbname": "news"}, "wire"
    ... )
    'postgresql://ann@db:5433/news?schema=wire'
    """
    user, host, port, database = (
        quote(str(parameters.get(key, "")), safe=",") for key in ("user", "host", "port", "dbname")
    )
    who, at = f"{user}@" if user else "", f":{port}" if port else ""
    which = "" if schema == DEFAULT_SCHEMA else f"?schema={quote(schema, safe='')}"
    return f"postgresql://{who}{host}{at}/{database}{which}"
