from collections import Counter
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from newsmaker import Article, batch, corpora, sketched, version

from dedup.matching.evidence import compute_evidence
from dedup.matching.evidence_columns import NAMES_COSINE
from dedup.sketches.sketch import Sketches, sketch_batch
from dedup.sketches.terms import (
    FIGURE,
    IN_45,
    IN_80,
    IN_220,
    IN_ALL,
    IN_TITLE,
    KIND,
    MIN_TERM_WEIGHT,
    NAME,
    WEIGHT,
    WORD,
    hash_term_pair,
)
from dedup.text.boilerplate.rules import clean_texts
from dedup.text.tokenizer import hash_words, tokenize_articles
from dedup.text.vocabulary import NEVER_NAME, WEIGHT_SCALE, load_vocabulary


class Term(NamedTuple):
    weight: float
    kind: int
    counts: list[int]


def stem(word: str, language: str = "en") -> int:
    """Return the hash of the term that a word belongs to."""
    table, (key,) = load_vocabulary(language), hash_words([word])
    (slots,) = np.nonzero(table.keys == key)
    return int(table.stems[slots[0]] if slots.size else key)


def terms(s: Sketches, a: int = 0) -> dict[int, Term]:
    """Return the terms of a sketch by hash."""
    own = slice(s.term_offsets[a], s.term_offsets[a + 1])
    facts = s.term_facts[own]
    columns = (facts[:, WEIGHT] / WEIGHT_SCALE, facts[:, KIND], facts[:, : IN_ALL + 1])
    return {
        int(key): Term(float(weight), int(kind), counts.tolist())
        for key, weight, kind, counts in zip(s.term_hashes[own], *columns, strict=True)
    }


def term(word: str, text: str, title: str = "", language: str = "en") -> Term:
    """Return what the sketch of one article holds of a word."""
    found = terms(sketched([{"title": title, "text": text, "language": language}]))
    return found[stem(word, language)]


def salient(article: Article) -> list[int]:
    """Return the salient terms of one article, most salient first."""
    return [int(key) for key in sketched([{"language": "en", **article}]).salient[0] if key]


@given(corpora(least=1, most=5))
@examples(max_examples=25)
def test_counts_are_those_of_a_counter(articles: list[Article]) -> None:
    given_ = batch([{"language": "en", **article} for article in articles])
    words = tokenize_articles(given_["title"], clean_texts(given_["text"]))
    table = load_vocabulary("en")
    stems = dict(zip(table.keys.tolist(), table.stems.tolist(), strict=True))
    small = set(table.keys[(table.weights < MIN_TERM_WEIGHT) & (table.names == NEVER_NAME)].tolist())

    s = sketch_batch(given_)

    for a in range(len(articles)):
        own = words.hashes[words.offsets[a] : words.offsets[a + 1]].tolist()
        title, body = own[: words.title_lengths[a]], own[words.title_lengths[a] :]
        windows = (title, body[:45], body[:80], body[:220], body)
        counters = [Counter(stems.get(w, w) for w in window if w not in small) for window in windows]
        expected = {stems.get(w, w): [c[stems.get(w, w)] for c in counters] for w in own if w not in small}
        assert {key: found.counts for key, found in terms(s, a).items()} == expected


@given(corpora(least=1, most=5))
@examples(max_examples=25)
def test_windows_of_the_body_hold_one_another(articles: list[Article]) -> None:
    counts = sketched(articles).term_facts

    assert (counts[:, IN_45] <= counts[:, IN_80]).all()
    assert (counts[:, IN_80] <= counts[:, IN_220]).all()
    assert (counts[:, IN_220] <= counts[:, IN_ALL]).all()
    assert (counts[:, IN_TITLE] + counts[:, IN_ALL].astype(int) > 0).all()


def test_terms_are_sorted_and_distinct() -> None:
    s = sketched([version(k, "as sent", 0) for k in range(4)])

    for a in range(4):
        own = s.term_hashes[s.term_offsets[a] : s.term_offsets[a + 1]].astype(int)
        assert (np.diff(own) > 0).all()


def test_small_words_are_no_terms() -> None:
    found = terms(sketched([{"text": "The bridge of the town was shut, and that was it.", "language": "en"}]))

    assert stem("bridge") in found
    assert not {stem(word) for word in ("the", "of", "was", "and", "that", "it")} & found.keys()


