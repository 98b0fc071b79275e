import math

import numpy as np
import oracle
import pytest
from hypothesis import given
from hypothesis import settings as examples
from newsmaker import Article, corpora, planned, sketched, story, version

from dedup.matching.evidence import compute_evidence
from dedup.matching.evidence_columns import CONTEXT_START, EVIDENCE_NAMES
from dedup.sketches.sketch import Sketches

COUNTS = {
    "names",
    "figures",
    "figures_missed",
    "changed_facts",
    "heavy_terms",
    "quotes",
    "days",
    "nearer",
    "neighbours",
    "terms_of_longer",
}
"""The evidence that may be more than 1."""
DIFFERENCES = {
    *(
        "figures_missed",
        "changed_facts",
        "weekdays_differ",
        "days",
        "undated",
        "rest_over_lead",
        "rest_over_opening",
    ),
    *("first_day", "second_day", "third_day", "event_days_differ", "nearer", "neighbours"),
}
"""The evidence that speaks against a match."""
SAYS_NOTHING = {
    *("title_found_more", "title_found_less", "opening_found_less"),
    *("new_title_found", "new_lead_found", "new_opening_found", "new_text_found"),
}
"""The evidence that is a half where there is nothing to be found."""
NONE_THERE = {"weekdays_shared", "event_day_shared", "figure_share", "same_day_neighbour"}
"""The evidence on what a made story does not name, or has not alone."""
ONE_WAY = EVIDENCE_NAMES[CONTEXT_START:]
"""The evidence on what the first article says beyond its storyline."""
Row = dict[str, float]


def rows(s: Sketches, pairs: list[tuple[int, int]]) -> list[Row]:
    """Return the evidence of some pairs of positions, by name."""
    left, right = (np.array(side, np.int64) for side in zip(*pairs, strict=True))
    return [
        dict(zip(EVIDENCE_NAMES, row, strict=True))
        for row in compute_evidence(s, left, right).astype(float).tolist()
    ]


def evidence(a: Article, b: Article) -> Row:
    """Return the evidence for two articles, by name."""
    (row,) = rows(sketched([a, b]), [(0, 1)])
    return row


def all_pairs(articles: list[Article]) -> list[tuple[int, int]]:
    """Return every pair of positions, each way, and each article with itself."""
    return [(i, j) for i in range(len(articles)) for j in range(len(articles))]


def without(row: Row, *names: str) -> Row:
    """Return a row of evidence without the columns of some names."""
    return {name: value for name, value in row.items() if name not in names}


def turned(row: Row) -> Row:
    """Return the evidence as seen from the other article."""
    return {**row, "contained": row["contains"], "contains": row["contained"]}


PAIRS = corpora(least=2, most=6, stories=2)


@given(PAIRS)
@examples(max_examples=30)
def test_evidence_is_the_same_either_way_round(articles: list[Article]) -> None:
    pairs = all_pairs(articles)
    s = sketched(articles)

    there, back = rows(s, pairs), rows(s, [(j, i) for i, j in pairs])

    for one, other in zip(there, back, strict=True):
        assert without(one, *ONE_WAY) == without(turned(other), *ONE_WAY), "to the last bit"


def test_a_name_in_one_article_only_counts_the_same_either_way_round() -> None:
    a = {"text": "In Tollan the Harbour Board met the Council, said the Harbour chief.", "language": "en"}
    b = {"text": "In Tollan the harbour board met the council, said the harbour chief.", "language": "en"}

    there, back = evidence(a, b), evidence(b, a)

    assert there["names_cosine"] > 0
    assert without(there, *ONE_WAY) == pytest.approx(without(turned(back), *ONE_WAY), abs=1e-5)


@given(PAIRS)
@examples(max_examples=30)
def test_similarities_lie_between_0_and_1_and_the_rest_is_not_negative(articles: list[Article]) -> None:
    for row in rows(sketched(articles), all_pairs(articles)):
        assert all(0 <= row[name] <= 1 for name in set(EVIDENCE_NAMES) - COUNTS)
        assert all(0 <= row[name] < math.inf for name in COUNTS)


@given(PAIRS)
@examples(max_examples=30)
def test_overlap_is_that_of_sets_of_word_triples(articles: list[Article]) -> None:
    pairs = all_pairs(articles)
    sets = [oracle.shingles(article["text"]) for article in articles]

    found = rows(sketched(articles), pairs)

    for (i, j), row in zip(pairs, found, strict=True):
        contained, contains = oracle.containment(sets[i], sets[j]), oracle.containment(sets[j], sets[i])
        assert row["jaccard"] == pytest.approx(oracle.jaccard(sets[i], sets[j]), abs=1e-6)
        assert row["contained"] == pytest.approx(contained, abs=1e-6)
        assert row["contains"] == pytest.approx(contains, abs=1e-6)
        assert row["overlap"] == pytest.approx(math.sqrt(max(contained, contains)), abs=1e-6)


