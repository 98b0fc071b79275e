"""`dedup mcp` as a process, asked by a real client over its standard streams."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from commands import called, environment, process
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.types import CallToolResult, TextContent
from newsmaker import chapter_of, story

import dedup.server
from dedup.index.index import Index
from dedup.server.agent_tools import TEXT_CHARACTERS
from dedup.settings.settings import Settings

LOOSE = Settings(followup_probability=0.02, rewrite_probability=1.0, window_days=20.0)
"""A chapter is found to follow another, and never to be a rewrite of it."""
ARTICLES = [
    {"id": "first", **story(1)},
    {"id": "chapter", **chapter_of(1, 2)},
    {"id": "copied", **chapter_of(1, 2)},
    {"id": "other", **story(5)},
    {"id": "again", **story(5)},
]
TOOLS = ["cluster", "explain", "find_same_story", "storyline", "whats_new"]
Call = tuple[str, dict[str, Any]]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an index with three stories, two of them in one storyline."""
    path = tmp_path_factory.mktemp("agents") / "seen.db"
    with Index.open(path, LOOSE) as index:
        index.add(ARTICLES)
    return path


def ask(path: Path, question: Callable[[ClientSession], Awaitable[Any]]) -> Any:
    """Return the answer to a question of a client, which starts the command itself."""

    async def run() -> Any:
        command = ["-m", "dedup", "mcp", "--index", str(path), "--quiet"]
        server = StdioServerParameters(command=sys.executable, args=command, env=environment())
        async with stdio_client(server) as streams, ClientSession(*streams) as session:
            await session.initialize()
            return await question(session)

    return asyncio.run(run())


def text_in(result: CallToolResult) -> str:
    """Return the text of an answer."""
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


def call(path: Path, *calls: Call) -> list[Any]:
    """Return what tools answer; the sentence where it is an error."""

    async def question(session: ClientSession) -> list[Any]:
        results = [await session.call_tool(name, arguments) for name, arguments in calls]
        texts = [text_in(result) for result in results]
        return [
            text if result.is_error else json.loads(text) for result, text in zip(results, texts, strict=True)
        ]

    return ask(path, question)


def asked_about(article: dict[str, Any]) -> Call:
    """Return the question whether an article is known."""
    return "find_same_story", {key: str(article[key]) for key in ("title", "text", "published")}


def test_every_tool_only_reads_and_says_what_it_takes(seen: Path) -> None:
    tools = ask(seen, lambda session: session.list_tools()).tools

    assert sorted(tool.name for tool in tools) == TOOLS
    assert all(tool.annotations.read_only_hint and tool.description for tool in tools)
    bounds = {tool.name: tool.input_schema["properties"] for tool in tools}
    assert bounds["find_same_story"]["text"]["maxLength"] == TEXT_CHARACTERS
    assert bounds["cluster"]["limit"]["maximum"] == 100


def test_the_tools_answer_and_leave_the_index_as_it_was(seen: Path) -> None:
    with Index.open(seen) as index:
        before = index.stats()

    copied, followed, unknown, explained, cluster, storyline, new, since = call(
        seen,
        asked_about(story(5)),
        asked_about(chapter_of(1, 3)),
        asked_about(story(9)),
        ("explain", {"id": "copied"}),
        ("cluster", {"id": "again", "limit": 1}),
        ("storyline", {"id": "copied"}),
        ("whats_new", {"hours": 1, "limit": 2}),
        ("whats_new", {"since": "2039-01-01"}),
    )

    assert (copied["known"], copied["story"], copied["relation"]) == (True, "other", "exact")
    assert copied["evidence"]["jaccard"] == 1
    assert (followed["known"], followed["storyline"], followed["follows"]["id"]) == (False, "first", "first")
    assert (unknown["known"], unknown["story"], unknown["storyline"]) == (False, None, None)
    assert [(each["name"], each["cluster"], each["relation"]) for each in explained["versions"]] == [
        ("copied", "chapter", "exact")
    ]
    assert explained["versions"][0]["evidence"]
    assert cluster == {
        "story": "other",
        "articles": 2,
        "members": [{"name": "other", "relation": None, "score": None}],
    }
    assert (storyline["storyline"], storyline["chapters"]) == ("first", 2)
    assert [each["story"] for each in storyline["stories"]] == ["first", "chapter"]
    assert [(each["story"], each["articles"]) for each in new["stories"]] == [("other", 2), ("chapter", 2)]
    assert new["more"]
    assert datetime.fromisoformat(new["stories"][0]["first_seen"])
    assert (since["stories"], since["more"]) == ([], False)
    with Index.open(seen) as index:
        assert index.stats() == before


def test_an_error_is_one_sentence(seen: Path) -> None:
    errors = call(
        seen,
        ("explain", {"id": "nobody"}),
        ("find_same_story", {"title": "", "text": " "}),
        ("find_same_story", {"title": "", "text": "secret " * TEXT_CHARACTERS}),
        ("find_same_story", {"title": "", "text": "a text", "published": "yesterdayish"}),
        ("cluster", {"id": "first", "limit": 1000}),
        ("whats_new", {"hours": 1, "since": "2026-01-01"}),
        ("forget", {}),
    )

    assert errors == [
        "there is no article 'nobody' in the index",
        "the text is empty",
        f"text: string should have at most {TEXT_CHARACTERS} characters",
        "the date 'yesterdayish' cannot be read; give it as 2026-03-01 or 2026-03-01T12:00:00Z",
        "limit: input should be less than or equal to 100",
        "give hours or since, not both",
        "Unknown tool: forget",
    ]


def test_articles_that_others_add_are_found_at_once(tmp_path: Path) -> None:
    path = tmp_path / "seen.db"
    Index.open(path).close()

    async def question(session: ClientSession) -> list[bool]:
        name, arguments = asked_about(story(5))
        known = []
        for articles in ([], [{"id": "new", **story(5)}]):
            with Index.open(path) as index:
                index.add(articles)
            known.append(json.loads(text_in(await session.call_tool(name, arguments)))["known"])
        return known

    assert ask(path, question) == [False, True]


def test_an_index_must_exist(tmp_path: Path) -> None:
    answer = process("mcp", "--index", tmp_path / "none.db", stdin=-3)

    assert (answer.returncode, answer.stdout) == (1, "")
    assert "there is no index" in answer.stderr
    assert not (tmp_path / "none.db").exists()


def test_without_the_extra_the_error_names_it(seen: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "dedup.server.agent_tools")
    monkeypatch.delattr(dedup.server, "agent_tools")
    monkeypatch.setitem(sys.modules, "mcp.server", None)

    answer = called("mcp", "--index", seen)

    assert answer.exit_code == 1
    assert "pip install 'news-dedup[mcp]'" in answer.output