def test_inflected_forms_are_one_term() -> None:
    found = term("attack", "The attack began at dawn, and the man attacked twice before the attacks ended.")

    assert found.counts[IN_ALL] == 3


def test_the_title_is_counted_apart_from_the_body() -> None:
    found = term("ferry", "The ferry sank.", title="Ferry lost, second ferry late")

    assert (found.counts[IN_TITLE], found.counts[IN_ALL]) == (2, 1)


def test_each_window_ends_where_it_says() -> None:
    text = " ".join(f"zebra {'filler ' * 39}" for _ in range(7))

    found = term("zebra", text)

    assert found.counts == [0, 2, 2, 6, 7]


def test_a_count_stops_at_255_and_does_not_wrap() -> None:
    assert term("ferry", "ferry " * 700).counts == [0, 45, 80, 220, 255]


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("Tollan", NAME),
        ("Moscow", NAME),
        ("bridge", WORD),
        ("paid", WORD),
        ("2031", FIGURE),
        ("1,200", FIGURE),
    ],
)
def test_terms_are_names_words_or_figures(word: str, kind: int) -> None:
    text = "In 2031 the people of Tollan and those of Moscow paid 1,200 crowns for the bridge in Tollan."

    assert term(word, text).kind == kind


def test_a_word_that_mostly_goes_without_a_capital_is_no_name() -> None:
    text = "We saw the Council there. Then the council met, and the council spoke."

    assert term("council", text).kind == WORD


def test_a_common_word_that_only_begins_a_sentence_is_no_name() -> None:
    assert term("police", "Police came early. They left soon.").kind == WORD


def test_a_rare_word_that_only_begins_a_sentence_is_a_name() -> None:
    assert term("Quistenholm", "Quistenholm voted early. People slept.").kind == NAME


def test_capitals_of_german_nouns_make_no_names_of_common_words() -> None:
    text = "Nach Angaben der Polizei wurde die Brücke in Harlingstedt wegen der Bombe gesperrt."

    assert term("Polizei", text, language="de").kind == WORD
    assert term("Harlingstedt", text, language="de").kind == NAME


def test_a_capital_headline_makes_no_names_of_common_words() -> None:
    found = term("rains", "It rained all night in the valley.", title="Rains Close Bridge")

    assert found.kind == WORD


def test_without_capitals_a_rare_pair_of_characters_is_a_name() -> None:
    assert term("霧崎", "昨日、霧崎の市長は新しい船を発表した。", language="ja").kind == NAME


def pair_of(first: str, second: str, text: str, title: str = "") -> Term | None:
    """Return what the sketch of a Vietnamese article holds of two syllables in a row; None if it does not hold them."""
    one, two = (np.uint32(stem(syllable, "vi")) for syllable in (first, second))
    found = terms(sketched([{"title": title, "text": text, "language": "vi"}]))
    return found.get(int(hash_term_pair(one, two)))


def names(text: str) -> set[int]:
    """Return the terms of a Vietnamese article that are names."""
    found = terms(sketched([{"text": text, "language": "vi"}]))
    return {key for key, term in found.items() if term.kind == NAME}


FERRY = "Hôm qua ông Trần Quốc Kiệm mở chuyến phà điện ra đảo. Chuyến phà điện chở 120 khách tới Sương Lam."


def test_syllables_of_a_name_are_a_name_together_and_none_alone() -> None:
    for first, second in (("Trần", "Quốc"), ("Quốc", "Kiệm"), ("Sương", "Lam")):
        name = pair_of(first, second, FERRY)
        assert name
        assert name.kind == NAME
        assert name.weight >= 3.0
    for syllable in ("Trần", "Quốc", "Kiệm", "Sương", "Lam"):
        assert stem(syllable, "vi") not in names(FERRY)


def test_a_capitalised_syllable_by_itself_is_a_name() -> None:
    assert stem("Nga", "vi") in names("Hôm qua tàu của Nga đã tới cảng.")


def test_two_syllables_in_a_row_are_a_word_that_weighs_more_than_either() -> None:
    ferry = pair_of("phà", "điện", FERRY)

    assert ferry
    assert (ferry.kind, ferry.counts[IN_ALL]) == (WORD, 2)
    assert ferry.weight > max(term(syllable, FERRY, language="vi").weight for syllable in ("phà", "điện"))


