"""Reports and notices of one form, of other firms and other days: unlike, at the level of stories and at that of storylines."""

import re

import numpy as np
import pytest
from newsmaker import Article

from dedup import Settings, deduplicate
from dedup.matching.evidence_columns import EVIDENCE_COUNT, TERMS_OF_LONGER, TITLE_FOUND_MORE
from dedup.matching.guards import SHORT_ARTICLE_TERMS, has_different_subject

EARNINGS = """
    {Kelmora Timber|Pinfell Foods|Orrel Marine} <{KLM|PNF|ORM}> 4th qtr net

    Oper shr {1.15|2.70|0.54} dlrs vs {1.22|2.38|0.41} dlrs. Oper net {3,301,000|7,065,000|1,481,200} vs
    {3,466,000|5,812,000|1,122,700}. Revs {21.2|84.6|9.7} mln vs {20.8|71.9|8.3} mln. Avg shrs
    {2,871,000|2,617,000|2,743,500} vs {2,840,000|2,442,000|2,738,100}. Year oper shr {4.25|9.34|2.02} dlrs vs
    {3.40|8.15|1.77} dlrs. Oper net {12.2|24.4|5.6} mln vs {9.7|19.9|4.8} mln. Revs {82.6|331.4|36.3} mln vs
    {77.3|302.8|33.1} mln. Note: year excludes a gain of {310,000|1,940,000|227,400} dlrs from discontinued operations.
"""
INCIDENCE = """
    Institut meldet {7556|6114|5330} neue Fälle

    Die Gesundheitsämter haben dem Institut binnen eines Tages {7556|6114|5330} neue Fälle der Grippe gemeldet.
    Außerdem wurden {560|218|142} weitere Todesfälle verzeichnet. Vor genau einer Woche waren es {8072|7485|6729}
    Fälle und {813|261|175} Tote. Die Inzidenz lag nach Angaben des Instituts bei {57.1|61.4|48.3} je 100.000 Einwohner. Am
    Vortag hatte sie {59.3|64.0|50.8} betragen, vor vier Wochen {131.5|110.1|86.9}. Der Höchstwert von 33.777 Fällen war am
    18. Dezember gemeldet worden. Das Institut zählt seit Beginn der Welle {2.352.766|2.311.297|2.290.144} Fälle. Rund
    {2.136.500|2.070.800|2.033.700} Menschen sind genesen. Die Zahl der Toten stieg auf {66.164|64.604|63.858}. Der Wert R lag
    laut Bericht bei {0.85|0.93|0.88}. Ab einer Inzidenz von 35 gilt Stufe 1, ab 50 Stufe 2. Das Institut befragt 412 Praxen
    und zählt seit 2027.
"""
FORMS = {"earnings": EARNINGS, "incidence": INCIDENCE}


def filled_in(form: str, which: int) -> Article:
    """Return the form filled in in one of several ways, dated alike: its first paragraph is the title."""
    text = re.sub(r"\{([^}]*)\}", lambda found: found[1].split("|")[which], form)
    title, body = (" ".join(paragraph.split()) for paragraph in text.strip().split("\n\n"))
    return {"id": str(which), "title": title, "text": body, "published": "2031-05-04T08:00:00Z"}


@pytest.mark.parametrize("level", ["text", "story", "storyline"])
@pytest.mark.parametrize("kind", FORMS)
def test_a_form_filled_in_for_another_is_unlike_at_every_level(kind: str, level: str) -> None:
    articles = [filled_in(FORMS[kind], which) for which in range(3)]

    result = deduplicate(articles, Settings(level=level))

    assert sorted(result.kept) == ["0", "1", "2"]


def row_of(**columns: float) -> np.ndarray:
    """Return evidence that is nothing but these columns, by the names of their places."""
    row = np.zeros(EVIDENCE_COUNT, np.float32)
    for name, value in columns.items():
        row[PLACES[name]] = value
    return row


PLACES = {"title": TITLE_FOUND_MORE, "longer": TERMS_OF_LONGER}


def test_two_short_articles_under_unlike_titles_have_other_subjects() -> None:
    assert has_different_subject(row_of(longer=SHORT_ARTICLE_TERMS, title=0.2))
    assert not has_different_subject(row_of(longer=SHORT_ARTICLE_TERMS, title=0.6))
    assert not has_different_subject(row_of(longer=SHORT_ARTICLE_TERMS + 1, title=0.2))
