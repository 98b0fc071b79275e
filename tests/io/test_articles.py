"""What callers have becomes batches of articles: fields, ids, dates, and what is refused."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.errors import InputError, SettingsError
from dedup.io.articles import ALIASES, FIELDS, SCHEMA, parse_published, to_batches

NOON = datetime(2024, 1, 31, 12, tzinfo=UTC)
MIDNIGHT = datetime(2024, 1, 31, tzinfo=UTC)


def rows(articles: object, **options: Any) -> list[dict[str, Any]]:
    """Return articles as dicts, one after the other."""
    return [row for batch in to_batches(articles, **options) for row in batch.to_pylist()]


def read(*dates: object) -> list[datetime | None]:
    """Return what becomes of the dates of some articles."""
    return [row["published"] for row in rows([{"text": "", "published": given} for given in dates])]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2024-01-31", MIDNIGHT),
        ("20240131", MIDNIGHT),
        ("2024-01-31T12:00", NOON),
        ("2024-01-31 12:00:00", NOON),
        ("2024-01-31T12:00:00Z", NOON),
        ("2024-01-31T12:00:00z", NOON),
        ("2024-01-31T12:00:00.987654Z", NOON),
        ("2024-01-31T12:00:00.987654321Z", NOON),
        ("2024-01-31T07:00:00-05:00", NOON),
        ("2024-01-31T17:30:00+0530", NOON),
        ("2024-01-31 12:00:00 +0000", NOON),
        ("2024-01-31 12:00:00 UTC", NOON),
        ("2024-01-31T14:00:00.5 +02:00", NOON),
        ("  2024-01-31  ", MIDNIGHT),
        ("Wed, 31 Jan 2024 12:00:00 GMT", NOON),
        ("Wed, 31 Jan 2024 07:00:00 EST", NOON),
        ("31 Jan 2024 13:00:00 +0100", NOON),
        ("20240131120000", NOON),
        ("1706702400", NOON),
        ("1706702400.7", NOON),
        ("1706702400000", NOON),
        (1706702400, NOON),
        (1706702400.7, NOON),
        (1706702400987, NOON),
        (1.7067024e12, NOON),
        (20240131, MIDNIGHT),
        (-1, datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("1969-12-31T23:59:59.5", datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (NOON, NOON),
        (NOON.replace(tzinfo=None), NOON),
        (NOON.astimezone(timezone(timedelta(hours=9))), NOON),
        (date(2024, 1, 31), MIDNIGHT),
    ],
)
def test_dates_are_understood_in_every_usual_form(written: object, meant: datetime) -> None:
    assert read(written) == [meant]
    assert read(written, "no date", written) == [meant, None, meant]


@pytest.mark.parametrize(
    "written",
    [
        "yesterday",
        "2024-02-30",
        "2024-13-01",
        "0001-01-01",
        "1699-12-31",
        "2201-01-01",
        "9999-12-31",
        "nan",
        "1e400",
        "9" * 400,
        1e300,
        True,
        [2024],
        {"year": 2024},
        "2024-01-31T25:00",
        "-",
        "١٢٣٤٥٦٧٨٩٠",
    ],
)
def test_an_absurd_date_is_no_date(written: object) -> None:
    assert read(written) == [None]


@pytest.mark.parametrize("edge", ["1700-01-01", "2040-01-08T00:00:00Z"])
def test_the_first_and_the_last_day_that_count_do_count(edge: str) -> None:
    assert read(edge) != [None]


@pytest.mark.parametrize(
    "pump", ["2017" + " " * 1_000_000 + "x", "1" * 1_000_000, "2017-01-01 UTC" + "Z" * 1_000_000]
)
def test_a_long_date_is_no_date(pump: str) -> None:
    """A pattern that looked at all of it would take hours."""
    assert read(pump) == [None]


@pytest.mark.parametrize("year", ["1987", "2026", 1987, 2026, 1987.0])
def test_a_year_alone_is_no_date(year: object) -> None:
    """As seconds since 1970 it would date a whole archive to one half hour."""
    assert read(year) == [None]


def test_a_date_may_stand_among_blanks() -> None:
    assert read(" " * 1000 + "2024-01-31" + "\n" * 1000) == [MIDNIGHT]


def test_unreadable_dates_are_counted_and_missing_ones_are_not() -> None:
    column = pa.array(["2024-01-31", None, "", "  ", "soon", "0001-01-01"])

    times, unreadable = parse_published(column)

    assert times.to_pylist() == [MIDNIGHT, None, None, None, None, None]
    assert unreadable == 2


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_arrow_timestamps_keep_their_moment(unit: str) -> None:
    naive = pa.array([NOON.replace(tzinfo=None)], pa.timestamp(unit))
    far = pa.array([NOON], pa.timestamp(unit, tz="Asia/Tokyo"))

    assert parse_published(naive)[0].to_pylist() == [NOON]
    assert parse_published(far)[0].to_pylist() == [NOON]


def test_arrow_dates_are_midnight_and_times_of_day_are_no_dates() -> None:
    days = pa.array([MIDNIGHT.date()])

    assert parse_published(days)[0].to_pylist() == [MIDNIGHT]
    assert parse_published(days.cast(pa.date64()))[0].to_pylist() == [MIDNIGHT]
    assert parse_published(pa.array([1], pa.time32("s"))) == (pa.nulls(1, SCHEMA.field("published").type), 1)


days = st.from_regex(r"\A[12][0-9]{3}-[01][0-9]-[0-3][0-9]\Z")
times = st.from_regex(r"\A([T ][0-2][0-9]:[0-5][0-9](:[0-6][0-9](\.[0-9]{1,9})?)?)?\Z")
zones = st.from_regex(r"\A( ?(Z|[+-][0-2][0-9](:?[0-9]{2})?))?\Z")
iso_like = st.tuples(days, times, zones).map("".join)


@given(st.lists(iso_like | st.text(max_size=12) | st.integers().map(str), min_size=1, max_size=5))
def test_a_date_does_not_depend_on_its_neighbours(dates: list[str]) -> None:
    """A column that is uniform takes a faster way; both ways read the same."""
    together = parse_published(pa.array(dates))[0].to_pylist()

    assert together == [parse_published(pa.array([one]))[0].to_pylist()[0] for one in dates]
    assert together == parse_published(pa.array([*dates, "no date"]))[0].to_pylist()[:-1]


@given(st.datetimes(min_value=datetime(1700, 1, 1), max_value=datetime(2032, 2, 1)))  # noqa: DTZ001
def test_every_moment_is_read_as_python_writes_it(moment: datetime) -> None:
    meant = moment.replace(microsecond=0, tzinfo=UTC)

    assert read(moment.isoformat(), "?") == [meant, None]
    assert read(moment.isoformat()) == [meant]


def test_strings_are_texts_and_ids_are_their_positions() -> None:
    found = rows(["one", "", "three"])

    assert [row["id"] for row in found] == ["0", "1", "2"]
    assert [row["text"] for row in found] == ["one", "", "three"]
    assert {row["title"] for row in found} == {None}


def test_positions_go_on_from_one_batch_to_the_next() -> None:
    batches = [pa.record_batch({"text": ["a", "b"]}), pa.record_batch({"text": ["c"], "id": ["own"]})]
    long_list = ["x"] * 10_000

    assert [row["id"] for row in rows(batches)] == ["0", "1", "own"]
    assert [row["id"] for row in rows(long_list)] == [str(n) for n in range(10_000)]
    assert [row["id"] for row in rows(pa.table({"text": long_list}))] == [str(n) for n in range(10_000)]


def test_every_batch_has_the_schema_and_at_most_4096_articles() -> None:
    batches = list(to_batches(pa.table({"text": ["x"] * 10_000})))

    assert {batch.num_rows for batch in batches} <= set(range(4097))
    assert all(batch.schema == SCHEMA for batch in batches)


class Stream:
    """What polars, pandas and datasets look like from outside."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._table.__arrow_c_stream__(requested_schema)


