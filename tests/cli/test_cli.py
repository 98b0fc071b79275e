"""The command line as a whole: help, version, the environment, errors, and how a run ends."""

import errno
import os
import pty
import signal
import subprocess
import time
from pathlib import Path

import click
import pytest
from commands import (
    COMMAND,
    ESCAPES,
    called,
    environment,
    everything_on,
    process,
    raw_on_terminal,
    started,
    written,
)
from newsmaker import planned

from dedup.cli.exit_status import format_error_message
from dedup.cli.long_work import compile_missing_kernels, run_interruptibly
from dedup.cli.main import cli
from dedup.settings.settings import Settings

WITH_SETTINGS = [
    "cluster",
    "filter",
    "explain",
    "report",
    "plan",
    "evaluate",
    "review",
    "calibrate",
    "settings",
]
COMMANDS = [*WITH_SETTINGS, "boilerplate", "completion"]
every_command = pytest.mark.parametrize("command", COMMANDS)
every_command_with_settings = pytest.mark.parametrize("command", WITH_SETTINGS)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a corpus that takes seconds: articles of numbers, no two alike."""
    path = tmp_path_factory.mktemp("large") / "large.jsonl"
    texts = (" ".join(f"w{n * 60 + k}" for k in range(60)) for n in range(25_000))
    return written(path, ({"id": str(n), "text": text} for n, text in enumerate(texts)))


def test_help_names_every_command() -> None:
    answer = called("--help")

    assert answer.exit_code == 0
    assert all(f"\n  {command} " in answer.stdout for command in COMMANDS)


@every_command_with_settings
def test_every_setting_is_an_option(command: str) -> None:
    answer = called(command, "--help")

    flags = ["--" + name.replace("_", "-") for name in Settings.__dataclass_fields__]
    assert [flag for flag in flags if f"{flag} " not in answer.stdout] == []


@every_command_with_settings
def test_common_options_come_before_the_advanced(command: str) -> None:
    common, advanced = called(command, "--help").stdout.split("Advanced:")

    assert "--relations" in common
    assert "--window-days" in common
    assert "--max-postings" in advanced
    assert f"default: {Settings().max_postings}; x>=1" in " ".join(advanced.split())


@every_command
def test_every_option_has_a_help_sentence(command: str) -> None:
    options = [p for p in cli.commands[command].params if isinstance(p, click.Option)]

    assert [option.name for option in options if not option.help] == []


@every_command
def test_help_ends_with_examples_of_the_command(command: str) -> None:
    answer = called(command, "--help")

    examples = answer.stdout.rpartition("Examples:\n")[2].splitlines()
    assert any(f"dedup {command} " in f"{example} " for example in examples)
    assert not answer.stdout.count("CORPUS...\n  --")


def test_help_says_each_command_in_a_whole_line() -> None:
    assert "..." not in called("--help").stdout.partition("Find:")[2]


@pytest.mark.parametrize(
    ("shell", "says"), [("bash", "complete -o nosort"), ("zsh", "compdef"), ("fish", "complete ")]
)
def test_a_shell_gets_its_completion(shell: str, says: str) -> None:
    answer = called("completion", shell)

    assert answer.exit_code == 0
    assert says in answer.stdout
    assert "_DEDUP_COMPLETE" in answer.stdout


def test_commands_and_options_are_completed() -> None:
    def completed(words: str, place: int) -> str:
        asked = environment(COMP_WORDS=words, COMP_CWORD=str(place), _DEDUP_COMPLETE="bash_complete")
        return process(env=asked).stdout

    assert "plain,calibrate" in completed("dedup ca", 1)
    assert "plain,--rewrite-probability" in completed("dedup cluster --re", 2)


def test_version_is_one_line() -> None:
    answer = called("--version")

    assert answer.exit_code == 0
    assert answer.stdout.startswith("dedup ")
    assert answer.stdout.count("\n") == 1


def test_help_answers_at_once() -> None:
    def taken() -> float:
        start = time.perf_counter()
        process("--help")
        return time.perf_counter() - start

    assert min(taken() for _ in range(3)) < 1.0  # 0.15 s on an idle machine


@every_command
def test_wrong_usage_exits_with_2(command: str) -> None:
    answer = called(command, "--no-such-option")

    assert answer.exit_code == 2
    assert "No such option" in answer.stderr


@pytest.mark.parametrize("command", [c for c in COMMANDS if c != "settings"])
def test_a_corpus_must_be_named(command: str) -> None:
    answer = called(command)

    assert answer.exit_code == 2
    assert "Missing argument" in answer.stderr


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--copy-jaccard", "1.5"),
        ("--window-days", "-1"),
        ("--keep", "shortest"),
        ("--relations", "copy,cousin"),
        ("--bands", "many"),
        ("--field", "text"),
    ],
)
def test_a_value_out_of_range_is_wrong_usage(option: str, value: str) -> None:
    answer = called("cluster", "somewhere", option, value)

    assert answer.exit_code == 2
    assert option in answer.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["no/such/file.jsonl"], "there is no file or folder no/such/file.jsonl"),
        (["news.jsonl", "--field", "body=text"], "an article has no field 'body'"),
        (["news.jsonl", "--window-days", "nan"], "window_days must be at least 0, not nan"),
        (["news.jsonl", "--relations", ","], "relations must be one or more of"),
        (["news.jsonl", "-o", "no/such/folder/out.jsonl"], "cannot write no/such/folder/out.jsonl"),
        (["news.jsonl", "-o", "/dev/full"], "cannot write /dev/full: No space left on device"),
        (["empty"], "the folder empty holds no file to read"),
        (["news.docx"], "news.docx has no known extension"),
        (["news.jsonl", "--boilerplate", "no/such.json"], "cannot read no/such.json: No such file"),
        (
            ["news.jsonl", "--boilerplate", "news.jsonl"],
            "news.jsonl is no boilerplate: it is not JSON (line 2",
        ),
    ],
)
@pytest.mark.parametrize("command", ["cluster", "filter"])
def test_an_error_is_one_sentence_and_exits_with_1(
    command: str, arguments: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path / "news.jsonl", planned(20, 1))
    (tmp_path / "empty").mkdir()
    (tmp_path / "news.docx").touch()

    answer = called(command, *arguments)

    assert answer.exit_code == 1
    assert answer.stderr.startswith(f"Error: {says}")
    assert answer.stderr.count("\n") == 1
    assert answer.stdout == ""


def test_an_unwritable_output_is_told_before_the_work(tmp_path: Path) -> None:
    corpus = written(tmp_path / "news.jsonl", ["broken"] * 10)

    answer = called("cluster", corpus, "-o", tmp_path)

    assert answer.exit_code == 2
    assert "is a directory" in answer.stderr


def test_a_full_disk_behind_stdout_is_an_error(newsroom: Path) -> None:
    with Path("/dev/full").open("w") as full:
        for command in (["filter", newsroom], ["settings"]):
            answer = process(*command, stdout=full)

            assert answer.returncode == 1
            assert "No space left on device" in answer.stderr
            assert "Traceback" not in answer.stderr


def test_a_closed_stdout_is_an_error(newsroom: Path) -> None:
    done = process("cluster", newsroom, stdout=None, preexec_fn=lambda: os.close(1))

    assert done.returncode == 1
    assert done.stderr == "Error: standard output is closed\n"


def test_a_closed_stderr_is_nobody_to_talk_to(newsroom: Path) -> None:
    done = process("cluster", newsroom, stderr=None, preexec_fn=lambda: os.close(2))

    assert done.returncode == 0
    assert done.stdout == called("cluster", newsroom).stdout


def test_a_reader_that_goes_away_ends_the_run_quietly(tmp_path: Path) -> None:
    corpus = written(tmp_path / "news.jsonl", planned(800, 2, stories=300))

    with started("filter", corpus, "--annotate") as running:
        assert running.stdout
        assert running.stderr
        running.stdout.readline()
        running.stdout.close()
        said = running.stderr.read()

    assert running.returncode == 128 + signal.SIGPIPE
    assert said == b""


@pytest.mark.parametrize(("sent", "says"), [(signal.SIGINT, b"Interrupted.\n"), (signal.SIGTERM, b"")])
@pytest.mark.parametrize("moment", ["at once", "while writing"])
def test_an_interrupted_run_leaves_nothing_behind(
    moment: str, sent: signal.Signals, says: bytes, large: Path, tmp_path: Path
) -> None:
    output = tmp_path / "kept.jsonl.bz2"
    with started("filter", large, "-o", output) as running:
        if moment == "at once":
            time.sleep(0.8)  # past the imports, and long before the end
        else:
            wait_for_writing(tmp_path)
        start = time.perf_counter()
        running.send_signal(sent)
        _, said = running.communicate()

    assert (running.returncode, said) == (128 + sent, says)
    assert list(tmp_path.iterdir()) == []
    assert time.perf_counter() - start < 10


def test_an_interrupted_run_leaves_the_old_output(large: Path, tmp_path: Path) -> None:
    output = tmp_path / "kept.jsonl.bz2"
    output.write_bytes(b"of yesterday")
    with started("filter", large, "-o", output) as running:
        wait_for_writing(tmp_path)
        running.send_signal(signal.SIGINT)
        running.communicate()

    assert output.read_bytes() == b"of yesterday"
    assert list(tmp_path.iterdir()) == [output]


def wait_for_writing(folder: Path) -> None:
    """Wait until a part of a file has been written."""
    for _ in range(3000):
        if any(size_of(part) for part in folder.glob(".*.part")):
            return
        time.sleep(0.02)
    pytest.fail("nothing was written")


def size_of(path: Path) -> int:
    """Return the size of a file that may just have gone."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def test_work_in_another_thread_passes_its_errors_on() -> None:
    def fail() -> None:
        raise ValueError("no")

    assert run_interruptibly(lambda: 42) == 42
    with pytest.raises(ValueError, match="no"):
        run_interruptibly(fail)


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (MemoryError(), "not enough memory"),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "No space left on device"),
        (KeyError("x"), "unexpected error (KeyError: 'x'); please report it"),
    ],
)
def test_what_nobody_expected_is_a_sentence_too(error: Exception, says: str) -> None:
    assert says in format_error_message(error)


