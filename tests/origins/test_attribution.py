"""Agencies and authors are found where a text credits them, and not where it names them."""

import pytest

from dedup.origins.agency_table import load_agencies
from dedup.origins.attribution import find_attribution, find_credited_agencies
from dedup.origins.credit_forms import CONTRIBUTION, RULES
from dedup.text.boilerplate.rules import compile_pattern


@pytest.mark.parametrize(
    ("text", "agencies"),
    [
        ("TOLLAN, March 3 (Reuters) - The bridge was shut.", {"Reuters"}),
        ("TOLLAN (AP) — The bridge was shut.", {"AP"}),
        ("The bridge was shut. (Reporting by A. Writer) (Reuters)", {"Reuters"}),
        ("The bridge was shut.\nSource: Associated Press", {"AP"}),
        ("Tollan (dpa) - Die Brücke ist gesperrt.", {"dpa"}),
        ("Die Brücke ist gesperrt.\nQuelle: dpa/AFP", {"dpa", "AFP"}),
        ("Le pont est fermé. (avec AFP) Source : AFP", {"AFP"}),
        ("Tollan, 3 mar (EFE).- El puente está cerrado.", {"EFE"}),
        ("El puente está cerrado. Fuente: EFE", {"EFE"}),
        ("(ANSA) - TOLLAN, 3 MAR - Il ponte è chiuso.", {"ANSA"}),
        ("A ponte está fechada.\nFonte: Lusa", {"Lusa"}),
        ("Most jest zamknięty. Źródło: PAP", {"PAP"}),
        ("ТОЛЛАН, 3 марта. /ТАСС/. Мост закрыт. Источник: ТАСС", {"TASS"}),
        ("新华社托兰3月3日电 大桥关闭。来源:新华社", {"Xinhua"}),
        ("【共同】橋が閉鎖された。", {"Kyodo"}),
        ("Köprü kapatıldı. Kaynak: AA", {"Anadolu"}),
        ("The bridge was shut.\n\nThe Associated Press contributed to this report.", {"AP"}),
        ("It will open. Contributing: A. Writer, The Bugle, in Washington, D.C.; Associated Press", {"AP"}),
        (
            "The bridge was shut.\n\nThis report contains material from Reuters and the Associated Press.",
            {"AP", "Reuters"},
        ),
        ("It will open.\nCopyright 2031 The Associated Press. All rights reserved.", {"AP"}),
        ("By Jane Doe, Associated Press\n\nThe bridge was shut.", {"AP"}),
        ("By The Associated Press\n\nThe bridge was shut.", {"AP"}),
        ("It will open. (Reporting by Jane Doe; Editing by John Roe)", {"Reuters"}),
        (
            "It will open. (Additional reporting by Ann O'Dea in Tollan, K. Roe; Writing Al Poe; Editing by Jo Mc-Fee)",
            {"Reuters"},
        ),
        ("It will open.\nReporting by Norwire; editing by the Coastal Daily news desk.", set()),
        ("It will open.\nReporting by Jane Doe; editing by the news desk.", set()),
        ("It will open.\nReporting by Norwire; editing by John Roe", set()),
        ("Die Brücke ist gesperrt. RND/dpa", {"dpa"}),
        ("Die Brücke ist gesperrt. Quelle: tollan.de, mba/dpa Hier geht es weiter.", {"dpa"}),
        ("Die Brücke ist gesperrt. (Tsp, dpa)", {"dpa"}),
        ("Die Brücke ist gesperrt. Mit Material der Nachrichtenagenturen dpa und SID", {"dpa", "SID"}),
        ("Die Brücke ist gesperrt. Nachrichtenagentur dpa", {"dpa"}),
        ("Le pont est fermé. (avec AFP)", {"AFP"}),
        ("TOLLAN (AFP) – Le pont est fermé.", {"AFP"}),
        ("Le pont est fermé.\nLe Monde avec AFP", {"AFP"}),
        ("Tollan (Europa Press) - El puente está cerrado.", {"Europa Press"}),
        ("El puente está cerrado. Con información de EFE", {"EFE"}),
        ("Il ponte è chiuso. (con Ansa)", {"ANSA"}),
        ("A ponte está fechada. Com informações da Reuters", {"Reuters"}),
        ("A ponte está fechada.\nPor Agência Lusa", {"Lusa"}),
        ("Мост закрыт, с данными ТАСС.", {"TASS"}),
        ("ТОЛЛАН, 3 мар — РИА Новости. Мост закрыт.", {"RIA Novosti"}),
        ("أغلق الجسر. المصدر: رويترز", {"Reuters"}),
        ("تولان (أ ف ب) - أغلق الجسر.", {"AFP"}),
        ("أغلق الجسر (د ب أ)", {"dpa"}),
        ("大桥关闭。(新华社)", {"Xinhua"}),
        ("［トラン 3日 ロイター］ - 橋が閉鎖された。", {"Reuters"}),
        ("Köprü kapatıldı. - TOLLAN Kaynak: DHA", {"DHA"}),
        ("Most jest zamknięty. (PAP)", {"PAP"}),
        ("A reporter of Reuters was seen near the bridge, and nobody knew why at the time.", set()),
        ("The AP exam was held in Tollan on Monday.", set()),
        ("“It fell,” the mayor told Reuters on Monday, and left.", set()),
        ("According to the Associated Press, the bridge is shut.", set()),
        ("Die Brücke sei gesperrt, sagte er der Deutschen Presse-Agentur (dpa). Sie öffnet bald.", set()),
        ("Die Brücke von Tollan Bild: dpa Die Brücke ist gesperrt.", set()),
        ("Das meldet die Nachrichtenagentur AFP. Die Brücke öffnet bald.", set()),
        ("Image copyright Reuters Image caption The bridge.\nThe bridge was shut.", set()),
        ("The bridge of Tollan. (AP Photo/Jane Doe)\n\nThe bridge was shut.", set()),
        ("Jane Doe/AFP/Getty Images\n\nThe bridge was shut.", set()),
        ("Most voters liked it.\n\nThe AP-GfK poll asked 1,000 voters.", set()),
        ("The mayor, Reuters Jones, opened it. CAPS AND MAPS.", set()),
        ("The bridge was shut.\n_By The Associated Press_", set()),
        ("The bridge was shut.\nBy The Associated Press_\n", {"AP"}),
        ("Le maire l’a dit à l’AFP. Le pont rouvrira.", set()),
        ("Мэр рассказал ТАСС, что мост закрыт.", set()),
        ("", set()),
    ],
)
def test_an_agency_is_found_where_the_text_credits_it(text: str, agencies: set[str]) -> None:
    assert find_credited_agencies(text) == agencies