@given(PAIRS)
@examples(max_examples=15)
def test_evidence_does_not_depend_on_the_other_articles(articles: list[Article]) -> None:
    crowd = planned(20, seed=3)

    alone = evidence(articles[0], articles[1])
    (in_a_crowd,) = rows(sketched([*crowd[:9], articles[1], *crowd[9:], articles[0]]), [(21, 9)])

    assert in_a_crowd == alone


def test_an_article_shares_all_of_itself() -> None:
    row = evidence(story(1), story(1))

    ones = set(EVIDENCE_NAMES) - COUNTS - DIFFERENCES - NONE_THERE
    assert {name: row[name] for name in ones} == pytest.approx(dict.fromkeys(ones, 1.0), abs=1e-5)
    assert {name: row[name] for name in DIFFERENCES} == pytest.approx(
        dict.fromkeys(DIFFERENCES, 0.0), abs=1e-6
    )


def test_articles_with_nothing_in_common_share_nothing() -> None:
    a = {"title": "Bridge shut", "text": "Tollan saw 14 engineers.", "language": "en"}
    b = {"title": "Painting found", "text": "Quillfort hides 3 thieves?", "language": "en"}

    row = evidence(a, b)

    assert {name for name in EVIDENCE_NAMES if row[name]} == {
        "names",
        "figures",
        "figures_missed",
        "changed_facts",
        "undated",
        "figure_share",
        "terms_of_longer",
    }


def test_changed_facts_are_numbers_of_the_lead_that_the_other_does_not_have() -> None:
    first = {
        "text": "A boat sank off Tollan with 40 aboard. Police counted 7 dead and 12 missing.",
        "language": "en",
    }
    later = {
        "text": "A boat sank off Tollan with 40 aboard. Police counted 9 dead and 5 missing.",
        "language": "en",
    }
    none = {"text": "A boat sank off Tollan. Police counted the dead and the missing.", "language": "en"}

    assert evidence(first, later)["changed_facts"] == 2
    assert evidence(first, none)["changed_facts"] == 0, "what is not told is not changed"


def test_a_number_told_twice_is_one_fact() -> None:
    first = {"text": "In 1974 the mill burned, and 1974 was a dry year; 33 families left.", "language": "en"}
    other = {"text": "In 1975 the mill burned, and 1975 was a dry year; 44 families left.", "language": "en"}

    assert evidence(first, other)["changed_facts"] == 2


def test_a_weekday_in_the_title_counts() -> None:
    lead = "The council votes on the bridge, and the mayor expects a narrow result."
    monday, tuesday = (
        {"title": f"Vote on {day}", "text": lead, "language": "en"} for day in ("Monday", "Tuesday")
    )

    assert evidence(monday, tuesday)["weekdays_differ"] == 1
    assert evidence(monday, monday)["weekdays_shared"] == 1


def test_two_empty_articles_share_nothing() -> None:
    row = evidence({"text": ""}, {"text": ""})

    assert {name for name in EVIDENCE_NAMES if row[name]} == {"undated"} | SAYS_NOTHING
    assert {row[name] for name in SAYS_NOTHING} == {0.5}


def test_days_apart_are_counted_one_by_one() -> None:
    noon = 20_000 * 86_400

    row = evidence(
        {"text": "The mill burns.", "published": noon},
        {"text": "The mill burns.", "published": noon + 1.5 * 86_400},
    )

    assert (row["first_day"], row["second_day"], row["third_day"]) == (1.0, 0.5, 0.0)


@pytest.mark.parametrize(
    ("first", "second", "published", "same"),
    [
        ("on Monday", "on Monday", (20_003, 20_004), True),
        ("on Monday", "on Tuesday", (20_003, 20_004), False),
        ("on Monday", "on Monday", (20_003, 20_010), False),
        ("on Monday and Tuesday", "on Tuesday", (20_004, 20_005), True),
    ],
)
def test_the_day_of_the_event_is_the_last_weekday_up_to_the_date(
    first: str, second: str, published: tuple[int, int], same: bool
) -> None:
    articles = [
        {"text": f"The mill burned {day}, the owner said.", "published": date * 86_400, "language": "en"}
        for day, date in zip((first, second), published, strict=True)
    ]

    row = evidence(*articles)

    assert (row["event_day_shared"], row["event_days_differ"]) == (float(same), float(not same))


def test_the_day_of_the_event_is_unknown_without_a_date() -> None:
    article = {"text": "The mill burned on Monday, the owner said.", "language": "en"}

    row = evidence(article, article)

    assert row["weekdays_shared"] == 1.0
    assert (row["event_day_shared"], row["event_days_differ"]) == (0.0, 0.0)


def test_names_found_is_the_share_of_one_articles_names_that_the_other_has() -> None:
    a = {"text": "In Tollan the mayor met Quistenholm near the bridge.", "language": "en"}
    b = {"text": "In Tollan the mayor met Folmarik and Grendulik near the bridge.", "language": "en"}

    assert evidence(a, b)["names_found"] == pytest.approx(0.5, abs=0.15)
    assert evidence(a, a)["names_found"] == 1.0


