import pyarrow as pa
import pytest

from dedup.languages import detected, languages_of, normalised

TEXTS = {
    "en": "The mayor said the old bridge would stay closed until engineers had looked at every girder.",
    "de": "Die Bürgermeisterin sagte, die alte Brücke bleibe gesperrt, bis alle Träger geprüft seien.",
    "fr": "La maire a déclaré que le vieux pont resterait fermé jusqu'à ce que chaque poutre soit vérifiée.",
    "es": "La alcaldesa dijo que el viejo puente seguirá cerrado hasta que se revisen todas las vigas.",
    "it": "La sindaca ha detto che il vecchio ponte resterà chiuso finché ogni trave non sarà controllata.",
    "pt": "A prefeita disse que a velha ponte continuará fechada até que todas as vigas sejam verificadas.",
    "nl": "De burgemeester zei dat de oude brug dicht blijft tot alle balken zijn nagekeken.",
    "ru": "Мэр заявила, что старый мост останется закрытым, пока инженеры не осмотрят каждую балку.",
    "ar": "قالت رئيسة البلدية إن الجسر القديم سيبقى مغلقا إلى أن يفحص المهندسون كل عارضة فيه.",
    "zh": "市长表示，在工程师检查完每一根钢梁之前，这座老桥将继续封闭，居民须绕行。",
    "ja": "市長は、技術者がすべての桁を調べ終えるまで古い橋は閉鎖されたままだと述べた。",
    "ko": "시장은 기술자들이 모든 들보를 점검할 때까지 낡은 다리가 폐쇄될 것이라고 말했다.",
}


def languages(texts: list[str | None], declared: list[str | None] | None = None) -> list[str]:
    """Return the languages of untitled texts."""
    column = pa.array(declared or [None] * len(texts), pa.string())
    return languages_of(column, pa.nulls(len(texts), pa.string()), pa.array(texts, pa.string()))


@pytest.mark.parametrize("language", TEXTS)
def test_a_sentence_tells_its_language(language: str) -> None:
    assert detected(TEXTS[language]) == language


def test_each_article_of_a_batch_has_its_own_language() -> None:
    assert languages(list(TEXTS.values())) == list(TEXTS)


def test_what_is_declared_goes_before_what_is_detected() -> None:
    assert languages([TEXTS["en"], TEXTS["en"]], ["fr", None]) == ["fr", "en"]


def test_the_title_speaks_where_there_is_no_text() -> None:
    found = languages_of(pa.nulls(1, pa.string()), pa.array([TEXTS["de"]]), pa.array([""]))

    assert found == ["de"]


def test_an_article_of_nothing_has_no_language() -> None:
    assert languages(["", None, "12 34", "🦊"]) == ["", "", "", ""]


def test_a_language_does_not_depend_on_the_other_articles() -> None:
    texts = list(TEXTS.values())

    alone = [languages([text])[0] for text in texts]

    assert alone == languages(texts)


def test_control_characters_do_not_hide_the_language() -> None:
    assert detected(TEXTS["ru"].replace(" ", " \x01\x7f ")) == "ru"


def test_half_a_character_does_not_hide_the_language() -> None:
    assert detected("\ufffd" + TEXTS["fr"] + "\ufffe") == "fr"


@pytest.mark.parametrize(
    ("code", "bare"),
    [
        ("en", "en"),
        ("en-US", "en"),
        ("EN_gb", "en"),
        (" de ", "de"),
        ("zh-Hant-TW", "zh"),
        ("no", "nb"),
        ("iw", "he"),
        ("hr", "sh"),
        ("", ""),
        ("tlh", ""),
        ("english", ""),
    ],
)
def test_codes_are_brought_to_one_form(code: str, bare: str) -> None:
    assert normalised(code) == bare
