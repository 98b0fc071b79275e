"""Load the vocabulary of a language: the stem, the weight and the kind of each of its words.

A weight is -log10 of the probability that a news article of about 400 words contains the term, up to a maximum. It comes
from document frequencies counted in news, if the package has them (`data/words-<language>.npz`, made by
`benchmarks/vocabulary.py`), with the word frequencies of wordfreq as their prior; otherwise from wordfreq alone. The
tables are fixed, so a match never depends on the rest of the corpus. Stems are Snowball's. Words are looked up by hash:
nothing is computed per word at run time.
"""

from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np

from dedup.jit import jit
from dedup.text.tokenizer import hash_words

WEIGHT_SCALE = 50
"""Weights are stored as bytes, in steps of 1/50."""
MAX_WEIGHT = 4.0
"""The maximum weight: below one article in ten thousand, counts do not say how specific a term is."""
ARTICLE_WORDS = 400
"""The length of article for which word frequencies are converted to document frequencies."""

NEVER_NAME, ALWAYS_NAME, NAME_IF_CAPITALIZED, MONDAY = 0, 1, 2, 3
"""Whether a word is a name: never; always (capitalised everywhere in news); if it is capitalised. From `MONDAY` on, the
word is a day of the week."""
WEEKDAYS = {
    "en": "monday tuesday wednesday thursday friday saturday sunday",
    "de": "montag dienstag mittwoch donnerstag freitag samstag sonntag",
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche",
    "es": "lunes martes miércoles jueves viernes sábado domingo",
    "it": "lunedì martedì mercoledì giovedì venerdì sabato domenica",
    "pt": "segunda terça quarta quinta sexta sábado domingo",
    "nl": "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag",
    "pl": "poniedziałek wtorek środa czwartek piątek sobota niedziela",
    "ru": "понедельник вторник среда четверг пятница суббота воскресенье",
    "ar": "الاثنين الثلاثاء الأربعاء الخميس الجمعة السبت الأحد",
    "tr": "pazartesi salı çarşamba perşembe cuma cumartesi pazar",
}
"""The days of the week, Monday first. Some are also ordinary words, but too rare to matter."""

