"""`dedup filter` is killed at random moments, and started again with what was not answered: nothing is lost or changed.

A killed process gets SIGKILL: no chance to tidy up. KILLS=100 in the environment kills that often; a dozen are enough to see
the harness work.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from homes import Place
from newsmaker import FIRST_DAY, Article, planned

KILLS = int(os.environ.get("KILLS", "12"))
BATCH = 10
"""Articles that are answered at once: few, so that a kill finds many turns to fall into."""
SLOWEST = 0.05
"""Seconds from the first answer to the kill, at most."""
MOMENTS = 1.5
"""Seconds from the start to the kill, at most."""
EVERY_MOMENT = 0.2
"""The share of kills that come at any moment since the start, and not after the first answer."""

Verdict = dict[str, Any]


def command(place: Place, batch: int) -> list[str]:
    """Return the command that answers a stream."""
    pace = ["--batch", str(batch), "--max-delay", "2", "--quiet"]
    return [sys.executable, "-m", "dedup", "filter", "-", "--index", str(place), "--annotate", *pace]


def undisturbed(lines: Sequence[bytes], place: Place) -> list[Verdict]:
    """Return the verdicts of a run that nobody disturbs."""
    loud = [word for word in command(place, 100) if word != "--quiet"]
    done = subprocess.run(loud, input=b"\n".join(lines), capture_output=True, check=True)
    assert b"reached" not in done.stderr
    return [verdict(line) for line in done.stdout.splitlines()]


def on_its_day(article: Article) -> datetime:
    """Return the date of an article, its story told some days after the one before: so that no bound on the work is reached."""
    number = int(article["id"].split()[2])
    return (article["published"] or FIRST_DAY) + timedelta(days=number // 4)


def verdict(line: bytes) -> Verdict:
    """Return what was said of an article; whether it was said before is left out."""
    article = json.loads(line)
    article["dedup"].pop("again", None)
    return {"id": article["id"], **article["dedup"]}


def until_killed(lines: Iterable[bytes], place: Place, seconds: float, *, at_once: bool) -> list[Verdict]:
    """Return the verdicts that a run gave before it was killed, or came to its end."""
    run = subprocess.Popen(command(place, BATCH), stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    assert run.stdin is not None
    assert run.stdout is not None
    threading.Thread(target=feed, args=(run.stdin.fileno(), list(lines)), daemon=True).start()
    timer = threading.Timer(seconds, run.send_signal, [signal.SIGKILL])
    timer.daemon = True
    if at_once:
        timer.start()
    found: list[Verdict] = []
    rest = b""
    while piece := run.stdout.read(1 << 16):
        if not (at_once or found or rest):
            timer.start()
        *whole, rest = (rest + piece).split(b"\n")
        found += [verdict(line) for line in whole]
    timer.cancel()
    run.wait()
    run.stdout.close()
    return found


def feed(descriptor: int, lines: Sequence[bytes]) -> None:
    """Write lines to a process, as long as it takes them."""
    try:
        with os.fdopen(os.dup(descriptor), "wb") as pipe:
            os.close(descriptor)
            pipe.writelines(line + b"\n" for line in lines)
    except BrokenPipeError:
        return


def killed_often(lines: Sequence[bytes], place: Place, kills: int) -> tuple[list[Verdict], int]:
    """Return the verdicts that all runs together gave, and how many of the runs were killed."""
    random = Random(7)
    found: list[Verdict] = []
    done = 0
    while len(found) < len(lines):
        at_once = random.random() < EVERY_MOMENT
        patience = random.uniform(0, MOMENTS if at_once else SLOWEST) if done < kills else 3600.0
        found += until_killed(lines[len(found) :], place, patience, at_once=at_once)
        done += len(found) < len(lines)
    return found, done


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_nothing_is_lost_doubled_or_changed(lasting_place: Place, tmp_path: Path) -> None:
    articles = [
        {**article, "published": on_its_day(article)} for article in planned(80 * KILLS, 11, 16 * KILLS)
    ]
    lines = [json.dumps(article, default=str).encode() for article in articles]

    expected = undisturbed(lines, tmp_path / "undisturbed.db")
    found, kills = killed_often(lines, lasting_place, KILLS)

    wrong = [(said, told) for said, told in zip(found, expected, strict=True) if said != told]
    assert wrong[:3] == []
    assert kills >= KILLS * 0.8
    assert len({said["relation"] for said in found}) == 6
