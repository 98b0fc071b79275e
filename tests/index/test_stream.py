"""`dedup filter - --index`: a stream is answered in order, in time, and only after it is recorded."""

import json
import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from commands import process, started
from homes import Place
from newsmaker import Article, planned, story

from dedup.index.index import Index
from dedup.index.stream import ArticleStream, BatchLimits, Prefetcher

QUICK = BatchLimits(articles=10, seconds=0.01)


def lines_of(articles: Sequence[Article]) -> list[bytes]:
    return [json.dumps(article, default=str).encode() for article in articles]


def verdicts(output: bytes) -> dict[str, Any]:
    return {json.loads(line)["id"]: json.loads(line)["dedup"] for line in output.splitlines()}


def streamed(
    lines: Sequence[bytes], place: Place, *options: str, **more: Any
) -> "subprocess.CompletedProcess[str]":
    """Return what `dedup filter -` answers to some lines."""
    return process("filter", "-", "--index", place, *options, input=b"\n".join(lines).decode(), **more)


@pytest.fixture
def pipe() -> Iterator[tuple[int, Callable[[bytes], object], Callable[[], None]]]:
    """Return a pipe: what is read from, what writes to it, and what closes it."""
    read, write = os.pipe()
    is_open = [True]

    def close() -> None:
        if is_open.pop() if is_open else False:
            os.close(write)

    yield read, lambda data: os.write(write, data), close
    close()
    os.close(read)


def test_a_stream_is_answered_in_order(lasting_place: Place) -> None:
    articles = planned(60, seed=3, stories=6)
    with Index.open(":memory:") as index:
        expected = dict(index.add(articles))

    done = streamed(lines_of(articles), lasting_place, "--annotate", "--batch", "7")

    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [article["id"] for article in found] == [article["id"] for article in articles]
    assert [article["dedup"]["cluster"] for article in found] == [
        match.canonical if match else name for name, match in expected.items()
    ]


def test_what_is_kept_is_written_byte_for_byte(tmp_path: Path) -> None:
    line = '{"id":  "a", "text": "The river rose two metres and flooded the old mill at Tarn.", "x": [1,  2]}'

    done = streamed([line.encode()], tmp_path / "seen.db")

    assert done.stdout == f"{line}\n"


def test_a_slow_feed_is_not_held_up(tmp_path: Path) -> None:
    run = started(
        "filter", "-", "--index", tmp_path / "seen.db", "--max-delay", "50", "--quiet", stdin=subprocess.PIPE
    )
    assert run.stdin is not None
    assert run.stdout is not None

    answers = []
    for line in lines_of([{"id": str(n), **story(n)} for n in range(3)]):
        run.stdin.write(line + b"\n")
        run.stdin.flush()
        answers.append(run.stdout.readline().strip() == line)  # comes while the stream is still open

    run.communicate()
    assert answers == [True] * 3
    assert run.returncode == 0


def test_a_batch_closes_when_it_is_full(pipe: Any) -> None:
    read, write, close = pipe
    lines = lines_of([{"id": str(n), **story(n)} for n in range(40)])

    with Index.open(":memory:") as index:
        feed = iter(ArticleStream(read, index, limits=BatchLimits(articles=10, seconds=3600)))
        write(b"\n".join(lines[:10]) + b"\n")
        first = next(feed)
        write(b"\n".join(lines[10:12]))
        close()
        rest = [len(answered.answers) for answered in feed]

    assert len(first.answers) == 10
    assert rest == [2]


def test_an_article_is_answered_only_after_its_decision_is_durable(pipe: Any, lasting_place: Place) -> None:
    read, write, close = pipe
    write(b"\n".join(lines_of(planned(30, seed=1, stories=3))))
    close()

    with Index.open(lasting_place) as index, Index.open(lasting_place) as other:
        for answered in ArticleStream(read, index, limits=QUICK):
            recorded = {
                row.id for row in other.backend.get_rows_by_id([found.id for _, found in answered.answers])
            }
            assert recorded == {found.id for _, found in answered.answers}


def test_lines_that_are_no_article_are_rejected_and_the_others_answered(tmp_path: Path) -> None:
    good = lines_of([{"id": str(n), **story(n)} for n in range(3)])
    bad = [b"{broken", b"[1, 2]", b'{"id": "x"}', b'"text"', b'{"id": "y", "text": 5}']
    mixed = [good[0], *bad[:2], b"", good[1], *bad[2:], good[2]]

    done = streamed(mixed, tmp_path / "seen.db", "--rejects", str(tmp_path / "rejects.jsonl"))

    rejects = [json.loads(line) for line in (tmp_path / "rejects.jsonl").read_text("utf-8").splitlines()]
    assert done.stdout.encode().splitlines() == good
    assert [reject["line"] for reject in rejects] == [2, 3, 6, 7, 8]
    assert all(reject["reason"] for reject in rejects)
    assert "5 articles could not be read" in done.stderr


