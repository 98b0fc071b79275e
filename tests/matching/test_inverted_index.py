from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from newsmaker import planned, sketched, story

from dedup.matching import clustering, inverted_index
from dedup.matching.candidates import build_horizon, fill_lookup_keys
from dedup.matching.clustering import assign_leaders, is_date_ordered
from dedup.matching.inverted_index import (
    CELLS_PER_POSTING,
    SLOT_HEAD,
    SLOT_KEY,
    USED_CELLS,
    Horizon,
    InvertedIndex,
    ensure_room,
    find_slot,
    get_chain_length,
    get_latest_block,
    insert_postings,
    make_band_key,
    make_index_for_articles,
    make_term_key,
)
from dedup.matching.match_params import make_match_params
from dedup.settings.settings import Settings
from dedup.sketches.sketch import Sketches

RULES = make_match_params(Settings())
WINDOW, COPY_WINDOW = 5.0, 30.0
NEVER = float("nan")


def chain(index: InvertedIndex, key: int) -> list[int]:
    """Return the articles of a key, the latest first."""
    slot = find_slot(index, np.uint64(key))
    found, block = (
        [],
        int(get_latest_block(index.slots[slot, SLOT_HEAD])) if index.slots[slot, SLOT_KEY] else 0,
    )
    while block:
        before, length = int(index.blocks[block]), int(index.blocks[block + 1])
        found += index.blocks[block + 3 : block + 3 + length][::-1].tolist()
        block = before
    return found


def reach(days: list[float], wanted: list[int]) -> Horizon:
    """Return the reach into articles of some days, where some keys are wanted by articles without a date."""
    keys = np.array(wanted, np.uint64)
    index = make_index_for_articles(1, len(keys))
    insert_postings(index, keys, 0, len(keys), 0)
    return Horizon(np.array(days), WINDOW, COPY_WINDOW, index)


KEYS = [
    int(f(np.uint64(k * 0x9E3779B97F4A7C15 & (1 << 64) - 1)))
    for k in range(1, 9)
    for f in (make_term_key, make_band_key)
]


@given(
    st.lists(
        st.tuples(st.floats(0, 100) | st.just(NEVER), st.sets(st.sampled_from(KEYS), max_size=6)), max_size=80
    ),
    st.sets(st.sampled_from(KEYS), max_size=3),
    st.floats(0, 130) | st.just(NEVER),
)
@examples(max_examples=60)
def test_a_new_index_holds_what_is_in_reach_and_no_more(
    articles: list[tuple[float, set[int]]], wanted: set[int], today: float
) -> None:
    articles.sort(key=lambda article: (np.isnan(article[0]), article[0]))
    days = [day for day, _ in articles]
    index = make_index_for_articles(len(articles), len(KEYS))
    for a, (_, keys) in enumerate(articles):
        insert_postings(index, np.array(sorted(keys), np.uint64), 0, len(keys), a)

    found = ensure_room(index, len(index.slots), today, reach(days, sorted(wanted)))

    for key in KEYS:
        window = np.inf if key in wanted else COPY_WINDOW if key & 1 else WINDOW
        expected = [a for a, (day, keys) in enumerate(articles) if key in keys and not today - day > window]
        assert chain(found, key) == expected[::-1]
        assert get_chain_length(found.slots[find_slot(found, np.uint64(key)), SLOT_HEAD]) == len(expected)


def test_an_index_with_room_stays_as_it_is() -> None:
    index = make_index_for_articles(100, 10)

    assert ensure_room(index, 50, 0.0, reach([], [])) is index


def test_there_is_room_for_new_blocks_of_long_chains() -> None:
    keys = np.array(KEYS, np.uint64)
    long = 31  # blocks of 1, 2, 4, 8 and 16, all full
    index = make_index_for_articles(2 * long, len(keys))
    for a in range(long):
        insert_postings(index, keys, 0, len(keys), a)
    used = int(index.used[USED_CELLS])
    index = index._replace(blocks=index.blocks[: used + CELLS_PER_POSTING * len(keys)].copy())

    found = ensure_room(index, len(keys), -np.inf, reach([0.0] * (long + 1), []))
    insert_postings(found, keys, 0, len(keys), long)

    assert used < found.used[USED_CELLS] <= len(found.blocks)
    assert found.used[USED_CELLS] > used + CELLS_PER_POSTING * len(keys)
    assert chain(found, int(keys[0])) == list(range(long, -1, -1))


