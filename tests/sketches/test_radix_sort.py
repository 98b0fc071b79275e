import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.sketches.radix_sort import make_bucket_counts, sort_distinct_hashes, sort_hashes

WIDTHS = {32: np.uint32, 64: np.uint64}


def ordered(values: list[int], width: int) -> list[int]:
    """Return the values as the kernel orders them."""
    array = np.array(values, WIDTHS[width])
    sort_hashes(array, len(array), width, array.copy(), make_bucket_counts())
    return list(map(int, array))


@pytest.mark.parametrize("width", WIDTHS)
@given(data=st.data())
def test_any_values_come_out_in_order(width: int, data: st.DataObject) -> None:
    values = data.draw(st.lists(st.integers(0, 2**width - 1), max_size=300))

    assert ordered(values, width) == sorted(values)


@pytest.mark.parametrize("n", [2, 3, 16, 17, 1_000, 5_000, 200_000])
def test_values_that_all_fall_into_one_bucket_come_out_in_order(n: int) -> None:
    values = np.random.default_rng(n).integers(0, 2**15, n).tolist()

    assert ordered(values, 32) == sorted(values)


@pytest.mark.parametrize("n", [1_000, 100_000])
@pytest.mark.parametrize("turn", [1, -1])
def test_values_in_order_and_in_reverse_come_out_in_order(n: int, turn: int) -> None:
    values = list(range(n))

    assert ordered(values[::turn], 32) == values


def test_repeats_are_dropped() -> None:
    values = np.array([7, 3, 7, 7, 1, 3, 9], np.uint32)

    n = sort_distinct_hashes(values, 6, 32, values.copy(), make_bucket_counts())

    assert values[:n].tolist() == [1, 3, 7]
    assert values[6] == 9, "what lies beyond is left alone"
