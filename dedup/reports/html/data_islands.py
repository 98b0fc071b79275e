"""Pack the articles, clusters and pairs of a page as data islands: compact JSON, deflated, in base64.

Titles and texts are in the page only as letters and digits, so they can neither end a script nor start one.
The script of the page unpacks the islands (with the browser's DecompressionStream); it unpacks texts on
demand.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from dedup.io.records import to_json_line
from dedup.matching.classifier import FOLLOWUP, NO_RELATION
from dedup.matching.evidence_columns import CONTAINED, CONTAINS, EVIDENCE_NAMES, JACCARD
from dedup.matching.match_params import make_match_params
from dedup.matching.models import LinearModel, choose_level_model, choose_model
from dedup.pipeline.results import Result
from dedup.reports.evidence_labels import EVIDENCE_LABELS
from dedup.reports.html.article_details import ArticleDetails, pack_names
from dedup.reports.html.borderline_pairs import BorderlinePair
from dedup.reports.html.snippets import Snippets
from dedup.reports.html.statistics import OutletLags, to_epoch_seconds
from dedup.settings.settings import LEVEL_RELATIONS, RELATIONS, Settings

__all__ = ["DataIslands", "PageListing", "build_islands", "encode_island"]

ISLAND_CHARACTERS = 1_000_000
"""The approximate number of characters of text in an island, which opening a cluster unpacks."""
COMPRESSION_LEVEL = 9
"""The level of the smallest page; ten million characters take a second."""
THOUSANDTHS, HUNDREDTHS = 1_000, 100
"""Factors by which the page stores shares and log-odds as integers."""


@dataclass(frozen=True, slots=True)
class PageListing:
    """The articles that a page lists, by position."""

    positions: list[int]
    """Articles of clusters, each canonical before its members, then other articles of pairs and storylines.
    """
    singles: list[int]
    """The kept articles that nothing else lists; the page has their titles but not their texts."""
    singles_left_out: int
    clusters: list[list[int]]
    """The articles of each cluster, canonical first."""
    left_out: int
    """The number of smaller clusters that are not listed for lack of room."""
    storylines: list[list[int]]
    """The chapters of each storyline, by date; longest storyline first."""
    storylines_left_out: int
    """The number of shorter storylines that are not listed for lack of room."""

    @property
    def sizes(self) -> list[int]:
        """Return the size of each cluster."""
        return [len(cluster) for cluster in self.clusters]


@dataclass(frozen=True, slots=True)
class DataIslands:
    """The packed data of a page."""

    index: str
    """All data except the texts."""
    texts: list[str]


def build_islands(
    result: Result,
    listing: PageListing,
    pairs: Sequence[BorderlinePair],
    texts: Snippets,
    origins: Sequence[dict[str, Any] | None] = (),
    outlets: Sequence[OutletLags] = (),
    details: ArticleDetails | None = None,
) -> DataIslands:
    """Return the data of the listed articles; `origins` has those of each cluster, `outlets` their lags."""
    details = details or ArticleDetails()
    positions = listing.positions
    places = {a: n for n, a in enumerate(positions)}
    model = choose_level_model(result.settings)
    every = [*positions, *listing.singles]
    name_table, names = pack_names(details.names, positions)
    pieces = list(split_texts(positions, texts, names))
    index = {
        "corpus": digest_ids(result.articles["id"].to_pylist()),
        **build_article_columns(result, every, texts),
        "links": [details.links.get(a, "") for a in every],
        "names": name_table,
        "withText": len(positions),
        "sizes": listing.sizes,
        "origins": list(origins),
        "outlets": [list(outlet) for outlet in outlets],
        "storylines": list_storylines(result, listing.storylines, places),
        "relationNames": list(RELATIONS),
        "joining": len(LEVEL_RELATIONS[result.settings.level]),
        "models": describe_models(result.settings),
        "pairsBy": "storyline" if result.settings.level == "storyline" else "story",
        "pairs": [pack_listed_pair(pair, places, model) for pair in pairs],
        "pieces": [start for start, _ in pieces],
        "limit": texts.limit,
    }
    return DataIslands(encode_island(index), [encode_island(piece) for _, piece in pieces])


def list_storylines(
    result: Result, chapters: Sequence[Sequence[int]], places: Mapping[int, int]
) -> list[list[Any]]:
    """Return (first, chapters, repeats) of each storyline.

    `first` and `chapters` are indices into the listed articles; `repeats` is the number of duplicates of each
    chapter.
    """
    assignments = result.assignments
    repeats = (
        np.bincount(assignments.leaders[result.duplicate_of_input < 0], minlength=len(assignments.leaders))
        - 1
    )
    return [
        [
            places[int(assignments.storylines[stories[0]])],
            [places[a] for a in stories],
            repeats[stories].tolist(),
        ]
        for stories in chapters
    ]


def describe_models(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return the features, intercept and threshold of the story model and the storyline model."""
    rules = make_match_params(settings)
    return {
        name: {
            "features": [EVIDENCE_LABELS[EVIDENCE_NAMES[n]] for n in find_weighed_columns(model)],
            "intercept": round(model.intercept, 3),
            "threshold": round(least, 3),
        }
        for name, model, least in (
            ("story", choose_model(settings, "story"), rules.story_threshold),
            ("storyline", choose_model(settings, "storyline"), rules.storyline_threshold),
        )
    }


