"""Numbers, sums, dates, names and quotations are facts, in one form for all texts."""

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dedup.io.articles import to_batches
from dedup.origins.compare import AGREE, DIFFER, ONLY, compare_articles, compare_facts
from dedup.origins.facts import (
    COUNT_PATTERN,
    DATE_PATTERN,
    SUM_PATTERN,
    Fact,
    find_counts,
    find_dates,
    find_sums,
    list_facts,
    list_values,
)
from dedup.origins.quotations import MAX_MARKS, iter_quotations
from dedup.reports.lead_diff import LeadSource
from dedup.settings.settings import Settings
from dedup.text.vocabulary import load_vocabulary


def facts(text: str, kind: str) -> list[tuple[str, str]]:
    """Return (unit, value) of the facts of one kind in a text."""
    source = LeadSource("", text, {}, load_vocabulary("en"))
    return [(fact.about, fact.value) for fact in list_facts(source) if fact.kind == kind]


@pytest.mark.parametrize(
    ("text", "about", "value"),
    [
        ("It carried 340 tonnes of gravel.", "tonn", "340"),
        ("Twelve people were hurt.", "peopl", "12"),
        ("Zwölf Menschen wurden verletzt.", "mensch", "12"),
        ("About 9,000 cars a day.", "car", "9000"),
        ("Täglich 9.000 Autos.", "auto", "9000"),
        ("Some 2.5 million people live there.", "peopl", "2500000"),
        ("It rose by 4,5 % in a year.", "%", "4.5"),
        ("Two of the piers broke.", "", ""),
    ],
)
def test_a_number_stands_with_its_noun(text: str, about: str, value: str) -> None:
    assert facts(text, "number") == ([(about, value)] if value else [])


@pytest.mark.parametrize(
    ("text", "about", "value"),
    [
        ("It costs 2.5 million euros.", "euro", "2500000"),
        ("Es kostet 2,5 Millionen Euro.", "euro", "2500000"),
        ("It costs €2,500,000.", "euro", "2500000"),
        ("It costs $1,234.50 a day.", "dollar", "1234.5"),
        ("Стоит 3 млрд рублей.", "rouble", "3000000000"),
    ],
)
def test_a_sum_has_one_form(text: str, about: str, value: str) -> None:
    assert facts(text, "sum") == [(about, value)]
    assert facts(text, "number") == []


@pytest.mark.parametrize(
    "text",
    [
        "on 3 March.",
        "on March 3, 2031.",
        "am 3. März 2031.",
        "2031-03-03.",
        "03.03.2031.",
        "3 марта.",
        "3月3日。",
    ],
)
def test_a_day_has_one_form(text: str) -> None:
    assert facts(f"It fell {text}", "date") == [("", "03-03")]


def test_a_quotation_of_four_words_is_a_fact_and_a_term_is_none() -> None:
    text = "“We heard it crack,” she said of the “old bridge”."

    assert facts(text, "quotation") == [("", "we heard it crack")]


def test_values_of_one_unit_differ_if_two_articles_each_give_another() -> None:
    told = {
        "a": [Fact("number", "dead", "12", "12 dead"), Fact("number", "dead", "3", "3 dead")],
        "b": [Fact("number", "dead", "14", "14 dead"), Fact("number", "dead", "3", "3 dead")],
        "c": [Fact("name", "", "tollan", "Tollan")],
    }

    compared = compare_facts(told, dict.fromkeys(told))

    assert [(f.about, f.status, [(v.value, v.articles) for v in f.values]) for f in compared] == [
        ("dead", DIFFER, [("12", ("a",)), ("14", ("b",))]),
        ("dead", AGREE, [("3", ("a", "b"))]),
        ("", ONLY, [("tollan", ("c",))]),
    ]


def test_a_value_more_is_no_contradiction() -> None:
    told = {
        "a": [Fact("number", "car", "9000", "9,000 cars")],
        "b": [Fact("number", "car", "9000", "9,000 cars"), Fact("number", "car", "12", "12 cars")],
    }

    assert [fact.status for fact in compare_facts(told, dict.fromkeys(told))] == [AGREE, ONLY]


def test_names_are_those_of_the_articles() -> None:
    (batch,) = to_batches(
        [
            {"id": "a", "text": "The mayor, Corvin Lamere, shut the bridge of Tollan on Monday night."},
            {"id": "b", "text": "In Tollan the bridge is shut, and Corvin Lamere is on his way there."},
        ]
    )

    compared = compare_articles(pa.RecordBatch.to_pylist(batch), Settings())

    assert {v.written for f in compared if f.kind == "name" and f.status == AGREE for v in f.values} == {
        "Tollan",
        "Corvin Lamere",
    }


WRITTEN = """
    3 12 2031 1,234.50 9.000 000 2.5 may March März set mars 3月 12月 3日 $ US$ € euro 元 million mio 万 two fünf of de people
    % ° - . , a ’ 1 2031-03-04 03.03.2031 st th dix-sept TWO 5K x7 ½ ٣
"""
PIECES = st.sampled_from([*WRITTEN.split(), "\n"])


@given(st.lists(st.tuples(PIECES, st.sampled_from(["", " ", "  ", "\u00a0", "."])), max_size=14))
@example([("112", ""), ("月", ""), ("3", ""), ("日", "")])
@example([("$", " "), ("5", " "), ("euro", "")])
@example([("3", " "), ("March", " "), ("4", "")])
def test_dates_sums_and_numbers_are_found_as_by_a_search(parts: list[tuple[str, str]]) -> None:
    text = "".join(word + gap for word, gap in parts)

    for find, pattern in (
        (find_dates, DATE_PATTERN),
        (find_sums, SUM_PATTERN),
        (find_counts, COUNT_PATTERN),
    ):
        assert [match.span() for match in find(text)] == [match.span() for match in pattern.finditer(text)]


@pytest.mark.parametrize("marks", [1, MAX_MARKS + 1])
def test_quotations_are_found_however_many_marks_there_are(marks: int) -> None:
    text = "“" * marks + "We heard it crack and then nothing at all,” she said."

    assert [words for words, _ in iter_quotations(text)] == ["we heard it crack and then nothing at all"]


@pytest.mark.parametrize(
    "piece", [" 000", ",000", "000.", "000 000,", "1 000 ", "5-", "$1,000 ", "two two ", "0"]
)
def test_a_page_of_figures_is_read(piece: str) -> None:
    """In quadratic time, it would take hours."""
    text = "It costs 5 euros. 1" + piece * (100_000 // len(piece))

    assert [fact.value for fact in list_values(text) if fact.kind == "sum"][:1] == ["5"]
