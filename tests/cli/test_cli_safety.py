"""What the command line refuses, so that no data is lost and no terminal is controlled."""

import gzip
import signal
import time
from pathlib import Path

import pytest
from commands import called, environment, lines_of, process, raw_on_terminal, started, written
from newsmaker import planned, story

from dedup.cli.rejects import get_rejects_path
from dedup.formatting import escape_controls, escape_json_controls

TWICE = [{**story(n), "id": f"{n}{half}"} for n in range(3) for half in "ab"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a corpus folder with one file."""
    (tmp_path / "news").mkdir()
    written(tmp_path / "news" / "a.jsonl", TWICE)
    return tmp_path / "news"


def test_a_file_of_the_corpus_is_not_replaced_unless_asked(folder: Path) -> None:
    before = (folder / "a.jsonl").read_bytes()

    answer = called("filter", folder / "a.jsonl", "-o", folder / "a.jsonl")

    assert answer.exit_code == 1
    assert "it is one of the files that are read; add --in-place" in answer.stderr
    assert (folder / "a.jsonl").read_bytes() == before


@pytest.mark.parametrize("command", ["filter", "cluster"])
def test_an_output_that_the_next_run_would_read_is_refused(command: str, folder: Path) -> None:
    answer = called(command, folder, "-o", folder / "out.jsonl")

    assert answer.exit_code == 1
    assert "the next run would read it" in answer.stderr
    assert [path.name for path in folder.iterdir()] == ["a.jsonl"]


@pytest.mark.parametrize("name", ["kept", ".kept.jsonl"])
def test_an_output_that_no_run_reads_may_be_in_the_corpus_folder(name: str, folder: Path) -> None:
    assert called("filter", folder, "-o", folder / name).exit_code == 0


def test_in_place_needs_an_output(folder: Path) -> None:
    answer = called("filter", folder, "--in-place")

    assert answer.exit_code == 2
    assert "--in-place needs -o" in answer.stderr


def test_a_file_with_rejects_is_not_replaced(folder: Path) -> None:
    corpus = written(folder / "b.jsonl", [*planned(30, 1), "broken"])
    before = corpus.read_bytes()

    answer = called("filter", corpus, "-o", corpus, "--in-place")

    assert answer.exit_code == 1
    assert "was not replaced, because 1 article could not be read" in answer.stderr
    assert corpus.read_bytes() == before


def test_a_killed_run_in_place_leaves_the_old_file(tmp_path: Path) -> None:
    texts = (" ".join(f"w{n * 60 + k}" for k in range(60)) for n in range(20_000))
    corpus = written(tmp_path / "news.jsonl", ({"id": str(n), "text": text} for n, text in enumerate(texts)))
    before = corpus.read_bytes()

    with started("filter", corpus, "-o", corpus, "--in-place") as running:
        time.sleep(1.5)
        running.send_signal(signal.SIGKILL)
        running.communicate()

    assert corpus.read_bytes() == before


@pytest.mark.parametrize("arguments", [("cluster",), ("filter",), ("filter", "--index", ":memory:")])
def test_a_run_that_read_nothing_fails_even_when_quiet(arguments: tuple[str, ...], tmp_path: Path) -> None:
    corpus = written(tmp_path / "news.jsonl", ["broken", "worse"])
    output = tmp_path / "out" / "kept.jsonl"
    output.parent.mkdir()

    answer = called(arguments[0], corpus, *arguments[1:], "-q", "-o", output, "--max-rejects", "100")

    assert answer.exit_code == 1
    assert answer.stderr.startswith(f"Error: 2 of 2 articles could not be read: {corpus}:1: ")
    assert len(lines_of((tmp_path / "out" / "kept.jsonl.rejects.jsonl").read_bytes())) == 2


def test_too_many_rejects_fail_and_leave_the_old_output(tmp_path: Path) -> None:
    corpus = written(tmp_path / "news.jsonl", [*planned(16, 1), "broken", "worse"])
    output = tmp_path / "kept.jsonl"
    output.write_bytes(b"of yesterday")

    failed = called("filter", corpus, "-q", "-o", output)
    unchanged = output.read_bytes()
    allowed = called("filter", corpus, "-o", output, "--max-rejects", "12%")

    assert failed.exit_code == 1
    assert "2 of 18 articles could not be read, and --max-rejects allows 10%: " in failed.stderr
    assert unchanged == b"of yesterday"
    assert allowed.exit_code == 0


@pytest.mark.parametrize("options", [(), ("--index", ":memory:")])
def test_a_file_that_breaks_off_fails_unless_it_is_one_of_many(
    options: tuple[str, ...], tmp_path: Path
) -> None:
    whole = gzip.compress(written(tmp_path / "whole.jsonl", planned(400, 1)).read_bytes())
    folder = tmp_path / "news"
    folder.mkdir()
    (folder / "cut.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    output = tmp_path / "kept.jsonl"

    alone = called("filter", folder, "-q", "-o", output, *options)
    accepted = called("filter", folder, "-o", output, *options, "--max-rejects", "100%")
    for day in range(9):
        written(folder / f"{day}.jsonl", planned(3, day))
    among_ten = called("filter", folder, "-o", output, *options)

    assert alone.exit_code == 1
    assert f"1 of 1 file broke off, and --max-rejects allows 10%: {folder / 'cut.jsonl.gz'}" in alone.stderr
    assert accepted.exit_code == among_ten.exit_code == 0
    assert "cut.jsonl.gz" in among_ten.stderr


def test_a_stream_with_too_many_rejects_fails_at_its_end(tmp_path: Path) -> None:
    done = process("filter", "-", "--index", ":memory:", "-q", input="broken\n", cwd=tmp_path)

    assert done.returncode == 1
    assert done.stderr.startswith("Error: 1 of 1 article could not be read: -:1: ")


@pytest.mark.parametrize("value", ["-1", "101%", "few"])
def test_a_share_of_rejects_is_a_percentage(value: str) -> None:
    answer = called("cluster", "news.jsonl", "--max-rejects", value)

    assert answer.exit_code == 2
    assert "is not a percentage between 0% and 100%" in answer.stderr


def test_rejects_are_hidden_where_the_next_run_would_read_them(folder: Path) -> None:
    beside = str(folder / "kept.jsonl")

    assert get_rejects_path(beside, [str(folder)]) == str(folder / ".kept.jsonl.rejects.jsonl")
    assert get_rejects_path(beside, []) == str(folder / "kept.jsonl.rejects.jsonl")


@pytest.mark.parametrize("name", ["k.xlsx", "k.txt", "k.docx.gz"])
@pytest.mark.parametrize("option", ["-o", "--dropped", "--rejects"])
def test_an_extension_without_a_format_is_refused(option: str, name: str, folder: Path) -> None:
    answer = called("filter", folder, option, folder.parent / name)

    assert answer.exit_code == 2
    assert "no output format has the extension" in answer.stderr


@pytest.mark.parametrize("name", ["a\x1b[2J.jsonl", "b\u202e.jsonl", "c\x9b2J.jsonl"])
def test_a_file_name_cannot_control_the_terminal(name: str, tmp_path: Path) -> None:
    corpus = written(tmp_path / name, [*planned(20, 1), "broken"])

    messages = [
        called("cluster", corpus, "--strict").stderr,
        called("cluster", tmp_path / f"no{name}").stderr,
        called("cluster", corpus, f"--{name}").stderr,
        called(f"--{name}").stderr,
        called("cluster", corpus, "-o", tmp_path / f"out{name}").stderr,
    ]

    assert all(messages)
    assert not any(sign in message for message in messages for sign in "\x1b\u202e\x9b")
    assert escape_controls(name) in messages[0]


def test_an_article_cannot_control_the_terminal(tmp_path: Path) -> None:
    corpus = written(tmp_path / "news.jsonl", ['{"id": "a", "text": "A \u009b2J \u202e text of words."}'])

    seen = raw_on_terminal("filter", corpus, "--format", "jsonl")

    assert '"A \\u009b2J \\u202e text of words."' in seen
    assert "\u009b" in called("filter", corpus).stdout


def test_escaped_json_means_the_same() -> None:
    assert escape_json_controls("\U000e0001é") == "\\udb40\\udc01é"


@pytest.mark.parametrize(
    ("variable", "nearest"),
    [
        ("DEDUP_WINDOW_DAY", "DEDUP_WINDOW_DAYS"),
        ("DEDUP_TREADS", "DEDUP_THREADS"),
        ("DEDUP_REJECT", "DEDUP_REJECTS"),
    ],
)
def test_a_mistyped_variable_is_refused(variable: str, nearest: str) -> None:
    answer = process("settings", env=environment(**{variable: "3"}))

    assert answer.returncode == 2
    assert f"There is no variable {variable}; did you mean {nearest}?" in answer.stderr


@pytest.mark.parametrize(
    "variable", ["DEDUP_SERVICE_HOST", "DEDUP_PORT_8080_TCP", "DEDUP_DEBUG", "DEDUP_TOKEN"]
)
def test_variables_of_other_programs_are_ignored(variable: str) -> None:
    assert process("settings", env=environment(**{variable: "3"})).returncode == 0


def test_a_file_given_twice_is_refused(folder: Path) -> None:
    twice = called("filter", folder / "a.jsonl", folder / "." / "a.jsonl")
    inside = called("filter", folder / "a.jsonl", folder)

    assert (twice.exit_code, inside.exit_code) == (2, 2)
    assert "is given twice; name each file or folder once" in twice.stderr
    assert f"{folder / 'a.jsonl'} is in the folder {folder}, which is read too" in inside.stderr


def test_days_without_a_unit_are_refused(folder: Path, tmp_path: Path) -> None:
    called("filter", folder, "--index", tmp_path / "seen.db", "-q")

    answer = called("index", "expire", tmp_path / "seen.db", "--before", "60")

    assert answer.exit_code == 2
    assert "'60' has no unit; did you mean 60d, 60 days ago?" in answer.stderr


def test_no_rate_is_printed_for_a_short_run(folder: Path) -> None:
    assert "articles/s" not in called("cluster", folder).stderr


def test_labels_are_not_written_into_the_corpus(folder: Path) -> None:
    done = process("review", ".", input="d\n", cwd=folder, env=environment())

    assert done.returncode == 1
    assert "cannot write labels.jsonl: the next run would read it" in done.stderr
    assert [path.name for path in folder.iterdir()] == ["a.jsonl"]
