"""Results as lines: nothing is lost, nothing is altered, whatever the clusters are."""

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from commands import written
from hypothesis import given
from hypothesis import settings as examples
from newsmaker import Article, batch, corpora, planned, story

from dedup.errors import OutputError
from dedup.io.corpus import read_articles
from dedup.io.records import Record
from dedup.pipeline import writers
from dedup.pipeline.deduplicate import deduplicate
from dedup.pipeline.results import Result
from dedup.pipeline.writers import (
    check_output_path,
    describe_clusters,
    iter_annotated_lines,
    iter_cluster_lines,
    iter_dropped_lines,
    iter_kept_records,
)


class Given:
    """A corpus that lies in memory."""

    def __init__(self, articles: list[Article]) -> None:
        self.articles = articles

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        yield from (batch(self.articles).slice(0, 3), batch(self.articles).slice(3))

    def iter_records(self) -> Iterator[Record]:
        return (Record(json.dumps(article, default=str).encode()) for article in self.articles)


def done(articles: list[Article]) -> tuple[Result, Given]:
    """Return the result of some articles, and the corpus that they are."""
    return deduplicate(articles), Given(articles)


@examples(max_examples=40)
@given(corpora(20, least=1, stories=4))
def test_clusters_are_those_of_the_result(articles: list[Article]) -> None:
    result, corpus = done(articles)

    lines = [json.loads(line) for line in iter_cluster_lines(result, corpus)]

    assert [(line["cluster"], *(m["id"] for m in line["members"])) for line in lines] == [
        c.ids for c in result.clusters
    ]
    assert [line["canonical"]["id"] for line in lines] == [c.canonical for c in result.clusters]


def test_clusters_are_the_same_however_many_are_taken_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    result, corpus = done(planned(40, 9))
    lines = list(iter_cluster_lines(result, corpus))

    for most in (1, 2, 7):
        monkeypatch.setattr(writers, "ROWS_PER_TAKE", most)
        assert list(iter_cluster_lines(result, corpus)) == lines
    assert len(lines) > 1


@examples(max_examples=40)
@given(corpora(20, least=1, stories=4))
def test_kept_and_dropped_are_all_there_is(articles: list[Article]) -> None:
    result, corpus = done(articles)

    lines = {record.to_line() for record in iter_kept_records(result, corpus)}
    others = [json.loads(line) for line in iter_dropped_lines(result, corpus)]

    assert len(lines) + len(others) == len(articles)
    assert lines <= {record.to_line() for record in corpus.iter_records()}
    assert [article["id"] for article in others] == [match.id for match in result.dropped]
    assert all(article["dedup"]["evidence"] for article in others)


def test_every_article_is_annotated_in_order() -> None:
    result, corpus = done(planned(20, 9))

    lines = [json.loads(line) for line in iter_annotated_lines(result, corpus)]

    assert [line["id"] for line in lines] == [article["id"] for article in corpus.articles]
    assert [line["dedup"] for line in lines] == [result.verdict(a) for a in range(20)]


def test_a_result_of_another_corpus_is_not_written() -> None:
    result, corpus = done(planned(5, 9))

    with pytest.raises(ValueError, match="zip"):
        list(iter_annotated_lines(result, Given(corpus.articles[:-1])))


def test_clusters_are_described_by_their_first_words_where_there_is_no_title() -> None:
    articles = [{"id": name, "text": story(1)["text"]} for name in "abcd"]
    articles += [{"id": name, **story(2)} for name in "ef"]
    result, corpus = done(articles)

    untitled, titled = describe_clusters(result, corpus, 5)

    assert {article["title"] for article in untitled} == {" ".join(story(1)["text"].split()[:12]) + "…"}
    assert {article["title"] for article in titled} == {story(2)["title"]}
    assert [article["id"] for article in untitled] == ["a", "b", "c", "d"]
    assert len(describe_clusters(result, corpus, 1)) == 1


def test_no_clusters_are_no_lines() -> None:
    result, corpus = done([{"id": "a", **story(1)}])

    assert list(iter_cluster_lines(result, corpus)) == []
    assert describe_clusters(result, corpus, 5) == []


def test_files_are_read_again_for_what_is_written(tmp_path: Path) -> None:
    path = written(tmp_path / "news.jsonl", planned(30, 2))
    corpus = read_articles(path)
    result = deduplicate(corpus)

    assert [record.to_line() for record in iter_kept_records(result, corpus)] == [
        line
        for line, is_kept in zip(
            path.read_bytes().splitlines(), result.assignments.relations < 0, strict=True
        )
        if is_kept
    ]


def test_a_place_is_checked_and_left_as_it_was(newsroom: Path, tmp_path: Path) -> None:
    there = tmp_path / "there.jsonl"
    there.write_bytes(b"old")

    corpus = read_articles(newsroom, "-")

    for place in (None, "-", "/dev/null", str(there), str(tmp_path / "new.jsonl")):
        check_output_path(place, corpus)

    assert list(tmp_path.iterdir()) == [there]
    assert there.read_bytes() == b"old"
    with pytest.raises(OutputError, match="cannot write"):
        check_output_path(str(tmp_path / "no" / "folder.jsonl"))


def test_no_place_is_a_file_of_the_corpus(tmp_path: Path) -> None:
    corpus = read_articles(written(tmp_path / "news.jsonl", [story(1)]).parent)
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "news.jsonl")

    for place in ("news.jsonl", "link.jsonl", "../" + tmp_path.name + "/news.jsonl"):
        with pytest.raises(OutputError, match="it is one of the files that are read"):
            check_output_path(str(tmp_path / place), corpus)
