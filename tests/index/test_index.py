"""An index over all its homes: a stream in rank order is the batch, a retry is safe, other rules are refused."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from homes import Place
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from newsmaker import FIRST_DAY, Article, batch, corpora, make_storylines, planned, sagas

from dedup.errors import IndexingError, InputError, SettingsError
from dedup.index.answers import Answer
from dedup.index.index import Index
from dedup.matching.classifier import FOLLOWUP, REWRITE, Match
from dedup.matching.match_params import make_match_params
from dedup.matching.models import (
    compute_context_odds,
    compute_probability,
    compute_story_odds,
    compute_storyline_odds,
)
from dedup.pipeline.deduplicate import deduplicate
from dedup.settings.settings import LEVELS, Settings
from dedup.sketches.sketch import SECONDS_PER_DAY

Said = tuple[Match | None, str, Match | None]
"""What an article repeats, the first article of its storyline, and which one it follows."""
SAID = "The river Tarn rose two metres overnight and flooded the old mill at Velden Ridge."
LONG = "".join(hashlib.sha256(bytes([k])).hexdigest() for k in range(120))
"""An id that cannot be squeezed into a page of a B-tree."""
OTHER = "Prosecutors in Averstone charged the owner of the Lorholm shipyard with fraud on Friday."


def in_rank_order(articles: list[Article]) -> tuple[list[Article], dict[str, Any]]:
    """Return the articles in the order in which a run takes them, and what the run makes of each."""
    result = deduplicate(articles)
    by_id = {article["id"]: article for article in articles}
    return [by_id[result.ids[a]] for a in result.order], dict(iter(result))


def run_at(level: str, articles: list[Article]) -> tuple[list[Article], dict[str, Said]]:
    """Return the articles in the order in which a run takes them, and what it says of each, at a level."""
    result = deduplicate(articles, Settings(level=level, undated="apart"))
    by_id = {article["id"]: article for article in articles}
    matches, links = ({found.id: found for found in some} for some in (result.dropped, result.links))
    storylines = {
        result.ids[a]: result.ids[first] for a, first in enumerate(result.assignments.storylines.tolist())
    }
    said = {name: (matches.get(name), storylines[name], links.get(name)) for name in by_id}
    return [by_id[result.ids[a]] for a in result.order], said


def answered(index: Index, articles: list[Article], size: int) -> dict[str, Said]:
    """Return what an index says of articles that come in batches of a size, as `run_at` does."""
    answers: list[Answer] = []
    for start in range(0, len(articles), size):
        answers += index.decide(batch(articles[start : start + size]))
    return {answer.name: (answer.match, answer.storyline, answer.link) for answer in answers}


def fed(index: Index, articles: list[Article], size: int) -> dict[str, Any]:
    """Return what an index says of articles that come in batches of a size."""
    return {
        name: match
        for start in range(0, len(articles), size)
        for name, match in index.add(articles[start : start + size])
    }


@given(articles=corpora(most=25), size=st.integers(1, 12))
@examples(max_examples=20)
def test_law_6_a_stream_in_rank_order_is_the_batch(articles: list[Article], size: int) -> None:
    ordered, expected = in_rank_order(articles)

    with Index.open(":memory:") as index:
        found = fed(index, ordered, size)

    assert found == expected


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_law_6_in_every_home(place: Place, size: int) -> None:
    ordered, expected = in_rank_order(planned(150, seed=3, stories=12))

    with Index.open(place) as index:
        found = fed(index, ordered, size)

    assert found == expected
    assert len({match.relation for match in found.values() if match}) >= 4


@pytest.mark.parametrize("level", LEVELS)
@given(articles=sagas(most=20), size=st.integers(1, 12))
@examples(max_examples=15)
def test_law_6_at_each_level(level: str, articles: list[Article], size: int) -> None:
    ordered, expected = run_at(level, articles)

    with Index.open(":memory:", Settings(level=level)) as index:
        found = answered(index, ordered, size)

    assert found == expected


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_law_6_at_each_level_in_every_home(place: Place, level: str, size: int) -> None:
    ordered, expected = run_at(level, make_storylines(90, seed=3))

    with Index.open(place, Settings(level=level)) as index:
        found = answered(index, ordered, size)
        faults = index.verify(deep=True)

    assert found == expected
    assert faults == []
    assert any(article["published"] is None for article in ordered)
    assert any(match for match, _, _ in found.values())
    assert any(link for _, _, link in found.values()) == (level != "storyline")
    assert any(match and match.relation == "followup" for match, _, _ in found.values()) == (
        level == "storyline"
    )


def test_law_6_when_each_batch_comes_from_another_process(lasting_place: Place) -> None:
    ordered, expected = in_rank_order(planned(60, seed=5, stories=6))

    found: dict[str, Any] = {}
    for start in range(0, len(ordered), 7):
        with Index.open(lasting_place) as index:
            found |= fed(index, ordered[start : start + 7], 7)

    assert found == expected


def test_law_6_when_two_take_turns(lasting_place: Place) -> None:
    ordered, expected = in_rank_order(planned(60, seed=6, stories=6))

    found: dict[str, Any] = {}
    with Index.open(lasting_place) as one, Index.open(lasting_place) as two:
        for start in range(0, len(ordered), 3):
            found |= fed((one, two)[start % 2], ordered[start : start + 3], 3)

    assert found == expected


def test_the_same_id_and_text_get_the_same_answer_again(place: Place) -> None:
    articles = planned(40, seed=7, stories=5)

    with Index.open(place) as index:
        first = index.add(articles)
        again = index.add(articles)

    assert again == first
    assert any(match for _, match in first)


def test_so_they_do_within_a_batch(place: Place) -> None:
    article = {"id": "a", "text": SAID}

    with Index.open(place) as index:
        answers = index.decide(batch([article, article]))

    assert [(answer.match, answer.again) for answer in answers] == [(None, False), (None, True)]


def test_the_same_id_with_another_text_is_a_new_version_judged_anew(place: Place) -> None:
    with Index.open(place) as index:
        index.add([{"id": "a", "text": SAID}])
        (changed,) = index.decide(batch([{"id": "a", "text": OTHER}]))
        (copied,) = index.decide(batch([{"id": "b", "text": OTHER}]))

    assert (changed.id, changed.version, changed.match) == ("a", 2, None)
    assert copied.match is not None
    assert copied.match.canonical == "a#2"


def test_a_version_never_takes_the_name_of_another_article(place: Place) -> None:
    given = [("a", SAID), ("a#2", OTHER), ("a", f"{OTHER} It rained."), ("a", OTHER)]

    with Index.open(place) as index:
        names = [index.add([{"id": name, "text": text}])[0][0] for name, text in given]

    assert names == ["a", "a#2", "a#3", "a#4"]


def test_who_came_first_is_kept_whatever_the_dates_say(place: Place) -> None:
    late = {"id": "late", "text": SAID, "published": "2031-05-04"}
    early = {"id": "early", "text": SAID, "published": "2031-05-01"}

    with Index.open(place) as index:
        answers = index.add([late]) + index.add([early])

    assert [(name, match and match.canonical) for name, match in answers] == [
        ("late", None),
        ("early", "late"),
    ]


def test_finding_records_nothing(place: Place) -> None:
    with Index.open(place) as index:
        index.add([{"id": "a", "text": SAID}])
        found = index.find({"id": "b", "text": SAID})
        unknown = index.find({"id": "c", "text": OTHER})
        answers = index.decide(batch([{"id": "b", "text": SAID}]))

    assert found is not None
    assert (found.canonical, found.relation) == ("a", "exact")
    assert unknown is None
    assert not answers[0].again


def test_find_takes_one_article() -> None:
    with Index.open(":memory:") as index, pytest.raises(InputError, match="one article"):
        index.find(batch([SAID, OTHER]))


def test_the_history_of_an_article_is_all_its_versions(place: Place) -> None:
    with Index.open(place) as index:
        first = index.decide(batch([{"id": "a", "text": SAID}, {"id": "b", "text": OTHER}]))
        later = index.decide(batch([{"id": "a", "text": OTHER}]))
        history, version, unknown = index.history("a"), index.history("a#2"), index.history("c")

    assert [(answer.version, answer.match) for answer in history] == [(1, None), (2, later[0].match)]
    assert not any(answer.again for answer in history)
    assert version == history[1:]
    assert unknown == []
    assert first[0].match is None


def test_a_cluster_is_found_by_any_of_its_articles(place: Place) -> None:
    with Index.open(place) as index:
        index.add([{"id": name, "text": text} for name, text in [("a", SAID), ("b", OTHER), ("c#2", SAID)]])
        index.add([{"id": "a", "text": OTHER}])
        by_kept, by_dropped, of_version = index.cluster("a"), index.cluster("c#2"), index.cluster("a#2")
        unknown = index.cluster("c")

    assert [answer.name for answer in by_kept] == ["a", "c#2"]
    assert by_dropped == by_kept
    assert [answer.name for answer in of_version] == ["b", "a#2"]
    assert unknown == []


def test_an_index_holds_no_text(tmp_path: Path) -> None:
    with Index.open(tmp_path / "seen.db") as index:
        index.add([{"id": "a", "text": SAID, "title": "Old mill flooded at Velden Ridge"}])

    held = b"".join(path.read_bytes() for path in tmp_path.iterdir())

    assert not [word for word in SAID.split() if len(word) > 5 and word.encode() in held]


def test_an_old_index_keeps_its_settings(lasting_place: Place) -> None:
    with Index.open(lasting_place, Settings(window_days=2, relations=("exact", "copy"))):
        pass

    with Index.open(lasting_place) as index:
        assert (index.settings.window_days, index.settings.relations) == (2, ("exact", "copy"))


def test_other_settings_are_refused_with_what_differs(lasting_place: Place) -> None:
    with Index.open(lasting_place, Settings(window_days=2)):
        pass

    with pytest.raises(IndexingError, match=r"window_days was 2 and is 7"):
        Index.open(lasting_place, Settings(window_days=7))


def test_settings_that_decide_nothing_are_free(lasting_place: Place) -> None:
    with Index.open(lasting_place, Settings(threads=1)):
        pass

    with Index.open(lasting_place, Settings(threads=2)) as index:
        assert index.settings.threads == 2


@pytest.mark.parametrize("made_for", LEVELS)
@pytest.mark.parametrize("asked", LEVELS)
def test_another_level_is_refused_with_what_to_do(lasting_place: Place, made_for: str, asked: str) -> None:
    with Index.open(lasting_place, Settings(level=made_for)) as index:
        name = index.backend.name

    if made_for == asked:
        Index.open(lasting_place, Settings(level=asked)).close()
        return
    with pytest.raises(IndexingError) as caught:
        Index.open(lasting_place, Settings(level=asked))

    assert str(caught.value) == (
        f"the index {name} was made for --level {made_for}, not {asked}: open it with --level {made_for}, "
        f"or make another index, in another place, with --level {asked}"
    )


@pytest.mark.parametrize("level", LEVELS)
def test_an_old_index_keeps_its_level(lasting_place: Place, level: str) -> None:
    Index.open(lasting_place, Settings(level=level)).close()

    with Index.open(lasting_place) as index:
        assert index.settings.level == level


def test_an_index_that_would_need_a_whole_corpus_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="an index answers each article as it comes: use apart, or now"):
        Index.open(tmp_path / "seen.db", Settings(undated="together"))

    assert not list(tmp_path.iterdir())


def at_hour(monkeypatch: pytest.MonkeyPatch, hours: float) -> float:
    """Let an index find that it is so many hours after the first day; return that in days since 1970."""
    seconds = FIRST_DAY.timestamp() + 3600 * hours
    monkeypatch.setattr("dedup.index.index.time.time", lambda: seconds)
    return seconds / SECONDS_PER_DAY


def test_an_undated_article_is_of_the_time_when_it_arrives(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    undated, dated = {"id": "a", "text": SAID}, {"id": "dated", "text": OTHER, "published": "2031-05-01"}
    with Index.open(place, Settings(undated="now")) as index:
        arrived = at_hour(monkeypatch, 0)
        first = index.decide(batch([undated, dated]))
        at_hour(monkeypatch, 24 * 29)
        (within,) = index.decide(batch([{**undated, "id": "within the window"}]))
        at_hour(monkeypatch, 24 * 31)
        found = index.find({**undated, "id": "beyond"})
        (beyond,) = index.decide(batch([{**undated, "id": "beyond"}]))
        again = index.decide(batch([undated, dated]))
        rows = {row.id: row.published for some in index.backend.iter_rows() for row in some}
        faults = index.verify(deep=True)

    assert (rows["a"], rows["dated"]) == (arrived, 22_400)
    assert within.match is not None
    assert (found, beyond.match) == (None, None)
    assert [answer.match for answer in again] == [answer.match for answer in first] == [None, None]
    assert all(answer.again for answer in again)
    assert faults == []


def test_an_undated_article_has_no_date_unless_asked_for(place: Place) -> None:
    with Index.open(place) as index:
        index.add([{"id": "a", "text": SAID}])

        assert [row.published for rows in index.backend.iter_rows() for row in rows] == [None]


def test_another_story_model_is_refused(lasting_place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    with Index.open(lasting_place):
        pass
    monkeypatch.setattr("dedup.index.compatibility.hash_data_files", lambda *names: f"of {names[0]}")

    with pytest.raises(
        IndexingError, match=r"made by other rules \(models [0-9a-f]{16}, now of story.json; word lists "
    ):
        Index.open(lasting_place)


def test_a_failed_turn_leaves_no_trace(lasting_place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    articles = planned(30, seed=8, stories=4)
    with Index.open(lasting_place) as index:
        index.add(articles[:10])
        home = type(index.backend)
        real = home.record

        def half(self: Any, rows: Any, sketches: Any) -> None:
            real(self, rows, sketches)
            raise RuntimeError("the power went")

        with monkeypatch.context() as broken:
            broken.setattr(home, "record", half)
            with pytest.raises(RuntimeError):
                index.add(articles[10:20])
        assert index.backend.read_state().articles == 10
        found = dict(index.add(articles[10:]))

    with Index.open(":memory:") as index:
        assert (
            dict(index.add(articles[:10]) + index.add(articles[10:]))
            == dict(index.add(articles[:10])) | found
        )


def test_links_survive_reopening(lasting_place: Place) -> None:
    ordered, expected = run_at("story", make_storylines(90, seed=3))
    with Index.open(lasting_place) as index:
        answered(index, ordered[:60], 20)

    with Index.open(lasting_place) as index:
        later = answered(index, ordered[60:], 20)
        again = {
            answer.name: (answer.match, answer.storyline, answer.link)
            for name in expected
            for answer in index.history(name)
        }

    assert later == {name: expected[name] for name in later}
    assert again == expected


def test_an_article_that_follows_another_is_answered_so_again(place: Place) -> None:
    articles = make_storylines(60, seed=3)

    with Index.open(place) as index:
        first, again = answered(index, articles, 60), answered(index, articles, 60)

    assert again == first
    assert any(link for _, _, link in first.values())


@pytest.mark.parametrize("level", LEVELS)
@given(articles=sagas(most=40))
@examples(max_examples=25)
def test_law_4_a_model_says_of_the_recorded_evidence_what_was_answered(
    level: str, articles: list[Article]
) -> None:
    settings = Settings(level=level)
    rules = make_match_params(settings)

    with Index.open(":memory:", settings) as index:
        index.add(articles)
        rows = [row for some in index.backend.iter_rows() for row in some]

    for row in rows:
        evidence = np.frombuffer(row.evidence, "<f4")
        if row.relation == REWRITE:
            odds = compute_story_odds(evidence, rules) + compute_context_odds(evidence, rules)
        elif row.relation == FOLLOWUP or row.follows != row.position:
            odds = compute_storyline_odds(evidence, rules)
        else:
            continue
        assert row.score == pytest.approx(compute_probability(odds), abs=1e-4)


def test_the_articles_of_a_cluster_are_of_one_storyline(place: Place) -> None:
    with Index.open(place) as index:
        answered(index, make_storylines(60, seed=3), 60)
        dropped = next(
            answer
            for rows in index.backend.iter_rows()
            for row in rows
            for answer in index.history(row.id)
            if answer.match and answer.storyline != answer.match.canonical
        )
        cluster = index.cluster(dropped.name)

    assert {answer.storyline for answer in cluster} == {dropped.storyline}
    assert [bool(answer.link) for answer in cluster] == [True] + [False] * (len(cluster) - 1)


@pytest.mark.parametrize("name", [LONG, "тихая река", "O'Hara; --", "{x} %s \\N"])
def test_any_id_is_kept_as_it_is(lasting_place: Place, name: str) -> None:
    with Index.open(lasting_place) as index:
        index.add([{"id": name, "text": SAID}, {"id": "b", "text": SAID}])
    with Index.open(lasting_place) as index:
        (answer,) = index.decide(batch([{"id": name, "text": SAID}]))
        found = index.find({"id": "c", "text": SAID})

    assert (answer.id, answer.again) == (name, True)
    assert found is not None
    assert found.canonical == name


def test_a_view_does_not_change(lasting_place: Place) -> None:
    with Index.open(lasting_place) as one, Index.open(lasting_place) as two:
        one.add([{"id": "a", "text": SAID}])
        with one.backend.snapshot():
            before = one.backend.read_state()
            two.add([{"id": "b", "text": SAID}])
            with two.backend.transaction():
                two.backend.remove([0])
            assert one.backend.read_state() == before
            assert [row.id for rows in one.backend.iter_rows() for row in rows] == ["a"]
        assert (one.backend.read_state().articles, one.backend.read_state().generation) == (2, 1)


def test_who_waits_too_long_for_a_turn_is_told(lasting_place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dedup.index.storage.postgres.LOCK_TIMEOUT_SECONDS", 1)
    monkeypatch.setattr("dedup.index.storage.sqlite.LOCK_TIMEOUT_SECONDS", 1)
    with Index.open(lasting_place) as one, Index.open(lasting_place) as two:
        with (
            one.backend.transaction(),
            pytest.raises(IndexingError, match="writing to it for 1 seconds; try again"),
        ):
            two.add([{"id": "a", "text": SAID}])

        assert two.add([{"id": "a", "text": SAID}]) == [("a", None)]


def test_an_id_is_known_to_its_last_byte(lasting_place: Place) -> None:
    one = batch([{"id": "a", "text": SAID}])
    other = one.set_column(0, "id", pa.array(["a\0b"]))

    with Index.open(lasting_place) as index:
        index.decide(one)
        first, again = index.decide(other)[0], index.decide(other)[0]

        assert (first.again, again.again) == (False, True)
        assert index.delete("a\0c") == 0
        assert index.verify() == []


def test_who_opens_a_large_index_lets_others_write_meanwhile(
    lasting_place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dedup.index.cache.FAR_BEHIND_ARTICLES", 2)
    with Index.open(lasting_place) as one, Index.open(lasting_place) as two:
        one.add([{"id": "a", "text": SAID}, {"id": "b", "text": OTHER}, {"id": "c", "text": SAID}])
        learn = two._cache.add_rows
        met: list[Any] = []

        def slowly(rows: Any) -> None:
            met.append(None if met else one.add([{"id": "d", "text": SAID}]))
            learn(rows)

        monkeypatch.setattr(two._cache, "add_rows", slowly)
        monkeypatch.setattr("dedup.index.storage.sqlite.LOCK_TIMEOUT_SECONDS", 1)

        assert two.add([{"id": "e", "text": SAID}])[0][1] is not None
        assert met[0] is not None
        assert one.verify() == []


@pytest.mark.parametrize("gone", ["delete", "expire"])
def test_nothing_is_learned_anew_where_nothing_was_taken_out(place: Place, gone: str) -> None:
    with Index.open(place) as index:
        index.add([{"id": "a", "text": SAID}])

        assert (
            index.delete("b") if gone == "delete" else index.expire(datetime(1999, 1, 1, tzinfo=UTC))
        ) == 0
        assert index.backend.read_state().generation == 0


def test_a_corpus_takes_many_short_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dedup.index.decide.TRANSACTION_ARTICLES", 4)
    articles = planned(30, seed=8, stories=4)
    with Index.open(":memory:") as index:
        real = index.decide
        turns: list[int] = []

        def counted(given: pa.RecordBatch, *sketches: Any) -> Any:
            turns.append(given.num_rows)
            return real(given, *sketches)

        monkeypatch.setattr(index, "decide", counted)

        found = index.decide_corpus([batch(articles)])

    assert max(turns) == 4
    assert [answer.id for answer in found] == [article["id"] for article in articles]


def test_an_index_remembers_to_date_articles_on_arrival(lasting_place: Place) -> None:
    article = {
        "id": "a",
        "text": "The river Tarn rose two metres overnight and flooded the old mill at Velden Ridge.",
    }
    Index.open(lasting_place, Settings(undated="now")).close()

    with (
        Index.open(lasting_place) as plain,
        Index.open(lasting_place, Settings()) as default,
        Index.open(lasting_place, Settings(undated="apart")) as apart,
    ):
        assert [index.settings.undated for index in (plain, default, apart)] == ["now", "now", "apart"]
        plain.add([article])
        assert plain.stats().undated == 0


@pytest.mark.parametrize("convert", [list, pa.Table.from_pylist, pd.DataFrame])
def test_decide_takes_whatever_deduplicate_takes(convert: Callable[[list[dict[str, Any]]], Any]) -> None:
    articles = [{"id": 7, "body": SAID}, {"id": 8, "body": SAID}]

    with Index.open(":memory:") as index:
        answers = index.decide(convert(articles))

    assert [(answer.id, answer.match and answer.match.canonical) for answer in answers] == [
        ("7", None),
        ("8", "7"),
    ]
