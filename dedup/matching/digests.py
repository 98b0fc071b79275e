"""Reject a digest as the other half of a pair: a page of several stories resembles each story in it, and tells none of them.

The rest of a digest, beyond the story in question, is about something else. The rest of a longer report of one story goes on
speaking of the same people, places and things.
"""

import numpy as np

from dedup.jit import jit
from dedup.matching.evidence_columns import LEAD_COSINE, TITLE_JACCARD
from dedup.sketches.term_norms import WEIGHT_TITLE, is_in_first_220
from dedup.sketches.terms import IN_ALL, WEIGHT

MIN_DIGEST_RATIO = 1.5
"""A digest has at least this many times the shingles of a story in it."""
MIN_REST_SHINGLES = 50
"""A rest of fewer shingles has no room for another story: the leads of agencies are about this long."""
MIN_REST_DENSITY = 0.12
"""The rest of a report repeats the terms of a part at least this often (`compute_rest_density`). Of excerpts that are the middle
or the last third of an article, 4 and 7 % have less; of the stories of `background` in a digest of five, 98 %."""
MIN_REST_DENSITY_OF_TITLED = 0.05
"""The same if the titles agree, or the leads where a title is missing. Of articles cut to their first fifth, 5 % have less
than .09."""
MIN_AGREEING_TITLE_JACCARD = 0.5
MIN_AGREEING_LEAD_COSINE = 0.9
MAX_TITLED_RATIO = 4.0
"""Up to this ratio of lengths, agreement in title or lead is enough: articles cut to their first third are no stories of a
digest."""


@jit
def is_digest(s, part, whole, row):
    """Return whether article `whole`, which holds the text of article `part`, also tells other stories.

    `row` has the evidence of the pair. A digest is much longer, its rest does not speak of the subject of the part, and the
    two do not agree in their titles.
    """
    part_shingles = s.shingle_offsets[part + 1] - s.shingle_offsets[part]
    whole_shingles = s.shingle_offsets[whole + 1] - s.shingle_offsets[whole]
    if whole_shingles < max(MIN_DIGEST_RATIO * part_shingles, part_shingles + MIN_REST_SHINGLES):
        return False
    agree = row[TITLE_JACCARD] >= MIN_AGREEING_TITLE_JACCARD
    if s.norms[part, WEIGHT_TITLE] == 0 or s.norms[whole, WEIGHT_TITLE] == 0:
        agree = row[LEAD_COSINE] >= MIN_AGREEING_LEAD_COSINE
    if agree and whole_shingles <= MAX_TITLED_RATIO * part_shingles:
        return False
    min_density = MIN_REST_DENSITY_OF_TITLED if agree else MIN_REST_DENSITY
    return compute_rest_density(s, part, whole, part_shingles, whole_shingles - part_shingles) < min_density


@jit
def has_digest(s, one, other, row):
    """Return whether the longer of two articles is a digest, provided that it holds the text of the other."""
    one_shingles = s.shingle_offsets[one + 1] - s.shingle_offsets[one]
    if one_shingles < s.shingle_offsets[other + 1] - s.shingle_offsets[other]:
        return is_digest(s, one, other, row)
    return is_digest(s, other, one, row)


@jit
def compute_rest_density(s, part, whole, part_shingles, rest_shingles):
    """Return how often the rest of article `whole` repeats the terms of article `part`, relative to `part` itself.

    The terms are those of the title and the first 220 words, by weight. 1 means that the rest repeats them as often as the
    part does, 0 that it never does. Terms are sorted by hash in each sketch, so one merge finds the shared ones.
    """
    hashes, facts = s.term_hashes, s.term_facts
    t, end = s.term_offsets[whole], s.term_offsets[whole + 1]
    in_part, in_rest = np.int64(0), np.int64(0)
    for k in range(s.term_offsets[part], s.term_offsets[part + 1]):
        if not is_in_first_220(facts[k]):
            continue
        weight, count = np.int64(facts[k, WEIGHT]), np.int64(facts[k, IN_ALL])
        in_part += weight * count
        while t < end and hashes[t] < hashes[k]:
            t += 1
        if t < end and hashes[t] == hashes[k] and facts[t, IN_ALL] > count:
            in_rest += weight * (np.int64(facts[t, IN_ALL]) - count)
    if in_part == 0 or rest_shingles <= 0:
        return 1.0
    return in_rest * part_shingles / (in_part * rest_shingles)