@pytest.mark.parametrize(("sent", "says"), [(signal.SIGINT, "Interrupted.\n"), (signal.SIGTERM, "")])
def test_an_error_in_the_wake_of_a_signal_is_not_reported(
    sent: int, says: str, newsroom: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("write to closed file")

    monkeypatch.setattr("dedup.io.atomic_write.write_records", fail)
    monkeypatch.setattr("dedup.cli.exit_status.RECEIVED_SIGNALS", [sent])

    answer = called("cluster", newsroom, "-q")

    assert (answer.exit_code, answer.stderr) == (128 + sent, says)


def test_a_signal_that_is_ignored_stays_so(large: Path, tmp_path: Path) -> None:
    def ignore() -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    with started("filter", large, "-o", tmp_path / "kept.jsonl.bz2", preexec_fn=ignore) as running:
        wait_for_writing(tmp_path)
        running.send_signal(signal.SIGINT)
        running.communicate()

    assert running.returncode == 0


def test_an_unexpected_error_shows_no_traceback_unless_asked(newsroom: Path, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['dedup.io.corpus'] = None\n")
    broken = environment(PYTHONPATH=f"{tmp_path}{os.pathsep}{Path(__file__).parents[2]}")

    plain = process("cluster", newsroom, env=broken)
    debugged = process("cluster", newsroom, env={**broken, "DEDUP_DEBUG": "1"})

    assert plain.returncode == 1
    assert plain.stderr.startswith("Error: unexpected error (ModuleNotFoundError")
    assert plain.stderr.count("\n") == 1
    assert "Traceback" in debugged.stderr


def test_an_option_can_be_set_in_the_environment(newsroom: Path) -> None:
    asked = called("settings", DEDUP_WINDOW_DAYS="9", DEDUP_RELATIONS="copy,exact")

    assert '"window_days": 9.0' in asked.stdout
    assert (
        called("settings", "--window-days", "2", DEDUP_WINDOW_DAYS="9").stdout.count('"window_days": 2.0')
        == 1
    )
    assert called("settings", DEDUP_WINDOW_DAYS="soon").exit_code == 2


def test_no_color_is_respected(newsroom: Path) -> None:
    assert "\x1b[38;5;" not in raw_on_terminal("settings", NO_COLOR="1")
    assert "\x1b[38;5;28m" in raw_on_terminal("settings")


def test_a_first_run_says_that_kernels_are_compiled(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)

    compile_missing_kernels(quiet=False)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("dedup.jit.kernel_library.find_library", lambda: None)
    compile_missing_kernels(quiet=False)
    assert capsys.readouterr().err == "Compiling for this CPU, once: about a minute …\n"
    compile_missing_kernels(quiet=True)
    assert capsys.readouterr().err == ""


def test_long_work_shows_how_far_it_is() -> None:
    ours, theirs = pty.openpty()
    seen = ""
    with started("cluster", "-", stdin=subprocess.PIPE, stderr=theirs) as running:
        os.close(theirs)
        assert running.stdin
        running.stdin.write(b'{"text": "A short text."}\n')
        running.stdin.flush()
        while "reading" not in seen.split():
            seen += os.read(ours, 1 << 16).decode()
        running.stdin.close()
        seen += everything_on(ours)

    assert ESCAPES.sub("", seen).splitlines()[-1].startswith("1 article, 0 clusters, 0 duplicates")


def test_quiet_says_nothing_on_stderr(newsroom: Path) -> None:
    answer = called("cluster", newsroom, "--quiet")

    assert answer.exit_code == 0
    assert answer.stderr == ""


def test_the_module_is_the_command() -> None:
    done = subprocess.run(
        [*COMMAND, "--version"], capture_output=True, text=True, env=environment(), check=True
    )

    assert done.stdout.startswith("dedup ")
