"""Find the facts of a text that another article may tell differently: numbers, sums, dates, names and quotations.

A number stands with its unit or noun ("340 tonnes", "twelve people"), a sum with its currency. Values are written in one
form, so that "2.5 million euros" equals "2,500,000 euros", and "3 March" equals "March 3, 2031".

A date or a sum has digits, and a number has digits or is one of few words. So the patterns are tried only at these places,
which takes a tenth of the time of a search, and finds the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from dedup.io.written_dates import MONTHS
from dedup.origins.anchored_search import match_at
from dedup.origins.quotations import iter_quotations
from dedup.reports.lead_diff import LeadSource
from dedup.reports.surface_forms import is_readable, lookup_stem_hash
from dedup.sketches.terms import NAME
from dedup.text.language_id import FUNCTION_WORDS
from dedup.text.shared_passages import TOKEN_PATTERN
from dedup.text.tokenizer import hash_words

__all__ = ["Fact", "list_facts", "list_values"]


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact as one text tells it."""

    kind: str
    """number, sum, date, name or quotation."""
    about: str
    """What the value is of: the stem of the unit or noun of a number, the currency of a sum, otherwise ""."""
    value: str
    """The value in one form for all texts."""
    written: str
    """The words of the text."""
    noun: str = ""
    """The unit or noun of a number as the text writes it."""


MIN_QUOTATION_WORDS = 4
"""The fewest words of a quotation that is a fact: shorter ones are terms in quotation marks."""
MIN_STEM_LETTERS = 3
"""Shorter nouns have no ending."""
MAX_DAY = 31
NUMBER_WORDS = (
    "two zwei deux dos due dois duas",
    "three drei trois tres tre três",
    "four vier quatre cuatro quattro quatro",
    "five fünf cinq cinco cinque",
    "six sechs seis sei",
    "seven sieben sept siete sette sete",
    "eight acht huit ocho otto oito",
    "nine neun neuf nueve nove",
    "ten zehn dix diez dieci dez",
    "eleven elf onze once undici",
    "twelve zwölf douze doce dodici doze",
    "thirteen dreizehn treize trece tredici treze",
    "fourteen vierzehn quatorze catorce quattordici catorze",
    "fifteen fünfzehn quinze quince quindici",
    "sixteen sechzehn seize dieciséis sedici dezesseis",
    "seventeen siebzehn diecisiete diciassette dezessete",
    "eighteen achtzehn dieciocho diciotto dezoito",
    "nineteen neunzehn diecinueve diciannove dezenove",
    "twenty zwanzig vingt veinte venti vinte",
)
"""The words for the numbers from two in English, German, French, Spanish, Italian and Portuguese."""
SCALES = (
    (10**3, "thousand tausend mille mil mila тыс тысяч тысячи"),
    (10**4, "万"),
    (10**6, "million millions millionen mio millón millones milione milioni milhão milhões mn مليون"),
    (10**6, "млн миллион миллиона миллионов"),
    (10**8, "亿 億"),
    (10**9, "billion billions milliarde milliarden mrd milliard milliards miliardo miliardi bilhão bilhões bn مليار"),
    (10**9, "млрд миллиард миллиарда миллиардов"),
)  # fmt: skip
CURRENCIES = (
    ("dollar", "US$ $ dollar dollars US-Dollar dólar dólares dollari долларов доллара USD 美元 دولار"),
    ("euro", "€ euro euros EUR евро 欧元 يورو"),
    ("pound", "£ pound pounds Pfund GBP libras sterline 英镑"),
    ("yen", "¥ yen 日元 円"),
    ("yuan", "yuan Yuan 元 人民币"),
    ("rouble", "₽ rouble roubles ruble rubles Rubel рублей рубля рубль"),
    ("franc", "franc francs Franken CHF"),
)
RUSSIAN_MONTHS = "января февраля марта апреля мая июня июля августа сентября октября ноября декабря"


def map_words_to_numbers(groups: tuple[str, ...], first: int) -> dict[str, int]:
    """Return a number for each word of the groups, one group after the other."""
    return {word: first + n for n, words in enumerate(groups) for word in words.split()}


NUMBERS = map_words_to_numbers(NUMBER_WORDS, 2)
MONTH_NUMBERS = {**map_words_to_numbers(MONTHS, 1), **map_words_to_numbers(tuple(RUSSIAN_MONTHS.split()), 1)}
SCALE_FACTORS = {word: factor for factor, words in SCALES for word in words.split()}
CURRENCY_NAMES = {word.casefold(): name for name, words in CURRENCIES for word in words.split()}
MORE_STOP_WORDS = "who whose when while but after before than then also or if more only into over wer wenn oder qui ou quien o"
STOP_WORDS = frozenset(
    word for words in (*FUNCTION_WORDS.values(), MORE_STOP_WORDS) for word in words.split()
)


def join_words(words: Iterator[str] | list[str]) -> str:
    """Return a pattern of any of the words, the longest first."""
    return "|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word)))