STEMMERS = {
    "ar": "arabic", "ca": "catalan", "da": "danish", "de": "german", "el": "greek", "en": "english", "es": "spanish",
    "et": "estonian", "eu": "basque", "fi": "finnish", "fr": "french", "ga": "irish", "hi": "hindi", "hu": "hungarian",
    "hy": "armenian", "id": "indonesian", "it": "italian", "lt": "lithuanian", "nb": "norwegian", "ne": "nepali",
    "nl": "dutch", "pl": "polish", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sh": "serbian",
    "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip
WORDFREQ_LANGUAGES = frozenset(
    [
        "ar",
        "bg",
        "bn",
        "ca",
        "cs",
        "da",
        "de",
        "el",
        "en",
        "es",
        "fa",
        "fi",
        "fil",
        "fr",
        "he",
        "hi",
        "hu",
        "id",
        "is",
        "it",
        "ja",
        "ko",
        "lt",
        "lv",
        "mk",
        "ms",
        "nb",
        "nl",
        "pl",
        "pt",
        "ro",
        "ru",
        "sh",
        "sk",
        "sl",
        "sv",
        "ta",
        "tr",
        "uk",
        "ur",
        "vi",
        "zh",
    ]
)
"""The languages for which wordfreq has a list."""
UNCASED_LANGUAGES = {"ar", "fa", "he", "ur", "hi", "bn", "ta", "ne", "ka", "am", "yi"}
"""Languages without capitals: there, a rare word counts as a name."""
UNSPACED_LANGUAGES = {"zh", "ja", "ko", "th", "lo", "km", "my"}
"""Languages written without spaces (or best compared that way): words are pairs of characters."""
SYLLABIC_LANGUAGES = {"vi"}
"""Languages with a space after each syllable: names and most words are two or more consecutive syllables. Of
`WORDFREQ_LANGUAGES` that is only Vietnamese; the others put spaces between words, or none (`UNSPACED_LANGUAGES`)."""
COMMON_CHARACTERS = 300
"""The number of characters of an unspaced language whose pairs all get a weight of their own."""
RARE_WEIGHT = 2.4
"""A term at least this heavy (one article in 250) is rare enough to count as a name if capitals do not decide."""


class Vocabulary(NamedTuple):
    """An open-addressing hash table of the words of a language, and the facts of unknown words."""

    keys: np.ndarray
    stems: np.ndarray
    weights: np.ndarray
    names: np.ndarray
    unknown_weight: int
    unknown_name: int
    syllabic: bool
    """Whether its words are syllables, so that each two consecutive ones are a term too."""


def compute_term_weights(
    documents: np.ndarray, frequency: np.ndarray, total: int, prior: int = 1000
) -> np.ndarray:
    """Return the weights (float, 0 to `MAX_WEIGHT`) of terms found in `documents` of `total` news articles.

    `frequency` is the share of all words according to wordfreq; it counts as much as `prior` articles.
    """
    chance = -np.expm1(ARTICLE_WORDS * np.log1p(-np.minimum(frequency, 0.5)))
    share = (prior * chance + documents) / (prior + total)
    return np.clip(-np.log10(np.maximum(share, 1e-9)), 0.0, MAX_WEIGHT)


@cache
def load_vocabulary(language: str) -> Vocabulary:
    """Return the vocabulary of an ISO 639-1 language; if unknown, an empty one: each word is its own stem."""
    path = files("dedup") / "data" / f"words-{language}.npz"
    if path.is_file():
        with path.open("rb") as file, np.load(file, allow_pickle=False) as table:
            return build_vocabulary(
                table["words"], table["stems"], table["weights"], table["names"], language
            )
    frequencies = load_word_frequencies(language)
    if not frequencies:
        empty = np.zeros(0, np.uint32)
        return build_vocabulary(empty, empty, empty, empty, language)
    if language in UNSPACED_LANGUAGES:
        frequencies = compute_pair_frequencies(frequencies)
    words = list(frequencies)
    stems = words if language in UNSPACED_LANGUAGES else compute_stems(words, language)
    hashes, stem_hashes = hash_words(words), hash_words(stems)
    stem_hashes = np.where(stem_hashes > 0, stem_hashes, hashes)
    weights = compute_stem_weights(stem_hashes, np.fromiter(frequencies.values(), float, len(words)))
    names = np.full(len(words), NAME_IF_CAPITALIZED, np.uint8)
    if language in UNCASED_LANGUAGES | UNSPACED_LANGUAGES:
        names = np.where(weights >= RARE_WEIGHT, ALWAYS_NAME, NEVER_NAME).astype(np.uint8)
    return build_vocabulary(
        hashes, stem_hashes, np.round(weights * WEIGHT_SCALE).astype(np.uint8), names, language
    )


def compute_stem_weights(stems: np.ndarray, frequencies: np.ndarray) -> np.ndarray:
    """Return for each word the weight of its stem, whose frequency is the sum over its words."""
    _, groups = np.unique(stems, return_inverse=True)
    return compute_term_weights(np.zeros(len(stems)), np.bincount(groups, frequencies)[groups], 0)


def load_word_frequencies(language: str) -> dict[str, float]:
    """Return the small wordfreq list of a language (words above one in a million); empty if there is none."""
    if language not in WORDFREQ_LANGUAGES:
        return {}
    import wordfreq

    return wordfreq.get_frequency_dict(language, "small")


def compute_stems(words: list[str], language: str) -> list[str]:
    """Return the Snowball stems of `words`; the words themselves if Snowball does not support the language."""
    import Stemmer

    if language not in STEMMERS:
        return words
    return Stemmer.Stemmer(STEMMERS[language]).stemWords(words)


def compute_pair_frequencies(frequencies: dict[str, float]) -> dict[str, float]:
    """Return the frequency of each character and pair of characters, from the frequencies of words.

    Pairs inside words are counted; pairs of common characters across words are assumed to be independent.
    """
    characters: dict[str, float] = {}
    pairs: dict[str, float] = {}
    for word, frequency in frequencies.items():
        for character in word:
            characters[character] = characters.get(character, 0.0) + frequency
        for i in range(len(word) - 1):
            pairs[word[i : i + 2]] = pairs.get(word[i : i + 2], 0.0) + frequency
    common = sorted(characters, key=lambda c: (-characters[c], c))[:COMMON_CHARACTERS]
    for first in common:
        for second in common:
            chance = characters[first] * characters[second]
            pairs[first + second] = pairs.get(first + second, 0.0) + chance
    return characters | pairs


def build_vocabulary(
    words: np.ndarray, stems: np.ndarray, weights: np.ndarray, names: np.ndarray, language: str
) -> Vocabulary:
    """Return the hash table of a word list; words with hash 0 (not one word) are left out."""
    for day, name in enumerate(hash_words(WEEKDAYS.get(language, "").split())):
        names = np.where(words == name, MONDAY + day, names)
    size = 1 << max(4, int(1.5 * len(words)).bit_length())
    columns = (
        words.astype(np.uint32),
        stems.astype(np.uint32),
        weights.astype(np.uint8),
        names.astype(np.uint8),
    )
    table = tuple(np.zeros(size, column.dtype) for column in columns)
    fill_hash_table(*columns, *table)
    unknown_name = ALWAYS_NAME if language in UNCASED_LANGUAGES | UNSPACED_LANGUAGES else NAME_IF_CAPITALIZED
    keys, stem_table, weight_table, name_table = table
    return Vocabulary(
        keys,
        stem_table,
        weight_table,
        name_table,
        round(MAX_WEIGHT * WEIGHT_SCALE),
        unknown_name,
        language in SYLLABIC_LANGUAGES,
    )


@jit
def fill_hash_table(words, stems, weights, names, keys, stem_table, weight_table, name_table):
    """Fill open-addressing tables, whose size is a power of two; key 0 is free."""
    size = len(keys)
    for i in range(len(words)):
        if words[i] == 0:
            continue
        slot = np.int64(words[i]) & (size - 1)
        while keys[slot] != 0 and keys[slot] != words[i]:
            slot = (slot + 1) & (size - 1)
        if keys[slot] == 0:
            keys[slot], stem_table[slot] = words[i], stems[i]
            weight_table[slot], name_table[slot] = weights[i], names[i]
