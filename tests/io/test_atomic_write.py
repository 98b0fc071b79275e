"""What is written is whole or not there, in the format and compression that its name asks for."""

import bz2
import csv
import errno
import gzip
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest
from corpora import STORIES, ids, json_values, jsonl, lines, rows
from hypothesis import given
from hypothesis import strategies as st

from dedup.errors import OutputError
from dedup.io.atomic_write import open_atomic, write_records, write_rejects
from dedup.io.corpus import Reject, read_articles
from dedup.io.records import Record

TABLES = ["csv", "tsv", "parquet"]
PACKINGS = ["", ".gz", ".zst", ".bz2"]


def test_a_file_takes_its_place_only_at_the_end(tmp_path: Path) -> None:
    place = tmp_path / "kept.jsonl"
    place.write_bytes(b"before")

    with open_atomic(place) as file:
        file.write(b"after")
        file.flush()
        during = place.read_bytes(), len(list(tmp_path.iterdir()))

    assert during == (b"before", 2)
    assert place.read_bytes() == b"after"
    assert list(tmp_path.iterdir()) == [place]


def fail_halfway(place: Path, error: type[BaseException]) -> None:
    with open_atomic(place) as file:
        file.write(b"half" * 100_000)
        raise error


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit, GeneratorExit])
@pytest.mark.parametrize("packing", PACKINGS)
def test_a_failure_leaves_what_was_there_and_nothing_else(
    tmp_path: Path, error: type[BaseException], packing: str
) -> None:
    old = tmp_path / f"old.jsonl{packing}"
    old.write_bytes(b"before")

    for place in (old, tmp_path / f"new.jsonl{packing}"):
        with pytest.raises(error):
            fail_halfway(place, error)

    assert list(tmp_path.iterdir()) == [old]
    assert old.read_bytes() == b"before"


def test_a_killed_process_leaves_no_half_file_in_the_place(tmp_path: Path) -> None:
    script = """
import os, signal, sys
from dedup.io.atomic_write import open_atomic
with open_atomic(sys.argv[1]) as file:
    file.write(b"half")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""
    (tmp_path / "kept.jsonl").write_bytes(b"before")

    done = subprocess.run([sys.executable, "-c", script, tmp_path / "kept.jsonl"], check=False)

    assert done.returncode == -signal.SIGKILL
    assert (tmp_path / "kept.jsonl").read_bytes() == b"before"


def test_the_permissions_of_a_replaced_file_are_kept_and_those_of_a_new_one_are_usual(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"")
    (tmp_path / "old").chmod(0o640)
    (tmp_path / "usual").write_bytes(b"")

    for name in ("old", "new"):
        with open_atomic(tmp_path / name) as file:
            file.write(b"x")

    assert (tmp_path / "old").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_link_goes_on_pointing_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.gz").symlink_to(tmp_path / "folder" / "file")

    with open_atomic(tmp_path / "link.gz") as file:
        file.write(b"x")

    assert (tmp_path / "link.gz").is_symlink()
    assert gzip.decompress((tmp_path / "folder" / "file").read_bytes()) == b"x"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("missing/kept.jsonl", "No such file or directory"),
        ("folder", "Is a directory"),
        ("file/kept.jsonl", "Not a directory"),
        ("x" * 300, "File name too long"),
    ],
)
def test_a_place_that_cannot_be_written_is_an_error_in_one_sentence(
    tmp_path: Path, name: str, sentence: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(OutputError, match=rf"^cannot write .*{name[-9:]}: {sentence}$"):
        write_records(tmp_path / name, [])

    assert {path.name for path in tmp_path.iterdir()} == {"folder", "file"}


def test_what_one_may_not_write_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "kept.jsonl").write_bytes(b"before")
    monkeypatch.setattr("os.access", lambda *_: False)

    with pytest.raises(OutputError, match=r"cannot write .*kept\.jsonl: Permission denied"):
        write_records(tmp_path / "kept.jsonl", [])

    assert (tmp_path / "kept.jsonl").read_bytes() == b"before"


FILL = """
import resource, sys
from dedup.errors import OutputError
from dedup.io.atomic_write import write_records
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    write_records(sys.argv[1], ({"text": str(n ** 99)} for n in range(10_000)))
except OutputError as error:
    print(error)
