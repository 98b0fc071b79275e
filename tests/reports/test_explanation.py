"""Explanations say what a run finds, in words; and what they quote stands in the texts."""

import math
from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from newsmaker import Article, batch, corpora, story, version

from dedup.errors import InputError
from dedup.matching.evidence_columns import EVIDENCE_COUNT, EVIDENCE_NAMES, TITLE_FOUND_MORE
from dedup.pipeline.deduplicate import deduplicate
from dedup.reports.evidence_labels import EVIDENCE_LABELS
from dedup.reports.explanation import explain_pair, find_articles, read_article_pair
from dedup.reports.lead_diff import Lead
from dedup.reports.reasons import PairEvidence, explain_mismatch
from dedup.settings.settings import Settings
from dedup.text.shared_passages import find_shared_passages, format_opening, split_surface_tokens, split_words

JAPANESE = "青凪市は9日、離島の小霧島と本土側の霧崎港を結ぶ新しい電動フェリーを就航させると発表した。"


def pair(one: Article, other: Article) -> list[Article]:
    """Return two articles with ids."""
    return [{**one, "id": "one"}, {**other, "id": "other"}]


@examples(max_examples=60)
@given(corpora(2, least=2, stories=2))
def test_an_explanation_is_what_a_run_of_the_two_finds(articles: list[Article]) -> None:
    result = deduplicate(articles)

    found = explain_pair(batch(articles))

    matches = [*result.dropped, *result.links]
    assert found.relation == (matches[0].relation if matches else None)
    if matches:
        match = matches[0]
        assert (found.other.id, found.kept.id) == (match.id, match.canonical)
        assert found.score == pytest.approx(match.score, abs=1e-4)
        assert found.candidates


def test_the_parts_of_the_log_odds_make_the_probability() -> None:
    found = explain_pair(batch(pair(story(1), version(1, "reworded", 1))))

    total = found.intercept + sum(feature.log_odds for feature in found.features)
    assert found.probability == pytest.approx(1 / (1 + math.exp(-total)), abs=1e-5)


LATER = story(1)["published"] + timedelta(hours=3)
LONGER = {**story(1), "text": f"{story(1)['text']} {story(2)['text']}"}


@pytest.mark.parametrize(
    ("relation", "kept", "other", "says"),
    [
        ("exact", story(1), story(1), "an exact copy of one: they have the same words in the same order."),
        (
            "copy",
            story(1),
            version(1, "reworded", 1),
            "a copy of one: they share 80% of their 3-word shingles.",
        ),
        ("excerpt", LONGER, story(1), "an excerpt of one: 100% of its 3-word shingles are found"),
        ("extension", story(1), {**LONGER, "published": LATER}, "an extension of one: it holds 100% of the"),
        ("rewrite", story(1), story(1), "a rewrite of one: the probability that they tell the same story"),
    ],
)
def test_each_relation_has_its_sentence(relation: str, kept: Article, other: Article, says: str) -> None:
    found = explain_pair(batch(pair(kept, other)), Settings(relations=(relation,)))

    assert found.relation == relation
    assert found.verdict.startswith(f"other is {says}")


def test_names_and_numbers_are_those_in_both() -> None:
    one = {"text": "Anselm Dury led 14 miners of Karsa Deep home after 31 hours, said Pia Lindqvarn."}
    other = {"text": "Home at last: the 14 men that Anselm Dury led out of Karsa Deep had waited 31 hours."}

    found = explain_pair(batch(pair(one, other)))

    assert {"Anselm", "Dury", "Karsa"} <= set(found.names)
    assert "Lindqvarn" not in found.names
    assert set(found.numbers) == {"14", "31"}


def marked(lead: Lead, kind: str) -> list[str]:
    """Return the parts of a lead that are of one kind."""
    return [lead.text[mark.start : mark.end] for mark in lead.marks if mark.kind == kind]


