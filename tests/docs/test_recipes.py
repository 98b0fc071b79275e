"""Every recipe works: its code is taken from its page and run with the library it is for, or with what stands in for it."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import datasets
import pandas as pd
import polars as pl
import pytest
import redis
from commands import environment, lines_of, written
from newsmaker import Article, planned
from programs import require
from recipes import FOLDER, code_of, recipe

from dedup import Index, deduplicate

SAID = "The river Tarn rose two metres overnight and flooded the old mill at Velden Ridge."
OTHER = "Prosecutors in Averstone charged the owner of the Lorholm shipyard with fraud on Friday."
ARTICLES = planned(60, seed=12, stories=8)
PLAIN: list[Article] = json.loads(json.dumps(ARTICLES, default=str))


def first_told(articles: list[Article]) -> list[str]:
    """Return the ids of the articles that repeat none before them."""
    with Index.open(":memory:") as index:
        return [name for name, match in index.add(articles) if match is None]


def test_every_page_is_in_the_list_and_has_code_that_runs() -> None:
    listed = (FOLDER / "README.md").read_text(encoding="utf-8")

    pages = sorted(path.stem for path in FOLDER.glob("*.md") if path.stem != "README")

    assert [page for page in pages if f"]({page}.md)" not in listed] == []
    assert [page for page in pages if not code_of(page)] == []


SPIDER = """
import json, sys
import scrapy
from scrapy.crawler import CrawlerProcess

class News(scrapy.Spider):
    name = "news"

    async def start(self):
        for line in open({articles!r}, encoding="utf-8"):
            yield json.loads(line)

process = CrawlerProcess({{
    "ITEM_PIPELINES": {{DedupPipeline: 300}},
    "DEDUP_INDEX": {index!r},
    "FEEDS": {{{feed!r}: {{"format": "jsonlines"}}}},
    "TELNETCONSOLE_ENABLED": False,
}})
process.crawl(News)
process.start()
"""


def test_scrapy_drops_what_repeats_an_item_and_says_why(tmp_path: Path) -> None:
    items = [{"url": a["id"], "title": a["title"], "text": a["text"]} for a in PLAIN]
    articles = written(tmp_path / "items.jsonl", [*items, {"url": "x", "text": None}])
    places = {name: str(tmp_path / name) for name in ("seen.db", "new.jsonl")}
    spider = SPIDER.format(articles=str(articles), index=places["seen.db"], feed=places["new.jsonl"])

    ran = subprocess.run(
        [sys.executable, "-c", code_of("scrapy") + spider],
        capture_output=True,
        text=True,
        env=environment(),
        check=False,
        timeout=120,
    )

    new = [item["url"] for item in lines_of(Path(places["new.jsonl"]).read_text())]
    undated = [{"id": item["url"], "title": item["title"], "text": item["text"]} for item in items]
    assert sorted(new) == sorted(first_told(undated)), ran.stderr[-3000:]
    assert "Dropped: copy of " in ran.stderr
    assert "Dropped: no text" in ran.stderr


def test_an_event_loop_goes_on_while_articles_are_added() -> None:
    many = planned(1000, seed=3, stories=400)

    async def both(index: Index) -> tuple[list[Article], int]:
        adding = asyncio.create_task(recipe("asyncio").new_articles(index, many))
        ticks = 0
        while not adding.done():
            await asyncio.sleep(0.001)
            ticks += 1
        return await adding, ticks

    # In a thread of its own: the browser of other tests has a loop running in this one.
    with Index.open(":memory:") as index, ThreadPoolExecutor(1) as aside:
        new, ticks = aside.submit(lambda: asyncio.run(both(index))).result()

    assert [article["id"] for article in new] == first_told(many)
    assert ticks > 10


def test_a_task_may_run_again(tmp_path: Path) -> None:
    source = written(tmp_path / "in.jsonl", PLAIN)
    keep_new = recipe("airflow").keep_new

    counts = [keep_new(str(source), str(tmp_path / "out.jsonl"), str(tmp_path / "seen.db")) for _ in range(2)]

    out = (tmp_path / "out.jsonl").read_text()
    assert [article["id"] for article in lines_of(out)] == first_told(PLAIN)
    assert counts == [len(first_told(PLAIN))] * 2


class Message:
    """A message as confluent-kafka hands it over."""

    def __init__(self, value: bytes, error: str | None = None) -> None:
        self._value, self._error = value, error

    def value(self) -> bytes:
        return self._value

    def key(self) -> bytes | None:
        return None

    def error(self) -> str | None:
        return self._error


class Topic:
    """A partition and its consumer: what was not committed comes again to the next consumer."""

    def __init__(self, messages: list[Message]) -> None:
        self.messages, self.committed, self.position = messages, 0, 0

    def consume(self, num_messages: int = 1, timeout: float = -1) -> list[Message]:
        found = self.messages[self.position : self.position + num_messages]
        self.position += len(found)
        return found

    def commit(self, *, asynchronous: bool = True) -> None:
        assert not asynchronous
        self.committed = self.position

    def rejoin(self) -> None:
        self.position = self.committed


class Producer:
    """What was produced counts once it is flushed; it may break down after some messages."""

    def __init__(self, dies_after: int | None = None) -> None:
        self.sent: list[tuple[str, bytes]] = []
        self.dies_after = dies_after

    def produce(self, topic: str, value: bytes, key: bytes | None = None) -> None:
        if self.dies_after == len(self.sent):
            raise KeyboardInterrupt
        self.sent.append((topic, value))

    def flush(self, timeout: float = -1) -> int:
        return 0


def test_kafka_offsets_are_committed_after_the_answers(tmp_path: Path) -> None:
    unreadable = [
        Message(b"{"),
        Message(b'{"id": "x"}'),
        Message(b"7"),
        Message(b"", error="partition is gone"),
    ]
    topic = Topic([*unreadable, *(Message(json.dumps(article).encode()) for article in PLAIN)])
    consume = recipe("kafka").consume
    first, second = Producer(dies_after=7), Producer()

    def running() -> bool:
        return topic.position < len(topic.messages)

    with Index.open(tmp_path / "seen.db") as index, pytest.raises(KeyboardInterrupt):
        consume(topic, first, index, running, most=20)
    committed = topic.committed
    topic.rejoin()
    with Index.open(tmp_path / "seen.db") as index:
        consume(topic, second, index, running, most=20)

    def passed_on(*producers: Producer) -> list[str]:
        sent = [json.loads(v)["id"] for p in producers for topic, v in p.sent if topic == "articles.new"]
        return list(dict.fromkeys(sent))

    assert committed < len(topic.messages) == topic.committed
    assert passed_on(first, second) == first_told(PLAIN)
    assert [v for name, v in second.sent if name == "articles.unreadable"] == [
        m.value() for m in unreadable[:3]
    ]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[redis.Redis]:
    """Return a client of a Redis server of this test's own."""
    program = require("redis-server")
    place = tmp_path / "redis.sock"
    options = ["--port", "0", "--unixsocket", str(place), "--save", "", "--dir", str(tmp_path)]
    with subprocess.Popen([program, *options], stdout=subprocess.DEVNULL) as running:
        try:
            while not place.exists():
                assert running.poll() is None
                time.sleep(0.01)
            with redis.Redis(unix_socket_path=str(place)) as client:
                yield client
        finally:
            running.terminate()