TABLE = pa.table({"id": [7, 8], "title": ["A", None], "text": ["a", "b"], "date": ["2024-01-31", None]})


@pytest.mark.parametrize(
    "articles",
    [
        TABLE,
        Stream(TABLE),
        pa.Table.to_reader(TABLE),
        TABLE.to_batches()[0],
        TABLE.to_batches(max_chunksize=1),
        [TABLE.slice(0, 1), TABLE.slice(1, 1)],
        TABLE.to_pylist(),
        (row for row in TABLE.to_pylist()),
        TABLE.cast(
            pa.schema(
                [
                    ("id", pa.int16()),
                    ("title", pa.large_string()),
                    ("text", pa.string_view()),
                    ("date", pa.large_string()),
                ]
            )
        ),
        TABLE.set_column(1, "title", TABLE["title"].dictionary_encode()),
        TABLE.set_column(2, "text", TABLE["text"].cast(pa.binary())),
        TABLE.set_column(0, "id", TABLE["id"].cast(pa.float64())),
        TABLE.set_column(0, "id", TABLE["id"].cast(pa.decimal128(21, 0))),
        TABLE.slice(0).append_column("extra", pa.array([{"nested": [1]}, None])),
    ],
)
def test_whatever_the_articles_come_as_they_are_the_same(articles: object) -> None:
    found = rows(articles)

    assert [(row["id"], row["title"], row["text"], row["published"]) for row in found] == [
        ("7", "A", "a", MIDNIGHT),
        ("8", None, "b", None),
    ]


def test_columns_of_strings_are_texts() -> None:
    assert [row["text"] for row in rows(pa.chunked_array([["a"], ["b"]]))] == ["a", "b"]
    assert [row["text"] for row in rows(pa.array(["a", "b"]))] == ["a", "b"]


def test_no_articles_are_no_batches() -> None:
    assert rows([]) == []
    assert rows(TABLE.slice(0, 0)) == []


@pytest.mark.parametrize(
    "articles", ["one text", b"bytes", {"text": "one article"}, 3, None, [3], ["a", None]]
)
def test_what_is_no_collection_of_articles_is_an_error(articles: object) -> None:
    with pytest.raises(InputError, match="articles are a table, a data frame"):
        rows(articles)


