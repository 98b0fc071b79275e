"""The body of a request → its articles, and a reason for each that is none.

In: bytes, and what kind they are said to be. Out: a batch of articles (`fields.DEFAULT_SCHEMA`), and at which places of the
request they stand. An article that cannot be used does not stop the others: its place holds the reason.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from dedup.formatting import format_count
from dedup.index.stream import hash_line
from dedup.io.normalize import explain_rejection, normalize_records
from dedup.io.records import describe_json_type, to_json_line
from dedup.io.schema import FieldNames
from dedup.serving.refusals import Refused

JSON = "application/json"
LINES = "application/x-ndjson"
KINDS = {
    JSON: JSON,
    LINES: LINES,
    "application/ndjson": LINES,
    "application/jsonl": LINES,
    "application/jsonlines": LINES,
    "application/x-jsonlines": LINES,
}
"""Each content type that is taken, and the one that its answer has."""


@dataclass(frozen=True, slots=True)
class Posted:
    """The articles of a request."""

    batch: pa.RecordBatch
    places: list[int]
    """Where each article of the batch stands in the request."""
    errors: dict[int, str]
    """Why there is no article at the other places."""
    single: bool
    """The body was one object, and not a list of them."""


def kind_named(content_type: str | None, encoding: str | None) -> str:
    """Return the kind of a body by its headers; Refused where it is none that is taken."""
    name, _, options = (content_type or "").partition(";")
    kind = KINDS.get(name.strip().lower())
    charset = options.lower().replace('"', "").replace(" ", "").partition("charset=")[2].partition(";")[0]
    if kind is None:
        raise Refused(415, f"the content type must be {JSON} or {LINES}, not {name.strip() or 'missing'}")
    if charset not in {"", "utf-8", "utf8"}:
        raise Refused(415, f"the charset must be utf-8, not {charset}")
    if (encoding or "identity").strip().lower() != "identity":
        raise Refused(415, f"the body must not be packed, and its content encoding is {encoding}")
    return kind


def posted(body: bytes, kind: str, names: FieldNames, most: int) -> Posted:
    """Return the articles of a body; Refused where it holds none, or more than `most`."""
    values = parsed_lines(body) if kind == LINES else parsed_list(body)
    single = isinstance(values, dict)
    items: list[Any] = [values] if isinstance(values, dict) else values
    if len(items) > most:
        raise Refused(
            413, f"a request holds at most {format_count(most, 'article')}, and this one has {len(items):,}"
        )
    errors = {n: reason for n, item in enumerate(items) if (reason := why_none(item))}
    sound = [n for n in range(len(items)) if n not in errors]
    records = [items[n] for n in sound]
    sifted = normalize_records(records, names, lambda position: made_id(records[position]))
    for position in sifted.rejected:
        errors[sound[position]] = explain_rejection(records[position], names)
    return Posted(sifted.batch, [n for n in sound if n not in errors], errors, single)


def parsed_list(body: bytes) -> Any:
    """Return the object or the list of a JSON document; Refused where it is neither."""
    try:
        value = json.loads(body.decode(), strict=False)
    except (ValueError, RecursionError) as error:
        raise Refused(400, f"the body is {broken(error)}") from None
    if not isinstance(value, dict | list):
        raise Refused(
            422, f"the body must be an object or a list of objects, not {describe_json_type(value)}"
        )
    return value


def parsed_lines(body: bytes) -> list[Any]:
    """Return what stands on each line that is not blank; Refused where no line is JSON."""
    values = [parsed(line) for line in body.split(b"\n") if line.strip()]
    if values and all(isinstance(value, Broken) for value in values):
        raise Refused(400, f"no line of the body is JSON; the first is {values[0]}")
    return values


class Broken(str):
    """Says why a line is no JSON."""

    __slots__ = ()


def parsed(line: bytes) -> Any:
    """Return the value on a line, or why there is none."""
    try:
        return json.loads(line.decode(), strict=False)
    except (ValueError, RecursionError) as error:
        return Broken(broken(error))


def broken(error: Exception) -> str:
    """Return what is wrong with some JSON, without a word of it."""
    if isinstance(error, UnicodeDecodeError):
        return "not valid UTF-8"
    if isinstance(error, json.JSONDecodeError):
        return f"broken JSON: {error.msg} (line {error.lineno}, column {error.colno})"
    return (
        "broken JSON: nested too deep"
        if isinstance(error, RecursionError)
        else "broken JSON: a number too long"
    )


def why_none(item: Any) -> str | None:
    """Return why a value is no article, as far as that shows without its fields."""
    if isinstance(item, Broken):
        return str(item)
    return None if isinstance(item, dict) else f"{describe_json_type(item)}, not an object"


def made_id(record: Mapping[str, Any]) -> str:
    """Return an id for an article that has none: the same for the same content, so that a retry is safe."""
    return hash_line(to_json_line(record))
