"""Find the outlets and the agencies that a text names as its source in its opening.

"told CNN", "wie die „Bild“ berichtet", "selon Le Monde": two articles that name one source may have the news from it. A
name counts only beside a word that says so. `dedup/data/outlets.csv` has the names of outlets by domain; names that are
words or places too, such as "Time" or "Welt", stand in its column `quoted` and count only in quotation marks.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from dedup.origins.agency_table import load_aliases
from dedup.text.boilerplate.rules import compile_pattern

__all__ = ["find_named_sources", "load_outlet_names"]

OPENING = 1_200
"""The characters of a text that tell the main news. Sources that stand later often tell a side of it."""
NEAR = 80
"""A word that makes a name a source begins at most this many characters before it, or ends half as many after it."""
END_PATTERN = re.compile(r"[.!?。！？\n]")
MARKS = "“”„\"«»‘’'「」"

WORDS_BEFORE = (
    "told", "tells", "telling", "according to", "citing", "interview", "first", "reported by", "reported in",
    "reported on", "reports", "spoke to", "spoke with", "speaking to", "speaking with", "speaking on",
    "appearance on", "appeared on", "published by", "published in", "op-ed",
    "sagte", "sagten", "sagt", "laut", "gegenüber", "bericht", "berichten", "berichts", "gespräch", "zitiert",
    "nach angaben", "nach informationen", "nach recherchen",
    "selon", "d'après", "d’après", "déclaré", "confié", "entretien", "accordé", "cité", "rapporte", "révèle",
    "según", "dijo", "declaró", "entrevista", "citado por", "informa", "informó", "reveló",
    "segundo", "disse", "de acordo com", "informou", "revelou", "secondo", "ha detto", "intervista", "riferisce",
    "volgens", "zei tegen", "meldt", "enligt", "säger", "ifølge", "sier", "siger", "kertoo", "powiedział", "według",
    "podaje", "podle", "řekl", "potrivit", "nyilatkozta", "theo", "σύμφωνα με",
    "по данным", "по информации", "сообщает", "сообщил", "сообщили", "рассказал", "рассказала", "заявил", "пишет",
    "интервью", "за даними", "повідомляє", "повідомив", "пише", "据", "據",
)  # fmt: skip
WORDS_AFTER = (
    "reported", "report", "reports", "said", "says", "wrote", "revealed", "poll", "interview",
    "berichtet", "berichtete", "berichten", "berichteten", "zufolge", "meldet", "meldete", "schreibt", "schrieb",
    "zitiert", "zitierte", "rapporte", "rapporté", "révélé", "révèle", "informó", "informa", "reveló", "publicó",
    "informou", "revelou", "rivelato", "riferisce", "scrive", "meldt", "meldde", "rapporterar", "skriver", "melder",
    "mukaan", "podaje", "informuje", "napsal", "uvedl", "szerint", "göre", "bildirdi", "yazdı",
    "сообщает", "сообщил", "сообщила", "пишет", "передает", "повідомляє", "пише", "đưa tin",
    "报道", "报导", "報道", "報導", "によると", "報じ", "보도", "따르면",
)  # fmt: skip


def find_named_sources(title: str | None, text: str) -> frozenset[str]:
    """Return the domains of the outlets and the names of the agencies that the opening of an article names as sources.

    >>> find_named_sources(None, "“It fell,” the mayor told CNN. Many had watched NBC.")
    frozenset({'cnn.com'})
    """
    opening = f"{title or ''}\n{text[:OPENING]}"
    found: set[str] = set()
    for match in compile_any_name().finditer(opening):
        name = load_names()[match.group().strip(MARKS)]
        if name not in found and is_source(opening, match.start(), match.end()):
            found.add(name)
    return frozenset(found)


def is_source(text: str, start: int, end: int) -> bool:
    """Return whether a word before or after the name between these places, in its sentence, makes it a source."""
    before = END_PATTERN.split(text[max(start - NEAR, 0) : start])[-1]
    after = END_PATTERN.split(text[end : end + NEAR // 2], maxsplit=1)[0]
    return bool(compile_words(WORDS_BEFORE).search(before) or compile_words(WORDS_AFTER).search(after))


@cache
def compile_words(words: tuple[str, ...]) -> Any:
    """Return the pattern of any of these words in either case."""
    return compile_pattern(f"(?i){join_names(words)}")


@cache
def load_outlet_names() -> Mapping[str, str]:
    """Return the domain of the outlet for each name that needs no quotation marks."""
    return MappingProxyType({name: domain for domain, name, is_quoted in read_outlets() if not is_quoted})


@cache
def load_names() -> Mapping[str, str]:
    """Return the domain of the outlet, or the agency, for each name."""
    outlets = {name: domain for domain, name, _ in read_outlets()}
    return MappingProxyType({**outlets, **load_aliases()})


def read_outlets() -> Iterator[tuple[str, str, bool]]:
    """Yield (domain, name, whether it counts only in quotation marks) for the outlets of the table."""
    content = files("dedup").joinpath("data/outlets.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(io.StringIO(content)):
        for column in ("names", "quoted"):
            for name in filter(None, row[column].split("|")):
                yield row["domain"], name, column == "quoted"


@cache
def compile_any_name() -> Any:
    """Return the pattern of any name, the longest first; those of the column `quoted` in quotation marks."""
    quoted = [name for _, name, is_quoted in read_outlets() if is_quoted]
    plain = join_names([*load_outlet_names(), *load_aliases()])
    return compile_pattern(f"{plain}|[“„\"«»‘'「](?:{join_names(quoted)})[“”\"«»’‘'」]")


def join_names(names: Iterable[str]) -> str:
    """Return the pattern of any of these names or words, the longest first; ASCII letters stand at the edge of a word."""
    return "|".join(
        f"{find_edge(name[0])}{re.escape(name)}{find_edge(name[-1])}"
        for name in sorted(names, key=lambda name: (-len(name), name))
    )


def find_edge(letter: str) -> str:
    """Return the pattern of the edge of a word beside this letter; letters other than ASCII have none in RE2."""
    return r"\b" if letter.isascii() and letter.isalnum() else ""