_NUMBER = r"\d+(?:[.,\u00a0\u202f ]\d{3}(?!\d)){0,6}(?:[.,]\d+)?"
"""Six groups of thousands make a trillion millions; without a bound, a page of figures would take quadratic time."""
_SCALE = rf"(?:[\s-]?(?P<scale{{0}}>(?:{join_words(list(SCALE_FACTORS))})\b\.?|[万亿億]))?"
_CURRENCY = rf"(?P<currency{{0}}>{join_words(list(CURRENCY_NAMES))})"
SUM_PATTERN = re.compile(
    rf"{_CURRENCY.format(1)}\s?(?P<number1>{_NUMBER}){_SCALE.format(1)}"
    rf"|(?<!\d)(?P<number2>{_NUMBER}){_SCALE.format(2)}\s?{_CURRENCY.format(2)}(?!\w)",
    re.IGNORECASE,
)
_MONTH = join_words(list(MONTH_NUMBERS))
DATE_PATTERN = re.compile(
    rf"\b(?P<day1>\d{{1,2}})(?:st|nd|rd|th|er|º)?\.?\s(?:de\s|of\s)?(?P<month1>{_MONTH})\b\.?"
    rf"|\b(?P<month2>{_MONTH})\b\.?\s(?P<day2>\d{{1,2}})(?:st|nd|rd|th)?\b(?!\.\d)"
    r"|\b\d{4}-(?P<month3>\d\d)-(?P<day3>\d\d)\b|\b(?P<day4>\d{1,2})\.(?P<month4>\d{1,2})\.\d{2,4}\b"
    r"|(?P<month5>\d{1,2})月(?P<day5>\d{1,2})日",
    re.IGNORECASE,
)
COUNT_PATTERN = re.compile(
    rf"(?<![\w.,])(?P<number1>{_NUMBER}|(?:{join_words(list(NUMBERS))})\b){_SCALE.format(1)}"
    r"(?:\s?(?P<unit>%|‰|°C?)|[\s-]+(?P<next>[^\W\d_][\w’'-]*)(?:\s+(?P<after>[^\W\d_][\w’'-]*))?)?",
    re.IGNORECASE,
)


DIGITS_PATTERN = re.compile(r"\d+")
WORD_PATTERN = re.compile(r"[^\W\d_]+")
MONTH_BEFORE_PATTERN = re.compile(r"([^\W\d_]+)\b\.?\s\Z")
CURRENCY_BEFORE_PATTERN = re.compile(rf"(?:{join_words(list(CURRENCY_NAMES))})\s?\Z", re.IGNORECASE)
MONTH_ROOM = max(map(len, MONTH_NUMBERS)) + 2
CURRENCY_ROOM = max(map(len, CURRENCY_NAMES)) + 1
"""The most characters that a month, or a currency, with what follows it takes before the digits."""


def list_facts(source: LeadSource) -> list[Fact]:
    """Return the facts of an article, each once, in the order of their kinds."""
    quotations = [
        Fact("quotation", "", words, written)
        for words, written in iter_quotations(source.full_text, MIN_QUOTATION_WORDS)
    ]
    return keep_first([*list_values(source.full_text), *iter_names(source), *quotations])


def list_values(text: str) -> list[Fact]:
    """Return the dates, sums and numbers of a text, each once, in the order of their kinds."""
    sums = find_sums(text)
    without_sums = blank_matches(text, sums)
    rest = blank_matches(without_sums, find_dates(without_sums))
    return keep_first([*iter_dates(text), *iter_sums(sums), *iter_counts(rest)])


def keep_first(facts: list[Fact]) -> list[Fact]:
    """Return the facts without those that have the value of an earlier one."""
    return list({(fact.kind, fact.about, fact.value): fact for fact in reversed(facts)}.values())[::-1]


def find_dates(text: str) -> list[re.Match[str]]:
    """Return the matches of `DATE_PATTERN` in a text, as a search does."""
    starts: list[int] = []
    for digits in DIGITS_PATTERN.finditer(text):
        start, end = digits.span()
        if text[start - 1 : start].isspace():
            month = MONTH_BEFORE_PATTERN.search(text, max(start - MONTH_ROOM, 0), start)
            if month and month[1].casefold() in MONTH_NUMBERS:
                starts.append(month.start())
        starts.append(start)
        if text[end : end + 1] == "月":
            starts.append(max(start, end - 2))
    return match_at(DATE_PATTERN, text, starts)


def find_sums(text: str) -> list[re.Match[str]]:
    """Return the matches of `SUM_PATTERN` in a text, as a search does."""
    starts: list[int] = []
    for digits in DIGITS_PATTERN.finditer(text):
        start = digits.start()
        currency = CURRENCY_BEFORE_PATTERN.search(text, max(start - CURRENCY_ROOM, 0), start)
        starts += [currency.start(), start] if currency else [start]
    return match_at(SUM_PATTERN, text, starts)


def find_counts(text: str) -> list[re.Match[str]]:
    """Return the matches of `COUNT_PATTERN` in a text, as a search does."""
    starts = [digits.start() for digits in DIGITS_PATTERN.finditer(text)]
    return match_at(COUNT_PATTERN, text, sorted({*starts, *iter_number_words(text)}))