def fortnights(articles: int, seed: int) -> Sketches:
    """Return the sketches of articles by date, a few a day over many months, some of them undated at the end."""
    random = Random(seed)
    found = [
        {**article, "published": 86_400 * random.randint(20_000, 20_000 + articles // 4)}
        for article in planned(articles, seed, stories=articles // 8)
    ]
    undated = [
        {**article, "published": None} for article in planned(articles // 10, seed + 1, stories=articles // 8)
    ]
    return sketched(sorted(found, key=lambda article: article["published"]) + undated)


@pytest.mark.parametrize("seed", range(3))
def test_what_is_out_of_reach_is_never_missed(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    s = fortnights(600, seed)
    order, swept = np.arange(len(s.text_hashes)), []
    monkeypatch.setattr(clustering, "CHUNK_SIZE", 16)
    each = s.salient.shape[1] + s.bands.shape[1]
    with monkeypatch.context() as patch:
        patch.setattr(clustering, "make_initial_index", lambda *_: make_index_for_articles(len(order), each))
        whole = assign_leaders(s, order, RULES)

    def counted(index: InvertedIndex, *rest: Any) -> InvertedIndex:
        found = ensure_room(index, *rest)
        swept.append(found is not index)
        return found

    monkeypatch.setattr(inverted_index, "MAX_INITIAL_POSTINGS", 1)
    monkeypatch.setattr(clustering, "ensure_room", counted)
    parts = assign_leaders(s, order, RULES)

    assert is_date_ordered(s.days)
    assert sum(swept) >= 3
    assert all(np.array_equal(one, other) for one, other in zip(whole, parts, strict=True))
    assert (whole.leaders[600:] < 600).any(), "undated articles find dated ones"


def largest_index(s: Sketches, monkeypatch: pytest.MonkeyPatch) -> int:
    """Return the most slots that the index had while some articles were assigned."""
    sizes = []

    def measured(*given: Any) -> InvertedIndex:
        found = ensure_room(*given)
        sizes.append(len(found.slots))
        return found

    monkeypatch.setattr(clustering, "ensure_room", measured)
    assign_leaders(s, np.arange(len(s.text_hashes)), RULES)
    return max(sizes)


def test_an_index_grows_with_what_windows_hold_and_not_with_the_corpus(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(clustering, "CHUNK_SIZE", 64)
    monkeypatch.setattr(inverted_index, "MIN_INITIAL_ARTICLES", 1)
    few, many = (
        [{**story(n), "published": 86_400 * (20_000 + n)} for n in range(size)] for size in (400, 1_600)
    )

    sizes = [largest_index(sketched(articles), monkeypatch) for articles in (few, many)]
    undated = largest_index(sketched([{**article, "published": None} for article in many]), monkeypatch)

    assert sizes[0] == sizes[1]
    assert undated >= 4 * sizes[1]


def test_there_is_room_at_first_for_what_is_in_reach_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    s = fortnights(400, 7)
    order, grown = np.arange(len(s.text_hashes)), []

    def counted(index: InvertedIndex, *rest: Any) -> InvertedIndex:
        found = ensure_room(index, *rest)
        grown.append(len(found.slots) > len(index.slots))
        return found

    monkeypatch.setattr(clustering, "CHUNK_SIZE", 16)
    monkeypatch.setattr(inverted_index, "MIN_INITIAL_ARTICLES", 1)
    monkeypatch.setattr(clustering, "ensure_room", counted)
    assign_leaders(s, order, RULES)

    assert len(grown) > 20
    assert not any(grown)


def test_out_of_order_or_undated_all_is_in_reach() -> None:
    s = fortnights(80, 1)
    order = np.arange(len(s.text_hashes))
    nobody = s._replace(days=np.full(len(order), np.nan))

    for sketches, in_order in ((s, False), (nobody, True)):
        found = build_horizon(sketches, order, RULES, in_order=in_order)
        assert (found.window_days, found.copy_window_days) == (np.inf, np.inf)


def test_the_keys_of_terms_and_of_bands_are_told_apart() -> None:
    s = sketched([story(1)])
    keys = np.zeros(s.salient.shape[1] + s.bands.shape[1], np.uint64)

    terms, n = fill_lookup_keys(s, 0, keys)

    assert 0 < terms < n
    assert [int(key) & 1 for key in keys[:n]] == [0] * terms + [1] * (n - terms)


def test_keys_that_lie_close_together_are_spread_over_the_table() -> None:
    index = make_index_for_articles(1, 1000)
    keys = np.uint64(1 << 40) + np.arange(0, 2000, 2, dtype=np.uint64) * np.uint64(1 << 33)

    slots = {int(find_slot(index, key)) for key in keys}

    assert max(slots) - min(slots) > len(index.slots) // 2


def test_the_secret_factor_changes_where_keys_stand_and_not_what_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keys = np.arange(2, 400, 2, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    chains, slots = [], []
    for factor in (1, 0x5851F42D4C957F2D):
        monkeypatch.setattr("dedup.matching.inverted_index.PROCESS_FACTOR", factor)
        index = make_index_for_articles(3, len(keys))
        for a in range(3):
            insert_postings(index, keys, a, len(keys), a)
        chains.append([chain(index, int(key)) for key in keys])
        slots.append([int(find_slot(index, key)) for key in keys])

    assert chains[0] == chains[1]
    assert slots[0] != slots[1]
