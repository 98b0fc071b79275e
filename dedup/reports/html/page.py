"""A result and its corpus → one HTML page: overview, charts, clusters, borderline pairs, furniture, rejects.

The page stands alone: style, script and data are in it, and its security policy allows nothing else, neither another script nor
any request. What comes from the corpus is data throughout: escaped by Jinja, or packed (`dedup.reports.html.data_islands`)
and set as text. The same corpus and settings make the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import chain
from typing import Any

from dedup.formatting import chance, counted, percent
from dedup.io.corpus import Corpus
from dedup.matching.classifier import level_threshold, rules_of
from dedup.pipeline.results import Result
from dedup.reports.html import sections, statistics
from dedup.reports.html.borderline_pairs import NEAR, Pair, pairs_of
from dedup.reports.html.charts import HEIGHT
from dedup.reports.html.data_islands import Islands, islands_of
from dedup.reports.html.near_misses import missed
from dedup.reports.html.snippets import MOST_CHARACTERS, texts_of
from dedup.settings.settings import as_written

__all__ = ["page_of"]

LISTED = 60_000
"""Articles of clusters that a page lists, at most: more would take long to open."""
MEANINGS = {
    "exact": "the same words in the same order",
    "copy": "most of the wording, some of it changed",
    "excerpt": "part of the text that is kept",
    "extension": "the text that is kept, and more",
    "rewrite": "the same story in other words",
    "followup": "another chapter of the same affair",
}


CHAPTERS = 20_000
"""Chapters of storylines that a page lists, at most: beside clusters, they may be the rest of a corpus."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What the page lists, by position: clusters one after the other, then articles of pairs and chapters that are in none."""

    positions: list[int]
    sizes: list[int]
    left_out: int
    """Clusters that are not listed: smaller ones, for which there was no room any more."""
    storylines: list[list[int]]
    """The chapters of each storyline, by date; the longest first."""
    storylines_left_out: int
    """Storylines that are not listed, as for clusters."""


def page_of(
    result: Result,
    corpus: Corpus,
    *,
    name: str,
    version: str,
    budget: int = MOST_CHARACTERS,
    oddities: Iterable[str] = (),
) -> bytes:
    """Return the report as a page in UTF-8.

    `name` says which corpus it is, and `version` which dedup made the page; `budget` is how many characters of texts go into
    it at most. `oddities` are sentences on what the reader should know of the run. The corpus is read twice more.
    """
    groups = result.groups()
    found = missed(corpus.again(), result)
    pairs = pairs_of(result, found)
    listing = listed(groups, result.chapters(), list(chain.from_iterable(pairs)))
    texts = texts_of(corpus.again(), listing.positions, budget, result.settings.furniture)
    islands = islands_of(result, listing, list(chain.from_iterable(pairs)), texts)
    return rendered(
        name=name,
        version=version,
        oddities=list(oddities),
        overview=statistics.overview(result, groups),
        groups=sections.paired(result, pairs, texts),
        charts=sections.charts(result, groups, found, pairs),
        furniture=sections.furniture(texts.tally),
        rejects=sections.rejects(corpus.rejects),
        reject_count=len(corpus.rejects),
        listing=listing,
        texts=texts,
        near=[chance(level_threshold(rules_of(result.settings)) + side) for side in (-NEAR, NEAR)],
        looked_through=found.looked_through,
        islands=islands,
        settings=as_written(result.settings),
        words=sections.level_words(result.settings),
        looks_for_followups="followup" in result.settings.relations,
        **sections.outlets(result),
    )


def listed(groups: Sequence[Sequence[int]], chapters: Sequence[list[int]], pairs: Sequence[Pair]) -> Listing:
    """Return what is listed: clusters and storylines, the largest first, while there is room; and what pairs need besides."""
    clusters, storylines = take_while_room(groups, LISTED), take_while_room(chapters, CHAPTERS)
    positions = list(chain.from_iterable(clusters))
    paired = chain.from_iterable((pair.first, pair.later) for pair in pairs)
    every = dict.fromkeys(chain(positions, paired, chain.from_iterable(storylines)))
    return Listing(
        positions=list(every),
        sizes=[len(group) for group in clusters],
        left_out=len(groups) - len(clusters),
        storylines=storylines,
        storylines_left_out=len(chapters) - len(storylines),
    )


def take_while_room(groups: Iterable[Sequence[int]], most: int) -> list[list[int]]:
    """Return the groups, each of them that still has room among so many members.

    >>> take_while_room([[1, 2, 3], [4, 5], [6]], 4)
    [[1, 2, 3], [6]]
    """
    taken: list[list[int]] = []
    for group in groups:
        if len(group) <= most:
            taken.append(list(group))
            most -= len(group)
    return taken


def rendered(*, islands: Islands, settings: Mapping[str, Any], **content: Any) -> bytes:
    """Return the page made of its content."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("dedup.reports.html", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {"percent": percent, "counted": counted, "number": "{:,}".format}
    style, script = (
        files("dedup.reports.html").joinpath(file).read_text("utf-8") for file in ("page.css", "page.js")
    )
    return (
        environment.get_template("page.html")
        .render(
            style=Markup(style),  # noqa: S704 - our own file
            script=Markup(script),  # noqa: S704 - as above
            policy=policy(style, script),
            index=islands.index,
            pieces=islands.texts,
            settings={name: written(value) for name, value in settings.items()},
            meanings=MEANINGS,
            height=HEIGHT,
            span=statistics.span,
            **content,
        )
        .encode()
    )


def policy(style: str, script: str) -> str:
    """Return the security policy: nothing but this style and this script, and no requests."""
    hashes = [
        base64.b64encode(hashlib.sha256(content.encode()).digest()).decode() for content in (style, script)
    ]
    return (
        f"default-src 'none'; style-src 'sha256-{hashes[0]}'; script-src 'sha256-{hashes[1]}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def written(value: Any) -> str:
    """Return the value of a setting for people."""
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
