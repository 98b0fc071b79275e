"""Agencies are found where a text credits them, and publishers by their registered domain."""

import pytest

from dedup.origins.publishers import find_credited_agencies, find_publisher


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
        ("A reporter of Reuters was seen near the bridge, and nobody knew why at the time.", set()),
        ("The AP exam was held in Tollan on Monday.", set()),
        ("", set()),
    ],
)
def test_an_agency_is_credited_at_the_start_or_the_end(text: str, agencies: set[str]) -> None:
    assert find_credited_agencies(text) == agencies


@pytest.mark.parametrize(
    ("source", "url", "publisher"),
    [
        ("Sport", "https://sport.bugle.example/a/b?c=d", "bugle.example"),
        ("news.bugle.co.uk", None, "bugle.co.uk"),
        ("The Bugle", None, "the bugle"),
        (" ", "", None),
        (None, None, None),
    ],
)
def test_a_publisher_is_a_domain_or_a_name(
    source: str | None, url: str | None, publisher: str | None
) -> None:
    assert find_publisher(source, url) == publisher
