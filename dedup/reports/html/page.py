"""Build the report: one HTML page with an overview, charts, clusters, storylines, borderline pairs, boilerplate and rejects.

Text from the corpus is always treated as data: Jinja escapes it, or it is packed
(`dedup.reports.html.data_islands`) and the script inserts it as text. The same corpus and settings give the
same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from dedup.evaluation.near_threshold import find_near_misses
from dedup.formatting import to_probability
from dedup.io.corpus import Corpus
from dedup.matching.match_params import get_level_threshold, make_match_params
from dedup.pipeline.results import Result
from dedup.reports.html import sections, statistics
from dedup.reports.html.article_details import read_details
from dedup.reports.html.borderline_pairs import NEAR_LOG_ODDS, BorderlinePair, find_borderline_pairs
from dedup.reports.html.charts import CHART_HEIGHT
from dedup.reports.html.data_islands import PageListing, build_islands
from dedup.reports.html.render_page import render_page
from dedup.reports.html.snippets import TEXT_BUDGET, read_snippets
from dedup.reports.html.story_origins import list_story_origins
from dedup.settings.settings import dump_settings

__all__ = ["build_report_page"]

MAX_CLUSTER_ARTICLES = 60_000
"""The most articles of clusters in a page; more would make it slow to open."""
RELATION_MEANINGS = {
    "exact": "the same words in the same order",
    "copy": "most of the wording, some of it changed",
    "excerpt": "part of the text that is kept",
    "extension": "the text that is kept, and more",
    "rewrite": "the same story in other words",
    "followup": "another chapter of the same storyline",
}
MAX_SINGLES = 60_000
"""The most titles of articles that nothing else in the page lists."""
SCRIPT_FILES = ("story_graph.js", "outlets.js", "articles.js", "labels.js", "keys.js", "page.js")
"""The parts of the script, joined in this order; the last one starts the page."""
KEYS = (
    ("/", "Search the list"),
    ("1 … 9", "Go to a part of the report"),
    ("j k", "Next and previous row of a list"),
    ("n p", "Next and previous story"),
    ("↑ ↓", "Next and previous article in the graph of a story"),
    ("Enter", "Open the row"),
    ("s f d o", "Label the two articles: same story, follow-up, different, undecided"),
    ("Esc", "Close a note or this list"),
    ("?", "Show this list"),
)
"""The keys of the page, and what they do."""
MAX_CHAPTERS = 20_000
"""The most chapters of storylines in a page; without a limit they could be all articles of a corpus."""


def build_report_page(
    result: Result,
    corpus: Corpus,
    *,
    name: str,
    version: str,
    budget: int = TEXT_BUDGET,
    oddities: Iterable[str] = (),
    publisher_groups: Mapping[str, str] | None = None,
) -> bytes:
    """Return the report as an HTML page in UTF-8; the corpus is read four times more.

    `name` is that of the corpus and `version` that of dedup. `budget` limits the characters of texts in the
    page. `oddities` are warnings of the run for the reader. `publisher_groups` maps publishers to the group that
    owns them; None stands for the well-known ones.
    """
    groups, threshold = (
        result.list_cluster_positions(),
        get_level_threshold(make_match_params(result.settings)),
    )
    misses = find_near_misses(corpus.read_again(), result)
    pairs = find_borderline_pairs(result, misses)
    every_pair = list(chain.from_iterable(pairs))
    listing = build_listing(groups, result.list_chapters(), every_pair, result.kept_positions.tolist())
    texts = read_snippets(
        corpus.read_again(), listing.positions, budget, result.settings.boilerplate, listing.singles
    )
    details = read_details(
        corpus.read_again(),
        [*listing.positions, *listing.singles],
        frozenset(texts.shown),
        texts.limit,
        result.settings,
    )
    origins = list_story_origins(result, corpus, listing.clusters, publisher_groups)
    outlets = statistics.compute_outlet_lags(result, groups)
    islands = build_islands(result, listing, every_pair, texts, origins, outlets, details)
    return render_page(
        "page.html",
        script_files=SCRIPT_FILES,
        name=name,
        version=version,
        oddities=list(oddities),
        overview=statistics.summarize_result(result, groups),
        groups=sections.build_pair_groups(result, pairs, texts),
        charts=sections.build_charts(result, groups, misses, pairs),
        boilerplate=sections.build_boilerplate_table(texts.boilerplate),
        rejects=sections.summarize_rejects(corpus.rejects),
        reject_count=len(corpus.rejects),
        listing=listing,
        outlet_count=len(outlets),
        texts=texts,
        near=[to_probability(threshold + side) for side in (-NEAR_LOG_ODDS, NEAR_LOG_ODDS)],
        looked_through=misses.articles_searched,
        index=islands.index,
        pieces=islands.texts,
        settings={key: format_setting_value(value) for key, value in dump_settings(result.settings).items()},
        words=sections.get_level_words(result.settings),
        looks_for_followups="followup" in result.settings.relations,
        meanings=RELATION_MEANINGS,
        height=CHART_HEIGHT,
        keys=KEYS,
        span=statistics.format_date_span,
        **sections.build_outlet_tables(result),
    )


def build_listing(
    groups: Sequence[Sequence[int]],
    chapters: Sequence[list[int]],
    pairs: Sequence[BorderlinePair],
    kept: Sequence[int] = (),
) -> PageListing:
    """Return as many clusters and storylines as there is room for, largest first, the articles of the pairs, and the rest.

    `kept` are the kept articles; those that nothing else lists are listed by their titles alone.
    """
    clusters = take_while_room(groups, MAX_CLUSTER_ARTICLES)
    storylines = take_while_room(chapters, MAX_CHAPTERS)
    positions = list(chain.from_iterable(clusters))
    paired = chain.from_iterable((pair.first, pair.later) for pair in pairs)
    every = dict.fromkeys(chain(positions, paired, chain.from_iterable(storylines)))
    in_cluster = set(chain.from_iterable(groups))
    singles = [a for a in kept if a not in every and a not in in_cluster]
    return PageListing(
        positions=list(every),
        singles=singles[:MAX_SINGLES],
        singles_left_out=len(singles[MAX_SINGLES:]),
        clusters=clusters,
        left_out=len(groups) - len(clusters),
        storylines=storylines,
        storylines_left_out=len(chapters) - len(storylines),
    )


def take_while_room(groups: Iterable[Sequence[int]], limit: int) -> list[list[int]]:
    """Return the groups that fit into `limit` members in total, in order; groups that do not fit are skipped.

    >>> take_while_room([[1, 2, 3], [4, 5], [6]], 4)
    [[1, 2, 3], [6]]
    """
    fitting: list[list[int]] = []
    for group in groups:
        if len(group) <= limit:
            fitting.append(list(group))
            limit -= len(group)
    return fitting


def format_setting_value(value: Any) -> str:
    """Return the value of a setting for people to read."""
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
