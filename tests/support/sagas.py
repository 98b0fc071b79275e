"""Results with storylines by decree: what shows them is tested here, and not the model that finds them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
from newsmaker import Article, story

from dedup.pipeline.results import Result

CHAPTERS = 9
STORYLINES = {"c1": [f"c{n}" for n in range(2, CHAPTERS + 1)], "e1": ["e2"]}
"""The article that leads each storyline of `saga`, and those that follow it."""


def saga() -> list[Article]:
    """Return nine chapters, the last undated, the first told again twice and the third once; and two of another storyline."""
    start = story(1)["published"]
    dates = [start + timedelta(days=n) for n in range(CHAPTERS - 1)]
    chapters = [
        {"id": f"c{n}", **story(n), "published": date} for n, date in enumerate([*dates, None], start=1)
    ]
    retellings = [
        {"id": "c1 again", **story(1), "published": start + timedelta(hours=1)},
        {"id": "c1 once more", **story(1), "published": start + timedelta(hours=2)},
        {"id": "c3 again", **story(3), "published": dates[2] + timedelta(hours=1)},
    ]
    others = [{"id": f"e{n}", **story(20 + n), "published": dates[n]} for n in (1, 2)]
    return [*chapters, *retellings, *others]


def linked(result: Result, storylines: Mapping[str, Sequence[str]], probability: float = 0.9) -> Result:
    """Return the result in which each kept article of a storyline follows the one that leads it, and no other follows any."""
    made = result.assignments
    follows, scores, places = np.arange(len(result.ids)), made.scores.copy(), made.evidence_rows.copy()
    for lead, followers in storylines.items():
        for name in followers:
            a = result.ids.index(name)
            follows[a], scores[a], places[a] = result.ids.index(lead), probability, len(made.evidence)
    evidence = np.vstack([made.evidence, np.zeros((1, made.evidence.shape[1]), np.float32)])
    assignments = made._replace(
        storylines=follows[made.leaders], scores=scores, evidence_rows=places, evidence=evidence
    )
    return replace(result, assignments=assignments)
