"""`dedup filter`: what is kept byte for byte, what is dropped with the reason."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet
import pytest
from commands import called, lines_of, on_terminal, process, written
from newsmaker import Article, batch, make_storylines, planned, story

from dedup.index.answers import Answer, build_answer_verdict, get_answer_evidence
from dedup.index.index import Index
from dedup.io.corpus import read_articles
from dedup.settings.settings import LEVELS, Settings


@pytest.fixture(scope="module")
def news(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a corpus with many duplicates, its lines written in different ways."""
    path = tmp_path_factory.mktemp("news") / "news.jsonl"
    lines = [
        json.dumps(article, default=str, ensure_ascii=n % 2 == 0) for n, article in enumerate(planned(60, 7))
    ]
    return written(path, [line.replace(": ", " :  ") if n % 3 else line for n, line in enumerate(lines)])


def test_kept_lines_are_lines_of_the_input_in_their_order(news: Path) -> None:
    kept = called("filter", news).stdout_bytes.splitlines()

    lines = news.read_bytes().splitlines()
    assert 0 < len(kept) < len(lines)
    assert kept == [line for line in lines if line in set(kept)]


def test_every_article_is_either_kept_or_dropped(news: Path, tmp_path: Path) -> None:
    answer = called("filter", news, "-o", tmp_path / "kept.jsonl", "--dropped", tmp_path / "dropped.jsonl")

    kept = lines_of((tmp_path / "kept.jsonl").read_bytes())
    dropped = lines_of((tmp_path / "dropped.jsonl").read_bytes())
    ids = [article["id"] for article in lines_of(news.read_bytes())]
    assert answer.stdout == ""
    assert sorted(article["id"] for article in kept + dropped) == sorted(ids)


def test_a_dropped_article_names_a_kept_one_and_the_evidence(news: Path, tmp_path: Path) -> None:
    kept = called("filter", news, "--dropped", tmp_path / "dropped.jsonl").stdout

    ids = {article["id"] for article in lines_of(kept)}
    for article in lines_of((tmp_path / "dropped.jsonl").read_bytes()):
        dedup = article["dedup"]
        assert list(dedup) == ["cluster", "canonical", "relation", "score", "storyline", "evidence"]
        assert {dedup["cluster"], dedup["storyline"]} <= ids
        assert dedup["canonical"] is False
        assert 0 < dedup["score"] <= 1
        assert {"jaccard", "contained", "contains"} <= set(dedup["evidence"])


def test_dropped_lines_keep_their_bytes_before_the_reason(news: Path, tmp_path: Path) -> None:
    called("filter", news, "--dropped", tmp_path / "dropped.jsonl")

    lines = [line[:-1] for line in news.read_bytes().splitlines()]
    for dropped in (tmp_path / "dropped.jsonl").read_bytes().splitlines():
        assert dropped[: dropped.index(b',"dedup":{')] in lines


def test_annotate_writes_all_in_order(news: Path) -> None:
    annotated = called("filter", news, "--annotate").stdout_bytes

    assert annotated == called("cluster", news, "--format", "articles").stdout_bytes
    assert len(annotated.splitlines()) == 60


def test_a_second_run_drops_nothing(news: Path, tmp_path: Path) -> None:
    called("filter", news, "-o", tmp_path / "kept.jsonl")

    again = called("filter", tmp_path / "kept.jsonl")

    assert again.stdout_bytes == (tmp_path / "kept.jsonl").read_bytes()


def test_a_pipe_through_filter_keeps_the_bytes(news: Path) -> None:
    with news.open("rb") as stdin:
        done = process("filter", "-", stdin=stdin)

    assert done.returncode == 0
    assert done.stdout.encode() == called("filter", news).stdout_bytes


def test_what_was_annotated_before_is_annotated_anew(tmp_path: Path) -> None:
    twice = [{**story(3), "id": name, "dedup": "of yesterday"} for name in "ab"]

    first, second = lines_of(called("filter", written(tmp_path / "news.jsonl", twice), "--annotate").stdout)

    known = {"cluster": "a", "storyline": "a"}
    assert first["dedup"] == {"canonical": True, "relation": None, "score": None, **known}
    assert second["dedup"] == {"canonical": False, "relation": "exact", "score": 1.0, **known}


def test_an_article_given_twice_is_kept_once(tmp_path: Path) -> None:
    corpus = written(tmp_path / "news.jsonl", [{**story(3), "id": "a"}] * 3)

    answer = called("filter", corpus)

    assert answer.stdout_bytes == corpus.read_bytes().splitlines(keepends=True)[0]