@pytest.mark.parametrize(
    ("article", "reason"),
    [
        ({"title": "a"}, r"no text \(nor body, content, article\)"),
        ({"text": None}, "no text"),
        ({"text": 3}, "text is a number, not text"),
        ({"body": ["a"]}, "body is a list, not text"),
        ({"text": b"\xff"}, "text is not valid UTF-8"),
    ],
)
def test_an_article_without_a_text_is_an_error_that_names_its_position(article: Any, reason: str) -> None:
    with pytest.raises(InputError, match=rf"^article 2, counted from 0, cannot be used: {reason}"):
        rows(["a", "b", article])
    if not isinstance(article.get("text"), bytes):
        with pytest.raises(InputError, match=rf"^article 1, counted from 0, cannot be used: {reason}"):
            rows([pa.record_batch({"text": ["a"]}), pa.RecordBatch.from_pylist([article])])


@pytest.mark.parametrize(("ours", "theirs"), [(ours, alias) for ours in FIELDS for alias in ALIASES[ours]])
def test_every_alias_is_recognised(ours: str, theirs: str) -> None:
    value = "2024-01-31" if ours == "published" else "x"

    found = rows([{"text": "t", theirs: value} if ours != "text" else {theirs: value}])

    assert found[0][ours] == (MIDNIGHT if ours == "published" else "x")


def test_an_alias_counts_only_where_the_field_itself_holds_nothing() -> None:
    articles = [
        {"text": "own", "body": "alias", "title": "own", "headline": "alias"},
        {"text": "own", "title": "", "headline": "alias"},
        {"text": "", "body": "alias", "title": None, "headline": "alias"},
        {"text": None, "body": "alias", "title": ["no text"], "headline": "alias"},
    ]

    for form in (articles, [articles[:1], articles[1:]]):
        found = rows(form) if form is articles else [row for part in form for row in rows(part)]
        assert [row["text"] for row in found] == ["own", "own", "", "alias"]
        assert [row["title"] for row in found] == ["own", "alias", "alias", "alias"]


def test_a_mapped_field_is_looked_for_under_that_name_alone() -> None:
    article = {"text": "not this", "body": "nor this", "story": "this", "title": "T"}

    found = rows([article], fields={"text": "story", "id": "title"})

    assert (found[0]["text"], found[0]["id"], found[0]["title"]) == ("this", "T", "T")
    with pytest.raises(InputError, match=r"no lead$"):
        rows([article], fields={"text": "lead"})
    assert rows(["bare"], fields={"text": "story"})[0]["text"] == "bare"


def test_mapping_an_unknown_field_is_an_error_that_names_the_known() -> None:
    with pytest.raises(SettingsError, match="no field 'author'; its fields are id, title, text"):
        rows([], fields={"author": "by"})


def test_numbers_become_their_decimal_strings() -> None:
    ids = [12, 12.0, 0.5, 10**30, "012", float("nan"), "", None, True, ["a"], {"$oid": "a"}]

    found = rows([{"id": one, "text": ""} for one in ids])

    assert [row["id"] for row in found] == ["12", "12", "0.5", "1" + "0" * 30, "012", *"567", "8", "9", "10"]


def test_lone_surrogates_and_nul_characters_are_replaced() -> None:
    article = {"id": "a\0", "title": "\ud800\udc00 \udfff", "text": "x\0y\ud83dz 😀"}

    found = rows([article])[0]

    assert (found["id"], found["title"], found["text"]) == ("a ", "\ufffd\ufffd \ufffd", "x y\ufffdz 😀")


def test_nul_characters_are_found_in_slices_of_a_table() -> None:
    table = pa.table({"text": ["\0a", "b", "c\0"]})

    assert rows(table.slice(1, 1))[0]["text"] == "b"
    assert [row["text"] for row in rows(table.slice(1))] == ["b", "c "]


def test_strings_that_arrow_holds_but_are_no_utf8_are_refused_by_row() -> None:
    broken = pa.array([b"fine", b"br\xffken"]).view(pa.string())

    with pytest.raises(InputError, match=r"^article 1, counted from 0"):
        rows(pa.table({"text": broken}))
    found = rows(pa.table({"text": ["a", "b"], "title": broken}))
    assert [row["title"] for row in found] == ["fine", None]


values = (
    st.none() | st.text(max_size=5) | st.integers() | st.floats() | st.booleans() | st.lists(st.integers())
)
optional = dict.fromkeys(["id", "_id", "title", "headline", "published", "date", "source", "other"], values)


@given(st.lists(st.fixed_dictionaries({"text": st.text(max_size=5)}, optional=optional), max_size=6))
def test_an_article_does_not_depend_on_its_neighbours(articles: list[dict[str, Any]]) -> None:
    together = rows(articles)

    for position, article in enumerate(articles):
        (alone,) = rows([{"id": str(position)} | article])
        assert alone | {"id": together[position]["id"]} == together[position]
