"""`dedup serve`: an index → a service that pipelines in any language can ask."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dedup.cli.messages import echo_status
from dedup.cli.options import Command, field_option, quiet_option, settings_options
from dedup.cli.progress import warn_if_uncompiled
from dedup.cli.stream_filter import open_index
from dedup.errors import ServingError

if TYPE_CHECKING:
    from dedup.settings.settings import Settings

__all__ = ["serve_command"]

TOKEN_VARIABLE = "DEDUP_TOKEN"  # noqa: S105 - the name of a variable
MIB = 1 << 20
WARM_UP_QUERY = (
    "The index learns what it holds, and reads its word lists, before anybody asks it for anything."
)
LOG_FORMAT = "%(asctime)s %(levelname)s %(message)s"


@click.command(
    name="serve",
    cls=Command,
    section="Find",
    examples=(
        "dedup serve --index seen.db",
        "DEDUP_TOKEN=$(cat secret) dedup serve --index seen.db --host 0.0.0.0",
        "curl http://127.0.0.1:8080/articles -H 'Content-Type: application/x-ndjson' --data-binary @a.jsonl",
    ),
)
@click.option(
    "--index",
    "place",
    required=True,
    metavar="PLACE",
    help="Where the articles seen so far are remembered: a file, made where there is none, or :memory:.",
)
@click.option(
    "--host", default="127.0.0.1", show_default=True, metavar="NAME", help="The address to listen on."
)
@click.option(
    "--port",
    default=8080,
    show_default=True,
    type=click.IntRange(0, 65535),
    metavar="N",
    help="The port to listen on; 0 for any that is free.",
)
@click.option(
    "--unix",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Listen on a socket in the file system instead, for this user alone.",
)
@click.option(
    "--max-body",
    default=16,
    show_default=True,
    type=click.IntRange(1, 1024),
    metavar="MIB",
    help="A request has at most so many MiB.",
)
@click.option(
    "--max-articles",
    default=5000,
    show_default=True,
    type=click.IntRange(1, 100_000),
    metavar="N",
    help="A request holds at most so many articles.",
)
@click.option(
    "--max-requests",
    default=64,
    show_default=True,
    type=click.IntRange(1, 10_000),
    metavar="N",
    help="At most so many requests are in hand; others are told to come again in a second (503).",
)
@click.option(
    "--max-seconds",
    default=30.0,
    show_default=True,
    type=click.FloatRange(0.1, 3600),
    metavar="NUMBER",
    help="A request that has no answer in this time is told to come again.",
)
@click.option(
    "--access-log", is_flag=True, help="Log every request on stderr: who, which address, which answer."
)
@field_option("the articles")
@settings_options
@quiet_option
def serve_command(
    place: str,
    host: str,
    port: int,
    unix: Path | None,
    max_body: int,
    max_articles: int,
    max_requests: int,
    max_seconds: float,
    access_log: bool,
    fields: Mapping[str, str],
    settings: Settings,
    quiet: bool,
) -> None:
    """Answer over HTTP which articles are new, and why not.

    POST /articles takes one article, a list, or JSON Lines, and answers once its decisions are recorded for
    good. GET /articles/ID and /clusters/ID say what was decided; /healthz, /metrics and /openapi.json say the
    rest. No text is stored or logged.

    With DEDUP_TOKEN in the environment, requests must bring it (Authorization: Bearer TOKEN); without it, only
    this machine may ask. An index that exists keeps its settings. SIGTERM and Ctrl-C end the service once what
    it has in hand is answered, within ten seconds.
    """
    run = import_server()
    from dedup.pipeline.deduplicate import load_kernels
    from dedup.server.app import create_app
    from dedup.server.capacity import Limits

    token = os.environ.get(TOKEN_VARIABLE)
    if token is not None and not token.strip():
        raise ServingError(f"{TOKEN_VARIABLE} is empty: set it to a secret, or not at all")
    limits = Limits(body=max_body * MIB, articles=max_articles, requests=max_requests, seconds=max_seconds)
    listening = run.bind_unix(unix) if unix else run.bind(host, port, has_token=bool(token))
    try:
        warn_if_uncompiled(quiet=quiet)
        with listening, open_index(place, settings) as index:
            load_kernels()
            index.find(WARM_UP_QUERY)
            listening.listen()  # from here on a caller waits, and is not turned away
            echo_status(f"serving {index.backend.name} at {run.describe_address(listening)}", quiet=quiet)
            log_to_stderr(access_log=access_log)
            app = create_app(index, token=token, limits=limits, fields=fields)
            run.serve_until_signal(app, listening, access_log=access_log)
        echo_status("ended in good order", quiet=quiet)
    finally:
        if unix:
            unix.unlink(missing_ok=True)


def log_to_stderr(*, access_log: bool) -> None:
    """Send what the service logs to stderr: warnings, and each request where that is asked for."""
    logging.basicConfig(format=LOG_FORMAT)
    if access_log:
        logging.getLogger("uvicorn.access").setLevel(logging.INFO)


def import_server() -> Any:
    """Return the module that serves; ServingError where the extra is not installed."""
    try:
        from dedup.server import run
    except ModuleNotFoundError as error:
        raise ServingError(
            f"serving needs the package {error.name}: pip install 'news-dedup[serve]'"
        ) from error
    return run
