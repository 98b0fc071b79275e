"""However many rejects there are, memory stays small, and the list is like any other."""

import tracemalloc
from pathlib import Path

import pytest
from corpora import ids, jsonl, lines, rows

from dedup.errors import InputError
from dedup.io.corpus import read_articles
from dedup.io.records import Reject
from dedup.io.rejects import MAX_REJECTS_IN_MEMORY, LineSet, RejectList

COUNT = 2 * MAX_REJECTS_IN_MEMORY + 5


def make_reject(number: int) -> Reject:
    return Reject("a.jsonl", None if number == 7 else number, "broken JSON", f"\ud800 é {number}")


def append_all(to: RejectList, rejects: RejectList) -> None:
    for reject in rejects:
        to.append(reject)


@pytest.fixture
def rejects() -> RejectList:
    made = RejectList()
    for number in range(COUNT):
        made.append(make_reject(number))
    return made


def test_rejects_on_the_disk_are_as_they_were(rejects: RejectList) -> None:
    assert len(rejects) == COUNT
    assert list(rejects) == [make_reject(number) for number in range(COUNT)]
    assert rejects == [make_reject(number) for number in range(COUNT)]
    assert rejects != [make_reject(number) for number in range(COUNT - 1)]


@pytest.mark.parametrize("index", [0, 7, MAX_REJECTS_IN_MEMORY + 3, COUNT - 1, -1, -COUNT])
def test_a_reject_is_found_by_its_position(rejects: RejectList, index: int) -> None:
    assert rejects[index] == make_reject(index % COUNT)


@pytest.mark.parametrize("index", [COUNT, -COUNT - 1])
def test_a_position_beyond_the_list_is_an_error(rejects: RejectList, index: int) -> None:
    with pytest.raises(IndexError):
        rejects[index]


@pytest.mark.parametrize("part", [slice(3), slice(-3, None), slice(None, None, 500), slice(9, 2, -2)])
def test_a_slice_is_a_list(rejects: RejectList, part: slice) -> None:
    assert rejects[part] == [make_reject(number) for number in range(COUNT)][part]


def test_rejects_can_be_added_and_read_in_turn(rejects: RejectList) -> None:
    first = iter(rejects)
    assert next(first) == make_reject(0)

    rejects.append(make_reject(COUNT))

    assert [next(first) for _ in range(5)] == [make_reject(number) for number in range(1, 6)]
    assert rejects[-1] == make_reject(COUNT)


def test_a_full_disk_is_an_error_in_one_sentence(
    rejects: RejectList, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("dedup.io.rejects.tempfile.TemporaryFile", refuse)
    full = RejectList()

    with pytest.raises(InputError, match="cannot keep rejects in a temporary file: No space left"):
        append_all(full, rejects)


def test_a_set_of_lines_holds_what_was_added() -> None:
    held = LineSet()
    for line in (9, 1, 1000, 8):
        held.add(line)

    assert [line for line in range(2000) if line in held] == [1, 8, 9, 1000]


def test_many_broken_lines_take_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "broken.jsonl"
    path.write_bytes(b'{"text": "never closed \n' * 100_000 + jsonl({"id": "last", "text": "a"}))
    corpus = read_articles(path)
    rows(read_articles(path))  # whatever is imported or cached once is in memory now
    tracemalloc.start()

    found = ids(corpus)

    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (found, len(corpus.rejects), len(lines(corpus))) == (["last"], 100_000, 1)
    assert corpus.rejects[-1].line == 100_000
    assert held < 4 << 20, "a megabyte or two of recent rejects, and not 50 of them all"
