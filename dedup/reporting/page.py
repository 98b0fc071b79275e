"""A result and its corpus → one HTML page: overview, charts, clusters, borderline pairs, furniture, rejects.

The page stands alone: style, script and data are in it, and its security policy allows nothing else, neither another script nor
any request. What comes from the corpus is data throughout: escaped by Jinja, or packed (`dedup.reporting.islands`) and set as
text. The same corpus and settings make the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import chain
from typing import Any

from dedup.corpus import Corpus
from dedup.matches import level_threshold, rules_of
from dedup.phrases import chance, counted, percent
from dedup.reporting import figures, sections
from dedup.reporting.borderline import missed
from dedup.reporting.charts import HEIGHT
from dedup.reporting.islands import Islands, islands_of
from dedup.reporting.pairs import NEAR, Pair, pairs_of
from dedup.reporting.texts import MOST_CHARACTERS, texts_of
from dedup.results import Result
from dedup.settings import as_written

__all__ = ["page_of"]

LISTED = 60_000
"""Articles of clusters that a page lists, at most: more would take long to open."""
MEANINGS = {
    "exact": "the same words in the same order",
    "copy": "most of the wording, some of it changed",
    "excerpt": "part of the text that is kept",
    "extension": "the text that is kept, and more",
    "rewrite": "the same story in other words",
}


@dataclass(frozen=True, slots=True)
class Listing:
    """What the page lists, by position: clusters one after the other, then articles of pairs that are in none of them."""

    positions: list[int]
    sizes: list[int]
    left_out: int
    """Clusters that are not listed: smaller ones, for which there was no room any more."""


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
    listing = listed(groups, list(chain.from_iterable(pairs)))
    texts = texts_of(corpus.again(), listing.positions, budget, result.settings.furniture)
    islands = islands_of(result, listing.positions, listing.sizes, list(chain.from_iterable(pairs)), texts)
    return rendered(
        name=name,
        version=version,
        oddities=list(oddities),
        overview=figures.overview(result, groups),
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
        **sections.outlets(result),
    )


def listed(groups: Sequence[Sequence[int]], pairs: Sequence[Pair]) -> Listing:
    """Return what is listed: clusters, the largest first, as long as there is room; then what pairs need besides."""
    positions: list[int] = []
    sizes: list[int] = []
    for group in groups:
        if len(positions) + len(group) <= LISTED:
            positions += group
            sizes.append(len(group))
    there = set(positions)
    needed = dict.fromkeys(a for pair in pairs for a in (pair.first, pair.later) if a not in there)
    return Listing([*positions, *needed], sizes, len(groups) - len(sizes))


def rendered(*, islands: Islands, settings: Mapping[str, Any], **content: Any) -> bytes:
    """Return the page made of its content."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("dedup.reporting", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {"percent": percent, "counted": counted, "number": "{:,}".format}
    style, script = (
        files("dedup.reporting").joinpath(file).read_text("utf-8") for file in ("page.css", "page.js")
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
            span=figures.span,
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
