"""Find in new decisions what an editor waits for: a new story, a new origin of a story, and facts that changed.

An index stores no texts. So the publishers, credits, sources and figures of the latest stories and articles are kept
in memory. Of a story that is not in memory, only further copies are known, so nothing is claimed.
"""

from collections import OrderedDict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import pyarrow as pa

from dedup.index.answers import Answer, format_version_name
from dedup.origins.attribution import find_attribution
from dedup.origins.facts import list_values
from dedup.origins.named_sources import find_named_sources
from dedup.origins.publishers import find_group, find_publisher, load_default_groups
from dedup.origins.trace import PARTIAL_SHARE

__all__ = ["StoryChanges", "compare_values"]

KEPT_STORIES = KEPT_ARTICLES = 5_000
MAX_VALUES = 100
"""The most figures of an article that are kept."""
MAX_CHARACTERS = 100_000
"""The part of a text that is examined, so that a long one does not hold up the others."""
MAX_TIES = 500
"""The most publishers, credits and named sources of a story that are kept, and the most figures."""
CHANGED_COPIES = frozenset(["copy", "excerpt", "extension"])
"""The relations of an article that may repeat the kept one with other figures."""

Key = TypeVar("Key", bound=Hashable)
Kept = TypeVar("Kept")
Value = tuple[str, str, str]
"""The kind, the unit or noun, and the value of a figure."""
Event = dict[str, Any]


class LatestItems(OrderedDict[Key, Kept], Generic[Key, Kept]):
    """A dict that forgets the item that was set first when it has more than `most`."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def __setitem__(self, key: Key, value: Kept) -> None:
        super().__setitem__(key, value)
        self.move_to_end(key)
        while len(self) > self._most:
            self.popitem(last=False)


@dataclass(slots=True)
class KnownStory:
    """What is known of the articles of a story."""

    ties: set[tuple[str, str]] = field(default_factory=set)
    """The publishers, groups, agencies and sources that are named: an article that has one of them may have the same origin."""
    values: set[Value] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class OriginHints:
    """What a text says about its origin."""

    ties: frozenset[tuple[str, str]]
    agencies: tuple[str, ...]
    is_known: bool
    """Whether it has a publisher, a credit or a byline."""


class StoryChanges:
    """The latest stories and articles, and what new articles change."""

    def __init__(self, groups: Mapping[str, str] | None = None) -> None:
        self._groups = load_default_groups() if groups is None else groups
        self._stories: LatestItems[str, KnownStory] = LatestItems(KEPT_STORIES)
        self._values: LatestItems[str, frozenset[Value]] = LatestItems(KEPT_ARTICLES)

    def find_changes(self, batch: pa.RecordBatch, answers: Sequence[Answer]) -> list[Event]:
        """Return the events of new articles, in order; `answers` are those of the rows of `batch`."""
        columns = ("title", "text", "source", "url")
        rows = [
            {**row, "text": (row["text"] or "")[:MAX_CHARACTERS]} for row in batch.select(columns).to_pylist()
        ]
        return [
            event
            for row, answer in zip(rows, answers, strict=True)
            if not answer.again
            for event in self._examine(row, answer)
        ]

    def _examine(self, row: Mapping[str, Any], answer: Answer) -> list[Event]:
        """Return the events of one article, and remember it."""
        match = answer.match
        name = match.canonical if match else answer.name
        hints = find_origin_hints(row, self._groups)
        facts = list_values(f"{row['title'] or ''}\n{row['text']}")[:MAX_VALUES]
        values = frozenset((fact.kind, fact.about, fact.value) for fact in facts)
        known = self._stories.get(name)
        events = []
        if match is None:
            link = answer.link
            kind = "followup" if link else "story"
            events.append(make_event(kind, answer, name, score=link.score if link else None))
        elif known and is_new_origin(answer, hints, known):
            events.append(
                make_event("origin", answer, name, source=row["source"], agencies=list(hints.agencies))
            )
        events += self._find_changed_facts(answer, name, values, known)
        story = known or KnownStory()
        if match is None or known:
            story.ties.update(sorted(hints.ties)[: MAX_TIES - len(story.ties)])
            story.values.update(sorted(values)[: MAX_TIES - len(story.values)])
            self._stories[name] = story
        self._values[answer.name] = values
        return events

    def _find_changed_facts(
        self, answer: Answer, story: str, values: frozenset[Value], known: KnownStory | None
    ) -> Iterator[Event]:
        """Yield the event of an article that gives other figures than its earlier version, or than the text it copies."""
        if answer.version > 1:
            older, told = format_version_name(answer.id, answer.version - 1), frozenset[Value]()
        elif answer.match and answer.match.relation in CHANGED_COPIES and known:
            older, told = story, frozenset(known.values)
        else:
            return
        changes = compare_values(self._values.get(older, frozenset()), values, told)
        if changes:
            yield make_event("facts", answer, story, older=older, changes=changes)


def find_origin_hints(row: Mapping[str, Any], groups: Mapping[str, str]) -> OriginHints:
    """Return what an article says about its origin."""
    publisher = find_publisher(row["source"], row["url"])
    attribution = find_attribution(row["text"], row["source"])
    group = find_group(row["source"], publisher, groups)
    ties = [("agency", agency) for agency in attribution.agencies]
    ties += [("source", name) for name in find_named_sources(row["title"], row["text"])]
    if publisher:
        ties.append(("group", group) if group else ("publisher", publisher))
    agencies = tuple(credit.agency for credit in attribution.credits)
    return OriginHints(frozenset(ties), agencies, bool(publisher or agencies or attribution.byline))


def is_new_origin(answer: Answer, hints: OriginHints, known: KnownStory) -> bool:
    """Return whether an article tells a story in words of its own, and nothing ties it to the others of the story.

    Where nothing is known of the article, or of the others, it is not.
    """
    match = answer.match
    if match is None or match.relation != "rewrite" or not (hints.is_known and known.ties):
        return False
    return match.evidence.get("overlap", 0.0) ** 2 < PARTIAL_SHARE and not hints.ties & known.ties


def compare_values(
    before: Iterable[Value], after: Iterable[Value], told: frozenset[Value] = frozenset()
) -> list[dict[str, Any]]:
    """Return the figures for which a text gives other values than an earlier one, and values that were not `told` yet.

    A value more or less is no change: both must give a value for the unit or noun that the other does not.
    """
    old, new = group_values(before), group_values(after)
    changes = []
    for kind, about in sorted(old.keys() & new.keys()):
        gone, come = old[kind, about] - new[kind, about], new[kind, about] - old[kind, about]
        come -= {value for value in come if (kind, about, value) in told}
        if gone and come:
            changes.append({"kind": kind, "about": about, "before": sorted(gone), "after": sorted(come)})
    return changes


def group_values(values: Iterable[Value]) -> dict[tuple[str, str], set[str]]:
    """Return the values by kind and unit or noun."""
    groups: dict[tuple[str, str], set[str]] = {}
    for kind, about, value in values:
        groups.setdefault((kind, about), set()).add(value)
    return groups


def make_event(kind: str, answer: Answer, story: str, **more: Any) -> Event:
    """Return an event, with the names of the article, its story and its storyline."""
    relation = answer.match.relation if answer.match else None
    score = answer.match.score if answer.match else None
    return {
        "kind": kind,
        "id": answer.name,
        "story": story,
        "storyline": answer.storyline,
        "relation": relation,
        "score": score,
        **more,
    }
