"""Accept articles from Python callers: tables, data frames, dicts, strings, or paths of files.

`open_articles` returns a `Corpus` for files and an `ArticleInput` for articles in memory. Both yield batches
of SCHEMA, list rejected articles, and can be read again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
import pyarrow as pa

from dedup.errors import InputError, SettingsError
from dedup.io.articles import _iter_groups as iter_groups
from dedup.io.corpus import Corpus
from dedup.io.discovery import STDIN
from dedup.io.records import MAX_REJECT_CHARACTERS, Reject, to_json_line
from dedup.io.remote import is_url
from dedup.io.schema import map_accepted_names
from dedup.io.schema_mapping import MappedBatch, explain_rejection, map_records_to_schema, map_to_schema
from dedup.io.source_file import add_examples
from dedup.io.values import as_text, is_missing, to_python_rows

__all__ = ["ArticleInput", "Articles", "ErrorPolicy", "open_articles", "restore_ids"]

ErrorPolicy = Literal["raise", "reject"]
"""What to do with an article that cannot be used."""
ERROR_POLICIES: tuple[ErrorPolicy, ...] = ("raise", "reject")
IN_MEMORY = "articles"
"""The path in a `Reject` of an article that is not from a file."""

ArticleGroup: TypeAlias = "pa.RecordBatch | list[Mapping[str, Any]]"


class ArrowStream(Protocol):
    """A table of any library that exports Arrow streams."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Return the rows as an Arrow stream."""


class LazyFrame(Protocol):
    """A lazy data frame, such as that of polars."""

    def collect(self) -> Any:
        """Return the data frame."""


Articles = (
    Corpus
    | str
    | Path
    | ArrowStream
    | LazyFrame
    | Iterable[Mapping[str, Any] | str]
    | Iterable[Path]
    | Iterable[ArrowStream]
)
"""All forms of articles that `deduplicate` accepts."""