def test_a_lead_tells_what_both_say_from_what_one_says_alone() -> None:
    one = {
        "title": "Karsa Deep crew is out",
        "text": 'Anselm Dury and 14 men were lifted out of the shaft late on Monday. "We sang, badly," said Dury.',
    }
    other = {
        "title": "Miners back from Karsa Deep",
        "text": "The shaft gave back 13 miners, and Pia Lindqvarn said that Anselm Dury was the last. They were "
        "lifted out of the shaft at dawn. “We sang badly”, he said.",
    }

    found = explain_pair(batch(pair(one, other)))
    first, second = sorted((found.kept, found.other), key=lambda side: side.id)

    assert first.lead.text.startswith("Karsa Deep crew is out\nAnselm Dury and 14")
    assert marked(first.lead, "words") == ["were lifted out of the shaft"]
    assert marked(first.lead, "quotation") == ["We sang, badly"]
    assert marked(first.lead, "name") == ["Karsa", "Anselm", "Dury", "Dury"]
    assert marked(first.lead, "own number") == ["14"]
    assert marked(second.lead, "own number") == ["13"]
    assert {"Pia", "Lindqvarn"} <= set(marked(second.lead, "own name"))


@examples(max_examples=40)
@given(corpora(2, least=2, stories=2))
def test_what_a_lead_calls_its_own_stands_nowhere_in_the_other(articles: list[Article]) -> None:
    found = explain_pair(batch(articles))

    texts = {row["id"]: f"{row['title']}\n{row['text']}" for row in batch(articles).to_pylist()}
    for side, other in ((found.kept, found.other), (found.other, found.kept)):
        theirs = set(split_surface_tokens(texts[other.id]))
        assert not theirs & set(marked(side.lead, "own name") + marked(side.lead, "own number"))
        assert all(one.end <= two.start for one, two in pairwise(side.lead.marks))


def test_every_piece_of_evidence_has_a_name_in_plain_words() -> None:
    assert set(EVIDENCE_LABELS) == set(EVIDENCE_NAMES)
    assert len(set(EVIDENCE_LABELS.values())) == EVIDENCE_COUNT


def test_the_shares_of_the_features_make_a_whole() -> None:
    found = explain_pair(batch(pair(story(1), version(1, "reworded", 1))))

    assert sum(feature.share for feature in found.features) == pytest.approx(1)


def test_pairs_of_characters_are_no_names() -> None:
    found = explain_pair(batch(pair({"text": JAPANESE}, {"text": JAPANESE + JAPANESE})))

    assert found.names == ()
    assert found.passages


def test_boilerplate_is_told_and_not_quoted() -> None:
    plea = "Sign up for our newsletter to get the news of the day."
    text = f"{story(1)['text']}\n{plea}"

    found = explain_pair(batch(pair({"text": text}, {"text": text})))

    assert plea in {piece.passage for piece in found.kept.boilerplate}
    assert not any("newsletter" in passage for passage in found.passages)


def test_empty_texts_are_explained_too() -> None:
    found = explain_pair(batch(pair({"text": ""}, {"text": ""})))

    assert found.relation is None
    assert "the shorter has 0 words" in found.verdict


@given(st.text(st.sampled_from("ab ."), max_size=80), st.text(st.sampled_from("ab ."), max_size=80))
def test_a_shared_passage_stands_in_both_texts(one: str, other: str) -> None:
    words = [w.folded for w in split_words(one)]
    theirs = [w.folded for w in split_words(other)]
    runs = [theirs[j : j + 4] for j in range(len(theirs) - 3)]

    passages = find_shared_passages(one, other, 100)

    for passage in passages:
        run = [w.folded for w in split_words(passage)]
        assert any(theirs[j : j + len(run)] == run for j in range(len(theirs)))
    assert bool(passages) == any(words[i : i + 4] in runs for i in range(len(words) - 3))


def test_passages_are_the_longest_as_they_are_written() -> None:
    one = 'He said: "We sang, badly, all night long." And then he went home to bed.'
    other = "THEN HE WENT HOME; we sang badly all night long, he added."

    assert find_shared_passages(one, other, 5) == ["We sang, badly, all night long", "then he went home"]
    assert find_shared_passages(one, other, 1) == ["We sang, badly, all night long"]


def test_a_text_of_one_word_again_and_again_is_done_at_once() -> None:
    assert len(find_shared_passages("ho " * 20_000, "ho " * 20_000, 8)) == 1


