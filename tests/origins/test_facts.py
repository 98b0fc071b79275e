"""Numbers, sums, dates, names and quotations are facts, in one form for all texts."""

import pyarrow as pa
import pytest

from dedup.io.articles import to_batches
from dedup.origins.compare import AGREE, DIFFER, ONLY, compare_articles, compare_facts
from dedup.origins.facts import Fact, list_facts
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
