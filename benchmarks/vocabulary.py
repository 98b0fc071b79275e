"""Count words in news and write the word tables that the package ships: `python -m benchmarks.vocabulary`.

Document frequencies are facts about the texts, not the texts: what is written are hashes of words with a byte of weight
and a byte that says whether the word is a name. Written tables: `dedup/data/words-en.npz` and `words-de.npz`.
"""

import collections
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import wordfreq

from benchmarks.data import lines
from dedup.text import tokenizer, vocabulary

OUT = Path(vocabulary.__file__).parent / "data"
INCIDENTS = 1000
"""More would make gun crime look like ordinary news."""
SOURCES = {"en": ("background", "wire", "roundups", "events", "incidents"), "de": ("paywall",)}
FEWEST = 2
"""A word in one article only is as good as unknown."""
SURE = 3
"""Mid-sentence sightings from which the share of capitals is believed."""
CALENDAR = {
    "en": f"{vocabulary.WEEKDAYS['en']} january february march april may june july august september october november "
    "december mr mrs ms dr".split(),
    "de": f"{vocabulary.WEEKDAYS['de']} januar februar märz april mai juni juli august september oktober november "
    "dezember herr frau dr".split(),
}
"""Written with a capital, yet no names."""
COMMON_NOUN = 2e-5
"""German nouns all have capitals: only those rarer than this in general language may be names."""


def articles(language: str) -> list[dict[str, Any]]:
    """Return the news to count."""
    found = []
    for name in SOURCES[language]:
        found += lines(name)[: INCIDENTS if name == "incidents" else None]
    return found


def count(language: str) -> None:
    """Count one language and write its table."""
    news = articles(language)
    texts = [f"{a['title']}\n{a['text']}" for a in news]
    spelled: collections.Counter[str] = collections.Counter()
    for text in texts:
        spelled.update(set(re.findall(r"\w+", text.lower())))
    prior = dict(wordfreq.get_frequency_dict(language, "large"))
    names = [w for w, n in spelled.items() if n >= FEWEST and not w.isdigit()]
    names += [w for w, p in wordfreq.get_frequency_dict(language, "small").items() if w not in spelled]
    hashes, stems = (
        tokenizer.hash_words(names),
        tokenizer.hash_words(vocabulary.compute_stems(names, language)),
    )
    known, first = np.unique(hashes[hashes > 0], return_index=True)
    names = [names[i] for i in np.flatnonzero(hashes > 0)[first]]
    stems = np.where(stems > 0, stems, hashes)[np.flatnonzero(hashes > 0)[first]]

    split = tokenizer.tokenize_articles(pa.array([""] * len(texts)), pa.array(texts, pa.large_string()))
    place = np.minimum(np.searchsorted(known, split.hashes), len(known) - 1)
    hit = known[place] == split.hashes
    middle = hit & ((split.flags & (tokenizer.SENTENCE_START | tokenizer.TITLE_WORD)) == 0)
    capital = np.bincount(place[middle & ((split.flags & tokenizer.CAPITALIZED) > 0)], minlength=len(known))
    small = np.bincount(place[middle & ((split.flags & tokenizer.CAPITALIZED) == 0)], minlength=len(known))

    stem_ids, groups = np.unique(stems, return_inverse=True)
    documents = np.zeros(len(stem_ids))
    for i in range(len(texts)):
        span = slice(split.offsets[i], split.offsets[i + 1])
        documents[np.unique(groups[place[span][hit[span]]])] += 1
    frequency = np.bincount(groups, [prior.get(w, 0.0) for w in names])
    weights = vocabulary.compute_term_weights(documents, frequency, len(texts))[groups]

    share = capital / np.maximum(capital + small, 1)
    kinds = np.where(
        share > 0.9,
        vocabulary.ALWAYS_NAME,
        np.where(share < 0.1, vocabulary.NEVER_NAME, vocabulary.NAME_IF_CAPITALIZED),
    )
    kinds = np.where(capital + small < SURE, vocabulary.NAME_IF_CAPITALIZED, kinds)
    if language == "de":
        common = np.array([prior.get(w, 0.0) for w in names]) >= COMMON_NOUN
        kinds = np.where(
            common,
            vocabulary.NEVER_NAME,
            np.where(kinds == vocabulary.ALWAYS_NAME, vocabulary.NAME_IF_CAPITALIZED, kinds),
        )
    kinds[np.isin(known, tokenizer.hash_words(CALENDAR[language]))] = vocabulary.NEVER_NAME
    np.savez_compressed(
        OUT / f"words-{language}.npz",
        words=known,
        stems=stems,
        weights=np.round(weights * vocabulary.WEIGHT_SCALE).astype(np.uint8),
        names=kinds.astype(np.uint8),
    )
    print(f"{language}: {len(texts)} articles, {len(known)} words, {len(stem_ids)} stems")


if __name__ == "__main__":
    for code in SOURCES:
        count(code)
