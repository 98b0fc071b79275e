"""Answers of the index → the bodies of replies.

In: answers. Out: JSON; the `dedup` object of an article is the one that the command line writes.
"""

from collections.abc import Sequence
from typing import Any

from dedup.index.answers import Answer, build_answer_verdict, get_answer_evidence
from dedup.io.records import to_json_line
from dedup.serving.bodies import LINES, Posted


def decision(answer: Answer) -> dict[str, Any]:
    """Return what was decided on one version of an article."""
    dedup = build_answer_verdict(answer)
    if answer.match:
        dedup["evidence"] = get_answer_evidence(answer)
    if answer.link:
        dedup["follows"]["evidence"] = answer.link.evidence
    return {"id": answer.id, "version": answer.version, "dedup": dedup}


def replied(posted: Posted, answers: Sequence[Answer], kind: str) -> bytes:
    """Return the reply to a request: for each place of it, in order, the decision or the error."""
    by_place = {place: decision(answer) for place, answer in zip(posted.places, answers, strict=True)}
    by_place |= {place: {"error": reason} for place, reason in posted.errors.items()}
    items = [by_place[place] for place in range(len(by_place))]
    if posted.single:
        return to_json_line(items[0])
    if kind == LINES:
        return b"".join(to_json_line(item) + b"\n" for item in items)
    return to_json_line(items)


def history(article: str, answers: Sequence[Answer]) -> dict[str, Any]:
    """Return all versions of an article."""
    return {"id": article, "versions": [decision(answer) for answer in answers]}


def cluster(answers: Sequence[Answer]) -> dict[str, Any]:
    """Return a cluster: the kept article and then all that repeat it."""
    return {
        "cluster": answers[0].name,
        "size": len(answers),
        "articles": [decision(answer) for answer in answers],
    }
