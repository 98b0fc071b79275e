"""Workers that feed one index at once, are killed, and lose their server: as if one had done it all, in some order.

Each stream holds many tellings of few stories, most of them in other streams too. Afterwards the articles are given to an index
in memory one after the other, in the order in which the shared one took them: it must say the same.
"""

import json
from pathlib import Path
from random import Random
from signal import SIGINT, SIGQUIT
from typing import Any

import numpy as np
import pytest
from homes import Place
from newsmaker import Article, batch, make_storylines, sketched
from postgres_server import Server
from worker import ALONE, Worker, told, wait_until

from dedup.index.index import Index
from dedup.index.storage.backend import IndexRow
from dedup.matching.classifier import NO_RELATION
from dedup.matching.clustering import assign_leaders
from dedup.matching.match_params import make_match_params

Said = dict[str, Any]
ARTICLES, STORIES = 240, 8
SHARE = 0.7
"""Of all articles, how many come in each stream."""
SIZE = 3
LAPS = 5


def streams(workers: int, seed: int) -> list[list[str]]:
    """Return what each worker is given, an article a line; some ids come with other texts in other streams."""
    random = Random(seed)
    articles = [json.dumps(article, default=str) for article in make_storylines(ARTICLES, seed, STORIES)]
    corrected = [
        json.dumps({**json.loads(line), "text": f"{json.loads(line)['text']} Corrected by desk {desk}."})
        for desk in range(workers)
        for line in random.sample(articles, 5)
    ]
    return [random.sample(articles + corrected, int(SHARE * ARTICLES)) for _ in range(workers)]


def team(place: Place, folder: Path, given: list[list[str]]) -> list[Worker]:
    """Return workers that have started, one for each stream."""
    workers = [Worker(str(place), folder / str(k), stream, SIZE) for k, stream in enumerate(given)]
    for worker in workers:
        worker.start()
    return workers


def rows_in(index: Index) -> list[IndexRow]:
    """Return all rows of an index."""
    return [row for rows in index.backend.iter_rows() for row in rows]


def check_all(place: Place, workers: list[Worker]) -> None:
    """Fail unless all that the workers were told is what one alone would have been told."""
    given = [[json.loads(line) for line in worker.given.read_text().splitlines()] for worker in workers]
    said = [[json.loads(line) for line in worker.answers.read_text().splitlines()] for worker in workers]
    with Index.open(place, ALONE) as index:
        rows, again = rows_in(index), [told_all(index, articles) for articles in given]
        assert rows_in(index) == rows, "an article was forgotten"

    every = [article for articles in given for article in articles]
    tellings = sketched(every).content_hashes.view(np.int64).tolist()
    by_key = {(article["id"], telling): article for article, telling in zip(every, tellings, strict=True)}
    in_turn = [by_key[row.id, row.telling] for row in rows]

    assert said == again, "an answer was lost, doubled or changed"
    assert [row.position for row in rows] == list(range(len(by_key)))
    check_alone(in_turn, {answer["name"]: answer for answers in said for answer in answers})
    check_kept([article for article, row in zip(in_turn, rows, strict=True) if row.relation == NO_RELATION])


def check_alone(in_turn: list[Article], said: dict[str, Said]) -> None:
    """Fail unless one index, given the articles in this order, says the same, and drops only for what it keeps."""
    with Index.open(":memory:", ALONE) as index:
        alone = {answer["name"]: answer for answer in told_all(index, in_turn)}
    kept = {name for name, answer in said.items() if answer["match"] is None}

    assert said == alone
    assert {answer["match"]["canonical"] for answer in said.values() if answer["match"]} <= kept
    assert len(kept) < len(said) / 2
    assert {answer["link"]["canonical"] for answer in said.values() if answer["link"]} & kept


def check_kept(articles: list[Article]) -> None:
    """Fail if one of the articles that were kept repeats another."""
    made = assign_leaders(sketched(articles), np.arange(len(articles)), make_match_params(ALONE))

    assert (made.relations == NO_RELATION).all()


def told_all(index: Index, articles: list[Article]) -> list[Said]:
    """Return what an index says of articles, as a worker writes it down."""
    return [told(answer) for answer in index.decide(batch(articles))]


@pytest.mark.parametrize("number", [2, 4])
def test_workers_at_once_and_killed_are_as_one(lasting_place: Place, number: int, tmp_path: Path) -> None:
    random = Random(number)
    workers = team(lasting_place, tmp_path / "team", streams(number, seed=number))

    killed = 0
    for n, worker in enumerate(random.choices(workers, k=number + 1)):
        killed += worker.kill_after(random.randrange(0, 60) if n else 1, random)
        worker.start()
    for worker in workers:
        worker.wait()

    assert killed > 0
    check_all(lasting_place, workers)


def test_workers_go_on_when_their_server_comes_back(postgres: Server, tmp_path: Path) -> None:
    place = postgres.place()
    # All comes several times over, so that nobody is done before the server has gone twice.
    workers = team(place, tmp_path / "team", [LAPS * stream for stream in streams(2, seed=9)])

    for how in (SIGINT, SIGQUIT):
        before = [worker.answered() for worker in workers]
        wait_until(lambda: all(w.answered() > seen for w, seen in zip(workers, before, strict=True)))  # noqa: B023
        postgres.stop(how)
        assert not any(worker.is_over() for worker in workers)
        postgres.start()
    for worker in workers:
        worker.wait()

    check_all(place, workers)