def build_article_columns(result: Result, positions: Sequence[int], texts: Snippets) -> dict[str, list[Any]]:
    """Return the data of the articles as columns; a kept article has a score if it follows another."""
    rows = result.articles.take(pa.array(positions, pa.int64()))
    names = rows["source"].combine_chunks().dictionary_encode()
    assignments = result.assignments
    story, storyline = (choose_model(result.settings, name) for name in ("story", "storyline"))
    titles = rows["title"].to_pylist()
    dates = to_epoch_seconds(rows["published"])
    follows = assignments.is_follower()
    linked = [bool(assignments.relations[a] != NO_RELATION or follows[a]) for a in positions]
    by_storyline = follows | (assignments.relations == FOLLOWUP)
    return {
        "ids": rows["id"].to_pylist(),
        "titles": [title or texts.openings.get(a, "") for a, title in zip(positions, titles, strict=True)],
        "sourceNames": names.dictionary.to_pylist(),
        "sources": names.indices.fill_null(-1).to_pylist(),
        "dates": [None if np.isnan(date) else int(date) for date in dates.tolist()],
        "relations": [int(assignments.relations[a]) for a in positions],
        "scores": [
            round(result.get_score(a) * THOUSANDTHS) if is_linked else 0
            for a, is_linked in zip(positions, linked, strict=True)
        ],
        "evidence": [
            pack_evidence_parts(assignments.get_evidence_rows(a), storyline if by_storyline[a] else story)
            if is_linked
            else 0
            for a, is_linked in zip(positions, linked, strict=True)
        ],
        "lengths": [texts.shown[a].length if a in texts.shown else -1 for a in positions],
    }


def find_weighed_columns(model: LinearModel) -> list[int]:
    """Return the evidence columns that a model uses."""
    return np.flatnonzero(model.coefficients.any(axis=0)).tolist()


def pack_evidence_parts(row: np.ndarray, model: LinearModel) -> list[int]:
    """Return the three wording shares of a row of evidence, then the contribution of each feature to the log-odds."""
    shares = [round(float(row[n]) * THOUSANDTHS) for n in (JACCARD, CONTAINED, CONTAINS)]
    odds = row * model.select_coefficients(row)
    return shares + [round(float(odds[n]) * HUNDREDTHS) for n in find_weighed_columns(model)]


def pack_listed_pair(pair: BorderlinePair, places: dict[int, int], model: LinearModel) -> list[Any]:
    """Return a pair: the indices of both articles, the reason why it does not match, and its evidence."""
    return [places[pair.first], places[pair.later], pair.reason, pack_evidence_parts(pair.evidence, model)]


def split_texts(
    positions: Sequence[int], texts: Snippets, names: Sequence[Sequence[int]]
) -> Iterator[tuple[int, list[Any]]]:
    """Yield (index of the first article, texts) in parts of about `ISLAND_CHARACTERS`.

    Each text comes with the spans of its boilerplate and the numbers of its names.
    """
    piece: list[Any] = []
    start, size = 0, 0
    for n, a in enumerate(positions):
        shown = texts.shown.get(a)
        piece.append(
            [shown.text, [place for span in shown.boilerplate for place in span], names[n]]
            if shown
            else ["", [], []]
        )
        size += len(shown.text) if shown else 0
        if size >= ISLAND_CHARACTERS:
            yield start, piece
            piece, start, size = [], n + 1, 0
    if piece:
        yield start, piece


def digest_ids(ids: Sequence[str]) -> str:
    """Return a digest of the ids of a corpus: a browser keeps labels under it, so that the next report has them too."""
    return hashlib.sha256("\0".join(sorted(ids)).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def encode_island(value: object) -> str:
    """Return a value as JSON, deflated, in base64."""
    return base64.b64encode(zlib.compress(to_json_line(value), COMPRESSION_LEVEL)).decode("ascii")
