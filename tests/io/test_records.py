"""A record is written as it stood, with one object more."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from corpora import json_objects, json_values
from hypothesis import given
from hypothesis import strategies as st

from dedup.io.records import Record


def test_the_dedup_object_is_added_last_and_nothing_else_is_touched() -> None:
    record = Record(b'{"text":  "a \xc3\xa9",\t"n": 1.50}  ')

    assert (
        record.with_dedup({"canonical": True})
        == b'{"text":  "a \xc3\xa9",\t"n": 1.50,"dedup":{"canonical":true}}  '
    )
    assert Record({"text": "é"}).with_dedup({"score": 0.5}) == '{"text":"é","dedup":{"score":0.5}}'.encode()


def test_a_dedup_object_that_is_there_already_is_replaced() -> None:
    record = Record(b'{"dedup": {"old": 1}, "text": "a"}')

    assert record.with_dedup({"new": 2}) == b'{"text":"a","dedup":{"new":2}}'


@pytest.mark.parametrize(
    "line",
    [
        b'{"text": "say \\"dedup\\""}',
        b'{"text": "a", "x": {"dedup": 1}}',
        b'{"text": "dedup"}',
        b'{"x":"\\"dedup"}',
    ],
)
def test_the_word_dedup_elsewhere_is_not_the_key(line: bytes) -> None:
    assert Record(line).with_dedup({}) == line[:-1] + b',"dedup":{}}'


@given(json_objects, st.dictionaries(st.text(), json_values, max_size=3))
def test_a_record_with_its_dedup_object_is_still_the_record(
    fields: dict[str, Any], dedup: dict[str, Any]
) -> None:
    fields = {"text": ""} | fields
    line = json.dumps(fields).encode()

    for record in (Record(line), Record(fields)):
        written = json.loads(record.with_dedup(dedup))
        assert list(written)[-1] == "dedup"
        assert _without_nan(written.pop("dedup")) == _without_nan(dedup)
        fields.pop("dedup", None)
        assert _without_nan(written) == _without_nan(fields)


def _without_nan(value: Any) -> Any:
    """Return a value as JSON can hold it."""
    return json.loads(json.dumps(value), parse_constant=lambda _: None)


def test_what_json_has_no_type_for_is_text() -> None:
    record = Record(
        {"at": datetime(2024, 1, 31, tzinfo=UTC), "raw": b"a\xff", "nan": [float("nan")], "lone": "\ud800"}
    )

    assert json.loads(record.to_line()) == {
        "at": "2024-01-31T00:00:00+00:00",
        "raw": "a\ufffd",
        "nan": [None],
        "lone": "\ud800",
    }
