"""A named outlet or agency is a source only beside a word that says so, in the opening of an article."""

import csv
from importlib.resources import files

import pytest

from dedup.io.source_domain import find_domain
from dedup.origins.named_sources import OPENING, find_named_sources, load_outlet_names


@pytest.mark.parametrize(
    ("text", "sources"),
    [
        ("“It fell,” the mayor told CNN.", {"cnn.com"}),
        ("The bridge fell, The Wall Street Journal reported on Friday.", {"wsj.com"}),
        ("Der Bürgermeister sagte der „Bild“-Zeitung, sie sei gefallen.", {"bild.de"}),
        ("Die Brücke fiel, wie der „Spiegel“ berichtet.", {"spiegel.de"}),
        ("Le pont est tombé, selon Le Monde.", {"lemonde.fr"}),
        ("El puente cayó, informó El País.", {"elpais.com"}),
        ("O presidente disse à Folha que caiu.", {"uol.com.br"}),
        ("Il sindaco ha detto alla Repubblica: è caduto.", {"repubblica.it"}),
        ("Мост упал, сообщает Медуза.", set()),
        ("Мост упал, сообщает «Медуза».", {"meduza.io"}),
        ("Мост упал, сообщает Коммерсантъ.", {"kommersant.ru"}),
        ("橋が落ちたと朝日新聞が報じた。朝日新聞によると、夜だった。", {"asahi.com"}),
        ("据人民日报报道，桥塌了。", {"people.com.cn"}),
        ("The mayor told Reuters that it fell.", {"Reuters"}),
        ("Many watched it on CNN.", set()),
        ("The time was reported wrong. Die Welt, sagte er, ist klein.", set()),
        ("Sie sagte, das Bild sei schief.", set()),
        ("He told reporters so. CNN showed it.", set()),
        ("", set()),
    ],
)
def test_a_source_is_named_beside_a_word_that_says_so(text: str, sources: set[str]) -> None:
    assert find_named_sources(None, text) == sources


def test_a_source_after_the_opening_does_not_count() -> None:
    text = "The bridge fell at night. " * (OPENING // 20) + "“It fell,” she told CNN."

    assert find_named_sources(None, text) == frozenset()


def test_a_title_may_name_the_source() -> None:
    assert find_named_sources("Mayor tells BBC: it fell", "It fell.") == {"bbc.com"}


def test_each_outlet_of_the_table_has_a_registered_domain_and_a_name() -> None:
    with files("dedup").joinpath("data/outlets.csv").open(encoding="utf-8") as table:
        rows = list(csv.DictReader(table))

    assert all(row["names"] or row["quoted"] for row in rows)
    assert [row["domain"] for row in rows if find_domain(row["domain"]) != row["domain"]] == []
    assert len({row["domain"] for row in rows}) == len(rows)


def test_no_name_that_counts_without_quotation_marks_is_a_common_word() -> None:
    assert not {"Time", "Welt", "Zeit", "Bild", "Focus", "Sun", "Mirror"} & set(load_outlet_names())
