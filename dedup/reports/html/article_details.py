"""Read the links of listed articles, and the names in their texts, so that the page can mark the names that two share.

Names are those of the sketch, as in `dedup explain`: words that are known as names, in any of their written forms.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pyarrow as pa

from dedup.pipeline.deduplicate import sketch_with_settings
from dedup.reports.explanation import build_lead_sources
from dedup.reports.lead_diff import LeadSource
from dedup.reports.surface_forms import is_readable, iter_surface_forms, lookup_stem_hash
from dedup.settings.settings import Settings
from dedup.sketches.terms import NAME
from dedup.text.boilerplate.passages import remove_boilerplate
from dedup.text.shared_passages import TOKEN_PATTERN
from dedup.text.tokenizer import hash_words
from dedup.text.vocabulary import Vocabulary

__all__ = ["ArticleDetails", "pack_names", "read_details", "sanitize_link"]

LINK_SCHEMES = frozenset(["http", "https"])
MAX_LINK_CHARACTERS = 2_000
"""Longer addresses are left out: browsers and servers do not take them."""


@dataclass(frozen=True, slots=True)
class ArticleDetails:
    """The links and the names of articles by position."""

    links: dict[int, str] = field(default_factory=dict)
    names: dict[int, list[tuple[str, int]]] = field(default_factory=dict)
    """(word in lower case, term) of each name; words of one term are forms of one name."""


def read_details(
    batches: Iterable[pa.RecordBatch],
    wanted: Sequence[int],
    with_names: frozenset[int],
    limit: int,
    settings: Settings,
) -> ArticleDetails:
    """Return the links of the articles at the wanted positions, and the names of those in `with_names`.

    Only the first `limit` characters of a text are searched for names, as the page shows no more.
    """
    details, start = ArticleDetails(), 0
    terms: dict[int, dict[str, int]] = {}
    places = np.array(sorted(wanted), np.int64)
    for batch in batches:
        rows = places[(places >= start) & (places < start + batch.num_rows)] - start
        for row, url in zip(rows.tolist(), batch["url"].take(pa.array(rows)).to_pylist(), strict=True):
            if link := sanitize_link(url):
                details.links[start + row] = link
        named = [row for row in rows.tolist() if start + row in with_names]
        if named:
            chosen = batch.take(pa.array(named))
            sketches = sketch_with_settings(chosen, settings)
            sources = build_lead_sources(chosen, sketches, remove_boilerplate(chosen, settings.boilerplate))
            for row, source in zip(named, sources, strict=True):
                known = terms.setdefault(id(source.vocabulary), {})
                details.names[start + row] = list_names(source, limit, known)
        start += batch.num_rows
    return details


def list_names(source: LeadSource, limit: int, terms: dict[str, int]) -> list[tuple[str, int]]:
    """Return (word in lower case, term) of the names in the title and the first characters of a text, without repeats.

    `terms` keeps the terms of words from one text of a language to the next.
    """
    text = f"{source.title}\n{source.text[:limit]}"
    forms: Iterator[tuple[str, int]]
    if source.vocabulary.syllabic:
        forms = ((word, term) for term, word in iter_surface_forms(text, source.vocabulary))
    else:
        forms = iter_word_terms(text, source.vocabulary, terms)
    names = (
        (word.lower(), term) for word, term in forms if source.kinds.get(term) == NAME and is_readable(word)
    )
    return list(dict.fromkeys(names))


def iter_word_terms(text: str, vocabulary: Vocabulary, terms: dict[str, int]) -> Iterator[tuple[str, int]]:
    """Yield (word, term) of the different words of a text, in scripts that write spaces."""
    words = list(dict.fromkeys(TOKEN_PATTERN.findall(text)))
    unseen = [word for word in words if word not in terms]
    if unseen:
        hashes = hash_words(unseen).tolist()
        terms |= {
            word: lookup_stem_hash(hashed, vocabulary) for word, hashed in zip(unseen, hashes, strict=True)
        }
    return ((word, terms[word]) for word in words)


def sanitize_link(url: str | None) -> str:
    """Return an address that a page may link to, or an empty string: only http and https, with a host.

    >>> sanitize_link("https://news.example/1"), sanitize_link("javascript:alert(1)")
    ('https://news.example/1', '')
    """
    url = (url or "").strip()
    try:
        parts = urlsplit(url)
        is_link = parts.scheme in LINK_SCHEMES and bool(parts.hostname)
    except ValueError:
        return ""
    return url if is_link and len(url) <= MAX_LINK_CHARACTERS else ""


def pack_names(
    names: dict[int, list[tuple[str, int]]], positions: Sequence[int]
) -> tuple[dict[str, Any], list[list[int]]]:
    """Return the table of all names, most frequent first, and the numbers of those of each article.

    The table has the words, and for each word the number of its term.
    """
    counts = Counter(name for a in positions for name in names.get(a, ()))
    ordered = sorted(counts, key=lambda name: (-counts[name], name))
    numbers = {name: n for n, name in enumerate(ordered)}
    terms: dict[int, int] = {}
    table = {
        "words": [word for word, _ in ordered],
        "terms": [terms.setdefault(term, len(terms)) for _, term in ordered],
    }
    return table, [sorted(numbers[name] for name in names.get(a, ())) for a in positions]
