"""`dedup cluster`: JSON Lines into a pipe or a file, a list to read on a terminal."""

import json
from io import StringIO
from pathlib import Path

import pyarrow.parquet
import pytest
from commands import called, lines_of, on_terminal, process, raw_on_terminal, written
from newsmaker import planned, story, version
from rich.console import Console
from sagas import CHAPTERS, STORYLINES, linked, saga

from dedup.cli.render import RELATION_STYLES
from dedup.cli.render.clusters import render_clusters
from dedup.io.corpus import read_articles
from dedup.pipeline.deduplicate import deduplicate
from dedup.pipeline.results import Result
from dedup.pipeline.writers import describe_clusters
from dedup.settings.settings import RELATIONS, Settings

COPIES = [
    {"id": "a", "source": "Norwire", **{k: v for k, v in story(1).items() if k != "source"}},
    {"id": "b", **version(1, "cut", 3)},
    {"id": "c", **story(2)},
]


@pytest.fixture
def copies(tmp_path: Path) -> Path:
    """Return a corpus of an article, its excerpt, and another story."""
    return written(tmp_path / "copies.jsonl", COPIES)


def test_the_newsroom_gives_up_its_fire(newsroom: Path) -> None:
    answer = called("cluster", newsroom)

    clusters = {line["cluster"]: line for line in lines_of(answer.stdout)}
    fire = clusters["harbour-fire-1"]
    assert {member["id"] for member in fire["members"]} == {
        "harbour-fire-2",
        "harbour-fire-3",
        "harbour-fire-4",
    }


def test_the_seeds_are_one_story_and_two_others(seeds: Path) -> None:
    (line,) = lines_of(called("cluster", seeds).stdout)

    ids = [line["cluster"], *(member["id"] for member in line["members"])]
    assert sorted(id_[:3] for id_ in ids) == ["000", "001", "003"]


def test_a_cluster_is_one_object_a_line_largest_first(newsroom: Path) -> None:
    lines = lines_of(called("cluster", newsroom).stdout)

    assert all(list(line) == ["cluster", "size", "storyline", "canonical", "members"] for line in lines)
    assert [line["size"] for line in lines] == sorted((line["size"] for line in lines), reverse=True)
    assert all(line["size"] == 1 + len(line["members"]) >= 2 for line in lines)
    assert all(line["canonical"]["id"] == line["cluster"] for line in lines)


def test_the_canonical_is_there_in_full_and_only_once(newsroom: Path) -> None:
    articles = {article["id"]: article for article in lines_of(newsroom.read_bytes())}

    for line in lines_of(called("cluster", newsroom).stdout):
        assert line["canonical"] == articles[line["cluster"]]
        assert line["cluster"] not in [member["id"] for member in line["members"]]


def test_a_member_says_what_it_is_and_why_it_is_there(copies: Path) -> None:
    (line,) = lines_of(called("cluster", copies).stdout)

    (member,) = line["members"]
    assert list(member) == ["id", "title", "source", "published", "relation", "score", "evidence"]
    assert member["relation"] == "excerpt"
    assert member["score"] == member["evidence"]["contained"] == 1.0
    assert member["published"] == COPIES[1]["published"].isoformat()


def test_articles_come_in_order_with_their_bytes_and_a_verdict(newsroom: Path) -> None:
    answer = called("cluster", newsroom, "--format", "articles")

    lines = answer.stdout_bytes.splitlines()
    for before, after in zip(newsroom.read_bytes().splitlines(), lines, strict=True):
        verdict = json.loads(after)["dedup"]
        assert after.startswith(before[:-1])
        follows = ["follows"] if verdict["canonical"] and verdict["storyline"] != verdict["cluster"] else []
        assert list(verdict) == ["cluster", "canonical", "relation", "score", "storyline", *follows]
        assert verdict["canonical"] == (verdict["relation"] is None)
        assert verdict["relation"] in {None, *RELATIONS}


def test_a_file_gets_the_same_as_a_pipe(newsroom: Path, tmp_path: Path) -> None:
    into_file = called("cluster", newsroom, "-o", tmp_path / "clusters.jsonl")

    assert into_file.stdout == ""
    assert (tmp_path / "clusters.jsonl").read_text() == called("cluster", newsroom).stdout


def test_the_extension_says_the_format(newsroom: Path, tmp_path: Path) -> None:
    called("cluster", newsroom, "--format", "articles", "-o", tmp_path / "articles.parquet")

    table = pyarrow.parquet.read_table(tmp_path / "articles.parquet")
    assert table.num_rows == 54
    assert "dedup" in table.column_names