"""


@pytest.mark.parametrize("name", ["kept.jsonl", "kept.jsonl.gz", "kept.jsonl.zst", "kept.jsonl.bz2"])
def test_a_full_disk_is_an_error_that_leaves_nothing(tmp_path: Path, name: str) -> None:
    command = [sys.executable, "-c", FILL, str(tmp_path / name)]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.stdout == f"cannot write {tmp_path / name}: File too large\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_a_full_device_behind_standard_output_is_an_error() -> None:
    script = """
import os, sys
from dedup.errors import OutputError
from dedup.io.atomic_write import write_records
try:
    write_records("-", [{"text": "x"}] * 10_000)
except OutputError as error:
    print(error, file=sys.stderr, flush=True)
    os._exit(1)
"""
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", script], stdout=full, stderr=subprocess.PIPE, check=False
        )

    assert done.stderr == b"cannot write standard output: No space left on device\n"


def test_an_error_of_the_caller_is_not_taken_for_a_full_disk(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), open_atomic(tmp_path / "kept.jsonl"):
        raise FileNotFoundError(errno.ENOENT, "of the caller's own")


@pytest.mark.parametrize("link", [False, True])
def test_what_is_no_file_is_written_to_directly(tmp_path: Path, link: bool) -> None:
    """A pipe stands for every device: were this broken, root's tests would replace /dev/null by a file."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    place = tmp_path / "link" if link else pipe
    if link:
        place.symlink_to(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)

    write_records(place, [{"text": "x"}])

    assert os.read(reader, 100) == b'{"text":"x"}\n'
    os.close(reader)
    assert pipe.is_fifo()


@pytest.mark.parametrize("place", ["-", None])
def test_the_dash_is_standard_output(capfdbinary: pytest.CaptureFixture[bytes], place: str | None) -> None:
    write_records(place, [{"text": "é"}])

    assert capfdbinary.readouterr().out == '{"text":"é"}\n'.encode()


@pytest.mark.parametrize("name", ["-", "kept.csv"])
def test_a_reader_that_closes_the_pipe_is_a_broken_pipe(tmp_path: Path, name: str) -> None:
    script = """
import os, sys
from dedup.io.atomic_write import write_records
try:
    write_records(sys.argv[1], [{"text": "x" * 1000}] * 1000)
except BrokenPipeError:
    os._exit(42)
"""
    place = name
    if name != "-":
        place = str(tmp_path / name)
        os.mkfifo(place)
    process = subprocess.Popen([sys.executable, "-c", script, place], stdout=subprocess.PIPE)
    assert process.stdout is not None
    with Path(place).open("rb") if name != "-" else process.stdout as reader:
        reader.read(10)
    process.stdout.close()

    assert process.wait(timeout=60) == 42


# Records


@pytest.mark.parametrize("packing", PACKINGS)
def test_records_are_written_byte_for_byte(tmp_path: Path, packing: str) -> None:
    odd = [b'{ "text" :"a" }  ', b'{"text":"\\u00e9"}\r', b'{"text":"b"}']
    (tmp_path / "in.jsonl").write_bytes(jsonl(*odd))
    place = tmp_path / f"out.jsonl{packing}"

    written = write_records(place, read_articles(tmp_path / "in.jsonl").iter_records())

    assert written == 3
    assert lines(read_articles(place)) == odd


def test_records_may_be_records_dicts_and_lines(tmp_path: Path) -> None:
    place = tmp_path / "out.jsonl"

    write_records(place, [Record(b'{"a":  1}'), Record({"b": 2}), {"c": 3}, b'{"d":  4}'])

    assert place.read_bytes() == b'{"a":  1}\n{"b":2}\n{"c":3}\n{"d":  4}\n'


