"""A result and its corpus → one HTML page: overview, charts, clusters, borderline pairs, furniture, rejects.

The page stands alone: style, script and data are in it, and its security policy allows nothing else, neither another script nor
any request. What comes from the corpus is data throughout: escaped by Jinja, or packed (`dedup.reporting.islands`) and set as
text. The same corpus and settings make the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import chain
from typing import Any
from urllib.parse import urlencode

from dedup.corpus import Corpus
from dedup.phrases import chance, counted, date, percent
from dedup.records import Reject
from dedup.reporting import figures
from dedup.reporting.borderline import Missed, missed
from dedup.reporting.charts import HEIGHT, Chart, columns_of, scores_of
from dedup.reporting.islands import Islands, islands_of
from dedup.reporting.pairs import NEAR, Pair, Pairs, pairs_of
from dedup.reporting.surroundings import RULES, Tally
from dedup.reporting.texts import MOST_CHARACTERS, Texts, texts_of
from dedup.results import Result
from dedup.settings import as_written

__all__ = ["page_of"]

LISTED = 60_000
"""Articles of clusters that a page lists, at most: more would take long to open."""
OUTLETS, EXAMPLES, REJECTS, REJECT_SHOWN = 12, 3, 200, 160
"""Rows of the table of outlets, examples of a rule's furniture, rejects, and characters of a reject, at most."""
SHADES = 5
"""Shades of the matrix."""
MEANINGS = {
    "exact": "the same words in the same order",
    "copy": "most of the wording, some of it changed",
    "excerpt": "part of the text that is kept",
    "extension": "the text that is kept, and more",
    "rewrite": "the same story in other words",
}
GROUPS = (
    ("Just matched", "Rewrites that the model is least sure of."),
    (
        "Matched with help",
        "Below the threshold alone; an earlier rewrite of the kept article speaks for them too.",
    ),
    ("Just missed", "Kept articles that came near to being matched with another kept one."),
    (
        "Held apart",
        "The model takes them for one story, however likely, and something else keeps them apart.",
    ),
)
"""The kinds of pairs nearest the threshold, in the order of `Pairs`."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What the page lists, by position: clusters one after the other, then articles of pairs that are in none of them."""

    positions: list[int]
    sizes: list[int]
    left_out: int
    """Clusters that are not listed: the smallest."""


def page_of(
    result: Result, corpus: Corpus, *, name: str, budget: int = MOST_CHARACTERS, oddities: Iterable[str] = ()
) -> bytes:
    """Return the report as a page in UTF-8.

    `name` says which corpus it is; `budget` is how many characters of texts go into the page at most. `oddities` are sentences on
    what the reader should know of the run. The corpus is read twice more.
    """
    groups = result.groups()
    found = missed(corpus.again(), result)
    pairs = pairs_of(result, found)
    listing = listed(groups, list(chain.from_iterable(pairs)))
    texts = texts_of(corpus.again(), listing.positions, budget, result.settings.furniture)
    islands = islands_of(result, listing.positions, listing.sizes, list(chain.from_iterable(pairs)), texts)
    return rendered(
        name=name,
        oddities=list(oddities),
        overview=figures.overview(result, groups),
        groups=paired(result, pairs, texts),
        charts=charts(result, groups, found),
        furniture=furniture(texts.tally),
        rejects=rejects(corpus.rejects),
        reject_count=len(corpus.rejects),
        listing=listing,
        texts=texts,
        near=[chance(figures.log_odds(result.settings.rewrite_probability) + side) for side in (-NEAR, NEAR)],
        looked_through=found.looked_through,
        islands=islands,
        settings=as_written(result.settings),
        **outlets(result),
    )


def listed(groups: Sequence[Sequence[int]], pairs: Sequence[Pair]) -> Listing:
    """Return what is listed: clusters, the largest first, as long as there is room; then what pairs need besides."""
    positions: list[int] = []
    sizes: list[int] = []
    for group in groups:
        if len(positions) + len(group) > LISTED:
            break
        positions += group
        sizes.append(len(group))
    there = set(positions)
    needed = dict.fromkeys(a for pair in pairs for a in (pair.first, pair.later) if a not in there)
    return Listing([*positions, *needed], sizes, len(groups) - len(sizes))