def test_the_summary_is_on_stderr(newsroom: Path) -> None:
    answer = called("cluster", newsroom)

    assert answer.stderr.startswith("54 articles, ")
    assert "exact" in answer.stderr
    assert answer.stderr.endswith((" s\n", "mostly compiling\n"))


def test_the_summary_counts_the_followups_that_are_kept(newsroom: Path) -> None:
    followups, storylines = deduplicate(read_articles(newsroom)).count_followups()
    assert followups > 1

    answer = called("cluster", newsroom)

    assert f", {followups} follow-ups kept in {storylines} storyline" in answer.stderr
    assert "kept in" not in called("cluster", newsroom, "--level", "storyline").stderr


def test_standard_input_is_a_corpus(newsroom: Path) -> None:
    answer = called("cluster", "-", stdin=newsroom.read_bytes())

    assert answer.stdout == called("cluster", newsroom).stdout


def test_order_and_threads_change_nothing(newsroom: Path, tmp_path: Path) -> None:
    lines = newsroom.read_bytes().splitlines()
    shuffled = written(tmp_path / "shuffled.jsonl", reversed(lines))

    assert called("cluster", shuffled, "--threads", "1").stdout == called("cluster", newsroom).stdout


def test_relations_left_out_do_not_count(copies: Path) -> None:
    assert called("cluster", copies, "--relations", "exact").stdout == ""


def test_a_preferred_source_is_kept(tmp_path: Path) -> None:
    corpus = written(
        tmp_path / "two.jsonl", [{**COPIES[2], "source": name, "id": name} for name in ("A", "B")]
    )

    (line,) = lines_of(called("cluster", corpus, "--sources", "B").stdout)

    assert line["cluster"] == "B"


def test_fields_may_have_other_names(tmp_path: Path) -> None:
    renamed = [{"key": a["id"], "words": a["text"], "title": a["title"]} for a in COPIES]
    corpus = written(tmp_path / "renamed.jsonl", renamed)

    (line,) = lines_of(called("cluster", corpus, "--field", "id=key", "--field", "text=words").stdout)

    assert {line["cluster"], line["members"][0]["id"]} == {"a", "b"}
    assert line["canonical"] in renamed


def test_ids_given_twice_stay_apart(tmp_path: Path) -> None:
    corpus = written(
        tmp_path / "twice.jsonl", [{**a, "id": "x"} for a in (COPIES[0], COPIES[2], COPIES[1], COPIES[2])]
    )

    answer = called("cluster", corpus)

    (line,) = lines_of(answer.stdout)
    assert {line["cluster"], line["members"][0]["id"]} == {"x", "x#3"}
    assert answer.stderr.startswith("4 articles, 1 cluster, 2 duplicates")
    assert "1 article repeated in the input" in answer.stderr
    assert "with the id of another article, renamed" in answer.stderr


@pytest.mark.parametrize(
    "published", ["0000-00-00", "1066-10-14", "99999-01-01", "soon", 10**30, -1, True, {}]
)
def test_absurd_dates_are_no_dates(published: object, tmp_path: Path) -> None:
    corpus = written(tmp_path / "dates.jsonl", [{**a, "published": published} for a in COPIES])

    answer = called("cluster", corpus)

    assert answer.exit_code == 0
    (line,) = lines_of(answer.stdout)
    assert line["members"][0]["published"] in {None, "1969-12-31T23:59:59+00:00"}


def test_odd_characters_come_out_as_they_went_in(tmp_path: Path) -> None:
    odd = "A\\ud800 \\u0000 \\u202e<b>&\\\\ \\ud83d\\ude00"
    text = json.dumps(COPIES[0]["text"])[:-1] + f' {odd}"'
    lines = [
        f'{{"id": "{name}", "title": "{odd}", "text": {text}, "x": 1e400}}'.replace("1e400", "1e3")
        for name in "ab"
    ]
    corpus = written(tmp_path / "odd.jsonl", lines)

    answer = called("cluster", corpus)

    assert answer.exit_code == 0, answer.stderr
    (line,) = lines_of(answer.stdout)
    assert line["canonical"] == json.loads(lines[0])


def test_what_cannot_be_read_is_kept_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    corpus = written(
        tmp_path / "news.jsonl", [COPIES[0], '{"id": "broken', {"id": "null", "text": None}, COPIES[1]]
    )

    answer = called("cluster", corpus, "--max-rejects", "50%")

    assert answer.exit_code == 0
    assert len(lines_of(answer.stdout)) == 1
    (path,) = tmp_path.glob("dedup-*/dedup.rejects.jsonl")
    assert f"2 articles could not be read; see {path} for the reasons" in answer.stderr
    assert path.parent.stat().st_mode & 0o777 == 0o700
    rejects = lines_of(path.read_bytes())
    assert [(reject["file"], reject["line"]) for reject in rejects] == [(str(corpus), 2), (str(corpus), 3)]
    assert all(reject["reason"] for reject in rejects)


