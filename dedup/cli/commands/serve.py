"""`dedup serve`: an HTTP service that deduplicates articles with an index."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dedup.cli.long_work import compile_missing_kernels
from dedup.cli.messages import echo_status
from dedup.cli.options import PRESETS, Command, add_field_option, add_quiet_option, add_settings_options
from dedup.cli.stream_filter import open_index
from dedup.errors import ServingError

if TYPE_CHECKING:
    from dedup.settings.settings import Settings

__all__ = ["serve_command"]

TOKEN_VARIABLE = "DEDUP_TOKEN"  # noqa: S105 - the name of a variable
WEBHOOK_SECRET_VARIABLE = "DEDUP_WEBHOOK_SECRET"  # noqa: S105 - as above
MIB = 1 << 20
WARM_UP_QUERY = (
    "This query makes the index load its content and its word lists before the first request arrives."
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
    required=True,
    metavar="INDEX",
    help="The index of articles: a file, which is created if it does not exist, postgresql://user@host/database, or "
    ":memory:.",
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
    help="The port to listen on; 0 chooses a free one.",
)
@click.option(
    "--unix",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Listen on this Unix socket instead, which only this user can access.",
)
@click.option(
    "--max-body",
    default=16,
    show_default=True,
    type=click.IntRange(1, 1024),
    metavar="MIB",
    help="Maximum size of a request, in MiB.",
)
@click.option(
    "--max-articles",
    default=5000,
    show_default=True,
    type=click.IntRange(1, 100_000),
    metavar="N",
    help="Maximum number of articles in a request.",
)
@click.option(
    "--max-requests",
    default=64,
    show_default=True,
    type=click.IntRange(1, 10_000),
    metavar="N",
    help="Maximum number of requests in progress; further ones get status 503 and should retry after a second.",
)
@click.option(
    "--max-seconds",
    default=30.0,
    show_default=True,
    type=click.FloatRange(0.1, 3600),
    metavar="NUMBER",
    help="Maximum duration of a request; after it, the request gets status 503.",
)
@click.option(
    "--webhook",
    metavar="URL",
    help="Send new stories, new origins of a story, and changed facts to this address of http or https, as JSON. "
    "DEDUP_WEBHOOK_SECRET signs the requests.",
)
@click.option("--access-log", is_flag=True, help="Log every request on stderr: client, path and status.")
@add_field_option("the articles")
@click.option(
    "--preset",
    type=click.Choice(PRESETS),
    metavar="NAME",
    help=f"The export that posted articles are in: {', '.join(PRESETS[:-1])}.",
)
@add_settings_options
@add_quiet_option
def serve_command(
    index: str,
    host: str,
    port: int,
    unix: Path | None,
    max_body: int,
    max_articles: int,
    max_requests: int,
    max_seconds: float,
    webhook: str | None,
    access_log: bool,
    fields: Mapping[str, str],
    preset: str | None,
    settings: Settings,
    quiet: bool,
) -> None:
    """Deduplicate articles over HTTP.

    POST /articles takes one article, a list or JSON Lines, and responds once the decisions are stored. GET /articles/ID
    and /clusters/ID return stored decisions. /stories.atom and /stories.json are feeds of the newest stories, and /live is a
    page that shows stories as they form. See also /healthz, /metrics and /openapi.json. No text is stored or logged.

    If DEDUP_TOKEN is set, requests need the header Authorization: Bearer TOKEN; otherwise only requests from this
    machine are allowed. An index that exists keeps its settings. On SIGTERM or Ctrl-C the service finishes the requests
    in progress, within ten seconds, then exits.
    """
    run = import_server()
    from dedup.pipeline.deduplicate import load_kernels
    from dedup.server.app import create_app
    from dedup.server.capacity import Limits
    from dedup.server.webhook import parse_webhook_target

    token = os.environ.get(TOKEN_VARIABLE)
    if token is not None and not token.strip():
        raise ServingError(f"{TOKEN_VARIABLE} is empty; set it to a secret or unset it")
    target = parse_webhook_target(webhook, os.environ.get(WEBHOOK_SECRET_VARIABLE)) if webhook else None
    limits = Limits(body=max_body * MIB, articles=max_articles, requests=max_requests, seconds=max_seconds)
    listening = run.bind_unix(unix) if unix else run.bind(host, port, has_token=bool(token))
    try:
        compile_missing_kernels(quiet=quiet)
        with listening, open_index(index, settings) as opened:
            load_kernels()
            opened.find(WARM_UP_QUERY)
            listening.listen()  # connections are accepted from here on
            echo_status(f"serving {opened.backend.name} at {run.describe_address(listening)}", quiet=quiet)
            log_to_stderr(access_log=access_log)
            app = create_app(opened, token=token, limits=limits, fields=fields, preset=preset, webhook=target)
            run.serve_until_signal(app, listening, access_log=access_log)
        echo_status("stopped", quiet=quiet)
    finally:
        if unix:
            unix.unlink(missing_ok=True)


def log_to_stderr(*, access_log: bool) -> None:
    """Log warnings to stderr, and with `access_log` each request."""
    logging.basicConfig(format=LOG_FORMAT)
    if access_log:
        logging.getLogger("uvicorn.access").setLevel(logging.INFO)


def import_server() -> Any:
    """Return the server module; `ServingError` if the extra is not installed."""
    try:
        from dedup.server import run
    except ModuleNotFoundError as error:
        raise ServingError(
            f"serving needs the package {error.name}: pip install 'news-dedup[serve]'"
        ) from error
    return run