def test_compressed_output_depends_on_the_records_alone(tmp_path: Path) -> None:
    for packing in (".gz", ".bz2", ".zst"):
        one, other = tmp_path / f"one.jsonl{packing}", tmp_path / f"other.jsonl{packing}"
        write_records(one, STORIES)
        write_records(other, STORIES)

        assert one.read_bytes() == other.read_bytes()
    assert (tmp_path / "one.jsonl.gz").read_bytes()[4:8] == bytes(4), "the time of writing is in the file"


def test_other_programs_can_unpack_what_is_written(tmp_path: Path) -> None:
    write_records(tmp_path / "a.jsonl.gz", STORIES)
    write_records(tmp_path / "a.jsonl.bz2", STORIES)

    plain = b"".join(Record(story).to_line() + b"\n" for story in STORIES)
    assert gzip.decompress((tmp_path / "a.jsonl.gz").read_bytes()) == plain
    assert bz2.decompress((tmp_path / "a.jsonl.bz2").read_bytes()) == plain


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("kind", TABLES)
def test_a_table_holds_the_same_articles(tmp_path: Path, kind: str, packing: str) -> None:
    place = tmp_path / f"kept.{kind}{packing}"

    write_records(place, STORIES)

    write_records(tmp_path / "kept.jsonl", STORIES)
    assert rows(read_articles(place)) == rows(read_articles(tmp_path / "kept.jsonl"))


def test_a_csv_has_every_field_in_the_order_first_seen(tmp_path: Path) -> None:
    records: list[dict[str, Any]] = [
        {"text": "a", "n": 1, "ok": True},
        {"id": "x", "text": 'say "b", c\nd', "list": [1, {"é": None}], "n": None},
        {"text": "", "n": 1.5, "at": datetime(2024, 1, 31, tzinfo=UTC)},
    ]
    place = tmp_path / "kept.csv"

    write_records(place, iter(records))

    assert place.read_text().splitlines() == [
        "text,n,ok,id,list,at",
        "a,1,true,,,",
        '"say ""b"", c',
        'd",,,x,"[1,{""é"":null}]",',
        ",1.5,,,,2024-01-31T00:00:00+00:00",
    ]


def test_a_parquet_file_keeps_the_types_of_its_values(tmp_path: Path) -> None:
    at = datetime(2024, 1, 31, tzinfo=UTC)
    records = [
        {
            "text": "a",
            "n": 1,
            "at": at,
            "list": ["x"],
            "whole": {"a": 1},
            "none": None,
            "mixed": 1,
            "empty": {},
        },
        {"text": "b", "n": 2, "at": at, "list": [], "whole": {"b": "x"}, "mixed": "one", "late": True},
    ]

    write_records(tmp_path / "kept.parquet", records)

    table = pyarrow.parquet.read_table(tmp_path / "kept.parquet")
    assert table.schema.names == ["text", "n", "at", "list", "whole", "none", "mixed", "empty", "late"]
    assert pa.types.is_integer(table.schema.field("n").type)
    assert table["at"].to_pylist() == [at, at]
    assert table["whole"].to_pylist() == [{"a": 1, "b": None}, {"a": None, "b": "x"}]
    assert table["mixed"].to_pylist() == ["1", "one"]
    assert table["empty"].to_pylist() == ["{}", None]
    assert table["late"].to_pylist() == [None, True]


