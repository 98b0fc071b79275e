import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from newsmaker import Article, batch, planned, story, version

from dedup.errors import InputError
from dedup.pipeline.deduplicate import deduplicate, deduplicate_ids
from dedup.pipeline.results import Result
from dedup.settings.settings import Settings
from dedup.text.boilerplate.profile import BoilerplateProfile

TEXT = "The river rose two metres overnight and flooded the old mill at Tollan, the mayor said."
OTHER = "A stolen painting by Varga was found behind a false wall in Quillfort on Wednesday."


def article(name: str, text: str = TEXT, **others: Any) -> Article:
    """Return an article of which only some fields are known."""
    return {"id": name, "text": text, **others}


def clusters(result: Result) -> list[tuple[str, ...]]:
    """Return the ids of each cluster, those of the canonical first."""
    return [cluster.ids for cluster in result.clusters]


class Frame:
    """A data frame of another library: all that is known of it is that it speaks Arrow."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.table.__arrow_c_stream__(requested_schema)


ROWS = [article("a"), article("b", OTHER), article("c", TEXT.upper())]


@pytest.mark.parametrize(
    "given",
    [
        ROWS,
        tuple(ROWS),
        iter(ROWS),
        pa.Table.from_pylist(ROWS),
        pa.RecordBatch.from_pylist(ROWS),
        Frame(pa.Table.from_pylist(ROWS)),
        pa.Table.from_pylist(ROWS).to_batches(max_chunksize=1),
        pa.RecordBatchReader.from_batches(
            pa.Table.from_pylist(ROWS).schema, pa.Table.from_pylist(ROWS).to_batches()
        ),
    ],
    ids=["list", "tuple", "iterator", "table", "batch", "data frame", "batches", "reader"],
)
def test_articles_come_in_many_forms(given: Any) -> None:
    result = deduplicate(given)

    assert (clusters(result), result.kept) == ([("a", "c")], ["a", "b"])


def test_strings_are_texts_and_have_their_place_as_id() -> None:
    result = deduplicate([TEXT, OTHER, TEXT])

    assert (clusters(result), result.kept) == ([("0", "2")], ["0", "1"])


def test_nothing_makes_an_empty_result() -> None:
    result = deduplicate([])

    assert (result.kept, result.dropped, result.clusters) == ([], [], [])


@pytest.mark.parametrize("given", ["one text", {"text": "one"}, 7, [7], [{"text": [1]}]])
def test_what_is_no_collection_of_articles_is_an_error(given: Any) -> None:
    with pytest.raises(InputError):
        deduplicate(given)


def test_the_earliest_is_kept() -> None:
    result = deduplicate(
        [
            article("late", published="2031-05-04T09:00:00Z"),
            article("early", published="2031-05-04T08:00:00Z"),
        ]
    )

    assert clusters(result) == [("early", "late")]


def test_times_count_in_the_zone_they_are_given_in() -> None:
    result = deduplicate(
        [
            article("nine in Berlin", published="2031-05-04T09:00:00+02:00"),
            article("half past seven in London", published="2031-05-04T07:30:00+00:00"),
        ]
    )

    assert clusters(result) == [("nine in Berlin", "half past seven in London")]


def test_the_undated_come_last() -> None:
    result = deduplicate([article("undated"), article("dated", published="2031-05-04"), article("another")])

    assert clusters(result) == [("dated", "another", "undated")]


def test_of_one_date_the_longest_is_kept_and_then_the_first_by_id() -> None:
    longer = TEXT + " Nobody was hurt."

    result = deduplicate([article("z", longer), article("a"), article("y", longer)])

    assert clusters(result) == [("y", "z", "a")]


def test_the_longest_can_be_kept_instead() -> None:
    longest = Settings(keep="longest")
    articles = [
        article("early", published="2031-05-03"),
        article("long", TEXT + " Nobody was hurt.", published="2031-05-04"),
        article("between", published="2031-05-02"),
    ]

    assert clusters(deduplicate(articles, longest)) == [("long", "between", "early")]


def test_preferred_sources_go_first_in_their_order() -> None:
    articles = [
        article("d", source="Elsewhere", published="2031-05-01"),
        article("c", source="Coastal Daily", published="2031-05-02"),
        article("b", source="Norwire", published="2031-05-03"),
        article("a", published="2031-05-04"),
    ]

    result = deduplicate(articles, Settings(sources=("Norwire", "Coastal Daily")))

    assert clusters(result) == [("b", "c", "d", "a")]


def test_one_id_with_one_text_is_one_article_given_twice() -> None:
    result = deduplicate([article("a"), article("b", OTHER), article("a")])

    assert result.kept == ["a", "b"]
    assert [(match.id, match.canonical, match.relation, match.score) for match in result.dropped] == [
        ("a", "a", "exact", 1.0)
    ]
    assert {name: result.dropped[0].evidence[name] for name in ("jaccard", "contained", "contains")} == {
        "jaccard": 1.0,
        "contained": 1.0,
        "contains": 1.0,
    }
    assert list(result.warnings.values()) == [1]
    assert "repeated in the input" in next(iter(result.warnings))


def test_an_article_given_twice_makes_no_cluster_of_its_own() -> None:
    result = deduplicate([article("a"), article("a"), article("b", OTHER)])

    assert result.clusters == []


def test_an_article_given_twice_follows_its_first_giving() -> None:
    result = deduplicate(
        [
            article("copy", published="2031-05-05"),
            article("first", published="2031-05-04"),
            article("copy", published="2031-05-05"),
        ]
    )

    assert [match.canonical for match in result.dropped] == ["first", "first"]
    assert clusters(result) == [("first", "copy")]


def test_one_id_with_other_texts_is_another_article() -> None:
    result = deduplicate(
        [
            article("a"),
            article("a", OTHER),
            article("a#2", "Something else happened, and this is it at length."),
        ]
    )

    assert result.kept == ["a", "a#3", "a#2"]
    assert list(result.warnings.values()) == [1]
    assert "#2" in next(iter(result.warnings))


def test_one_id_with_other_texts_of_no_words_is_another_article() -> None:
    boilerplate = BoilerplateProfile({"Bugle": {TEXT: 9, OTHER: 9}})
    learned = [article("a", text, source="Bugle") for text in (TEXT, OTHER, TEXT)]

    result = deduplicate(learned, Settings(boilerplate=boilerplate))

    assert (result.kept, [match.id for match in result.dropped]) == (["a", "a#2"], ["a"])
    assert deduplicate([article("a", "…"), article("a", "—"), article("a", "")]).kept == ["a", "a#2", "a#3"]
    assert deduplicate([article("a", ""), article("a", "")]).kept == ["a"]


def test_the_ids_that_were_made_are_unique() -> None:
    texts = [f"{TEXT} The number of this one is {n}." for n in range(5)]

    result = deduplicate([article("a", text) for text in texts])

    assert sorted(result.ids) == ["a", "a#2", "a#3", "a#4", "a#5"]


def test_one_id_for_many_texts_takes_no_quadratic_time_and_is_named() -> None:
    count, table = 100_000, pa.table({"id": ["x"] * 100_000})
    start = time.process_time()

    articles, repeats, warnings = deduplicate_ids(table, np.arange(count))

    assert time.process_time() - start < 10, "tens of minutes where each looks for a free number from 2"
    assert articles["id"].to_pylist() == ["x", *(f"x#{n}" for n in range(2, count + 1))]
    assert (repeats < 0).all()
    assert list(warnings.values()) == [count - 1, count]
    assert "share the id 'x'" in list(warnings)[1]


def test_numbers_that_are_taken_are_passed_over() -> None:
    table = pa.table({"id": ["a", "a#3", "a", "a", "a#2", "a#3", "a"]})

    articles, _, _ = deduplicate_ids(table, np.arange(7), ["a#4", "b"])

    assert articles["id"].to_pylist() == ["a", "a#3", "a#5", "a#6", "a#2", "a#3#2", "a#7"]


def test_no_warning_is_given_where_none_is_due() -> None:
    assert deduplicate(ROWS).warnings == {}


def test_batches_are_read_as_they_come() -> None:
    taken = []

    def feed() -> Iterator[pa.RecordBatch]:
        for number in range(3):
            taken.append(number)
            yield batch([version(number, "as sent", 0) | {"id": str(number)}])

    result = deduplicate(feed(), Settings(threads=1))

    assert (result.kept, taken) == (["0", "1", "2"], [0, 1, 2])


def test_progress_tells_how_many_articles_were_read() -> None:
    told: list[int] = []
    whole = batch(planned(10, seed=1))

    deduplicate([whole.slice(0, 4), whole.slice(4)], progress=told.append)

    assert told == [4, 6]


def test_an_error_in_a_feed_is_raised_and_not_swallowed() -> None:
    def feed() -> Iterator[pa.RecordBatch]:
        yield batch([story(1)])
        raise OSError("the line is dead")

    with pytest.raises(OSError, match="the line is dead"):
        deduplicate(feed())


def test_null_fields_are_no_obstacle() -> None:
    result = deduplicate(
        [
            {"id": "a", "title": None, "text": TEXT, "published": None, "source": None, "language": None},
            {"id": "b", "title": None, "text": TEXT, "published": None, "source": "Norwire", "language": ""},
        ]
    )

    assert clusters(result) == [("a", "b")]
