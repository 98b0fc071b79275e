"""Offer an index to agents: tools that read it, over the Model Context Protocol (MCP). None of them adds an article.

Needs the extra `mcp`. The arguments are bounded, and so is each result; an error is one sentence.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypeVar

import pyarrow as pa
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations
from pydantic import Field, ValidationError

import dedup
from dedup.errors import DedupError, InputError
from dedup.index.answers import Answer, build_answer_verdict, get_answer_evidence
from dedup.index.index import Index
from dedup.index.stories import IndexedStory
from dedup.io.dates import parse_published
from dedup.io.values import as_text

__all__ = ["create_agent_server"]

T = TypeVar("T")
TEXT_CHARACTERS = 200_000
TITLE_CHARACTERS = 2_000
ID_CHARACTERS = 512
DATE_CHARACTERS = 64
MAX_HOURS = 24 * 366
MAX_RESULTS = 100
DEFAULT_RESULTS = 20
QUERY_ID = "(the article asked about)"
"""The id under which an article is looked up; it is never recorded."""
INSTRUCTIONS = (
    "Read-only tools over an index of news articles. A story is a kept article and all articles that repeat it; its id is "
    "the id of the kept article. A storyline is a running subject: a first story and those that follow it. The index "
    "stores ids, dates and decisions, but no titles and no texts."
)

ArticleName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=ID_CHARACTERS,
        description="The id of an article; a later version of it is id#2, id#3 ...",
    ),
]
Limit = Annotated[int, Field(ge=1, le=MAX_RESULTS, description="The maximum number of results.")]


class AgentServer(MCPServer[Any]):
    """An MCP server whose errors are one sentence."""

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None
    ) -> Any:
        """Return the result of a tool; raise `ToolError` with one sentence if there is none."""
        try:
            return await super().call_tool(name, arguments, context)
        except ToolError as error:
            raise ToolError(describe_tool_error(error)) from None


@dataclass(frozen=True, slots=True)
class IndexTools:
    """The tools over an index. Their docstrings are what an agent reads."""

    index: Index

    def find_same_story(
        self,
        title: Annotated[str, Field(max_length=TITLE_CHARACTERS, description="May be empty.")],
        text: Annotated[
            str,
            Field(min_length=1, max_length=TEXT_CHARACTERS, description="The text of the article."),
        ],
        published: Annotated[
            str | None,
            Field(
                max_length=DATE_CHARACTERS,
                description="When it was published, as 2026-03-01 or 2026-03-01T12:00:00Z.",
            ),
        ] = None,
    ) -> dict[str, Any]:
        """Find the story that an article tells, without adding the article.

        `known` says whether the index has the story already: then `story` is its id, and `relation`, `score` and
        `evidence` say how the article repeats it. Otherwise the article would be kept, and `follows` names the storyline that
        it continues, if any.
        """
        if not text.strip():
            raise InputError("the text is empty")
        article = {"id": QUERY_ID, "title": title, "text": text, "published": parse_date(published)}
        answer = self.index.look_up(article)
        match, link = answer.match, answer.link
        return {
            "known": match is not None,
            "story": match.canonical if match else None,
            "relation": match.relation if match else None,
            "score": match.score if match else None,
            "evidence": get_answer_evidence(answer),
            "storyline": answer.storyline if match or link else None,
            "follows": describe_link(answer),
        }

    def explain(self, id: ArticleName) -> dict[str, Any]:  # noqa: A002 - the name that agents read
        """Explain the decision on an article: kept, or which article it repeats, with the evidence; all its versions."""
        answers = require_found(self.index.history(clean_id(id)), id)
        return {"id": id, "versions": [describe_answer(answer) for answer in answers[-MAX_RESULTS:]]}

    def cluster(self, id: ArticleName, limit: Limit = DEFAULT_RESULTS) -> dict[str, Any]:  # noqa: A002
        """List the articles of the story of an article: the kept one, then those that repeat it, in order of arrival.

        `articles` is their number, also of those beyond the limit.
        """
        answers = require_found(self.index.cluster(clean_id(id)), id)
        return {
            "story": answers[0].name,
            "articles": len(answers),
            "members": [describe_member(answer) for answer in answers[:limit]],
        }

    def storyline(self, id: ArticleName, limit: Limit = DEFAULT_RESULTS) -> dict[str, Any]:  # noqa: A002
        """List the chapters of the storyline of an article, by date. `chapters` is their number, also beyond the limit."""
        stories = require_found(self.index.storyline(clean_id(id)), id)
        return {
            "storyline": stories[0].answer.storyline,
            "chapters": len(stories),
            "stories": [describe_indexed_story(story) for story in stories[:limit]],
        }

    def list_new_stories(
        self,
        hours: Annotated[
            float | None, Field(gt=0, le=MAX_HOURS, description="The last hours; 24 if nothing is given.")
        ] = None,
        since: Annotated[
            str | None,
            Field(
                max_length=DATE_CHARACTERS, description="Instead of hours: a time, as 2026-03-01T12:00:00Z."
            ),
        ] = None,
        limit: Limit = DEFAULT_RESULTS,
    ) -> dict[str, Any]:
        """List the stories that the index has first seen in the last hours or since a time, newest first.

        `articles` is the number of articles that tell a story. `more` says whether there are stories beyond the limit.
        """
        if hours is not None and since is not None:
            raise InputError("give hours or since, not both")
        start = parse_date(since) or datetime.now(UTC) - timedelta(hours=24 if hours is None else hours)
        stories = self.index.list_stories(limit + 1, start)
        return {
            "since": format_time(start),
            "stories": [describe_indexed_story(story) for story in stories[:limit]],
            "more": len(stories) > limit,
        }


def create_agent_server(index: Index) -> MCPServer[Any]:
    """Return an MCP server with the tools over an index. The caller must close the index."""
    server = AgentServer(
        "dedup", version=dedup.__version__, instructions=INSTRUCTIONS, log_level="ERROR", subscriptions=False
    )
    tools = IndexTools(index)
    functions: Mapping[str, Callable[..., dict[str, Any]]] = {
        "find_same_story": tools.find_same_story,
        "explain": tools.explain,
        "cluster": tools.cluster,
        "storyline": tools.storyline,
        "whats_new": tools.list_new_stories,
    }
    for name, function in functions.items():
        hints = ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False)
        server.add_tool(function, name=name, annotations=hints)
    return server


def describe_tool_error(error: ToolError) -> str:
    """Return the sentence of an error; of an unexpected one only the type, because its message may quote a text."""
    cause = error.__cause__
    if isinstance(cause, ValidationError):
        first = cause.errors(include_input=False, include_url=False)[0]
        name = ".".join(map(str, first["loc"])) or "the arguments"
        return f"{name}: {first['msg'][:1].lower()}{first['msg'][1:]}"
    if isinstance(cause, DedupError):
        return str(cause)
    if cause is None:
        return str(error)
    return f"this should not have happened ({type(cause).__name__}); please report it"


def require_found(found: list[T], article: str) -> list[T]:
    """Return what the index has of an article; raise `InputError` if that is nothing."""
    if not found:
        raise InputError(f"there is no article {article!r} in the index")
    return found


def clean_id(article: str) -> str:
    """Return an id as the index stores it."""
    return (as_text(article) or "").replace("\0", " ")


def parse_date(text: str | None) -> datetime | None:
    """Return a date, None if none is given; raise `InputError` if it cannot be read."""
    if text is None or not text.strip():
        return None
    times, unreadable = parse_published(pa.array([text]))
    if unreadable:
        raise InputError(f"the date {text!r} cannot be read; give it as 2026-03-01 or 2026-03-01T12:00:00Z")
    moment: datetime = times[0].as_py()
    return moment


def describe_answer(answer: Answer) -> dict[str, Any]:
    """Return the decision on an article, with the evidence."""
    verdict = {key: value for key, value in build_answer_verdict(answer).items() if key != "again"}
    return {
        "name": answer.name,
        "version": answer.version,
        **verdict,
        "evidence": get_answer_evidence(answer),
        "follows": describe_link(answer),
    }


def describe_link(answer: Answer) -> dict[str, Any] | None:
    """Return the article that a kept one follows, with the evidence; None if it follows no other."""
    link = answer.link
    return {"id": link.canonical, "probability": link.score, "evidence": link.evidence} if link else None


def describe_member(answer: Answer) -> dict[str, Any]:
    """Return an article of a story: its name, and how it repeats the kept one."""
    match = answer.match
    return {
        "name": answer.name,
        "relation": match.relation if match else None,
        "score": match.score if match else None,
    }


def describe_indexed_story(story: IndexedStory) -> dict[str, Any]:
    """Return a story: its id, dates, number of articles and storyline."""
    return {
        "story": story.answer.name,
        "articles": story.articles,
        "published": format_time(story.published),
        "first_seen": format_time(story.decided),
        "storyline": story.answer.storyline,
    }


def format_time(moment: datetime | None) -> str | None:
    """Return a time as text."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None
