"""Parse the body of a request into articles, with bounded memory and time.

The JSON is split into articles before any of it is parsed. Articles are counted while splitting, and so are
the values of each. Each article is parsed separately, and only the known fields are kept. An article that
cannot be used does not stop the others: its position gets the reason.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from threading import Event
from typing import Annotated, Any, NoReturn

import pyarrow as pa
from fastapi import HTTPException
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from dedup.formatting import format_count
from dedup.index.stream import hash_line
from dedup.io.nested import get_field
from dedup.io.read_options import ReadRules
from dedup.io.records import describe_json_type, to_json_line
from dedup.io.schema import list_column_names
from dedup.io.schema_mapping import explain_rejection, map_records_to_schema
from dedup.server.capacity import Limits

__all__ = ["JSON", "LINES", "ArticleBody", "PostedArticles", "content_kind", "parse_articles"]

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
"""The accepted content types, each with the content type of its answer."""
ID_CHARACTERS = 512
"""At four bytes per character, an id fits into a row of a PostgreSQL index, 2,704 bytes."""
EXACT = 2**53
"""Larger numbers with a decimal point are rounded, so two ids could become one."""
LOSSY = re.compile("[\0\ud800-\udfff]")
"""Characters that an index cannot store; replacing them could make two ids one."""
TOKENS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[][{},"]', re.DOTALL)
"""A string or a structural character; an unmatched quotation mark starts a string without an end."""
STRING, QUOTE, COMMA, END = 0, ord('"'), ord(","), ord("]")
DEPTH = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
LIST = re.compile(rb"\s*\[")
LINE = re.compile(rb"\S[^\n]*")
OTHER = "Text or a number; other values are ignored."


class ArticleBody(BaseModel):
    """An article in a request. Unknown fields are ignored; fields may have other names (`dedup.io.schema.ALIASES`)."""

    model_config = ConfigDict(extra="allow", frozen=True)
    text: str
    id: Annotated[str, StringConstraints(max_length=ID_CHARACTERS, pattern=r"^[^\x00]*$")] | int | None = (
        Field(
            default=None,
            description="Use the same id if you send the article again; without an id, one is made from the content.",
        )
    )
    title: Any = Field(default=None, description=OTHER)
    published: Any = Field(default=None, description=OTHER)
    source: Any = Field(default=None, description=OTHER)
    url: Any = Field(default=None, description=OTHER)
    language: Any = Field(default=None, description=OTHER)


@dataclass(frozen=True, slots=True)
class PostedArticles:
    """The articles of a request."""

    kind: str
    batch: pa.RecordBatch
    positions: list[int]
    """The position in the request of each article of the batch."""
    errors: dict[int, str]
    """The reason why there is no article at each of the other positions."""
    single: bool
    """Whether the body was one object instead of a list."""


class InvalidArticleError(ValueError):
    """An element of a body is not an article; the message does not quote it."""


class InvalidJSONError(InvalidArticleError):
    """An element of a body is not valid JSON."""


def content_kind(headers: Mapping[str, str]) -> str:
    """Return the kind of a body by its headers; raise 415 if it is not accepted."""
    name, _, options = headers.get("content-type", "").partition(";")
    kind = KINDS.get(name.strip().lower())
    charset = options.lower().replace('"', "").replace(" ", "").partition("charset=")[2].partition(";")[0]
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if kind is None:
        raise HTTPException(
            415, f"the content type must be {JSON} or {LINES}, not {name.strip() or 'missing'}"
        )
    if charset not in {"", "utf-8", "utf8"}:
        raise HTTPException(415, f"the charset must be utf-8, not {charset}")
    if encoding != "identity":
        raise HTTPException(415, f"the body must not be packed, and its content encoding is {encoding}")
    return kind


def parse_articles(
    body: bytearray, kind: str, rules: ReadRules, limits: Limits, cancelled: Event
) -> PostedArticles:
    """Return the articles of a body; raise an HTTP error if it is invalid. Parsing stops early if cancelled."""
    single = kind == JSON and not LIST.match(body)
    elements = split_lines(body) if kind == LINES else iter([bytes(body)]) if single else split_list(body)
    records: dict[int, dict[str, Any]] = {}
    errors: dict[int, InvalidArticleError] = {}
    for position, element in enumerate(elements):
        if cancelled.is_set() or position >= limits.articles:
            raise HTTPException(413, f"a request holds at most {format_count(limits.articles, 'article')}")
        try:
            records[position] = parse_article(element, rules, limits)
        except InvalidArticleError as error:
            errors[position] = error.with_traceback(None)  # its frames would keep the body in memory
            if kind == JSON:
                check_json([error], "the body is {}" if single else f"element {position} of the list is {{}}")
    if not records:
        check_json(list(errors.values()), "no line of the body is JSON; the first is {}")
    batch, reasons = convert_records(records, rules)
    reasons |= {position: str(error) for position, error in errors.items()}
    if single and reasons:
        raise HTTPException(422, f"this is not an article: {reasons[0]}")
    return PostedArticles(kind, batch, [p for p in records if p not in reasons], reasons, single)


def check_json(errors: list[InvalidArticleError], sentence: str) -> None:
    """Raise 400 if all elements are invalid JSON."""
    if errors and all(isinstance(error, InvalidJSONError) for error in errors):
        raise HTTPException(400, sentence.format(errors[0]))


def convert_records(
    records: Mapping[int, dict[str, Any]], rules: ReadRules
) -> tuple[pa.RecordBatch, dict[int, str]]:
    """Return the articles among records by position, and the reason for each other record."""
    positions, values = list(records), list(records.values())
    normalized = map_records_to_schema(values, rules.names, lambda row: hash_line(to_json_line(values[row])))
    return normalized.batch, {
        positions[row]: explain_rejection(values[row], rules.names) for row in normalized.rejected
    }


def split_lines(body: bytearray) -> Iterator[bytes]:
    """Yield the lines of a body that are not blank."""
    return (match[0] for match in LINE.finditer(body))


def split_list(body: bytearray) -> Iterator[bytes]:
    """Yield the elements of a JSON list without parsing them; raise 400 if the list is broken."""
    depth = start = count = character = 0
    for token in TOKENS.finditer(body):
        character = body[token.start()] if token.end() == token.start() + 1 else STRING
        if character == QUOTE:
            raise HTTPException(400, "the body is broken JSON: a string does not end")
        depth += DEPTH.get(character, 0)
        if depth == 0 or (depth == 1 and character == COMMA):
            element = bytes(body[start : token.start()]).strip()
            if element or count or depth:
                yield element
            start, count = token.end(), count + 1
        elif depth == 1 and not start:
            start = token.end()
        if depth == 0:
            break
    if depth or character != END or body[start:].strip():
        raise HTTPException(400, "the body is broken JSON: the list does not end, or does not end the body")


def parse_article(element: bytes, rules: ReadRules, limits: Limits) -> dict[str, Any]:
    """Return the fields of an article; raise `InvalidArticleError` if it is not one."""
    if len(element) > limits.values:
        values = (token for token in TOKENS.finditer(element) if token.end() - token.start() == 1)
        if next(islice(values, limits.values, None), None):
            raise InvalidArticleError(f"an article has at most {limits.values:,} JSON values")
    try:
        value = DECODER.decode(element.decode())
    except UnicodeDecodeError:
        raise InvalidJSONError("not valid UTF-8") from None
    except json.JSONDecodeError as error:
        place = f"(line {error.lineno}, column {error.colno})"
        raise InvalidJSONError(f"broken JSON: {error.msg} {place}") from None
    except RecursionError:
        raise InvalidJSONError("broken JSON: nested too deep") from None
    except InvalidJSONError:
        raise
    except ValueError:  # Python's limit for the digits of an integer
        raise InvalidJSONError("broken JSON: a number too long") from None
    return select_fields(value, rules)


def reject_constant(name: str) -> NoReturn:
    """Raise `InvalidJSONError` for NaN and Infinity, which Python's parser accepts."""
    raise InvalidJSONError(f"broken JSON: {name} is no JSON number")