class ArticleInput:
    """Articles in memory, as batches of SCHEMA.

    `rejects`, `warnings` and `original_ids` belong to the latest iteration. An iterator can be read only
    once.
    """

    def __init__(
        self, articles: Any, *, fields: Mapping[str, str] | None = None, strict: bool = True
    ) -> None:
        self._articles = articles
        self._names = map_accepted_names(fields or {})
        self._strict = strict
        self._count: int | None = None
        self._reset()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Yield the articles in order; raise `InputError` if one cannot be used and the input is strict."""
        self._reset()
        first = 0
        for group in iter_groups(self._articles, self._names["text"][0]):
            normalized = map_group_to_schema(group, self._names, first)
            self._handle_rejected(group, normalized.rejected, first)
            self._keep_original_ids(group, normalized)
            self._warnings += normalized.warnings
            for words, example in normalized.examples.items():
                self._examples.setdefault(words, example)
            first += len(group)
            if normalized.batch.num_rows:
                yield normalized.batch
        self._count = first
        if not self._has_other_ids:
            self._id_groups.clear()

    def read_again(self) -> Iterator[pa.RecordBatch]:
        """Yield the articles again; raise `InputError` if they are gone or their number has changed."""
        if isinstance(self._articles, Iterator):
            raise InputError("the articles came from an iterator, which can be read only once; give a list")
        count = self._count
        yield from self
        if self._count != count:
            raise InputError(f"there were {count} articles, and now there are {self._count}; run again")

    @property
    def warnings(self) -> Counter[str]:
        """Return the warnings, sentences that often have an example, and their counts."""
        return add_examples(self._warnings, self._examples)

    @property
    def original_ids(self) -> Sequence[pa.Array | list[Any]] | None:
        """Return the original ids in groups, in which a missing id is None. If all ids are strings, return None."""
        return self._id_groups if self._has_other_ids else None

    def _reset(self) -> None:
        """Clear the results of the latest iteration."""
        self.rejects: list[Reject] = []
        self._warnings: Counter[str] = Counter()
        self._examples: dict[str, str] = {}
        self._id_groups: list[pa.Array | list[Any]] = []
        self._has_other_ids = False

    def _handle_rejected(self, group: ArticleGroup, rejected: Sequence[int], first: int) -> None:
        """Add the rejected articles of a group to `rejects`, or raise `InputError` if the input is strict."""
        for position in rejected:
            record = get_record(group, position)
            reason = explain_rejection(record, self._names)
            if self._strict:
                raise InputError(
                    f"article {first + position}, counted from 0, cannot be used: {reason}; "
                    "on_error='reject' leaves such articles out"
                )
            shown = to_json_line(dict(record)).decode()[:MAX_REJECT_CHARACTERS]
            self.rejects.append(Reject(IN_MEMORY, first + position + 1, reason, shown))

    def _keep_original_ids(self, group: ArticleGroup, normalized: MappedBatch) -> None:
        """Keep the original ids of a group."""
        ids = select_original_ids(group, self._names["id"])
        if ids is None:
            self._id_groups.append(normalized.batch["id"])
            return
        self._has_other_ids = True
        kept = np.setdiff1d(np.arange(len(ids)), normalized.rejected)
        self._id_groups.append(
            ids.take(pa.array(kept)) if isinstance(ids, pa.Array) else [ids[a] for a in kept.tolist()]
        )


def open_articles(
    articles: Any, *, fields: Mapping[str, str] | None = None, on_error: ErrorPolicy = "raise"
) -> Corpus | ArticleInput:
    """Return the source of the articles; `fields` maps our field names to yours.

    Raise `InputError` for unsupported input; its message says how to pass the articles.
    """
    if on_error not in ERROR_POLICIES:
        raise SettingsError(f"on_error must be {' or '.join(ERROR_POLICIES)}, not {on_error!r}")
    strict = on_error == "raise"
    if isinstance(articles, Corpus):
        if fields:
            raise SettingsError(
                "fields of a corpus are given when it is opened: read_articles(path, fields=…)"
            )
        return articles
    if isinstance(articles, str | Path):
        check_path(articles)
        return Corpus([articles], fields=fields, strict=strict)
    if isinstance(articles, list | tuple) and articles and isinstance(articles[0], Path):
        return Corpus(articles, fields=fields, strict=strict)
    if isinstance(articles, ArticleInput):
        return articles
    check_supported(articles)
    return ArticleInput(collect_frame(articles), fields=fields, strict=strict)


def check_path(path: str | Path) -> None:
    """Raise `InputError` if there is no such file; the caller may have meant a text."""
    try:
        exists = str(path) == STDIN or is_url(path) or Path(path).exists()
    except OSError:  # a text is too long for a file name
        exists = False
    if not exists:
        raise InputError(
            f"there is no file or folder {str(path)!r:.80}; a text is given in a list: deduplicate([text])"
        )


def check_supported(articles: object) -> None:
    """Raise `InputError` for collections that are often passed by mistake, and say how to pass their articles."""
    library = type(articles).__module__.partition(".")[0]
    if library == "pyspark":
        raise InputError(
            "a Spark data frame is deduplicated on Spark: from dedup.spark import deduplicate; "
            "or give its rows: deduplicate(frame.toArrow())"
        )
    if not isinstance(articles, Mapping):
        return
    if any(hasattr(value, "__arrow_c_stream__") or library == "datasets" for value in articles.values()):
        names = ", ".join(repr(name) for name in articles)
        raise InputError(
            f"a {type(articles).__name__} holds several data sets ({names}); "
            f"give one of them: deduplicate(data[{next(iter(articles))!r}])"
        )
    raise InputError(
        f"one {type(articles).__name__} is not a collection of articles; "
        "give a list of dicts: deduplicate([article]), or columns as a table: deduplicate(pyarrow.table(columns))"
    )


def collect_frame(articles: Any) -> Any:
    """Return a data frame that Arrow can read; a lazy frame is collected first.

    Raise `InputError` if Arrow cannot read it. Without this check, a frame with a column of mixed types would
    be read as an iterable of its column names.
    """
    if type(articles).__name__ == "LazyFrame" and callable(getattr(articles, "collect", None)):
        articles = articles.collect()
    if hasattr(articles, "__arrow_c_stream__") and hasattr(articles, "columns"):
        try:
            articles.__arrow_c_stream__()
        except (TypeError, ValueError) as error:  # pyarrow raises both
            raise InputError(f"the {type(articles).__name__} cannot be read as Arrow: {error}") from error
    return articles


def map_group_to_schema(group: ArticleGroup, names: Mapping[str, tuple[str, ...]], first: int) -> MappedBatch:
    """Return the articles of a group; one without an id gets its position, counted from `first`."""

    def make_id(position: int) -> str:
        return str(first + position)

    if isinstance(group, list):
        return map_records_to_schema(group, names, make_id)
    return map_to_schema(group, names, make_id)


def get_record(group: ArticleGroup, position: int) -> Mapping[str, Any]:
    """Return an article of a group as a mapping."""
    return group[position] if isinstance(group, list) else to_python_rows(group.slice(position, 1))[0]


def select_original_ids(group: ArticleGroup, names: Sequence[str]) -> pa.Array | list[Any] | None:
    """Return the original ids of a group as a list, in which a missing id is None.

    If all ids are strings, return None instead of a list.
    """
    if isinstance(group, list):
        ids = [find_first_value(record, names) for record in group]
        return None if all(isinstance(value, str | None) for value in ids) else ids
    for name in names:
        for index in group.schema.get_all_field_indices(name)[:1]:
            column = group.column(index)
            if column.null_count < len(column):
                return column if has_other_type(column.type) else None
    return None


def has_other_type(kind: pa.DataType) -> bool:
    """Return whether ids of this type are restored, because they are not strings."""
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
    )


def find_first_value(record: Mapping[str, Any], names: Sequence[str]) -> Any:
    """Return the first value that a record has under one of `names`."""
    values = (record.get(name) for name in names)
    return next((value for value in values if not is_missing(value) and value != ""), None)


def restore_ids(ids: list[str], groups: Iterable[pa.Array | list[Any]]) -> list[Any]:
    """Return the ids with their original types; an id that was generated or renamed stays a string.

    >>> restore_ids(["7", "7#2", "2"], [[7, 7, None]])
    [7, '7#2', '2']
    """
    originals = chain.from_iterable(
        group.to_pylist() if isinstance(group, pa.Array) else group for group in groups
    )
    return [
        original if as_text(original) == name else name for name, original in zip(ids, originals, strict=True)
    ]