def test_a_line_beyond_all_measure_is_passed_over_in_little_memory(pipe: Any) -> None:
    read, write, close = pipe
    good = lines_of([{"id": str(n), **story(n)} for n in range(2)])

    with Index.open(":memory:") as index, Prefetcher(iter([]), 1):
        feed = ArticleStream(read, index, limits=BatchLimits(10, 0.01, article_bytes=10_000))
        found, rejects = [], []
        write(good[0] + b"\n" + b"x" * 30_000 + b"\n" + good[1] + b"\n")
        close()
        for answered in feed:
            found += [answer.id for _, answer in answered.answers]
            rejects += answered.rejects

    assert found == ["0", "1"]
    assert [(reject.line, reject.reason) for reject in rejects] == [(2, "longer than 10,000 bytes")]


def test_articles_without_an_id_are_known_again_by_their_line(tmp_path: Path) -> None:
    lines = lines_of([story(n) for n in range(5)])

    first = streamed(lines, tmp_path / "seen.db", "--annotate")
    again = streamed(lines[::-1], tmp_path / "seen.db", "--annotate")

    assert [json.loads(line)["dedup"].get("again") for line in first.stdout.splitlines()] == [None] * 5
    assert [json.loads(line)["dedup"]["again"] for line in again.stdout.splitlines()] == [True] * 5


def test_new_only_keeps_an_article_once(tmp_path: Path) -> None:
    lines = lines_of(planned(20, seed=5, stories=4))

    first = streamed(lines, tmp_path / "seen.db")
    again = streamed(lines, tmp_path / "seen.db")
    new = streamed(lines, tmp_path / "seen.db", "--new-only")

    assert again.stdout == first.stdout
    assert new.stdout == ""


def test_sigterm_answers_what_has_arrived_and_ends_well(tmp_path: Path) -> None:
    lines = lines_of([{"id": str(n), **story(n)} for n in range(30)])
    run = started(
        "filter",
        "-",
        "--index",
        tmp_path / "seen.db",
        "--max-delay",
        "3600000",
        "--annotate",
        stdin=subprocess.PIPE,
    )
    assert run.stdin is not None
    assert run.stderr is not None
    run.stdin.write(b"\n".join(lines) + b"\n" + b'{"id": "cut')
    run.stdin.flush()
    while not (tmp_path / "seen.db-wal").exists():
        time.sleep(0.05)
    time.sleep(0.5)

    run.send_signal(signal.SIGTERM)
    output, talk = run.communicate()

    assert run.returncode == 0, talk
    assert list(verdicts(output)) == [str(n) for n in range(30)]


def test_a_broken_pipe_loses_nothing(tmp_path: Path) -> None:
    lines = lines_of(planned(400, seed=8, stories=60))
    whole = verdicts(streamed(lines, tmp_path / "whole.db", "--annotate").stdout.encode())
    options = ("--annotate", "--batch", "10", "--max-delay", "1", "--quiet")
    run = started("filter", "-", "--index", tmp_path / "seen.db", *options, stdin=subprocess.PIPE)
    assert run.stdin is not None
    assert run.stdout is not None
    run.stdin.write(lines[0] + b"\n")
    run.stdin.flush()
    first = run.stdout.readline()
    run.stdout.close()
    try:
        run.communicate(b"\n".join(lines[1:]), timeout=60)
    except BrokenPipeError:
        run.wait()

    rest = streamed(lines[1:], tmp_path / "seen.db", "--annotate").stdout.encode()

    found = verdicts(first + rest)
    for verdict in found.values():
        verdict.pop("again", None)
    assert run.returncode == 141
    assert found == whole


