from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from newsmaker import Article, corpora, planned, sketched, story, version

from dedup.matching.candidates import fill_candidates, fill_lookup_keys, make_lookup_scratch
from dedup.matching.inverted_index import insert_postings, make_index_for_articles
from dedup.matching.match_params import make_match_params
from dedup.settings.settings import Settings
from dedup.sketches.minhash import compute_signatures
from dedup.sketches.sketch import Sketches

DEFAULTS = Settings()


class Found(NamedTuple):
    others: list[int]
    banded: int
    bounded: int


def candidates(s: Sketches, settings: Settings = DEFAULTS, *, in_order: bool = False) -> list[Found]:
    """Return for each sketch its candidates among those before it, and what else is said of them."""
    rules, count = make_match_params(settings), len(s.text_hashes)
    each = s.salient.shape[1] + settings.bands
    index, scratch = make_index_for_articles(count, each), make_lookup_scratch(count, each)
    out = []
    for a in range(count):
        terms, n = fill_lookup_keys(s, a, scratch.keys)
        m, banded, bounded = fill_candidates(index, s.days, terms, n, s.days[a], rules, in_order, scratch)
        out.append(Found(scratch.candidates[:m].tolist(), int(banded), int(bounded)))
        insert_postings(index, scratch.keys, 0, n, a)
        assert not scratch.overlaps.any(), "the scratch is not left clean"
    return out


def bands(s: Sketches, a: int, settings: Settings) -> Iterator[tuple[int, ...]]:
    """Yield the bands of a signature, each with its number; none for an article without shingles."""
    if s.shingle_offsets[a + 1] > s.shingle_offsets[a]:
        rows = settings.rows
        signature = compute_signatures(s.shingles, s.shingle_offsets, settings.bands * rows, settings.seed)[
            a
        ].tolist()
        for band in range(settings.bands):
            yield (band, *signature[band * rows : (band + 1) * rows])


def shared(s: Sketches, a: int, b: int, settings: Settings = DEFAULTS) -> tuple[int, int]:
    """Return (salient terms, bands) that two sketches share within their windows, counted the obvious way."""
    apart = abs(s.days[a] - s.days[b])  # NaN where one is undated
    terms = set(s.salient[a].tolist()) & set(s.salient[b].tolist()) - {0}
    same = set(bands(s, a, settings)) & set(bands(s, b, settings))
    return (
        0 if apart > settings.window_days else len(terms),
        0 if apart > settings.copy_window_days else len(same),
    )


@given(corpora(least=2, most=25))
@examples(max_examples=30)
def test_candidates_are_those_that_share_enough_terms_or_a_band(articles: list[Article]) -> None:
    s = sketched(articles)

    found = candidates(s)

    for a, (others, banded, bounded) in enumerate(found):
        counts = {b: shared(s, a, b) for b in range(a)}
        assert set(others) == {
            b for b, (terms, same) in counts.items() if same or terms >= DEFAULTS.shared_terms
        }
        assert banded == sum(same > 0 for _, same in counts.values())
        assert not bounded


@given(corpora(least=2, most=25))
@examples(max_examples=20)
def test_those_that_share_most_come_first(articles: list[Article]) -> None:
    s = sketched(articles)

    found = candidates(s)

    for a, (others, *_) in enumerate(found):
        counts = [shared(s, a, b) for b in others]
        weights = [min(terms + 256 * same, 2_048) for terms, same in counts]
        assert weights == sorted(weights, reverse=True)


def test_articles_taken_by_date_find_what_they_find_in_any_order() -> None:
    articles = sorted(
        (a for a in planned(80, seed=2) if a["published"]), key=lambda article: article["published"]
    )
    s = sketched(articles)

    by_date, unsorted = candidates(s, in_order=True), candidates(s, in_order=False)

    assert by_date == unsorted
    assert any(others for others, *_ in by_date)


@pytest.mark.parametrize(
    ("days", "by_terms", "by_bands"), [(4, True, True), (6, False, True), (31, False, False)]
)
def test_windows_bind_terms_and_bands_apart(days: int, by_terms: bool, by_bands: bool) -> None:
    first, later = ({**story(1), "published": 86_400 * (20_000 + d)} for d in (0, days))
    s = sketched([first, later])

    terms, same = shared(s, 0, 1)

    assert (terms > 0, same > 0) == (by_terms, by_bands)
    assert candidates(s)[1].others == ([0] if by_bands else [])


def test_windows_do_not_bind_the_undated() -> None:
    s = sketched([version(1, "undated", 0), {**story(1), "published": 0}, version(1, "undated", 1)])

    found = [sorted(others) for others, *_ in candidates(s)]

    assert found == [[], [0], [0, 1]]


def test_a_copy_among_thousands_is_found() -> None:
    others = [story(number) for number in range(2_000)]
    s = sketched([*others, version(1_234, "reworded", 7)])

    found = candidates(s)[-1].others

    assert found[0] == 1_234


def keyed(salient: list[list[int]]) -> Sketches:
    """Return the sketches of as many articles, looked up by these terms and by no bands."""
    s = sketched([story(1)] * len(salient))
    return s._replace(salient=np.array(salient, np.uint32), bands=np.zeros_like(s.bands))


def test_no_more_postings_than_allowed_are_looked_at_and_the_bound_is_reported() -> None:
    found = candidates(keyed([[7]] * 5), Settings(max_postings=2, shared_terms=1))

    assert [(sorted(others), bounded) for others, _, bounded in found] == [
        ([], 0), ([0], 0), ([0, 1], 0), ([1, 2], 1), ([2, 3], 1),
    ]  # fmt: skip


def test_rare_terms_go_before_frequent_ones_where_not_all_can_be_looked_at() -> None:
    hot, rare = 7, 8
    s = keyed([[hot, rare], *[[hot, 0]] * 9, [hot, rare]])

    found = candidates(s, Settings(max_postings=4, shared_terms=1))[-1]

    assert (sorted(found.others), found.bounded) == ([0, 7, 8, 9], 1)


def test_bands_are_looked_at_however_many_share_a_term() -> None:
    s = sketched([story(1), *[story(2)] * 40, story(1)])
    s = s._replace(salient=np.full_like(s.salient, 7))

    found = candidates(s, Settings(max_postings=33))[-1]

    assert found.others[0] == 0
    assert found.bounded


def test_empty_articles_are_nobodys_candidates() -> None:
    s = sketched(["", "", story(1)["text"], ""])

    assert [others for others, *_ in candidates(s)] == [[], [], [], []]


def test_an_index_for_nothing_can_be_made() -> None:
    assert len(make_index_for_articles(0, 64).slots) > 0
