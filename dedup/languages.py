"""Titles and texts → languages: the article's own field, or what its script and CLD2 say of its first words.

Out: ISO 639-1 codes that `vocabulary` knows; an empty string for what cannot be told. CLD2 is Google Chromium's
Compact Language Detector (its tables are compiled in: nothing is downloaded).
"""

import pyarrow as pa
import pyarrow.compute as pc
import pycld2

from dedup.vocabulary import LISTED

SAMPLE = 320
"""Characters that are shown to the detector: more costs time and changes little."""
SAME = {"iw": "he", "no": "nb", "nn": "nb", "hr": "sh", "sr": "sh", "bs": "sh", "in": "id", "mo": "ro", "tl": "fil"}
"""Other codes for a language."""


def languages_of(declared: pa.StringArray, titles: pa.StringArray, texts: pa.StringArray) -> list[str]:
    """Return the language of each article: as declared, else as detected from the title and the first words."""
    given = declared.to_pylist()
    if all(given):
        return [normalised(code) for code in given]
    samples = pc.binary_join_element_wise(
        pc.fill_null(titles, ""), pc.utf8_slice_codeunits(pc.fill_null(texts, ""), 0, SAMPLE), "\n"
    ).to_pylist()
    return [normalised(code) if code else detected(sample) for code, sample in zip(given, samples, strict=True)]


def normalised(code: str) -> str:
    """Return the bare language of a code: `en-US` and `EN_us` are `en`; empty for one of which nothing is known."""
    bare = code.strip().lower().replace("_", "-").split("-")[0]
    bare = SAME.get(bare, bare)
    return bare if bare in LISTED else ""


def detected(sample: str) -> str:
    """Return the language that CLD2 finds most of in `sample`; empty if it is not sure of any."""
    try:
        _, _, found = pycld2.detect(sample.encode("utf-8", "replace"), isPlainText=True, bestEffort=True)
    except pycld2.error:
        return detected_printable(sample)
    return normalised(found[0][1])


def detected_printable(sample: str) -> str:
    """Return the language of `sample` without the control characters that CLD2 refuses."""
    printable = "".join(c if c.isprintable() else " " for c in sample)
    try:
        _, _, found = pycld2.detect(printable.encode("utf-8", "replace"), isPlainText=True, bestEffort=True)
    except pycld2.error:
        return ""
    return normalised(found[0][1])
