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
import duckdb
import pandas as pd
import polars as pl
import pytest
import redis
from commands import called, environment, lines_of, written
from newsmaker import Article, planned
from programs import require
from recipes import FOLDER, code_of, read_json_blocks, recipe

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


def test_a_bulk_request_names_the_story_of_each_article(newsroom: Path, tmp_path: Path) -> None:
    tagged, bulk = tmp_path / "tagged.jsonl", tmp_path / "bulk.ndjson"
    called("cluster", newsroom, "--format", "articles", "-o", tagged)

    recipe("elasticsearch").write_bulk_file(tagged, bulk)

    lines = lines_of(bulk.read_text(encoding="utf-8"))
    actions, articles = lines[::2], lines[1::2]
    assert bulk.read_bytes().endswith(b"\n")
    assert [action["index"] for action in actions] == [{"_index": "news", "_id": a["id"]} for a in articles]
    stories = {article["id"]: article["story_id"] for article in articles}
    assert stories["harbour-fire-3"] == stories["harbour-fire-1"] == "harbour-fire-1"
    assert sum(article["first_of_story"] for article in articles) == len(set(stories.values()))


def test_an_export_of_elasticsearch_keeps_its_ids_and_fields(tmp_path: Path) -> None:
    hit: dict[str, Any] = {
        "_index": "old",
        "_id": "7",
        "_score": 1,
        "_source": {"headline": "Ferry", "body": "It ran aground."},
    }
    export = tmp_path / "export.jsonl"
    export.write_text(json.dumps(hit) + "\n", encoding="utf-8")
    tagged = called("cluster", export, "--format", "articles").stdout.splitlines()

    action, article = lines_of("".join(recipe("elasticsearch").bulk_lines(tagged, "news")))

    assert action == {"index": {"_index": "news", "_id": "7"}}
    assert article == {
        "id": "7",
        **hit["_source"],
        "story_id": "7",
        "storyline_id": "7",
        "first_of_story": True,
    }


def test_the_search_collapses_by_a_keyword_that_the_bulk_request_writes(
    newsroom: Path, tmp_path: Path
) -> None:
    mapping, search = read_json_blocks("elasticsearch")
    (line,) = called("cluster", newsroom, "--format", "articles").stdout.splitlines()[:1]

    _, article = lines_of("".join(recipe("elasticsearch").bulk_lines([line], "news")))

    properties = mapping["mappings"]["properties"]
    assert properties.keys() <= article.keys()
    assert properties[search["collapse"]["field"]] == {"type": "keyword"}
    assert properties[search["aggs"]["stories"]["cardinality"]["field"]] == {"type": "keyword"}
    assert {
        field.partition("^")[0] for field in search["query"]["multi_match"]["fields"]
    } <= properties.keys()


def test_a_query_of_duckdb_gets_the_decisions_as_columns() -> None:
    articles = pl.DataFrame(ARTICLES).to_arrow()
    result = deduplicate(articles)
    with duckdb.connect() as connection:
        connection.register("news", articles)

        rows = recipe("sql").with_stories(connection, "SELECT * FROM news").fetchall()

    assert [row[0] for row in rows] == result.ids
    verdicts = [result.verdict(position) for position in range(len(rows))]
    assert [row[-3:] for row in rows] == [(v["cluster"], v["relation"], v["storyline"]) for v in verdicts]


def test_the_story_of_a_row_is_an_expression_of_polars() -> None:
    frame = pl.DataFrame(ARTICLES)
    columns = ("id", "title", "text", "published")
    expected = deduplicate(frame.select(columns))

    stories = frame.select(recipe("sql").story_id(*columns))

    assert stories.to_series().to_list() == expected.to_polars()["cluster"].to_list()
    assert recipe("sql").first_of_each_story(frame)["id"].to_list() == expected.kept


def test_one_document_of_each_story_names_all_its_sources(newsroom: Path) -> None:
    articles = lines_of(newsroom.read_bytes())
    result = deduplicate(articles)

    documents = recipe("rag").documents(articles)

    assert [document["id"] for document in documents] == result.kept
    for document in documents:
        ids = result[document["id"]].ids
        carried = {article.get("source") for article in articles if article["id"] in ids} - {None}
        assert set(document["sources"]) == carried
    assert any(len(document["sources"]) > 1 for document in documents)


def test_passages_hold_all_of_a_text() -> None:
    article = {"text": "\n\n".join(article["text"] for article in PLAIN[:5])}

    parts = list(recipe("rag").passages(article, size=200))

    assert len(parts) > 1
    assert "".join("".join(parts).split()) == "".join(article["text"].split())


def test_langchain_keeps_one_document_of_each_story() -> None:
    from langchain_core.documents import Document

    documents = [
        Document(page_content=a["text"], metadata={k: v for k, v in a.items() if k != "text"}) for a in PLAIN
    ]

    kept = recipe("langchain").StoryFilter().transform_documents(documents)

    result = deduplicate(PLAIN)
    assert [document.metadata["id"] for document in kept] == result.kept
    assert [document.metadata["tellings"] for document in kept] == [result[name].size for name in result.kept]
    assert "tellings" not in documents[0].metadata