def test_figures_found_is_the_share_of_the_fewer_figures_that_the_other_has() -> None:
    a, b = (
        {"text": f"the count was {numbers} in all", "language": "en"}
        for numbers in ("71 and 4831", "4831 and 92 and 17,000")
    )

    row = evidence(a, b)

    assert row["figures"] == 2
    assert 0.3 < row["figures_found"] < 0.8


def test_a_number_is_the_same_with_or_without_its_comma() -> None:
    row = evidence({"text": "it cost 17,300 crowns in all"}, {"text": "it cost 17300 crowns in all"})

    assert (row["figures_found"], row["jaccard"]) == (1.0, 1.0)


def test_shared_names_without_shared_words_make_no_story() -> None:
    a = {"text": "Tollan and Quistenholm signed a treaty about fish.", "language": "en"}
    b = {"text": "Quistenholm beat Tollan after extra time.", "language": "en"}

    row = evidence(a, b)

    assert row["names_cosine"] > 0.9
    assert row["story_45"] == 0.0


def test_shared_words_without_shared_names_make_no_story() -> None:
    a = {"text": "A warehouse burned down in Tollan after an explosion.", "language": "en"}
    b = {"text": "A warehouse burned down in Quistenholm after an explosion.", "language": "en"}

    row = evidence(a, b)

    assert row["text_cosine"] > 0.3
    assert (row["story_45"], row["names_found"]) == (0.0, 0.0)


def test_quotations_shared_count_by_their_triples() -> None:
    a = {"text": "“Steel does not heal itself,” the engineer said on Thursday at the bridge."}
    b = {"text": "She put it simply: “steel does not heal itself”."}

    assert evidence(a, b)["quotes"] == pytest.approx(math.log(1 + 3), abs=1e-5)
    assert evidence(a, {"text": "steel does not heal itself, and that is that"})["quotes"] == 0.0


@pytest.mark.parametrize(("days", "expected"), [(0, 0.0), (30, 1.0), (7.5, 0.5)])
def test_days_apart_count_by_their_square_root(days: float, expected: float) -> None:
    a, b = ({**story(1), "published": int(86_400 * (20_000 + d))} for d in (0, days))

    row = evidence(a, b)

    assert row["days"] == pytest.approx(expected)
    assert not row["undated"]


def test_an_article_without_a_date_is_undated_and_not_near() -> None:
    row = evidence(version(1, "undated", 0), version(1, "as sent", 0))

    assert (row["days"], row["undated"]) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("en", "Tuesday", "Wednesday"),
        ("de", "Dienstag", "Mittwoch"),
        ("fr", "mardi", "mercredi"),
        ("es", "martes", "miércoles"),
        ("it", "martedì", "mercoledì"),
        ("pt", "terça", "quarta"),
        ("nl", "dinsdag", "woensdag"),
        ("ru", "вторник", "среда"),
        ("ar", "الثلاثاء", "الأربعاء"),
    ],
)
def test_weekdays_differ_only_if_each_article_names_one_and_they_share_none(
    language: str, one: str, other: str
) -> None:
    first, second, both, none = (
        {"text": f"Tollan: {days}. 12", "language": language} for days in (one, other, f"{one}, {other}", "")
    )

    assert evidence(first, second)["weekdays_differ"] == 1
    assert [evidence(first, b)["weekdays_differ"] for b in (first, both, none)] == [0, 0, 0]
    assert [evidence(first, b)["weekdays_shared"] for b in (first, both, second, none)] == [1, 1, 0, 0]


@pytest.mark.xfail(reason="only the first form of a weekday is known")
@pytest.mark.parametrize(
    ("language", "one", "other"),
    [("ru", "в среду", "в пятницу"), ("pl", "w środę", "w sobotę"), ("de", "dienstags", "mittwochs")],
)
def test_weekdays_may_be_inflected(language: str, one: str, other: str) -> None:
    first, second = ({"text": f"Tollan, {day}. 12", "language": language} for day in (one, other))

    assert evidence(first, second)["weekdays_differ"] == 1


def test_figures_missed_grow_with_their_number() -> None:
    few, many = (
        evidence({"text": f"it counted {a}"}, {"text": f"it counted {b}"})["figures_missed"]
        for a, b in (("71", "92"), ("71, 4831, 17,000", "92, 18, 355"))
    )

    assert few == pytest.approx(math.log(2), abs=1e-5)
    assert many == pytest.approx(math.log(4), abs=1e-5)


def test_the_lead_counts_in_the_windows_it_belongs_to() -> None:
    lead = "Tollan saw a volcano erupt. "
    a = {"text": lead + "Nothing else was there to tell of it all. " * 30, "language": "en"}
    b = {"text": "Nobody knew what came then or why it came. " * 8 + lead, "language": "en"}

    row = evidence(a, b)

    assert row["lead_cosine"] < 0.2
    assert row["story_45"] < 0.2 < row["story_220"]