def parse_finite(digits: str) -> float:
    """Return a number; raise `InvalidJSONError` if it is too large for a float."""
    number = float(digits)
    if not math.isfinite(number):
        raise InvalidJSONError("broken JSON: a number too large")
    return number


DECODER = json.JSONDecoder(strict=False, parse_constant=reject_constant, parse_float=parse_finite)


def select_fields(value: Any, rules: ReadRules) -> dict[str, Any]:
    """Return the fields of an article with an id; raise `InvalidArticleError` for other values or an invalid id."""
    if not isinstance(value, dict):
        raise InvalidArticleError(f"{describe_json_type(value)}, not an object")
    names = rules.names
    record = rules.convert(value) if rules.convert else value
    found = {name: get_field(record, name) for name in list_column_names(names)}
    article_id = next((found[name] for name in names["id"] if found[name] not in (None, "")), None)
    if article_id is not None:
        check_id(article_id)
    fields = {name: empty(inner) for name, inner in found.items() if inner is not None}
    return fields if article_id is not None else {**fields, names["id"][0]: hash_line(to_json_line(value))}


def check_id(value: Any) -> None:
    """Raise `InvalidArticleError` if an id could not be stored unchanged."""
    if isinstance(value, bool | list | dict):
        raise InvalidArticleError(f"the id is {describe_json_type(value)}, not text")
    if isinstance(value, float) and (not value.is_integer() or abs(value) >= EXACT):
        raise InvalidArticleError("the id is a number with a fraction, or too large a one; send it as text")
    if isinstance(value, str) and LOSSY.search(value):
        raise InvalidArticleError(
            "the id has a character that cannot be kept: NUL, or half of a surrogate pair"
        )
    if len(str(value)) > ID_CHARACTERS:
        raise InvalidArticleError(f"the id has more than {ID_CHARACTERS} characters")


def empty(value: Any) -> Any:
    """Return the value of a field; a list or an object is returned empty, because it is not a valid value."""
    return type(value)() if isinstance(value, list | dict) else value
