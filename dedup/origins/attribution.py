r"""Find the news agencies and the byline that a text credits, with the passages that say so.

A credit stands in a fixed place and form: a dateline ("PARIS (Reuters) -"), brackets or a slash after the last sentence
("(dpa, AFP)", "RND/dpa"), a source ("Quelle: dpa"), a note ("AP contributed to this report"), a byline or a line of its
own. An agency in running text ("told Reuters"), in a picture credit ("Bild: dpa", "AP Photo") or in the name of a poll
credits nothing. The forms are a table of RE2 patterns, which match in linear time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from dedup.origins.agency_table import load_aliases
from dedup.origins.credit_forms import (
    BYLINES,
    CONTRIBUTION,
    CUT,
    MARK,
    REUTERS_SIGNATURE,
    RULES,
    CreditRule,
)
from dedup.text.boilerplate.rules import compile_pattern

__all__ = ["NO_ATTRIBUTION", "AgencyCredit", "Attribution", "find_attribution", "find_credited_agencies"]


@dataclass(frozen=True, slots=True)
class AgencyCredit:
    """A credit of an agency."""

    agency: str
    kind: str
    """How the text credits it: dateline, source, signature, byline, copyright, or contribution.

    A contribution credits the agency for a part of the text.
    """
    passage: str
    """The words of the text, or the name of the source."""


@dataclass(frozen=True, slots=True)
class Attribution:
    """The agencies and the authors that a text credits."""

    credits: tuple[AgencyCredit, ...] = ()
    """One for each agency, in the order of the text; a credit of the whole text comes before a contribution."""
    byline: str | None = None
    """The names of the authors, as written."""

    @property
    def agencies(self) -> frozenset[str]:
        """Return the names of the agencies."""
        return frozenset(credit.agency for credit in self.credits)


NO_ATTRIBUTION = Attribution()

MAX_PASSAGE = 120
"""The most characters of a passage; the part with the agency is at its end."""
BEFORE, AFTER = 420, 120
"""A credit begins at most this many characters before the name of the agency, and ends as many after it."""
EDGE = 400
"""A byline is within this many characters of the start or the end of a text."""


class Window(NamedTuple):
    """A part of a text around the names of agencies."""

    text: str
    """The part, with `MARK` for each name of an agency, and `CUT` where it is not the edge of the text."""
    aliases: tuple[str, ...]
    """The names, in the order of the marks."""


def find_attribution(text: str, source: str | None = None) -> Attribution:
    """Return the agencies and the byline that a text credits; `source` may name the agency itself.

    >>> find_attribution("PARIS, March 3 (Reuters) - A bridge fell.").agencies
    frozenset({'Reuters'})
    >>> find_attribution("“It fell,” the mayor told Reuters.").agencies
    frozenset()
    """
    found: dict[str, AgencyCredit] = {}
    for credit in iter_credits(text, source):
        known = found.get(credit.agency)
        if known is None or (known.kind == CONTRIBUTION and credit.kind != CONTRIBUTION):
            found[credit.agency] = credit
    whole = [credit for credit in found.values() if credit.kind != CONTRIBUTION]
    parts = [credit for credit in found.values() if credit.kind == CONTRIBUTION]
    return Attribution((*whole, *parts), find_byline(text))


def find_credited_agencies(text: str) -> frozenset[str]:
    """Return the agencies that a text credits."""
    return find_attribution(text).agencies


def iter_credits(text: str, source: str | None) -> list[AgencyCredit]:
    """Return all credits of a text, in the order of the rules; an agency may come more than once."""
    agency = load_aliases().get((source or "").strip())
    found = [AgencyCredit(agency, "source", (source or "").strip())] if agency else []
    for window in iter_windows(text):
        for rule in RULES:
            for match in compile_pattern(rule.pattern).finditer(window.text):
                found += make_credits(rule, match, window)
    signature = None if found else compile_pattern(REUTERS_SIGNATURE).search(text)
    if signature:
        found.append(AgencyCredit("Reuters", "signature", format_passage(signature.group())))
    return found


@cache
def compile_any_alias() -> Any:
    """Return the pattern of any alias, the longest first; where it is written in ASCII, at the edge of a word."""
    return compile_pattern("|".join(map(escape_alias, load_aliases())))


def escape_alias(alias: str) -> str:
    r"""Return the pattern of an alias.

    >>> escape_alias("AP"), escape_alias("新华社")
    ('\\bAP\\b', '新华社')
    """
    first, last = (r"\b" if letter.isascii() and letter.isalnum() else "" for letter in (alias[0], alias[-1]))
    return f"{first}{re.escape(alias)}{last}"


def iter_windows(text: str) -> Iterator[Window]:
    """Yield the parts of a text around the names of agencies, in order."""
    matches = compile_any_alias().finditer(text.replace("_", " "))  # RE2 takes "_" for a letter
    spans = [match.span() for match in matches if has_word_edges(text, *match.span())]
    first = 0
    for last, (_, end) in enumerate(spans):
        if last + 1 == len(spans) or spans[last + 1][0] - end > BEFORE + AFTER:
            yield make_window(text, spans[first : last + 1])
            first = last + 1


def make_window(text: str, spans: Sequence[tuple[int, int]]) -> Window:
    """Return the window around agencies at these places."""
    start, end = max(spans[0][0] - BEFORE, 0), min(spans[-1][1] + AFTER, len(text))
    pieces, place = [CUT if start else ""], start
    for begin, stop in spans:
        pieces += [strip_marks(text[place:begin]), MARK]
        place = stop
    pieces += [strip_marks(text[place:end]), CUT if end < len(text) else ""]
    return Window("".join(pieces), tuple(text[begin:stop] for begin, stop in spans))


def strip_marks(text: str) -> str:
    """Return a text with spaces in place of the characters that have a meaning in a window."""
    return text.replace(MARK, " ").replace(CUT, " ")


def make_credits(rule: CreditRule, match: Any, window: Window) -> list[AgencyCredit]:
    """Return a credit for each agency that a match names.

    The initials before the agencies of a source or a signature may stand between agencies: "dpa/mba/AFP".
    """
    before = window.text.count(MARK, 0, match.start())
    start, end = match.span(match.re.groupindex["who"])
    start = match.start() if rule.kind in {"source", "signature"} else start
    first, last = (window.text.count(MARK, 0, place) for place in (start, end))
    words = iter(window.aliases[before:])
    passage = "".join(next(words) if each == MARK else each for each in match.group())
    names = dict.fromkeys(load_aliases()[alias] for alias in window.aliases[first:last])
    return [AgencyCredit(name, rule.kind, format_passage(cut_passage(passage))) for name in names]


def cut_passage(words: str) -> str:
    """Return a match without the end of the sentence before it, and without the first letter of the next one.

    >>> cut_passage(". Quelle: dpa H")
    'Quelle: dpa'
    """
    words = words.strip().lstrip('.!?…:。！？؟”"“»«’›')
    if words[-2:-1].isspace() and words[-1:].isupper():
        words = words[:-2]
    return words.strip()


def has_word_edges(text: str, start: int, end: int) -> bool:
    """Return whether a passage begins and ends at the edge of a word: "AP" in "CAPS" does not.

    Han and kana are written without spaces, so they have no such edges.
    """
    before, after = text[start - 1 : start], text[end : end + 1]
    begins = not (before.isalnum() and text[start].isascii() and before.isascii())
    return begins and not (after.isalnum() and text[end - 1].isascii() and after.isascii())


def format_passage(words: str) -> str:
    """Return a passage on one line, cut to `MAX_PASSAGE` characters."""
    line = " ".join(words.split())
    return line if len(line) <= MAX_PASSAGE else "…" + line[-MAX_PASSAGE:]


def find_byline(text: str) -> str | None:
    """Return the names of the authors at the start or the end of a text, as written."""
    for part in (text[:EDGE], text[-EDGE:] if len(text) > EDGE else ""):
        for pattern in BYLINES:
            match = compile_pattern(pattern).search(part)
            names = re.split(r"(,| and )", " ".join(match.group("name").split())) if match else []
            while names and names[-1].strip() in {"", ",", "and", *load_aliases()}:
                names.pop()
            if names:
                return "".join(names)
    return None