def test_parquet_types_may_change_between_batches(tmp_path: Path) -> None:
    values: list[Any] = [1, 2.5, "text", None, {"a": 1}, 10**30, "\ud800"]
    many = [{"text": str(n), "v": value} for value in values for n in range(5000)]

    write_records(tmp_path / "kept.parquet", many)
    write_records(tmp_path / "numbers.parquet", many[:10_000])

    found = pyarrow.parquet.read_table(tmp_path / "kept.parquet")["v"].to_pylist()
    expected = ["1", "2.5", "text", None, '{"a":1}', "1" + "0" * 30, "\ufffd"]
    assert [_number(value) for value in found[2500::5000]] == expected
    numbers = pyarrow.parquet.read_table(tmp_path / "numbers.parquet")["v"]
    assert numbers.to_pylist() == [1.0] * 5000 + [2.5] * 5000


def _number(value: str | None) -> str | None:
    """Return a whole number without its point: a batch of whole and other numbers holds all with one."""
    return value.removesuffix(".0") if value else value


records_of_any_kind = st.lists(
    st.dictionaries(st.text(min_size=1, max_size=3), json_values, max_size=4).map(
        lambda o: o | {"text": "t"}
    ),
    max_size=5,
)


@pytest.mark.parametrize("kind", TABLES)
@given(records=records_of_any_kind)
def test_any_records_make_a_table(
    tmp_path_factory: pytest.TempPathFactory, kind: str, records: list[dict[str, Any]]
) -> None:
    place = tmp_path_factory.mktemp("any") / f"kept.{kind}"

    written = write_records(place, records)

    corpus = read_articles(place)
    if records:
        assert len(rows(corpus)) == written == len(records)
        assert corpus.rejects == []


def test_rejects_are_written_as_json_lines(tmp_path: Path) -> None:
    rejects = [Reject("a.jsonl", 3, "broken JSON", '{"é'), Reject("b.gz", None, "damaged", "")]

    written = write_rejects(tmp_path / "kept.rejects.jsonl", rejects)

    assert written == 2
    assert [json.loads(line) for line in (tmp_path / "kept.rejects.jsonl").read_bytes().splitlines()] == [
        {"file": "a.jsonl", "line": 3, "reason": "broken JSON", "record": '{"é'},
        {"file": "b.gz", "line": None, "reason": "damaged", "record": ""},
    ]


def test_an_error_in_the_records_leaves_no_file(tmp_path: Path) -> None:
    def records() -> Iterator[dict[str, str]]:
        yield {"text": "a"}
        raise RuntimeError

    for name in ("a.jsonl", "a.csv", "a.parquet", "a.parquet.gz"):
        with pytest.raises(RuntimeError):
            write_records(tmp_path / name, records())

    assert list(tmp_path.iterdir()) == []


def test_a_file_may_be_replaced_by_what_is_read_from_it(tmp_path: Path) -> None:
    place = tmp_path / "news.jsonl"
    place.write_bytes(jsonl({"id": "a", "text": "a"}, b"broken", {"id": "b", "text": "b"}))

    write_records(place, read_articles(place).iter_records())

    assert ids(read_articles(place)) == ["a", "b"]


@pytest.mark.parametrize("kind", ["csv", "tsv"])
@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_never_runs_as_a_formula(tmp_path: Path, kind: str, start: str) -> None:
    text = f"{start}cmd|' /C calc'!A0"
    records = [{"id": "1", "title": text, "n": -5, "list": [text], "none": None, text: "plain = text"}]

    write_records(tmp_path / f"kept.{kind}", records)

    with (tmp_path / f"kept.{kind}").open(newline="", encoding="utf-8") as file:
        header, row = csv.reader(file, delimiter="," if kind == "csv" else "\t")
    assert header == ["id", "title", "n", "list", "none", f"'{text}"]
    assert row == ["1", f"'{text}", "-5", json.dumps([text], separators=(",", ":")), "", "plain = text"]


def test_only_spreadsheets_get_the_apostrophe(tmp_path: Path) -> None:
    for name in ("kept.jsonl", "kept.parquet"):
        write_records(tmp_path / name, [{"id": "=1", "text": "-"}])

        assert rows(read_articles(tmp_path / name))[0]["id"] == "=1"
