"""Define the bodies of responses as pydantic models, from which FastAPI derives the OpenAPI document."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Literal

from fastapi import Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from dedup.index.answers import Answer, build_answer_verdict, get_answer_evidence
from dedup.server.requests import LINES, PostedArticles

__all__ = ["ArticleHistory", "Decision", "ErrorBody", "Readiness", "StoryCluster", "render", "respond"]

LEFT_OUT: Any = None
"""The default of a field that is left out if it does not apply."""
PIECE = 1 << 16
"""Bytes sent at a time, so that a large body is not buffered faster than the client reads."""


class Body(BaseModel):
    """A body without additional fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ErrorBody(Body):
    """The reason why there is no answer."""

    error: str = Field(description="One sentence.")


class FollowedArticle(Body):
    """The first article of the storyline in which a kept article is a later chapter."""

    id: str
    probability: float = Field(ge=0, le=1)
    evidence: dict[str, float]


class DedupFields(Body):
    """The decision on an article: the `dedup` object of the command line."""

    cluster: str = Field(description="The id of the kept article.")
    canonical: bool = Field(description="Whether this article is kept.")
    relation: Literal["exact", "copy", "excerpt", "extension", "rewrite", "followup"] | None
    score: float | None = Field(ge=0, le=1)
    evidence: dict[str, float] = Field(default=LEFT_OUT, description="Of a dropped article.")
    storyline: str = Field(description="The id of the first article of the storyline.")
    follows: FollowedArticle = Field(
        default=LEFT_OUT, description="Of a kept article that is a later chapter of a storyline."
    )
    again: Literal[True] = Field(
        default=LEFT_OUT,
        description="The index has the same id and text already; this is the earlier answer.",
    )


class Decision(Body):
    """The decision on one version of an article."""

    id: str
    version: int = Field(
        ge=1,
        description="2 or more if the index had the id with another text; the article is then named id#2.",
    )
    dedup: DedupFields

    @classmethod
    def from_answer(cls, answer: Answer) -> "Decision":
        """Return the decision in an answer of the index."""
        verdict = build_answer_verdict(answer)
        if answer.match:
            verdict["evidence"] = get_answer_evidence(answer)
        if answer.link:
            verdict["follows"]["evidence"] = answer.link.evidence
        return cls(id=answer.id, version=answer.version, dedup=DedupFields(**verdict))


class ArticleHistory(Body):
    """All versions of an article."""

    id: str
    versions: list[Decision] = Field(min_length=1)


class StoryCluster(Body):
    """The kept article, then its duplicates in order of arrival."""

    cluster: str
    size: int = Field(ge=1)
    articles: list[Decision] = Field(min_length=1)


class Readiness(Body):
    """The index can be used."""

    ready: Literal[True] = True


Item = Decision | ErrorBody
ITEM: TypeAdapter[Item] = TypeAdapter(Item)
ITEMS: TypeAdapter[list[Item]] = TypeAdapter(list[Item])


def render(posted: PostedArticles, answers: Sequence[Answer]) -> bytes:
    """Return the response body: the decision or the error at each position."""
    items: dict[int, Item] = {position: ErrorBody(error=reason) for position, reason in posted.errors.items()}
    for position, answer in zip(posted.positions, answers, strict=True):
        items[position] = Decision.from_answer(answer)
    ordered = [items[position] for position in range(len(items))]
    if posted.single:
        return ITEM.dump_json(ordered[0], exclude_unset=True)
    if posted.kind == LINES:
        return b"".join(ITEM.dump_json(item, exclude_unset=True) + b"\n" for item in ordered)
    return ITEMS.dump_json(ordered, exclude_unset=True)


def respond(body: bytes, kind: str) -> Response:
    """Return a response with a body; a large one is sent in pieces."""
    if len(body) <= PIECE:
        return Response(body, media_type=kind)
    return StreamingResponse(
        iterate_pieces(body), media_type=kind, headers={"Content-Length": f"{len(body)}"}
    )


async def iterate_pieces(body: bytes) -> AsyncIterator[bytes]:
    """Yield a body in pieces."""
    for start in range(0, len(body), PIECE):
        yield body[start : start + PIECE]