@pytest.mark.parametrize(
    ("first", "second"), [("đảo", "chuyến"), ("chở", "120"), ("120", "khách"), ("điện", "phà")]
)
def test_syllables_that_do_not_follow_in_a_sentence_are_no_pair(first: str, second: str) -> None:
    assert pair_of(first, second, FERRY) is None


def test_the_last_syllable_of_a_title_and_the_first_of_the_text_are_no_pair() -> None:
    assert pair_of("phà", "điện", "điện tới đảo", title="Mở chuyến phà") is None


def test_windows_of_syllables_are_as_long_as_those_of_words() -> None:
    text = "phà " + "và " * 66 + "điện " + "và " * 200

    assert term("điện", text, language="vi").counts == [0, 1, 1, 1, 1]


def test_one_syllable_in_common_is_no_name_in_common() -> None:
    s = sketched(
        [
            {"text": f"Hôm qua ông {name} đã đi ra cảng để gặp khách của mình.", "language": "vi"}
            for name in ("Trần Quốc Kiệm", "Lê Quốc Tảng", "Trần Quốc Kiệm")
        ]
    )

    kinned, same = compute_evidence(s, np.array([0, 0]), np.array([1, 2]))[:, NAMES_COSINE]

    assert (kinned, same) == (0.0, 1.0)


def test_words_of_other_languages_make_no_pairs() -> None:
    text = "The mayor of San Olmeda met Juan Quiroga."

    assert len(terms(sketched([{"text": text, "language": "en"}]))) == len(
        {"mayor", "san", "olmeda", "met", "juan", "quiroga"}
    )


def test_unknown_short_words_weigh_little_in_a_language_that_is_not_known() -> None:
    light, heavy = (term(word, "qeb zur folmarik qeb zur", language="") for word in ("qeb", "folmarik"))

    assert light.weight == 1.0
    assert light.kind == WORD
    assert heavy.weight == 4.0


def test_salient_terms_go_by_weight() -> None:
    text = "the children left the village by bus before the volcano spewed lava on the school"

    found = salient({"text": text})

    order = ["lava", "volcano", "village", "bus", "children"]
    assert [key for key in found if key in map(stem, order)] == [stem(word) for word in order]


def test_a_term_said_again_becomes_more_salient() -> None:
    once = salient({"text": "a glacier melts, and a volcano too"})
    again = salient({"text": "a glacier melts, and a volcano too: a glacier is a glacier"})

    assert again.index(stem("glacier")) <= once.index(stem("glacier"))
    assert again[0] == stem("glacier")


def test_a_term_of_the_title_goes_before_its_equal_in_the_body() -> None:
    body = "somewhere the folmarik met the grendulik in the dark"

    first, second = (
        salient({"title": f"the {word} sleeps", "text": body})[0] for word in ("folmarik", "grendulik")
    )

    assert (first, second) == (stem("folmarik"), stem("grendulik"))


LIGHTER, HEAVIER = "volcano", "lava"
SLEEPS = f"the {LIGHTER} sleeps by the sea. there it has no {HEAVIER} at all"


def test_without_a_title_the_first_sentence_stands_for_it() -> None:
    untitled, titled = salient({"text": SLEEPS}), salient({"title": "all is quiet", "text": SLEEPS})

    assert untitled.index(stem(LIGHTER)) < untitled.index(stem(HEAVIER))
    assert titled.index(stem(LIGHTER)) > titled.index(stem(HEAVIER))


def test_a_place_before_a_stop_is_no_first_sentence() -> None:
    found = salient({"text": f"Tollan. {SLEEPS}"})

    assert found.index(stem(LIGHTER)) < found.index(stem(HEAVIER))


def test_what_comes_after_the_lead_is_not_salient() -> None:
    text = "village " * 220 + "folmarik"

    assert salient({"text": text}) == [stem("village")]


def test_salient_terms_are_as_many_as_asked_for() -> None:
    article = batch([version(1, "as sent", 0)])

    few, many = (sketch_batch(article, salient=count).salient[0] for count in (4, 64))

    assert few.shape == (4,)
    assert few.tolist() == many[:4].tolist()
    assert np.count_nonzero(many) > 32


def test_an_empty_article_has_no_terms() -> None:
    s = sketched([""])

    assert s.term_hashes.size == 0
    assert not s.salient.any()
