from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.text.tokenizer import hash_words
from dedup.text.vocabulary import (
    ALWAYS_NAME,
    ARTICLE_WORDS,
    MAX_WEIGHT,
    MONDAY,
    NAME_IF_CAPITALIZED,
    NEVER_NAME,
    RARE_WEIGHT,
    WEEKDAYS,
    WEIGHT_SCALE,
    WORDFREQ_LANGUAGES,
    compute_term_weights,
    load_vocabulary,
)


class Entry(NamedTuple):
    stem: int
    weight: float
    name: int


def entry(language: str, word: str) -> Entry | None:
    """Return what a language's vocabulary says of a word; None if it does not hold it."""
    table, (key,) = load_vocabulary(language), hash_words([word])
    (slots,) = np.nonzero(table.keys == key)
    if not slots.size:
        return None
    (slot,) = slots.tolist()
    return Entry(int(table.stems[slot]), table.weights[slot] / WEIGHT_SCALE, int(table.names[slot]))


def known(language: str, word: str) -> Entry:
    """Return what a language's vocabulary says of a word that it holds."""
    found = entry(language, word)
    assert found, f"{word} is not in the vocabulary of {language!r}"
    return found


@pytest.mark.parametrize(
    ("language", "forms"),
    [
        ("en", "election elections"),
        ("en", "attack attacks attacked attacking"),
        ("de", "minister ministers"),
        ("de", "regierung regierungen"),
        ("fr", "président présidents"),
        ("fr", "annoncé annoncée annoncer"),
        ("es", "elección elecciones"),
        ("es", "ministro ministra ministros"),
        ("it", "governo governi"),
        ("pt", "presidente presidentes"),
        ("ru", "правительство правительства правительству правительством"),
        ("ru", "министр министра министром"),
        ("ar", "الرئيس رئيس"),
        ("nl", "verkiezing verkiezingen"),
        ("sv", "regering regeringen"),
        ("pl", "ministra ministrowi"),
    ],
)
def test_inflected_forms_have_one_stem_and_one_weight(language: str, forms: str) -> None:
    entries = [known(language, form) for form in forms.split()]

    assert len({(found.stem, found.weight) for found in entries}) == 1


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "election minister fire"),
        ("de", "wahl minister feuer"),
        ("fr", "élection ministre incendie"),
        ("es", "elección ministro incendio"),
        ("it", "elezione ministro incendio"),
        ("pt", "eleição ministro incêndio"),
        ("ru", "выборы министр пожар"),
        ("ar", "انتخابات وزير حريق"),
        ("zh", "选举 部长 火灾"),
        ("ja", "選挙 大臣 火災"),
        ("ko", "선거 장관 화재"),
    ],
)
def test_words_of_different_meaning_have_different_stems(language: str, words: str) -> None:
    assert len({known(language, word).stem for word in words.split()}) == 3


@pytest.mark.parametrize(
    ("language", "small", "telling"),
    [
        ("en", "the of and in said", "submarine earthquake"),
        ("de", "der und die in ist", "erdbeben"),
        ("fr", "le de et la les", "séisme"),
        ("es", "de la el que en", "terremoto"),
        ("it", "di e il la che", "terremoto"),
        ("pt", "de o a que em", "terremoto"),
        ("ru", "в и на не что", "землетрясение"),
        ("ar", "من في على", "زلزال"),
        ("zh", "的 是 了", "地震"),
        ("ja", "の は た", "地震"),
        ("ko", "이 다", "지진"),
    ],
)
def test_function_words_weigh_next_to_nothing_and_telling_words_much(
    language: str, small: str, telling: str
) -> None:
    light = [known(language, word).weight for word in small.split()]
    heavy = [known(language, word).weight for word in telling.split()]

    assert max(light) < 0.6
    assert min(heavy) > 1


@pytest.mark.parametrize("language", ["en", "de"])
def test_rare_names_weigh_more_than_the_names_of_every_day(language: str) -> None:
    usual, rare = known(language, "moscow" if language == "en" else "moskau"), known(language, "fukushima")

    assert rare.weight > usual.weight + 0.5