@pytest.mark.parametrize("name", ["kept.jsonl.gz", "kept.csv", "kept.parquet"])
def test_the_extension_says_the_format(name: str, news: Path, tmp_path: Path) -> None:
    plain = called("filter", news).stdout_bytes

    called("filter", news, "-o", tmp_path / name)

    if name.endswith(".gz"):
        assert gzip.decompress((tmp_path / name).read_bytes()) == plain
    elif name.endswith(".csv"):
        assert (tmp_path / name).read_text().startswith("id,title,text,published,source\n")
    else:
        ids = pyarrow.parquet.read_table(tmp_path / name)["id"].to_pylist()
        assert ids == [article["id"] for article in lines_of(plain)]


def test_several_corpora_are_one(tmp_path: Path) -> None:
    first = written(tmp_path / "first.jsonl", [{**story(3), "id": "a"}])
    second = written(tmp_path / "second.jsonl", [{**story(3), "id": "b"}])

    assert called("filter", first, second).stdout_bytes == first.read_bytes()


def test_a_folder_of_texts_becomes_lines(seeds: Path) -> None:
    kept = lines_of(called("filter", seeds).stdout)

    assert len(kept) == 3
    assert all({"id", "text"} <= set(article) for article in kept)


def test_the_output_may_replace_the_input(tmp_path: Path) -> None:
    corpus = written(
        tmp_path / "news.jsonl", [{**story(n), "id": f"{n}{half}"} for n in range(3) for half in "ab"]
    )
    kept = called("filter", corpus).stdout_bytes

    answer = called("filter", corpus, "-o", corpus, "--in-place")

    assert answer.exit_code == 0
    assert corpus.read_bytes() == kept


@pytest.mark.parametrize("places", [["--dropped", "-"], ["-o", "x.jsonl", "--dropped", "./x.jsonl"]])
def test_kept_and_dropped_cannot_go_to_one_place(places: list[str], news: Path) -> None:
    answer = called("filter", news, *places)

    assert answer.exit_code == 2
    assert "--dropped and --output must be different files" in answer.stderr


def test_dropped_may_go_to_stdout(news: Path, tmp_path: Path) -> None:
    dropped = called("filter", news, "-o", tmp_path / "kept.jsonl", "--dropped", "-").stdout

    assert all(not article["dedup"]["canonical"] for article in lines_of(dropped))


def test_the_summary_counts_what_was_dropped(news: Path, tmp_path: Path) -> None:
    answer = called("filter", news, "--dropped", tmp_path / "dropped.jsonl")

    dropped = lines_of((tmp_path / "dropped.jsonl").read_bytes())
    clusters = len({article["dedup"]["cluster"] for article in dropped})
    assert answer.stderr.startswith(f"60 articles, {clusters} clusters, {len(dropped)} duplicates (")