def paired(result: Result, pairs: Pairs, texts: Texts) -> list[dict[str, Any]]:
    """Return the groups of pairs nearest the threshold, for their tables; those that have any."""
    rows = result.articles
    wanted = dict.fromkeys(a for pair in chain.from_iterable(pairs) for a in (pair.first, pair.later))
    known = dict(zip(wanted, rows.take(list(wanted)).to_pylist(), strict=True)) if wanted else {}

    def article(a: int) -> dict[str, Any]:
        row = known[a]
        facts = " · ".join(filter(None, [row["source"], date(row["published"])]))
        return {"title": row["title"] or texts.openings.get(a) or row["id"], "facts": facts}

    return [
        {
            "title": title,
            "says": says,
            "rows": [
                {
                    "probability": percent(pair.probability),
                    "first": article(pair.first),
                    "later": article(pair.later),
                    "reason": pair.reason,
                    "link": "#" + urlencode({"a": known[pair.first]["id"], "b": known[pair.later]["id"]}),
                }
                for pair in group
            ],
        }
        for (title, says), group in zip(GROUPS, pairs, strict=True)
        if group
    ]


def charts(result: Result, groups: Sequence[Sequence[int]], found: Missed) -> dict[str, Chart]:
    """Return the charts by name."""
    sizes, lags = figures.cluster_sizes(groups), figures.lags(result, groups)
    matched, apart = figures.scores(result, found.log_odds)
    threshold = figures.log_odds(result.settings.rewrite_probability)
    later = sum(found.count for found in lags)
    return {
        "sizes": columns_of(
            "How often a story was told", sizes, commonest(sizes, "clusters have", "articles")
        ),
        "lags": columns_of(
            "How long after the first telling",
            lags,
            commonest(lags, f"of {later:,} later tellings came after", ""),
        ),
        "scores": scores_of(
            "How sure the story model is",
            matched,
            apart,
            threshold,
            f"{matched.sum():,} rewrites were matched. Of {found.looked_through:,} kept articles, {apart.sum():,} had "
            "another kept one that shares enough to be weighed against them; these pairs were not matched.",
        ),
    }


def commonest(bins: Sequence[figures.Bin], verb: str, noun: str) -> str:
    """Return a sentence on the highest column."""
    if not bins:
        return ""
    top = max(bins, key=lambda found: found.count)
    return f"Most: {top.count:,} {verb} {top.label} {noun}".strip() + "."


def outlets(result: Result) -> dict[str, Any]:
    """Return the table of outlets and the matrix of who tells again what whom told."""
    repeating = [outlet for outlet in figures.outlets(result) if outlet.dropped]
    names, counts = figures.matrix(result)
    most = max(chain([SHADES], *counts))
    shades = [[-(-SHADES * count // most) for count in row] for row in counts]
    return {
        "outlets": repeating[:OUTLETS],
        "more_outlets": len(repeating) - len(repeating[:OUTLETS]),
        "matrix": {
            "names": names,
            "rows": [list(zip(row, shade, strict=True)) for row, shade in zip(counts, shades, strict=True)],
        },
    }


def furniture(tally: Tally) -> list[dict[str, Any]]:
    """Return each rule that recognised anything, the most frequent first, with its commonest passages."""
    return [
        {
            "rule": rule,
            "means": RULES.get(rule, ""),
            "count": count,
            "articles": tally.articles[rule],
            "examples": sorted(tally.passages[rule].items(), key=lambda found: (-found[1], found[0]))[
                :EXAMPLES
            ],
        }
        for rule, count in sorted(tally.pieces.items(), key=lambda found: (-found[1], found[0]))
    ]


def rejects(found: Sequence[Reject]) -> dict[str, Any]:
    """Return what could not be read: how often for each reason, and the first of them."""
    reasons = Counter(reject.reason for reject in found)
    rows = [
        (reject.path, reject.line, reject.reason, reject.record[:REJECT_SHOWN]) for reject in found[:REJECTS]
    ]
    return {"reasons": reasons.most_common(), "rows": rows}


def rendered(*, islands: Islands, settings: Mapping[str, Any], **content: Any) -> bytes:
    """Return the page made of its content."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    import dedup

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
            version=dedup.__version__,
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