def test_a_credit_shows_the_words_that_say_so() -> None:
    [credit] = find_attribution(
        "It will open on Friday. Quelle: tollan.de, mba/dpa Hier geht es weiter."
    ).credits

    assert (credit.agency, credit.kind, credit.passage) == ("dpa", "source", "Quelle: tollan.de, mba/dpa")


def test_a_dateline_outweighs_a_contribution() -> None:
    text = (
        "TOLLAN (AP) — The bridge was shut.\n\nThe Associated Press and Reuters contributed to this report."
    )

    kinds = {credit.agency: credit.kind for credit in find_attribution(text).credits}

    assert kinds == {"AP": "dateline", "Reuters": CONTRIBUTION}


def test_the_source_of_an_article_may_be_an_agency() -> None:
    assert find_attribution("The bridge was shut.", "Reuters").agencies == {"Reuters"}
    assert find_attribution("The bridge was shut.", "The Bugle").agencies == set()


@pytest.mark.parametrize(
    ("text", "byline"),
    [
        ("By Jane Doe and John Q. Roe\n\nThe bridge was shut.", "Jane Doe and John Q. Roe"),
        ("By JANE DOE, Associated Press\n\nThe bridge was shut.", "JANE DOE"),
        ("Von Jana Dohle\nDie Brücke ist gesperrt.", "Jana Dohle"),
        ("The bridge was shut. (Reporting by Jane Doe; Editing by John Roe)", "Jane Doe"),
        ("By The Associated Press\n\nThe bridge was shut.", None),
        ("The bridge was built by Jane Doe in 1902.", None),
        ("By Friday the bridge was shut.", None),
    ],
)
def test_a_byline_names_the_authors(text: str, byline: str | None) -> None:
    assert find_attribution(text).byline == byline


def test_a_credit_far_from_the_edges_is_found_once() -> None:
    filler = "The water rose by the hour. " * 200
    text = f"{filler}Quelle: dpa\n{filler}The mayor told Reuters that it was over. {filler}"

    assert [credit.agency for credit in find_attribution(text).credits] == ["dpa"]


def test_control_characters_are_no_agencies() -> None:
    text = "TOLLAN \x01\x00 (\x01) - The bridge was shut. \x01\x01 (dpa, \x01)\x00"

    assert find_credited_agencies(text) <= {"dpa"}
    assert find_credited_agencies("TOLLAN (\x01) - The bridge, Reuters said, was shut.") == set()


def test_no_alias_stands_for_two_agencies() -> None:
    aliases = [alias for agency in load_agencies() for alias in agency.aliases]

    assert len(aliases) == len(set(aliases))


def test_every_form_names_its_agencies_in_one_group() -> None:
    assert all("who" in compile_pattern(rule.pattern).groupindex for rule in RULES)
