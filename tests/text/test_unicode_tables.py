import unicodedata

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from benchmarks.characters import UNIFORM_RANGES, character_class
from dedup.text.unicode_tables import (
    CHARACTER_CLASS,
    CHARACTER_FOLD,
    CODE_POINT_BITS,
    DIGIT,
    LETTER,
    MARK,
    NEWLINE,
    POINT,
    QUOTE,
    SEPARATOR,
    STOP,
    TABLE_CODE_POINTS,
    UNSPACED,
    UPPER_CASE,
)

ALPHABETS = [
    "abcdefghijklmnopqrstuvwxyz",
    "àâäáãåæçéèêëíìîïñóòôöõøœúùûüýÿßčšžłđğışőű",
    "абвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєґ",
    "αβγδεζηθικλμνξοπρστυφχψωάέήίόύώϊϋ",
    "أإآابتثجحخدذرزسشصضطظعغفقكلمنهويىةئؤء",
]
"""The small letters of the alphabets most news is written in."""


def read_back(code: int) -> str:
    """Return what the table says that a code point folds to."""
    value = int(CHARACTER_FOLD[code])
    first, second = value & ((1 << CODE_POINT_BITS) - 1), value >> CODE_POINT_BITS
    return chr(first) + (chr(second) if second else "")


def fold(text: str) -> str:
    """Return what the tables make of a text of letters and accents."""
    return "".join(read_back(ord(c)) for c in text if CHARACTER_CLASS[ord(c)] != MARK)


@pytest.mark.parametrize(
    ("character", "kind"),
    [
        ("a", LETTER),
        ("é", LETTER),
        ("ش", LETTER),
        ("A", LETTER | UPPER_CASE),
        ("Ж", LETTER | UPPER_CASE),
        ("ǅ", LETTER | UPPER_CASE),
        ("7", DIGIT),
        ("٣", DIGIT),
        ("\uff17", DIGIT),
        ("中", UNSPACED),
        ("か", UNSPACED),
        ("ー", UNSPACED),
        ("ก", UNSPACED),
        ("่", UNSPACED),
        ("한", UNSPACED),
        ("\u0301", MARK),
        ("\u00ad", MARK),
        ("\u200d", MARK),
        ("\ufeff", MARK),
        ("ـ", MARK),
        ('"', QUOTE),
        ("“", QUOTE),
        ("«", QUOTE),
        ("「", QUOTE),
        ("!", STOP),
        ("。", STOP),
        ("؟", STOP),
        ("\n", NEWLINE),
        ("\r", NEWLINE),
        ("\u2029", NEWLINE),
        (".", POINT),
        (",", POINT),
        (" ", SEPARATOR),
        ("'", SEPARATOR),
        ("’", SEPARATOR),
        ("-", SEPARATOR),
        ("_", SEPARATOR),
        ("\0", SEPARATOR),
        ("\ufffd", SEPARATOR),
        ("🦊", SEPARATOR),
        ("\ue000", SEPARATOR),
        ("\u0378", SEPARATOR),
    ],
)
def test_each_character_has_its_class(character: str, kind: int) -> None:
    assert CHARACTER_CLASS[ord(character)] == kind


@pytest.mark.parametrize(
    ("character", "plain"),
    [
        ("É", "e"),
        ("ñ", "n"),
        ("ç", "c"),
        ("Å", "a"),
        ("ø", "o"),
        ("ł", "l"),
        ("ß", "ss"),
        ("ẞ", "ss"),
        ("æ", "ae"),
        ("Œ", "oe"),
        ("ﬁ", "fi"),
        ("\uff21", "a"),
        ("İ", "i"),
        ("ı", "i"),
        ("Ё", "е"),
        ("Й", "и"),
        ("ά", "α"),
        ("أ", "ا"),
        ("ى", "ي"),
        ("ة", "ه"),
        ("ک", "ك"),
        ("٤", "4"),
        ("\uff19", "9"),
        ("²", "2"),
        ("中", "中"),
        ("が", "が"),
        ("한", "한"),
    ],
)
def test_a_character_folds_to_its_plain_form(character: str, plain: str) -> None:
    assert read_back(ord(character)) == plain


@pytest.mark.parametrize("alphabet", ALPHABETS)
def test_capitals_fold_to_what_small_letters_fold_to(alphabet: str) -> None:
    assert fold(alphabet.upper()) == fold(alphabet)


@pytest.mark.parametrize("alphabet", ALPHABETS)
def test_letters_fold_alike_whether_their_accents_are_composed_or_apart(alphabet: str) -> None:
    composed, apart = (unicodedata.normalize(form, alphabet) for form in ("NFC", "NFD"))

    assert fold(apart) == fold(composed)


def is_old(character: str) -> bool:
    """Return whether a character was in Unicode 3.2, and so has the same properties under every Python."""
    return unicodedata.ucd_3_2_0.category(character) not in {"Cn", "Co", "Cs"}


@given(st.characters(max_codepoint=TABLE_CODE_POINTS - 1).filter(is_old))
@examples(max_examples=200)
def test_the_tables_shipped_are_those_that_unicodedata_makes(character: str) -> None:
    code = ord(character)
    uniform = any(first <= code <= last for first, last in UNIFORM_RANGES)

    assert CHARACTER_CLASS[code] == (UNSPACED if uniform else character_class(character))


def test_folding_twice_changes_nothing_more() -> None:
    once = [read_back(code) for code in range(TABLE_CODE_POINTS)]

    assert [
        chr(code)
        for code in range(TABLE_CODE_POINTS)
        if "".join(once[ord(c)] for c in once[code]) != once[code]
    ] == []


def test_only_letters_digits_and_dense_characters_fold() -> None:
    changed = [chr(code) for code in range(TABLE_CODE_POINTS) if CHARACTER_FOLD[code] != code]

    assert {int(CHARACTER_CLASS[ord(c)]) & ~UPPER_CASE for c in changed} == {LETTER, DIGIT, UNSPACED}