def limited() -> None:
    """Let no file of this process grow beyond two megabytes."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 << 20, 2 << 20))


def test_a_full_disk_is_said_and_loses_nothing(tmp_path: Path) -> None:
    lines = lines_of([{"id": str(n), **story(n)} for n in range(3000)])
    place = tmp_path / "seen.db"

    short = streamed(lines, place, "--annotate", "--batch", "100", preexec_fn=limited)
    answered = short.stdout.splitlines()
    rest = streamed(lines[len(answered) :], place, "--annotate")

    assert short.returncode == 1
    assert "the disk is full" in short.stderr
    assert 0 < len(answered) < 3000
    assert list(verdicts((short.stdout + rest.stdout).encode())) == [str(n) for n in range(3000)]
    with Index.open(place) as index:
        assert index.verify() == []


def test_a_read_only_file_system_is_said(tmp_path: Path) -> None:
    done = streamed(lines_of([story(1)]), "/proc/seen.db")

    assert done.returncode == 1
    assert done.stderr.startswith("Error: the index /proc/seen.db: it cannot be opened")
    assert done.stdout == ""


def test_files_are_added_to_and_a_line_cut_off_is_mended(tmp_path: Path) -> None:
    lines = lines_of([{"id": str(n), **story(n)} for n in range(4)])
    kept = tmp_path / "kept.jsonl"
    streamed(lines[:2], tmp_path / "seen.db", "-o", str(kept))
    kept.write_bytes(kept.read_bytes() + b'{"id": "cut o')

    streamed(lines[2:], tmp_path / "seen.db", "-o", str(kept), "--dropped", str(tmp_path / "dropped.jsonl"))

    assert kept.read_bytes().splitlines() == lines
    assert (tmp_path / "dropped.jsonl").read_bytes() == b""


@pytest.mark.parametrize("name", ["kept.csv", "kept.parquet", "kept.jsonl.gz"])
def test_a_stream_is_written_as_lines_of_json_only(tmp_path: Path, name: str) -> None:
    done = streamed(lines_of([story(1)]), tmp_path / "seen.db", "-o", str(tmp_path / name))

    assert done.returncode == 2
    assert "name a file such as kept.jsonl" in done.stderr


def test_strict_ends_at_the_first_line_that_is_no_article(tmp_path: Path) -> None:
    done = streamed([*lines_of([story(1)]), b"{broken"], tmp_path / "seen.db", "--strict")

    assert done.returncode == 1
    assert "-:2: broken JSON" in done.stderr


def test_what_is_worked_out_aside_fails_where_it_is_taken() -> None:
    def failing() -> Iterator[int]:
        yield 1
        raise ValueError("no more")

    with Prefetcher(failing(), 4) as items:
        taken = iter(items)
        assert next(taken) == 1
        with pytest.raises(ValueError, match="no more"):
            next(taken)


def test_nothing_is_worked_out_ahead_beyond_the_bound() -> None:
    done: list[int] = []

    def counting() -> Iterator[int]:
        for n in range(100):
            done.append(n)
            yield n

    with Prefetcher(counting(), 3) as items:
        assert next(iter(items)) == 0
        time.sleep(0.2)
        assert len(done) <= 6


def test_a_last_line_that_is_whole_stays(tmp_path: Path) -> None:
    kept = tmp_path / "kept.jsonl"
    kept.write_bytes(b'{"id": "mine", "text": "told before"}')

    streamed(lines_of([story(1)]), tmp_path / "seen.db", "-o", str(kept))

    assert kept.read_bytes().splitlines() == [b'{"id": "mine", "text": "told before"}', *lines_of([story(1)])]


@pytest.mark.parametrize("cut", [b'{"id": "cut o', b"\0\0\0\0", b' {"text": "' + b"x" * 300_000])
def test_a_line_that_was_cut_off_goes(tmp_path: Path, cut: bytes) -> None:
    kept = tmp_path / "kept.jsonl"
    kept.write_bytes(b'{"id": "mine"}\n' + cut)

    streamed(lines_of([story(1)]), tmp_path / "seen.db", "-o", str(kept))

    assert kept.read_bytes().splitlines() == [b'{"id": "mine"}', *lines_of([story(1)])]


def test_a_file_of_something_else_is_not_added_to(tmp_path: Path) -> None:
    notes = tmp_path / "NOTES"
    notes.write_text("Ring Ada about the mill")

    done = streamed(lines_of([story(1)]), tmp_path / "seen.db", "-o", str(notes))

    assert (done.returncode, notes.read_text()) == (1, "Ring Ada about the mill")
    assert done.stderr.endswith(f"Error: cannot add to {notes}: it does not hold lines of JSON\n")


def test_a_stream_goes_into_a_pipe_that_has_a_name(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = subprocess.Popen(["cat", tmp_path / "pipe"], stdout=subprocess.PIPE)

    done = streamed(lines_of([story(1)]), tmp_path / "seen.db", "-o", str(tmp_path / "pipe"))

    assert done.returncode == 0, done.stderr
    assert reader.communicate()[0].splitlines() == lines_of([story(1)])


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    done = streamed(lines_of([story(1)]), tmp_path / "seen.db", "-o", "/dev/full", "--quiet")

    assert done.returncode == 1
    assert done.stderr == "Error: cannot write /dev/full: No space left on device\n"


@pytest.mark.parametrize("options", [[], ["--index", "seen.db"]])
def test_a_closed_input_is_said(tmp_path: Path, options: list[str]) -> None:
    done = process("filter", "-", *options, preexec_fn=lambda: os.close(0), cwd=tmp_path)

    assert done.returncode == 1
    assert done.stderr == "Error: standard input is closed\n"
