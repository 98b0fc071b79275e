"""A result and its corpus → one HTML page: overview, charts, clusters, borderline pairs, boilerplate, rejects.

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

from dedup.formatting import format_count, format_percent, to_probability
from dedup.io.corpus import Corpus
from dedup.matching.classifier import get_level_threshold, make_match_params
from dedup.pipeline.results import Result
from dedup.reports.html import sections, statistics
from dedup.reports.html.borderline_pairs import NEAR_LOG_ODDS, BorderlinePair, find_borderline_pairs
from dedup.reports.html.charts import CHART_HEIGHT
from dedup.reports.html.data_islands import DataIslands, build_islands
from dedup.reports.html.near_misses import find_near_misses
from dedup.reports.html.snippets import TEXT_BUDGET, read_snippets
from dedup.settings.settings import dump_settings

__all__ = ["build_report_page"]

MAX_CLUSTER_ARTICLES = 60_000
"""Articles of clusters that a page lists, at most: more would take long to open."""
RELATION_MEANINGS = {
    "exact": "the same words in the same order",
    "copy": "most of the wording, some of it changed",
    "excerpt": "part of the text that is kept",
    "extension": "the text that is kept, and more",
    "rewrite": "the same story in other words",
    "followup": "another chapter of the same affair",
}


MAX_CHAPTERS = 20_000
"""Chapters of storylines that a page lists, at most: beside clusters, they may be the rest of a corpus."""


@dataclass(frozen=True, slots=True)
class PageListing:
    """What the page lists, by position: clusters one after the other, then articles of pairs and chapters that are in none."""

    positions: list[int]
    sizes: list[int]
    left_out: int
    """Clusters that are not listed: smaller ones, for which there was no room any more."""
    storylines: list[list[int]]
    """The chapters of each storyline, by date; the longest first."""
    storylines_left_out: int
    """Storylines that are not listed, as for clusters."""


def build_report_page(
    result: Result,
    corpus: Corpus,
    *,
    name: str,
    version: str,
    budget: int = TEXT_BUDGET,
    oddities: Iterable[str] = (),
) -> bytes:
    """Return the report as a page in UTF-8.

    `name` says which corpus it is, and `version` which dedup made the page; `budget` is how many characters of texts go into
    it at most. `oddities` are sentences on what the reader should know of the run. The corpus is read twice more.
    """
    groups = result.list_cluster_positions()
    found = find_near_misses(corpus.read_again(), result)
    pairs = find_borderline_pairs(result, found)
    listing = build_listing(groups, result.list_chapters(), list(chain.from_iterable(pairs)))
    texts = read_snippets(corpus.read_again(), listing.positions, budget, result.settings.boilerplate)
    islands = build_islands(result, listing, list(chain.from_iterable(pairs)), texts)
    return render_report_page(
        name=name,
        version=version,
        oddities=list(oddities),
        overview=statistics.summarize_result(result, groups),
        groups=sections.build_pair_groups(result, pairs, texts),
        charts=sections.build_charts(result, groups, found, pairs),
        boilerplate=sections.build_boilerplate_table(texts.boilerplate),
        rejects=sections.summarize_rejects(corpus.rejects),
        reject_count=len(corpus.rejects),
        listing=listing,
        texts=texts,
        near=[
            to_probability(get_level_threshold(make_match_params(result.settings)) + side)
            for side in (-NEAR_LOG_ODDS, NEAR_LOG_ODDS)
        ],
        looked_through=found.articles_searched,
        islands=islands,
        settings=dump_settings(result.settings),
        words=sections.get_level_words(result.settings),
        looks_for_followups="followup" in result.settings.relations,
        **sections.build_outlet_tables(result),
    )


def build_listing(
    groups: Sequence[Sequence[int]], chapters: Sequence[list[int]], pairs: Sequence[BorderlinePair]
) -> PageListing:
    """Return what is listed: clusters and storylines, the largest first, while there is room; and what pairs need besides."""
    clusters, storylines = (
        take_while_room(groups, MAX_CLUSTER_ARTICLES),
        take_while_room(chapters, MAX_CHAPTERS),
    )
    positions = list(chain.from_iterable(clusters))
    paired = chain.from_iterable((pair.first, pair.later) for pair in pairs)
    every = dict.fromkeys(chain(positions, paired, chain.from_iterable(storylines)))
    return PageListing(
        positions=list(every),
        sizes=[len(group) for group in clusters],
        left_out=len(groups) - len(clusters),
        storylines=storylines,
        storylines_left_out=len(chapters) - len(storylines),
    )


def take_while_room(groups: Iterable[Sequence[int]], limit: int) -> list[list[int]]:
    """Return the groups, each of them that still has room among so many members.

    >>> take_while_room([[1, 2, 3], [4, 5], [6]], 4)
    [[1, 2, 3], [6]]
    """
    taken: list[list[int]] = []
    for group in groups:
        if len(group) <= limit:
            taken.append(list(group))
            limit -= len(group)
    return taken


def render_report_page(*, islands: DataIslands, settings: Mapping[str, Any], **content: Any) -> bytes:
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
    environment.filters |= {"percent": format_percent, "counted": format_count, "number": "{:,}".format}
    style, script = (
        files("dedup.reports.html").joinpath(file).read_text("utf-8") for file in ("page.css", "page.js")
    )
    return (
        environment.get_template("page.html")
        .render(
            style=Markup(style),  # noqa: S704 - our own file
            script=Markup(script),  # noqa: S704 - as above
            policy=build_security_policy(style, script),
            index=islands.index,
            pieces=islands.texts,
            settings={name: format_setting_value(value) for name, value in settings.items()},
            meanings=RELATION_MEANINGS,
            height=CHART_HEIGHT,
            span=statistics.format_date_span,
            **content,
        )
        .encode()
    )


def build_security_policy(style: str, script: str) -> str:
    """Return the security policy: nothing but this style and this script, and no requests."""
    hashes = [
        base64.b64encode(hashlib.sha256(content.encode()).digest()).decode() for content in (style, script)
    ]
    return (
        f"default-src 'none'; style-src 'sha256-{hashes[0]}'; script-src 'sha256-{hashes[1]}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def format_setting_value(value: Any) -> str:
    """Return the value of a setting for people."""
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
