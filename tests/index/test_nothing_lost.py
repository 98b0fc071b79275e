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
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest
from homes import Place
from newsmaker import FIRST_DAY, Article, planned

KILLS = int(os.environ.get("KILLS", "12"))
BATCH = 10
"""Articles that are answered at once: few, so that a kill finds many turns to fall into."""
EACH, TURN = 40, 0.02
"""A kill comes after at most so many answers, and so many seconds: about as long as a turn takes."""
AT_ONCE, STARTING = 0.2, 0.6
"""The share of kills that come so many seconds after the start, at most, be there an answer or not."""

Verdict = dict[str, Any]


class Moment(NamedTuple):
    """When to kill a run: so many seconds after so many answers."""

    answers: int
    seconds: float


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


def until_killed(lines: Sequence[bytes], place: Place, moment: Moment) -> list[Verdict]:
    """Return the verdicts that a run gave before it was killed, or came to its end."""
    run = subprocess.Popen(command(place, BATCH), stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    assert run.stdin is not None
    assert run.stdout is not None
    threading.Thread(target=feed, args=(run.stdin.fileno(), lines), daemon=True).start()
    timer = threading.Timer(moment.seconds, run.send_signal, [signal.SIGKILL])
    timer.daemon = True
    found: list[Verdict] = []
    rest, waiting = b"", True
    while True:
        if waiting and len(found) >= moment.answers:
            timer.start()
            waiting = False
        if not (piece := run.stdout.read(1 << 16)):
            break
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
        moment = Moment(10**9, 0.0)
        if done < kills and random.random() < AT_ONCE:
            moment = Moment(0, random.uniform(0, STARTING))
        elif done < kills:
            moment = Moment(random.randint(1, EACH), random.uniform(0, TURN))
        found += until_killed(lines[len(found) :], place, moment)
        done += len(found) < len(lines)
    return found, done


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_nothing_is_lost_doubled_or_changed(lasting_place: Place, tmp_path: Path) -> None:
    articles = [
        {**article, "published": on_its_day(article)} for article in planned(200 * KILLS, 11, 40 * KILLS)
    ]
    lines = [json.dumps(article, default=str).encode() for article in articles]

    expected = undisturbed(lines, tmp_path / "undisturbed.db")
    found, kills = killed_often(lines, lasting_place, KILLS)

    wrong = [(said, told) for said, told in zip(found, expected, strict=True) if said != told]
    assert wrong[:3] == []
    assert kills >= KILLS / 4
    assert len({said["relation"] for said in found}) == 6
