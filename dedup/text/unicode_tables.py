"""Load the Unicode tables of the tokenizer: the class of each character, and the character that it folds to.

`CHARACTER_FOLD` and `CHARACTER_CLASS` are indexed by code point. Words are compared without case, without accents (Latin,
Greek, Cyrillic, Hebrew, Arabic) and in compatibility form (full width, ligatures), so that a copy typed on another
keyboard, or stored in another normal form, is still a copy. `benchmarks/characters.py` makes the tables from
`unicodedata`; they ship with the package, so that sketches are the same under every version of Python. Code points from
`TABLE_CODE_POINTS` on are rare Han and need no table.
"""

from importlib.resources import files

import numpy as np

TABLE_CODE_POINTS = 0x20000
CODE_POINT_BITS = 17
"""A folded entry holds one code point in its low 17 bits and, for ligatures such as ß and ﬁ, a second one above them."""

SEPARATOR, LETTER, DIGIT, UNSPACED, MARK, QUOTE, STOP, NEWLINE, POINT = range(9)
"""UNSPACED: a letter of a script without spaces. MARK: skipped inside words. STOP: ends a sentence. POINT: . and ,"""
UPPER_CASE = 0x80
"""Set in addition to LETTER for upper- and title-case letters."""


def load_unicode_tables() -> tuple[np.ndarray, np.ndarray]:
    """Return (fold uint32, class uint8), both of length `TABLE_CODE_POINTS`."""
    with (
        (files("dedup") / "data" / "characters.npz").open("rb") as file,
        np.load(file, allow_pickle=False) as tables,
    ):
        return tables["fold"], tables["classes"]


CHARACTER_FOLD, CHARACTER_CLASS = load_unicode_tables()
