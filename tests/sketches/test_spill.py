import mmap
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from newsmaker import batch, planned

from dedup.errors import OutputError
from dedup.pipeline.deduplicate import deduplicate
from dedup.settings.settings import Settings
from dedup.sketches import spill as shelf_module
from dedup.sketches.sketch import Sketches, concat_sketches, select_sketches, sketch_batch
from dedup.sketches.spill import SPILLED_FIELDS, SketchStore, measure_resident_file_bytes

WHOLE = batch([*planned(40, seed=3), {"id": "nothing", "text": ""}])
PARTS = [sketch_batch(WHOLE.slice(first, 7)) for first in range(0, WHOLE.num_rows, 7)]


def same(a: Sketches, b: Sketches) -> bool:
    """Return whether two batches of sketches hold the same bits in arrays of the same kind."""
    return all(
        (x.dtype, x.shape, x.flags.writeable) == (y.dtype, y.shape, y.flags.writeable)
        and np.array_equal(x, y, equal_nan=x.dtype.kind == "f")
        for x, y in zip(a, b, strict=True)
    )


def shelved(parts: list[Sketches], memory: int) -> SketchStore:
    """Return a shelf that holds some sketches."""
    shelf = SketchStore(memory)
    for part in parts:
        shelf.append_batch(part)
    return shelf


@pytest.mark.parametrize("memory", [0, 20_000, 1 << 30])
def test_what_was_put_away_comes_back_whatever_the_memory(memory: int) -> None:
    shelf = shelved(PARTS, memory)

    assert (shelf.bytes_in_files > 0) == (memory < 1 << 30)
    assert same(shelf.load_sketches(), concat_sketches(PARTS))


@pytest.mark.parametrize("memory", [0, 1 << 30])
def test_the_parts_stay_as_they_are(memory: int) -> None:
    before = [array.copy() for array in PARTS[0]]

    shelved(PARTS, memory)

    assert same(PARTS[0], Sketches(*before))


def test_sketches_without_a_word_fill_no_file() -> None:
    empty = sketch_batch(batch([{"text": ""}, {"text": ""}]))

    assert same(shelved([empty, empty], 0).load_sketches(), concat_sketches([empty, empty]))


def test_all_that_grows_with_the_text_goes_to_files() -> None:
    short, long = (
        sketch_batch(batch(planned(5, seed=1))),
        sketch_batch(batch([{"text": a["text"] * 9} for a in planned(5, 1)])),
    )
    small = Sketches._fields[0:4] + tuple(name for name in Sketches._fields if name.endswith("_offsets"))

    assert set(Sketches._fields) - set(small) == SPILLED_FIELDS
    assert all(getattr(short, name).nbytes == getattr(long, name).nbytes for name in small)


@pytest.mark.parametrize("shuffled", [True, False])
def test_files_are_put_in_order_where_it_is_another(
    monkeypatch: pytest.MonkeyPatch, *, shuffled: bool
) -> None:
    monkeypatch.setattr(shelf_module, "MAX_MEAN_GAP", 2)
    shelf, whole = shelved(PARTS, 0), concat_sketches(PARTS)
    order = (
        np.random.default_rng(1).permutation(len(whole.text_hashes))[:-3]
        if shuffled
        else np.arange(len(whole.text_hashes))
    )
    shelf.load_sketches()

    near = shelf.order_by(order)

    assert (near is shelf) != shuffled
    assert same(
        near.load_sketches(),
        concat_sketches([select_sketches(whole, order[n : n + 1]) for n in range(len(order))]),
    )
    assert shelf.order_by(order.copy()) is near


@pytest.mark.parametrize("memory", [0, 1 << 30])
def test_a_table_comes_back_as_it_was(memory: int) -> None:
    shelf = shelved(PARTS, memory)
    filed = shelf.bytes_in_files

    held = shelf.store_table(pa.Table.from_batches([WHOLE]))
    shelf.release_pages()

    assert held.equals(pa.Table.from_batches([WHOLE]))
    assert (shelf.bytes_in_files > filed) == (memory == 0)


def test_sketches_in_memory_stay_where_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf_module, "MAX_MEAN_GAP", 2)
    shelf = shelved(PARTS, 1 << 30)
    shelf.load_sketches()

    assert shelf.order_by(np.random.default_rng(1).permutation(len(WHOLE))) is shelf


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
def test_a_full_disk_is_an_error_and_not_a_lost_table(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = shelved(PARTS, 0)
    monkeypatch.setattr("tempfile.TemporaryFile", full)

    with pytest.raises(OutputError, match="No space left on device"):
        shelf.store_table(pa.Table.from_batches([WHOLE]))


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux tells how much is in memory")
def test_pages_beyond_the_budget_are_given_back() -> None:
    shelf = shelved(PARTS * 200, 0)
    sketches = shelf.load_sketches()
    looked_at = sum(int(array.sum()) for array in sketches if array.dtype.kind == "u")
    before = measure_resident_file_bytes()

    shelf.release_pages()

    assert looked_at
    assert before - measure_resident_file_bytes() >= shelf.bytes_in_files / 2 > 1 << 21
    assert np.array_equal(sketches.shingles[: len(PARTS[0].shingles)], PARTS[0].shingles)


def test_pages_within_the_budget_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = shelved(PARTS, 20_000)
    sketches = shelf.load_sketches()
    monkeypatch.setattr(shelf_module, "measure_resident_file_bytes", lambda: 20_000.0)
    given_back: list[mmap.mmap] = []
    monkeypatch.setattr(shelf, "_maps", [Told(given_back)])

    shelf.release_pages()
    assert given_back == []

    monkeypatch.setattr(shelf_module, "measure_resident_file_bytes", lambda: 20_001.0)
    shelf.release_pages()
    assert len(given_back) == 1
    assert sketches.shingles.size


class Told:
    """Mapped pages that only take note of being given back."""

    def __init__(self, given_back: list[Any]) -> None:
        self.given_back = given_back

    def madvise(self, advice: int) -> None:
        self.given_back.append(advice)


@pytest.mark.parametrize("near", [2, 1 << 20])
def test_results_do_not_depend_on_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, near: int
) -> None:
    monkeypatch.setattr(shelf_module, "MAX_MEAN_GAP", near)
    articles = planned(150, seed=9, stories=30)
    articles += articles[::7]

    at_once, in_files = (
        deduplicate(articles, Settings(memory=memory, work_dir=str(tmp_path))) for memory in (1 << 30, 0)
    )

    assert [list(result) for result in (at_once,)] == [list(in_files)]
    assert len(at_once.dropped) > 50


def test_files_have_no_name_and_leave_nothing(tmp_path: Path) -> None:
    shelf = SketchStore(0, str(tmp_path))

    shelf.append_batch(PARTS[0])

    assert shelf.bytes_in_files > 0
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="gone: No such file"):
        SketchStore(0, str(tmp_path / "gone")).append_batch(PARTS[0])


def full(**_given: object) -> Any:
    """Return a file on a disk without room."""
    return Path("/dev/full").open("wb", buffering=0)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
def test_a_full_disk_is_an_error_and_not_a_lost_sketch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.TemporaryFile", full)

    with pytest.raises(OutputError, match="No space left on device"):
        shelved(PARTS * 100, 0).load_sketches()