def iter_number_words(text: str) -> Iterator[int]:
    """Yield where words for numbers begin in a text; parts of other words may be among them."""
    folded = text.casefold()
    if len(folded) != len(text):  # "ß" is "ss"
        folded = text.lower()
    if len(folded) != len(text):
        yield from (word.start() for word in WORD_PATTERN.finditer(text) if word[0].casefold() in NUMBERS)
        return
    for word in NUMBERS.keys() & set(WORD_PATTERN.findall(folded)):
        start = folded.find(word)
        while start >= 0:
            yield start
            start = folded.find(word, start + 1)


def blank_matches(text: str, matches: Iterable[re.Match[str]]) -> str:
    """Return a text with a semicolon in place of each match."""
    pieces, end = [], 0
    for match in matches:
        pieces.append(text[end : match.start()])
        end = match.end()
    return " ; ".join([*pieces, text[end:]])


def iter_dates(text: str) -> Iterator[Fact]:
    """Yield the days of a year that a text names, as month and day."""
    for match in find_dates(text):
        found = {name[:-1]: value for name, value in match.groupdict().items() if value}
        month, day = MONTH_NUMBERS.get(found["month"].casefold(), 0), int(found["day"])
        month = month or int(found["month"] if found["month"].isdecimal() else 0)
        if 1 <= month <= len(MONTHS) and 1 <= day <= MAX_DAY:
            yield Fact("date", "", f"{month:02d}-{day:02d}", match[0])


def iter_sums(matches: Iterable[re.Match[str]]) -> Iterator[Fact]:
    """Yield the sums of money of matches of `SUM_PATTERN`, by currency."""
    for match in matches:
        found = {name[:-1]: value for name, value in match.groupdict().items() if value}
        value = format_value(found["number"], found.get("scale"))
        yield Fact("sum", CURRENCY_NAMES[found["currency"].casefold()], value, match[0])


def iter_counts(text: str) -> Iterator[Fact]:
    """Yield the numbers of a text with their unit or noun; numbers without one are left out."""
    for match in find_counts(text):
        noun = find_noun(match)
        if noun:
            value = format_value(match["number1"], match["scale1"])
            written = text[match.start() : match.end("unit") if match["unit"] else match.end("next")]
            if match["after"] == noun:
                written = match[0]
            yield Fact("number", stem_noun(noun), value, " ".join(written.split()), noun)


def find_noun(match: re.Match[str]) -> str | None:
    """Return the unit of a number, or the first of the next two words that is no function word."""
    words = [match["unit"], match["next"]]
    if match["next"] and match["next"].casefold() in {"of", "de", "di"}:
        words = [match["after"]]
    return next((word for word in words if word and word.casefold() not in STOP_WORDS), None)


def stem_noun(noun: str) -> str:
    """Return a noun in lower case without the ending of a plural.

    >>> stem_noun("Tonnes") == stem_noun("tonne")
    True
    """
    folded = noun.casefold()
    return re.sub(r"(?:es|en|s|n|e)$", "", folded) if len(folded) > MIN_STEM_LETTERS else folded


def format_value(number: str, scale: str | None) -> str:
    """Return a number as digits, multiplied by its scale.

    >>> format_value("2.5", "million"), format_value("9,000", None), format_value("twelve", None)
    ('2500000', '9000', '12')
    """
    digits = re.sub(r"[\u00a0\u202f ]", "", str(NUMBERS.get(number.casefold(), number)))
    if re.fullmatch(r"\d{1,3}(?:[.,]\d{3})+", digits):
        digits = re.sub(r"\D", "", digits)
    if not re.fullmatch(r"\d+(?:[.,]\d+)?", digits):  # 1,234.5: the last separator is that of the decimals
        digits = re.sub(r"[.,](?=.*[.,])", "", digits)
    value = float(digits.replace(",", "."))
    return f"{value * SCALE_FACTORS.get((scale or '').casefold().rstrip('.'), 1):.10g}"


def iter_names(source: LeadSource) -> Iterator[Fact]:
    """Yield the names of an article; words of a name that follow each other are one name."""
    text = source.full_text
    tokens = list(TOKEN_PATTERN.finditer(text))
    name_words = find_name_words({token[0] for token in tokens}, source)
    run: list[re.Match[str]] = []
    for token in tokens:
        is_name = token[0] in name_words
        if run and not (is_name and not text[run[-1].end() : token.start()].strip(" .")):
            yield make_name(text, run)
            run = []
        if is_name:
            run.append(token)
    if run:
        yield make_name(text, run)


def make_name(text: str, run: Sequence[re.Match[str]]) -> Fact:
    """Return the name that the words of a text make up."""
    name = text[run[0].start() : run[-1].end()]
    return Fact("name", "", name.casefold(), name)


def find_name_words(words: Iterable[str], source: LeadSource) -> set[str]:
    """Return the words that are parts of names in an article."""
    possible = [
        word for word in words if not word.islower() and word.casefold() not in NUMBERS and is_readable(word)
    ]
    terms = (lookup_stem_hash(hashed, source.vocabulary) for hashed in hash_words(possible).tolist())
    return {word for word, term in zip(possible, terms, strict=True) if source.kinds.get(term) == NAME}