def test_nothing_weighs_more_than_the_heaviest() -> None:
    table = load_vocabulary("en")

    assert table.weights.max() <= MAX_WEIGHT * WEIGHT_SCALE
    assert table.unknown_weight == MAX_WEIGHT * WEIGHT_SCALE


def test_words_that_differ_by_case_or_accent_are_one_entry() -> None:
    assert known("fr", "ÉLECTION") == known("fr", "election")


def test_every_word_is_found_where_its_hash_leads() -> None:
    table = load_vocabulary("en")
    mask = len(table.keys) - 1
    keys = table.keys[table.keys != 0].astype(np.int64)

    for key in keys[:: len(keys) // 500]:
        slot = key & mask
        while table.keys[slot] not in {0, key}:
            slot = (slot + 1) & mask
        assert table.keys[slot] == key


@pytest.mark.parametrize("language", ["", "xx", "tlh"])
def test_an_unknown_language_has_no_words_and_every_word_is_its_own_stem(language: str) -> None:
    table = load_vocabulary(language)

    assert not table.keys.any()
    assert table.unknown_name == NAME_IF_CAPITALIZED


@pytest.mark.parametrize("language", ["zh", "ar"])
def test_without_capitals_a_rare_word_stands_for_a_name(language: str) -> None:
    table = load_vocabulary(language)
    held = table.keys != 0

    weights, names = table.weights[held] / WEIGHT_SCALE, table.names[held]

    days = set(range(MONDAY, MONDAY + 7))
    assert set(names[weights > RARE_WEIGHT + 0.02].tolist()) - days == {ALWAYS_NAME}
    assert set(names[weights < RARE_WEIGHT - 0.02].tolist()) - days == {NEVER_NAME}
    assert table.unknown_name == ALWAYS_NAME


@pytest.mark.parametrize(
    "language",
    sorted(WORDFREQ_LANGUAGES - {"en", "de", "fr", "es", "it", "pt", "ru", "ar", "zh", "ja", "ko"})[::6],
)
def test_a_language_without_news_counts_makes_do_with_wordfreq(language: str) -> None:
    table = load_vocabulary(language)

    assert np.count_nonzero(table.keys) > 5_000
    assert np.ptp(table.weights[table.keys != 0].astype(int)) > 2 * WEIGHT_SCALE


@pytest.mark.parametrize("language", WEEKDAYS)
def test_the_days_of_the_week_are_known(language: str) -> None:
    days = [known(language, day).name for day in WEEKDAYS[language].split()]

    assert days == list(range(MONDAY, MONDAY + 7))


def test_the_weight_of_a_word_without_counts_is_that_of_its_frequency() -> None:
    chance = 1 - (1 - 1e-4) ** ARTICLE_WORDS

    found = compute_term_weights(np.zeros(1), np.array([1e-4]), total=0)

    assert found[0] == pytest.approx(-np.log10(chance))


def test_counts_outweigh_the_prior_as_articles_add_up() -> None:
    found = compute_term_weights(np.array([100.0]), np.array([0.0]), total=9_000)

    assert found[0] == pytest.approx(2.0)


def test_a_word_in_no_article_weighs_the_most_and_in_every_article_nothing() -> None:
    found = compute_term_weights(np.array([0.0, 50_000.0]), np.array([0.0, 0.5]), total=50_000)

    assert found.tolist() == [MAX_WEIGHT, pytest.approx(0.0, abs=1e-9)]


@given(
    st.lists(st.integers(0, 20_000), min_size=2, max_size=2).map(sorted),
    st.lists(st.floats(0, 1), min_size=2, max_size=2).map(sorted),
)
def test_weights_never_grow_with_counts_or_frequency(documents: list[int], frequency: list[float]) -> None:
    rarer, commoner = compute_term_weights(np.array(documents, float), np.array(frequency), total=20_000)

    assert 0 <= commoner <= rarer <= MAX_WEIGHT


def test_vietnamese_alone_is_written_a_syllable_at_a_time() -> None:
    assert {language for language in WORDFREQ_LANGUAGES if load_vocabulary(language).syllabic} == {"vi"}
