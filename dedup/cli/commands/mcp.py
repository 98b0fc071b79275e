"""`dedup mcp`: tools for agents over the Model Context Protocol, which read an index."""

from __future__ import annotations

from typing import Any

import click

from dedup.cli.long_work import prepare_libraries
from dedup.cli.messages import echo_status
from dedup.cli.options import Command, add_quiet_option
from dedup.errors import ServingError

__all__ = ["mcp_command"]

WARM_UP_QUERY = "This query makes the index load its content before the first tool is called."


@click.command(
    name="mcp",
    cls=Command,
    section="Find",
    examples=("dedup mcp --index seen.db", "claude mcp add stories -- dedup mcp --index seen.db"),
)
@click.option(
    "--index",
    required=True,
    metavar="INDEX",
    help="The index to read: a file that exists, or postgresql://user@host/database.",
)
@add_quiet_option
def mcp_command(index: str, quiet: bool) -> None:
    """Answer agents about the stories of an index (MCP).

    A client, such as an editor or a chat with a language model, starts this command and asks it over the Model Context
    Protocol. The tools only read: find_same_story, explain, cluster, storyline and whats_new. Requests come on standard
    input, and answers go to standard output. Other processes may add articles meanwhile.
    """
    prepare_libraries()
    tools = import_tools()
    from dedup.index.index import Index
    from dedup.pipeline.deduplicate import load_kernels

    with Index.open(index, create=False) as opened:
        load_kernels()
        opened.find(WARM_UP_QUERY)
        echo_status(f"answering about {opened.backend.name} on standard input", quiet=quiet)
        tools.create_agent_server(opened).run("stdio")


def import_tools() -> Any:
    """Return the module of the tools; `ServingError` if the extra is not installed."""
    try:
        from dedup.server import agent_tools
    except ModuleNotFoundError as error:
        raise ServingError(
            f"answering agents needs the package {error.name}: pip install 'news-dedup[mcp]'"
        ) from error
    return agent_tools