def test_rejects_lie_beside_the_output_or_where_they_are_asked_for(tmp_path: Path) -> None:
    corpus = written(tmp_path / "news.jsonl", ["broken", COPIES[0]])

    called("cluster", corpus, "-o", tmp_path / "out.jsonl")
    called("cluster", corpus, "-o", tmp_path / "out.jsonl", "--rejects", tmp_path / "bad.jsonl")

    assert (tmp_path / "out.jsonl.rejects.jsonl").read_bytes() == (tmp_path / "bad.jsonl").read_bytes() != b""


def test_without_an_output_no_file_is_left_in_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = written(tmp_path / "news.jsonl", [*COPIES, "broken"])
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    assert called("cluster", corpus, "--max-rejects", "50%").exit_code == 0

    assert list(Path().iterdir()) == []


def test_no_rejects_no_file(newsroom: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    called("cluster", newsroom)
    called("cluster", newsroom, "-o", tmp_path / "out.jsonl")

    assert [path.name for path in tmp_path.iterdir()] == ["out.jsonl"]


def test_strict_stops_at_the_first_line_that_cannot_be_read(tmp_path: Path) -> None:
    corpus = written(tmp_path / "news.jsonl", [COPIES[0], "broken"])

    answer = called("cluster", corpus, "--strict", "-o", tmp_path / "out.jsonl")

    assert answer.exit_code == 1
    assert answer.stderr.startswith(f"Error: {corpus}:2: ")
    assert list(tmp_path.iterdir()) == [corpus]


def test_a_corpus_of_nothing_gives_nothing(tmp_path: Path) -> None:
    answer = called("cluster", written(tmp_path / "none.jsonl", []))

    assert answer.exit_code == 0
    assert answer.stdout == ""
    assert answer.stderr.startswith("0 articles, 0 clusters, 0 duplicates;")


def test_a_bound_that_was_reached_is_told(tmp_path: Path) -> None:
    corpus = written(tmp_path / "news.jsonl", planned(60, 5, stories=40))

    assert (
        "reached --max-candidates or --max-postings"
        in called("cluster", corpus, "--max-postings", "1").stderr
    )
    assert "reached" not in called("cluster", corpus).stderr


def test_a_terminal_gets_a_list_to_read(newsroom: Path) -> None:
    seen = on_terminal("cluster", newsroom, columns=120)

    fire = seen[seen.index("Fire destroys fish warehouse on Port Ellery quay") :]
    _, facts, first, *_ = fire.splitlines()
    assert facts.split(" · ") == ["4 articles", "Norwire", "3 Mar 2026, 09:05", "harbour-fire-1"]
    assert first.split() == [
        "exact",
        "100%",
        "+26",
        "min",
        "same",
        "title",
        "Coastal",
        "Daily",
        "harbour-fire-2",
    ]
    assert seen.splitlines()[-1].startswith("54 articles, ")
    assert "rewrite" in seen


def listed(result: Result, corpus: Path, columns: int) -> list[str]:
    """Return the lines of the list of clusters on a terminal so many columns wide."""
    console = Console(width=columns, record=True, file=StringIO())
    for part in render_clusters(describe_clusters(result, read_articles(corpus), 40), 0):
        console.print(part)
    return console.export_text().splitlines()


def test_the_heading_of_a_cluster_says_which_chapter_of_a_storyline_it_is(tmp_path: Path) -> None:
    corpus = written(tmp_path / "saga.jsonl", saga())
    result = linked(deduplicate(read_articles(corpus)), STORYLINES)

    lines = listed(result, corpus, 100)

    first, third = story(1)["title"], story(3)["title"]
    assert lines[lines.index(first) + 2] == f"chapter 1 of {CHAPTERS} of a storyline that starts here"
    assert lines[lines.index(third) + 2] == f"chapter 3 of {CHAPTERS} in the storyline “{first}”, c1"
    assert all(len(line) <= 40 for line in listed(result, corpus, 40))


def test_a_storyline_without_a_title_is_called_by_its_first_words(tmp_path: Path) -> None:
    corpus = written(tmp_path / "saga.jsonl", [{**article, "title": None} for article in saga()])
    result = linked(deduplicate(read_articles(corpus)), STORYLINES)

    chapter = next(line for line in listed(result, corpus, 100) if line.startswith("chapter 3"))

    assert f"“{' '.join(story(1)['text'].split()[:5])}" in chapter
    assert chapter.endswith("…”, c1")


def test_a_story_of_no_storyline_says_nothing_of_one(tmp_path: Path) -> None:
    corpus = written(tmp_path / "saga.jsonl", saga())
    result = linked(deduplicate(read_articles(corpus)), {})

    assert "chapter" not in " ".join(listed(result, corpus, 100))


def test_where_followups_join_the_list_names_them(newsroom: Path) -> None:
    result = deduplicate(read_articles(newsroom), Settings(level="storyline"))
    followups = [match.relation for match in result.dropped].count("followup")

    seen = on_terminal("cluster", newsroom, "--level", "storyline", columns=120)

    assert len([line for line in seen.splitlines() if line.startswith("  followup ")]) == followups
    assert "chapter" not in seen


def test_each_relation_has_a_colour_of_its_own() -> None:
    assert list(RELATION_STYLES) == list(RELATIONS)
    assert len(set(RELATION_STYLES.values())) == len(RELATIONS)


@pytest.mark.parametrize("columns", [40, 80, 100, 200])
def test_no_line_is_wider_than_the_terminal(columns: int, newsroom: Path) -> None:
    listing = on_terminal("cluster", newsroom, columns=columns).split("\n54 articles")[0]

    assert max(len(line) for line in listing.splitlines()) <= columns


def test_an_article_without_a_title_has_its_first_words_for_one(tmp_path: Path) -> None:
    texts = [{"id": a["id"], "text": f"|\n\n{a['text']}"} for a in COPIES]

    seen = on_terminal("cluster", written(tmp_path / "untitled.jsonl", texts))

    assert " ".join(COPIES[0]["text"].split()[:12]) + "…" in seen


def test_a_title_cannot_command_the_terminal(tmp_path: Path) -> None:
    evil = "[bold red]Mayor\x1b[2J\x1b]0;owned\x07 \u202eresigns"
    corpus = written(tmp_path / "evil.jsonl", [{**a, "title": evil, "source": evil} for a in COPIES])

    seen = raw_on_terminal("cluster", corpus)

    assert "[bold red]Mayor" in seen
    assert "\x1b[2J" not in seen
    assert "\x07" not in seen
    assert "\u202e" not in seen


def test_only_the_largest_clusters_fill_a_terminal(tmp_path: Path) -> None:
    twice = [{**story(n), "id": f"{n}{half}"} for n in range(60) for half in "ab"]
    corpus = written(tmp_path / "many.jsonl", twice)

    seen = on_terminal("cluster", corpus)

    clusters = called("cluster", corpus).stdout.count("\n")
    assert seen.count(" articles · ") == 40
    assert f"… and {clusters - 40} more (use -o to get all)" in seen


def test_a_table_can_be_printed_into_a_pipe(newsroom: Path, tmp_path: Path) -> None:
    seen = called("cluster", newsroom, "--format", "table")
    refused = called("cluster", newsroom, "--format", "table", "-o", tmp_path / "out.jsonl")

    assert "Fire destroys fish warehouse on Port Ellery quay" in seen.stdout
    assert seen.stdout.splitlines()[-1].startswith("54 articles, ")
    assert "\x1b" not in seen.stdout
    assert refused.exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_ids_are_shown_on_a_terminal_of_80_columns(newsroom: Path) -> None:
    listing = on_terminal("cluster", newsroom, columns=80)

    fire = listing[listing.index("Fire destroys fish warehouse on Port Ellery quay") :].splitlines()
    assert fire[2].split()[-3:] == ["same", "title", "harbour-fire-2"]
    assert max(map(len, listing.split("\n54 articles")[0].splitlines())) <= 80


def test_duplicates_can_fail_a_command_once_they_are_written(copies: Path, tmp_path: Path) -> None:
    alone = written(tmp_path / "alone.jsonl", COPIES[1:])

    failed = called("cluster", copies, "--fail-on-duplicates")
    passed = called("cluster", alone, "--fail-on-duplicates")

    assert failed.exit_code == 1
    assert failed.stderr.endswith("Error: there is 1 duplicate\n")
    assert len(lines_of(failed.stdout)) == 1
    assert passed.exit_code == 0


def test_a_format_that_is_asked_for_goes_to_a_terminal_too(newsroom: Path) -> None:
    assert '{"cluster":"harbour-fire-1"' in on_terminal("cluster", newsroom, "--format", "clusters")


def test_the_hash_seed_changes_nothing(newsroom: Path) -> None:
    from commands import environment

    first, second = (
        process("cluster", newsroom, env=environment(PYTHONHASHSEED=seed)).stdout for seed in "12"
    )

    assert first == second != ""
