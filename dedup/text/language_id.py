"""Identify the languages of articles: by the field of the article, else by function words, else with CLD2.

The results are ISO 639-1 codes in `WORDFREQ_LANGUAGES`, or an empty string if the language is unknown. Function words
decide most articles, from words that are split anyway. The rest go to CLD2, the Compact Language Detector of Google
Chromium, whose tables are compiled in: nothing is downloaded.
"""

from functools import cache

import numpy as np
import pyarrow as pa
import pycld2

from dedup.jit import jit
from dedup.text.tokenizer import Words, hash_words
from dedup.text.vocabulary import WORDFREQ_LANGUAGES

CLD2_SAMPLE_CHARACTERS = 320
"""The number of characters that CLD2 reads: more takes longer and changes little."""
CODE_ALIASES = {
    "iw": "he",
    "no": "nb",
    "nn": "nb",
    "hr": "sh",
    "sr": "sh",
    "bs": "sh",
    "in": "id",
    "mo": "ro",
    "tl": "fil",
}
"""Other codes for a language."""
FUNCTION_WORDS = {
    "en": "the of and to in a is that for it was on with he as by at from his an be this are which had were not they",
    "de": "der die das und in den von zu mit ist im für auf nicht ein eine dem des sich auch als an es werden aus er hat",
    "fr": "le la les de des du et un une est que en dans pour qui au sur par pas plus ne ce il sont avec cette aux ont",
    "es": "el la los las de del y que en un una es por con para se su no al lo como más pero sus fue este ha sobre",
    "it": "il la le di del della che e un una in è per con non si da sono dei al alla nel più gli anche come ha delle",
    "pt": "o a os as de do da dos das e que em um uma é para com não no na se por mais ao como mas foi seu pela",
    "nl": "de het een en van in is dat op te voor met zijn niet aan er om ook door bij als uit naar hij wordt",
    "sv": "och i att det som en på är av för med den till inte har ett om var de från han men vid",
    "pl": "i w na z do nie się że jest to o jak po od za przez dla co są tym oraz które",
    "ru": "и в не на что с по как это он из к за от о для но его у же был так бы",
    "tr": "ve bir bu da de için ile olarak çok daha olan gibi en ne sonra kadar var ama",
}
"""The most common short words of the most common languages with spaces."""
MAX_WORDS_COUNTED = 150
"""The number of words of an article among which function words are counted."""
MIN_FUNCTION_WORD_SHARE, MIN_RATIO_TO_SECOND = 0.12, 1.6
"""The minimum share of function words of a language, and the minimum ratio to the next language, for a decision without
CLD2."""
FUNCTION_WORD_SLOTS = 2048


def identify_languages(declared: pa.StringArray, texts: pa.StringArray, words: Words) -> list[str]:
    """Return the language of each article: as declared, else as detected."""
    declared_codes = declared.to_pylist()
    if all(declared_codes):
        return [normalize_language_code(code) for code in declared_codes]
    names = list(FUNCTION_WORDS)
    detected = identify_by_function_words(words).tolist()
    return [
        normalize_language_code(code)
        if code
        else names[detected[a]]
        if detected[a] >= 0
        else detect_language(texts[a].as_py())
        for a, code in enumerate(declared_codes)
    ]


@cache
def build_function_word_table() -> tuple[np.ndarray, np.ndarray]:
    """Return (keys, bits): an open-addressing table from word hashes to a bit for each language that has the word."""
    keys, bits = np.zeros(FUNCTION_WORD_SLOTS, np.uint32), np.zeros(FUNCTION_WORD_SLOTS, np.int64)
    for language, words in enumerate(FUNCTION_WORDS.values()):
        for word in hash_words(words.split()):
            slot = int(word) % FUNCTION_WORD_SLOTS
            while keys[slot] not in (0, word):
                slot = (slot + 1) % FUNCTION_WORD_SLOTS
            keys[slot], bits[slot] = word, bits[slot] | 1 << language
    return keys, bits


def identify_by_function_words(words: Words) -> np.ndarray:
    """Return for each article the index (int64) of its language in `FUNCTION_WORDS`; -1 if its words do not decide."""
    languages = np.full(len(words.offsets) - 1, -1, np.int64)
    counts = np.zeros(len(FUNCTION_WORDS), np.int64)
    fill_languages(words.hashes, words.offsets, *build_function_word_table(), counts, languages)
    return languages


@jit
def fill_languages(hashes, offsets, keys, bits, counts, out):
    """Write the language of each article into `out` if its words decide; `counts` is scratch."""
    for a in range(len(offsets) - 1):
        counts[:] = 0
        end = min(offsets[a + 1], offsets[a] + MAX_WORDS_COUNTED)
        for i in range(offsets[a], end):
            slot = np.int64(hashes[i]) % FUNCTION_WORD_SLOTS
            while keys[slot] != 0 and keys[slot] != hashes[i]:
                slot = (slot + 1) % FUNCTION_WORD_SLOTS
            if keys[slot] == hashes[i]:
                language_bits, language = bits[slot], 0
                while language_bits:
                    counts[language] += language_bits & 1
                    language_bits >>= 1
                    language += 1
        best, best_count, second_count = 0, 0, 0
        for language in range(len(counts)):
            if counts[language] > best_count:
                best, best_count, second_count = language, counts[language], best_count
            else:
                second_count = max(second_count, counts[language])
        if (
            best_count >= MIN_FUNCTION_WORD_SHARE * (end - offsets[a])
            and best_count > MIN_RATIO_TO_SECOND * second_count
        ):
            out[a] = best


def normalize_language_code(code: str) -> str:
    """Return the bare language of a code: `en-US` and `EN_us` are `en`; empty for a language without data."""
    bare = code.strip().lower().replace("_", "-").split("-")[0]
    bare = CODE_ALIASES.get(bare, bare)
    return bare if bare in WORDFREQ_LANGUAGES else ""


def detect_language(text: str | None) -> str:
    """Return the main language that CLD2 finds at the beginning of `text`; empty if it is not sure."""
    sample = "".join(c if c.isprintable() else " " for c in (text or "")[:CLD2_SAMPLE_CHARACTERS])
    try:
        _, _, languages = pycld2.detect(sample.encode("utf-8", "replace"), isPlainText=True, bestEffort=True)
    except pycld2.error:
        return ""
    return normalize_language_code(languages[0][1])
