"""A pair of sketches → its evidence, exactly: what the two articles share, as a row of named numbers.

In: two positions in a batch of sketches. Out: `FEATURES`, float32, computed from the sketches alone (law 1). Similar
events share the *words* of an event and not its names; chapters of a saga share the *names* and not the words. So
cosines are taken for names and for other words apart and joined by their geometric mean, which asks for both.
"""

import numpy as np

from dedup.kernel import inlined, kernel
from dedup.shingles import shared
from dedup.terms import FIGURE, IN_45, IN_80, IN_220, IN_ALL, IN_TITLE, NAME
from dedup.vocabulary import WEIGHT_SCALE

FEATURES = (
    "story_45",
    "story_80",
    "story_220",
    "lead_cosine",
    "opening_cosine",
    "text_cosine",
    "names_jaccard",
    "quotes",
    "numbers",
    "days",
    "undated",
    "containment",
    "names_whole",
    "words_whole",
    "title_story",
    "heavy_shared",
    "facts_220",
    "numbers_lead",
)
"""The names of the columns of evidence, in order."""
COUNT = len(FEATURES)
LOGS = (1.0 + np.log(np.maximum(np.arange(512), 1))).astype(np.float32)
LOGS[0] = 0.0
"""1 + ln(count): how much a repeated term counts."""


@inlined
def cosine(dot, a, b):
    """Return the cosine from a dot product and two squared norms; 0 where either is empty."""
    return dot / np.sqrt(a * b) if a > 0 and b > 0 else np.float32(0.0)


@kernel
def fill_evidence(s, i, j, out):
    """Write the evidence for sketches `i` and `j` of `s` into `out` (float32, one value a feature)."""
    # sums[window, kind is name, (dot, norm i, norm j)] for title + 45, 80, 220, all, title only
    sums = np.zeros((5, 2, 3), np.float32)
    lead = np.zeros(3, np.float32)
    opening = np.zeros(3, np.float32)
    whole = np.zeros(3, np.float32)
    names_both, names_either = np.float32(0.0), np.float32(0.0)
    facts_both, facts_either = np.float32(0.0), np.float32(0.0)
    numbers = np.zeros(3, np.float32)
    numbers_lead = np.zeros(3, np.float32)
    heavy = np.float32(0.0)
    p, q = s.term_offsets[i], s.term_offsets[j]
    p_end, q_end = s.term_offsets[i + 1], s.term_offsets[j + 1]
    nothing = np.zeros(5, np.uint8)
    while p < p_end or q < q_end:
        left = p < p_end and (q >= q_end or s.term_hashes[p] <= s.term_hashes[q])
        right = q < q_end and (p >= p_end or s.term_hashes[q] <= s.term_hashes[p])
        a = s.term_counts[p] if left else nothing
        b = s.term_counts[q] if right else nothing
        weight = np.float32(s.term_weights[p] if left else s.term_weights[q]) / np.float32(WEIGHT_SCALE)
        figure = (left and s.term_kinds[p] == FIGURE) or (right and s.term_kinds[q] == FIGURE)
        name = 1 if (left and s.term_kinds[p] == NAME) or (right and s.term_kinds[q] == NAME) else 0
        at, bt = np.int64(a[IN_TITLE]), np.int64(b[IN_TITLE])
        for window in range(5):
            x = weight * LOGS[at + (a[IN_45 + window] if window < 4 else 0)]
            y = weight * LOGS[bt + (b[IN_45 + window] if window < 4 else 0)]
            sums[window, name, 0] += x * y
            sums[window, name, 1] += x * x
            sums[window, name, 2] += y * y
            if window == 1:
                opening[0] += x * y
                opening[1] += x * x
                opening[2] += y * y
            if window == 3:
                whole[0] += x * y
                whole[1] += x * x
                whole[2] += y * y
        x, y = weight * LOGS[a[IN_45]], weight * LOGS[b[IN_45]]
        lead[0] += x * y
        lead[1] += x * x
        lead[2] += y * y
        in_a, in_b = at + a[IN_220] > 0, bt + b[IN_220] > 0
        if name and (in_a or in_b):
            names_either += weight
            if in_a and in_b:
                names_both += weight
        if (name or figure) and (in_a or in_b):
            facts_either += weight
            if in_a and in_b:
                facts_both += weight
        if in_a and in_b and weight > 2.0:
            heavy += weight - np.float32(2.0)
        if figure:
            numbers[0] += weight if left and right else np.float32(0.0)
            numbers[1] += weight if left else np.float32(0.0)
            numbers[2] += weight if right else np.float32(0.0)
            numbers_lead[0] += weight if in_a and in_b else np.float32(0.0)
            numbers_lead[1] += weight if in_a else np.float32(0.0)
            numbers_lead[2] += weight if in_b else np.float32(0.0)
        p += left
        q += right
    for window in range(3):
        out[window] = np.sqrt(
            cosine(sums[window, 0, 0], sums[window, 0, 1], sums[window, 0, 2])
            * cosine(sums[window, 1, 0], sums[window, 1, 1], sums[window, 1, 2])
        )
    out[3] = cosine(lead[0], lead[1], lead[2])
    out[4] = cosine(opening[0], opening[1], opening[2])
    out[5] = cosine(whole[0], whole[1], whole[2])
    out[6] = names_both / names_either if names_either > 0 else 0.0
    quotes = shared(
        s.quotes[s.quote_offsets[i] : s.quote_offsets[i + 1]], s.quotes[s.quote_offsets[j] : s.quote_offsets[j + 1]]
    )
    out[7] = np.log1p(quotes)
    fewer = min(numbers[1], numbers[2])
    out[8] = numbers[0] / fewer if fewer > 0 else 0.0
    undated = np.isnan(s.days[i]) or np.isnan(s.days[j])
    out[9] = 0.0 if undated else np.sqrt(abs(s.days[i] - s.days[j]) / 30.0)
    out[10] = undated
    a_set = s.shingles[s.shingle_offsets[i] : s.shingle_offsets[i + 1]]
    b_set = s.shingles[s.shingle_offsets[j] : s.shingle_offsets[j + 1]]
    least = min(len(a_set), len(b_set))
    out[11] = np.sqrt(shared(a_set, b_set) / least) if least > 0 else 0.0
    out[12] = cosine(sums[3, 1, 0], sums[3, 1, 1], sums[3, 1, 2])
    out[13] = cosine(sums[3, 0, 0], sums[3, 0, 1], sums[3, 0, 2])
    out[14] = np.sqrt(
        cosine(sums[4, 0, 0], sums[4, 0, 1], sums[4, 0, 2]) * cosine(sums[4, 1, 0], sums[4, 1, 1], sums[4, 1, 2])
    )
    out[15] = np.log1p(heavy)
    out[16] = facts_both / facts_either if facts_either > 0 else 0.0
    fewer = min(numbers_lead[1], numbers_lead[2])
    out[17] = numbers_lead[0] / fewer if fewer > 0 else 0.0


@kernel
def evidence_of(s, left, right):
    """Return the evidence (pairs × features, float32) for pairs of positions in `s`."""
    out = np.zeros((len(left), COUNT), np.float32)
    for k in range(len(left)):
        fill_evidence(s, left[k], right[k], out[k])
    return out