def test_redis_entries_are_acknowledged_after_the_answers(server: redis.Redis, tmp_path: Path) -> None:
    for article in PLAIN:
        server.xadd("articles", {"article": json.dumps(article)})
    consume = recipe("redis").consume

    with Index.open(tmp_path / "seen.db") as index:
        answering = index.add

        def dies_later(articles: list[Article]) -> Any:
            answers = answering(articles)
            if index.backend.read_state().articles > 30:
                raise KeyboardInterrupt
            return answers

        index.add = dies_later  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            consume(server, index, "worker-1", most=20)
    left = server.xpending("articles", "dedup")["pending"]
    with Index.open(tmp_path / "seen.db") as index:
        consume(server, index, "worker-1", most=20)

    entries: Any = server.xrange("articles:new")
    passed_on = [json.loads(entry[b"article"])["id"] for _, entry in entries]
    assert left == 20
    assert server.xpending("articles", "dedup")["pending"] == 0
    assert passed_on == first_told(PLAIN)


def test_frames_come_back_as_they_were_with_one_row_of_each_story() -> None:
    result = deduplicate(ARTICLES)
    page = recipe("frames")

    pandas, polars = page.kept_pandas(pd.DataFrame(ARTICLES)), page.kept_polars(pl.DataFrame(ARTICLES))
    marked = page.with_clusters(pd.DataFrame(ARTICLES))

    assert pandas["id"].tolist() == result.kept
    assert polars["id"].to_list() == result.kept
    verdicts = [result.verdict(a) for a in range(len(ARTICLES))]
    assert marked["cluster"].tolist() == [verdict["cluster"] for verdict in verdicts]


def test_a_data_set_is_deduplicated_whole_or_as_it_streams() -> None:
    whole = datasets.Dataset.from_list(ARTICLES)
    page = recipe("datasets")

    kept = page.kept(whole)
    with Index.open(":memory:") as index:
        new = [row["id"] for row in page.new_only(whole.to_iterable_dataset(), index)]
        relations = [row["relation"] for row in page.with_relation(whole.to_iterable_dataset(), index)]

    assert kept["id"][:] == deduplicate(ARTICLES).kept
    assert new == first_told(ARTICLES)
    assert [a["id"] for a, relation in zip(ARTICLES, relations, strict=True) if not relation] == new
