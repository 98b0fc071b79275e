"""Make the character tables that the package ships: `python -m benchmarks.characters`.

Built from `unicodedata` (Unicode Standard Annexes 15 and 29, simplified); see `dedup/characters.py` for what they hold.
"""

import unicodedata
from pathlib import Path

import numpy as np

import dedup
from dedup.text.unicode_tables import (
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

OUT = Path(dedup.__file__).parent / "data" / "characters.npz"

DENSE_RANGES = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1100, 0x11FF),  # Hangul jamo
    (0x1780, 0x17FF),  # Khmer
    (0x2E80, 0x2FDF),  # Han radicals
    (0x3005, 0x3007),  # Han iteration mark, closing mark and zero
    (0x3041, 0x30FA),  # Hiragana, Katakana
    (0x30FC, 0x31FF),  # long vowel, Bopomofo, Katakana extensions
    (0x3400, 0x4DBF),  # Han extension A
    (0x4E00, 0x9FFF),  # Han
    (0xA960, 0xA97F),  # Hangul jamo extended A
    (0xAC00, 0xD7FF),  # Hangul
    (0xF900, 0xFAFF),  # Han compatibility
    (0xFF66, 0xFF9D),  # half-width kana
)
UNIFORM_RANGES = (
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xAC00, 0xD7A3),
    (0x17000, 0x18CFF),
    (0x1B170, 0x1B2FF),
)
"""Han, Hangul syllables, Tangut, Nushu: dense, and nothing in them folds, so the tables are filled at once."""
DROPPED_MARKS = (
    (0x0300, 0x036F),
    (0x0591, 0x05C7),
    (0x0610, 0x061A),
    (0x064B, 0x065F),
    (0x0670, 0x0670),
    (0x0640, 0x0640),
)
"""Accents, Hebrew points, Arabic vowels and tatweel: never part of a word's identity."""
QUOTES = '"“”„‟«»「」『』〝〞＂'
STOPS = "!?…。！？‽؟۔।"
FOLDED_PAIRS = {
    "ß": "ss",
    "ẞ": "ss",
    "æ": "ae",
    "Æ": "ae",
    "œ": "oe",
    "Œ": "oe",
    "ĳ": "ij",
    "Ĳ": "ij",
    "þ": "th",
    "Þ": "th",
}
FOLDED_ONE = {
    "ς": "σ",
    "ø": "o",
    "Ø": "o",
    "đ": "d",
    "Đ": "d",
    "ł": "l",
    "Ł": "l",
    "ı": "i",
    "ى": "ي",
    "ة": "ه",
    "ی": "ي",
    "ک": "ك",
}


def folded(character: str) -> str:
    """Return one or two characters that stand for `character` wherever words are compared."""
    if character in FOLDED_PAIRS:
        return FOLDED_PAIRS[character]
    if character in FOLDED_ONE:
        return FOLDED_ONE[character]
    lower = unicodedata.normalize("NFKC", character).lower()
    base = (
        [c for c in unicodedata.normalize("NFD", lower) if not unicodedata.combining(c)]
        if keeps_base(lower)
        else list(lower)
    )
    return "".join(FOLDED_PAIRS.get(c, FOLDED_ONE.get(c, c)) for c in base) or character


def keeps_base(text: str) -> bool:
    """Return whether marks may be taken off: true in alphabets, false where a mark makes another letter (kana)."""
    return not any(first <= ord(c) <= last for c in text[:1] for first, last in DENSE_RANGES)


def character_class(character: str) -> int:
    """Return the class of one character, with `UPPER_CASE` set on capital letters."""
    code, category = ord(character), unicodedata.category(character)
    if character in "\n\r\v\f\x85\u2028\u2029":
        return NEWLINE
    if character in ".,．，":
        return POINT
    if character in QUOTES:
        return QUOTE
    if character in STOPS:
        return STOP
    if any(first <= code <= last for first, last in DROPPED_MARKS) or category == "Cf":
        return MARK
    if any(first <= code <= last for first, last in DENSE_RANGES) and category[0] in "LMN":
        return UNSPACED
    if category == "Nd":
        return DIGIT
    if category[0] in "LM" or category in ("Nl", "No"):
        return LETTER | (UPPER_CASE if category in ("Lu", "Lt") else 0)
    return SEPARATOR


def build_tables() -> tuple[np.ndarray, np.ndarray]:
    """Return (fold uint32, class uint8), both of length `TABLE_CODE_POINTS`."""
    fold = np.arange(TABLE_CODE_POINTS, dtype=np.uint32)
    classes = np.zeros(TABLE_CODE_POINTS, dtype=np.uint8)
    for first, last in UNIFORM_RANGES:
        classes[first : last + 1] = UNSPACED
    for code in np.flatnonzero(classes == SEPARATOR).tolist():
        character = chr(code)
        if unicodedata.category(character) in ("Cn", "Cs", "Co"):
            continue
        classes[code] = character_class(character)
        if classes[code] in (LETTER, LETTER | UPPER_CASE, DIGIT, UNSPACED):
            pair = folded(character)
            value = unicodedata.digit(character, None) if classes[code] == DIGIT else None
            if value is not None:
                fold[code] = ord("0") + value
            elif len(pair) == 1:
                fold[code] = ord(pair)
            elif len(pair) == 2 and ord(pair[1]) < 1 << (32 - CODE_POINT_BITS):
                fold[code] = ord(pair[0]) | ord(pair[1]) << CODE_POINT_BITS
    return fold, classes


if __name__ == "__main__":
    fold, classes = build_tables()
    np.savez_compressed(OUT, fold=fold, classes=classes)
    print(f"{OUT.name}: {(classes > 0).sum()} characters of Unicode {unicodedata.unidata_version}")