def test_lines_go_to_a_terminal_if_they_are_asked_for(news: Path) -> None:
    assert on_terminal("filter", news, "-q", "--format", "jsonl", columns=80).count('{"id"') > 3


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["-o", "seen.jsonl"], "--index and --output"),
        (["--dropped", "./seen.jsonl"], "--index and --dropped"),
        (["--rejects", "seen.jsonl"], "--index and --rejects"),
        (["-o", "x.jsonl", "--rejects", "x.jsonl"], "--rejects and --output"),
    ],
)
def test_nothing_is_written_over_the_index_or_another_output(
    options: list[str], says: str, news: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    answer = called("filter", news, "--index", "seen.jsonl", *options)

    assert answer.exit_code == 2
    assert f"{says} must be different files" in answer.stderr


def test_an_index_without_a_name_is_refused(news: Path) -> None:
    answer = called("filter", news, "--index", "")

    assert answer.exit_code == 1
    assert "an index needs a place" in answer.stderr


def test_a_second_run_over_an_index_says_that_it_is_one(newsroom: Path, tmp_path: Path) -> None:
    with Index.open(":memory:") as index:
        new = sum(match is None for _, match in index.add(read_articles(newsroom)))
    command = ("filter", newsroom, "--index", tmp_path / "seen.db", "-o", tmp_path / "kept.jsonl")
    first = called(*command).stderr
    kept = (tmp_path / "kept.jsonl").read_bytes()

    again, none = called(*command), called(*command, "--new-only")

    assert "already in the index" not in first
    assert 0 < new < 54
    assert f"{new} kept" in again.stderr
    assert "54 already in the index" in again.stderr
    assert "0 kept" in none.stderr
    assert kept.count(b"\n") == new
    assert (tmp_path / "kept.jsonl").read_bytes() == b""


def answers_to(articles: list[Article], level: str) -> list[Answer]:
    """Return what an index says of articles at a level."""
    with Index.open(":memory:", Settings(level=level)) as index:
        return index.decide(batch(articles))


@pytest.fixture(scope="module")
def chapters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a corpus of a few storylines."""
    return written(tmp_path_factory.mktemp("storylines") / "news.jsonl", make_storylines(60, seed=3))


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("streams", [False, True])
def test_with_an_index_all_is_annotated_with_its_storyline(
    level: str, streams: bool, chapters: Path, tmp_path: Path
) -> None:
    expected = answers_to(make_storylines(60, seed=3), level)
    corpus, given = ("-", chapters.read_text()) if streams else (chapters, "")
    options = ("--annotate", "--index", tmp_path / "seen.db", "--dropped", tmp_path / "dropped.jsonl")

    done = process("filter", corpus, *options, "--level", level, input=given)

    assert done.returncode == 0, done.stderr
    assert [article["dedup"] for article in lines_of(done.stdout)] == [
        build_answer_verdict(answer) for answer in expected
    ]
    assert [article["dedup"] for article in lines_of((tmp_path / "dropped.jsonl").read_bytes())] == [
        {**build_answer_verdict(answer), "evidence": get_answer_evidence(answer)}
        for answer in expected
        if answer.match
    ]
    assert any("follows" in build_answer_verdict(answer) for answer in expected) == (level != "storyline")


@pytest.mark.parametrize("asked", ["text", "story"])
def test_an_index_of_another_level_is_refused_in_a_line(asked: str, chapters: Path, tmp_path: Path) -> None:
    place = tmp_path / "seen.db"
    called("filter", chapters, "--index", place, "--level", "storyline", "-q")

    done = called("filter", chapters, "--index", place, "--level", asked)

    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == (
        f"Error: the index {place} was made for --level storyline, not {asked}: open it with --level storyline, "
        f"or make another index, in another place, with --level {asked}\n"
    )


def test_an_index_keeps_its_level_where_none_is_asked_for(chapters: Path, tmp_path: Path) -> None:
    options = ("--index", tmp_path / "seen.db", "--annotate")
    first = called("filter", chapters, *options, "--level", "storyline")

    again = called("filter", chapters, *options, "--undated", "now", "--threads", "1")

    assert again.exit_code == 0, again.stderr
    assert [{**article["dedup"], "again": True} for article in lines_of(first.stdout)] == [
        article["dedup"] for article in lines_of(again.stdout)
    ]


def test_a_stream_cannot_take_the_undated_together(chapters: Path, tmp_path: Path) -> None:
    done = called("filter", chapters, "--index", tmp_path / "seen.db", "--undated", "together")

    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == (
        "Error: undated=together needs a whole corpus, and an index answers each article as it comes: use apart, or now\n"
    )
    assert not list(tmp_path.iterdir())


def test_undated_articles_of_a_stream_are_of_now(tmp_path: Path) -> None:
    corpus = written(tmp_path / "news.jsonl", [{**story(3), "id": "a", "published": None}])
    begun = datetime.now(UTC).replace(microsecond=0)

    for _ in range(2):
        called("filter", corpus, "--index", tmp_path / "seen.db", "--undated", "now")
    called("index", "export", tmp_path / "seen.db", "-o", tmp_path / "log.parquet")

    (row,) = pyarrow.parquet.read_table(tmp_path / "log.parquet").to_pylist()
    assert begun <= row["published"].replace(tzinfo=UTC) <= datetime.now(UTC) + timedelta(seconds=1)


def test_the_options_of_reading_reach_the_reader(tmp_path: Path) -> None:
    path = written(tmp_path / "news.csv", ["id:text:date", "1:The ferry ran aground:03/04/2026"])

    plain = called("filter", path, "--delimiter", ":")
    dated = called("filter", path, "--delimiter", ":", "--day-first")

    assert "--day-first" in plain.stderr
    assert "two days" not in dated.stderr
    assert plain.stdout == dated.stdout == '{"id":"1","text":"The ferry ran aground","date":"03/04/2026"}\n'