def test_scripts_without_spaces_have_words_too() -> None:
    assert find_shared_passages(JAPANESE, "昨日、離島の小霧島と、", 3) == ["日、離島の小霧島と"]
    assert split_surface_tokens("青凪市 Ana") == ["青凪", "凪市", "Ana"]


@pytest.mark.parametrize(
    ("text", "first"),
    [("", ""), ("|\n\n* \nA headline\nAnd more.", "A headline"), ("word " * 40, "word " * 11 + "word…")],
)
def test_an_opening_is_the_headline_or_the_first_words(text: str, first: str) -> None:
    assert format_opening(text) == first


def test_articles_are_found_by_id_or_its_beginning() -> None:
    corpus = batch([{"id": name, "text": name} for name in ("abc", "abcd", "x")])

    assert find_articles([corpus], ("abc", "abcd"))["id"].to_pylist() == ["abc", "abcd"]
    assert find_articles([corpus], ("x", "x"))["text"].to_pylist() == ["x", "x"]
    numbered = batch([{"id": "n", "text": "1"}, {"id": "n#2b", "text": "2"}])
    assert find_articles([numbered], ("n#2", "n"))["text"].to_pylist() == ["2", "1"]
    with pytest.raises(InputError, match="2 ids begin with 'ab': abc, abcd; give more"):
        find_articles([corpus], ("ab", "x"))


def test_only_two_articles_are_a_pair() -> None:
    two = batch([{"text": "a"}, {"text": "b"}])

    assert read_article_pair([two.slice(0, 1), two.slice(1)]).num_rows == 2
    for count in (0, 1, 3):
        with pytest.raises(InputError, match=f"these files hold {count} articles"):
            read_article_pair([batch([{"text": "a"}] * 3).slice(0, count)])


@pytest.mark.parametrize(
    ("probability", "days", "says"),
    [
        (0.2, 1.0, "20%, below the threshold of 75% (rewrite_probability)"),
        (0.4, 9.0, "40%, below the threshold of 75% (rewrite_probability)"),
        (0.8, 9.0, "80%, but they are 9 days apart, and rewrites at most 5 days (window_days)"),
        (0.8, 1.0, "80%, but the setting relations has only copy"),
    ],
)
def test_no_rewrite_has_its_reason(probability: float, days: float, says: str) -> None:
    row = np.zeros(EVIDENCE_COUNT)
    row[TITLE_FOUND_MORE] = 1.0
    pair = PairEvidence(row, probability, witnessed_probability=0.3, fewest_words=90, days_apart=days)

    assert explain_mismatch(pair, Settings(relations=("copy",))).endswith(says)


@pytest.mark.parametrize(
    ("probability", "says"),
    [
        (0.2, "20%, below the threshold of 70% (followup_probability)"),
        (0.4, "(followup_probability); it would be enough if it also matched another article of the cluster"),
    ],
)
def test_no_follow_up_has_its_reason(probability: float, says: str) -> None:
    row = np.zeros(EVIDENCE_COUNT)
    row[TITLE_FOUND_MORE] = 1.0
    pair = PairEvidence(row, probability, witnessed_probability=0.3, fewest_words=90, days_apart=1.0)

    assert explain_mismatch(pair, Settings(level="storyline")).endswith(says)


def test_short_articles_on_other_subjects_are_told_so() -> None:
    pair = PairEvidence(
        np.zeros(EVIDENCE_COUNT), 0.9, witnessed_probability=0.3, fewest_words=90, days_apart=1.0
    )

    assert explain_mismatch(pair, Settings()) == (
        "they are short, and at most 0% of one title is in the other: one form about different subjects"
    )


def test_an_empty_id_is_none() -> None:
    with pytest.raises(InputError, match="2 ids begin with ''"):
        find_articles([batch([{"id": "a", "text": "a"}, {"id": "b", "text": "b"}])], ("", "a"))


def test_passages_are_quoted_as_the_dropped_article_writes_them() -> None:
    later = {**story(1), "text": story(1)["text"].upper(), "published": LATER}

    found = explain_pair(batch(pair(story(1), later)))

    assert found.other.id == "other"
    assert found.passages[0] in later["text"]
