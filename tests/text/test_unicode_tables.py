import unicodedata

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from benchmarks.characters import UNIFORM_RANGES, character_class
from dedup.text.unicode_tables import (
    CLASS,
    DENSE,
    DIGIT,
    FOLD,
    LETTER,
    MARK,
    NEWLINE,
    PAIR,
    POINT,
    QUOTE,
    SEPARATOR,
    SIZE,
    STOP,
    UPPER,
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
    value = int(FOLD[code])
    first, second = value & ((1 << PAIR) - 1), value >> PAIR
    return chr(first) + (chr(second) if second else "")


def fold(text: str) -> str:
    """Return what the tables make of a text of letters and accents."""
    return "".join(read_back(ord(c)) for c in text if CLASS[ord(c)] != MARK)


@pytest.mark.parametrize(
    ("character", "kind"),
    [
        ("a", LETTER),
        ("é", LETTER),
        ("ش", LETTER),
        ("A", LETTER | UPPER),
        ("Ж", LETTER | UPPER),
        ("ǅ", LETTER | UPPER),
        ("7", DIGIT),
        ("٣", DIGIT),
        ("\uff17", DIGIT),
        ("中", DENSE),
        ("か", DENSE),
        ("ー", DENSE),
        ("ก", DENSE),
        ("่", DENSE),
        ("한", DENSE),
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
    assert CLASS[ord(character)] == kind


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


@given(st.characters(max_codepoint=SIZE - 1).filter(is_old))
@examples(max_examples=500)
def test_the_tables_shipped_are_those_that_unicodedata_makes(character: str) -> None:
    code = ord(character)
    uniform = any(first <= code <= last for first, last in UNIFORM_RANGES)

    assert CLASS[code] == (DENSE if uniform else character_class(character))


def test_folding_twice_changes_nothing_more() -> None:
    once = [read_back(code) for code in range(SIZE)]

    assert [
        chr(code) for code in range(SIZE) if "".join(once[ord(c)] for c in once[code]) != once[code]
    ] == []


def test_only_letters_digits_and_dense_characters_fold() -> None:
    changed = [chr(code) for code in range(SIZE) if FOLD[code] != code]

    assert {int(CLASS[ord(c)]) & ~UPPER for c in changed} == {LETTER, DIGIT, DENSE}
