"""The shingles that an article shares with each earlier one are those of their intersections."""

import numpy as np
import pytest

from dedup.origins.shared_shingles import iter_shared_counts
from dedup.origins.trace import StoryArticle, find_parents
from dedup.settings.settings import Settings


@pytest.mark.parametrize("lengths", [[], [0], [0, 0, 5], [5, 0, 0], [9, 0, 30, 1, 0, 20, 30]])
def test_the_counts_are_the_sizes_of_the_intersections(lengths: list[int]) -> None:
    random = np.random.default_rng(1)
    sets = [np.unique(random.integers(0, 40, length).astype(np.uint32)) for length in lengths]

    counts = [found.tolist() for found in iter_shared_counts(sets)]

    assert counts == [[len(np.intersect1d(own, other)) for other in sets[:n]] for n, own in enumerate(sets)]


def test_articles_without_words_have_no_parent() -> None:
    articles = [
        StoryArticle(name, None, None, None, None, np.zeros(0, np.uint32), text_hash=7) for name in "abc"
    ]

    assert find_parents(articles, Settings()) == []
