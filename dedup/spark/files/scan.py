"""Scan the splits of files before the work: count lines and articles, and find records that cannot be read.

Spark does not report the position of a line in its file, which a local run uses for ids and rejects. So the
files are first read once for their lines, with one row per split. From these rows follow the first line
number of each split and the input position of its first article. The scan also finds rejects before any
decision is made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa

from dedup.errors import InputError
from dedup.io.corpus import MAX_ARTICLE_BYTES
from dedup.io.discovery import InputFile
from dedup.io.file_bytes import ENCODING_SAMPLE_BYTES, CorruptFileError, decode_to_utf8, decompress_file
from dedup.io.json_documents import is_document
from dedup.io.line_blocks import MAX_HEAD_BYTES, LineBlock
from dedup.io.presets import PRESET_BYTES, find_json_keys, recognize_preset
from dedup.io.read_options import ReadRules
from dedup.io.records import MAX_REJECT_CHARACTERS, Reject
from dedup.io.schema import BATCH_BYTES
from dedup.io.source_file import SourceFile, add_examples
from dedup.spark.files.discovery import normalize_path
from dedup.spark.files.split_formats import Batches, SplitFormat, SplitKey

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

__all__ = [
    "SCAN_SCHEMA",
    "CorpusFiles",
    "CorpusScan",
    "SparkRejects",
    "SplitScan",
    "build_scanner",
    "combine_scans",
]

SCAN_SCHEMA = (
    "file int, start bigint, lines bigint, articles bigint, foreign boolean, preset string, error string, "
    "rejects array<struct<line: bigint, reason: string, record: string>>, warnings map<string, bigint>, "
    "examples map<string, string>"
)
"""Column foreign: a file that is named JSON Lines, and is a JSON document or not UTF-8; it must be read whole. Column
preset: the export that its first lines belong to."""
SCAN_ARROW_SCHEMA = pa.schema(
    [
        ("file", pa.int32()),
        ("start", pa.int64()),
        ("lines", pa.int64()),
        ("articles", pa.int64()),
        ("foreign", pa.bool_()),
        ("preset", pa.string()),
        ("error", pa.string()),
        (
            "rejects",
            pa.list_(pa.struct([("line", pa.int64()), ("reason", pa.string()), ("record", pa.string())])),
        ),
        ("warnings", pa.map_(pa.string(), pa.int64())),
        ("examples", pa.map_(pa.string(), pa.string())),
    ]
)


class SplitScan(NamedTuple):
    """The scan of a split."""

    line: int
    """The number of its first line in the file; 1 if Spark reports row numbers itself."""
    position: int
    """The input position of its first article."""
    articles: int
    has_rejects: bool
    """Whether it has records that are not articles."""


@dataclass(frozen=True, slots=True)
class CorpusFiles:
    """The files of a corpus, and the options for reading them."""

    sources: tuple[InputFile, ...]
    rules: ReadRules
    presets: Mapping[int, str] = field(default_factory=dict)
    """The exports that were recognised, by the number of their file."""

    def number_by_path(self) -> dict[str, int]:
        """Return the number of each file by its path."""
        return {normalize_path(source.path): number for number, source in enumerate(self.sources)}

    def get_rules(self, number: int) -> ReadRules:
        """Return how the records of a file become articles."""
        return self.rules.with_preset(self.presets[number]) if number in self.presets else self.rules

    def build_reading(
        self,
        number: int,
        part: Any,
        refuse: Callable[[int | None, str, bytes | str], None],
        warnings: Counter[str] | None = None,
        examples: dict[str, str] | None = None,
    ) -> SourceFile:
        """Return a part of a file in the form that the readers of a local run accept."""
        source = self.sources[number]
        if isinstance(part, Path):
            source = replace(source, path=str(part))
        return SourceFile(
            source,
            rules=self.get_rules(number),
            batch_bytes=BATCH_BYTES,
            max_article_bytes=MAX_ARTICLE_BYTES,
            read_decompressed=partial(decompress_file, source, ignore),
            report_progress=ignore,
            reject=refuse,
            warnings=Counter() if warnings is None else warnings,
            examples={} if examples is None else examples,
        )


def ignore(*_anything: Any) -> None:
    """Ignore a reject that the scan has reported already."""


def build_scanner(files: CorpusFiles, kind: SplitFormat) -> Callable[[Batches], Batches]:
    """Return the function that scans the splits in batches of Spark."""
    numbers = files.number_by_path()

    def scan_batches(batches: Batches) -> Batches:
        parts = kind.parts(batches, numbers, {})
        for key, group in groupby(parts, key=itemgetter(0)):
            row = scan_split(files, kind, key, (part for _, part in group))
            yield pa.RecordBatch.from_pylist([row], SCAN_ARROW_SCHEMA)

    return scan_batches


def scan_split(files: CorpusFiles, kind: SplitFormat, key: SplitKey, parts: Iterator[Any]) -> dict[str, Any]:
    """Return the scan of a split as a row."""
    rejects: list[dict[str, Any]] = []
    warnings: Counter[str] = Counter()
    examples: dict[str, str] = {}
    row: dict[str, Any] = {
        "file": key[0],
        "start": key[1],
        "lines": 0,
        "articles": 0,
        "foreign": False,
        "preset": None,
        "error": None,
    }

    def reject_record(line: int | None, reason: str, record: bytes | str) -> None:
        shown = record if isinstance(record, str) else record[:MAX_HEAD_BYTES].decode(errors="replace")
        rejects.append({"line": line, "reason": reason, "record": shown[:MAX_REJECT_CHARACTERS]})

    first, parts = read_head(parts) if key[1] == 0 else (b"", parts)
    rules = files.get_rules(key[0])
    row["preset"] = recognize_preset(find_json_keys(first[:PRESET_BYTES])) if rules.recognizes else None
    row["foreign"] = is_foreign(first, rules.with_preset(row["preset"]) if row["preset"] else rules)
    for part in () if row["foreign"] or row["preset"] else parts:
        reading = files.build_reading(key[0], part, reject_record, warnings, examples)
        try:
            for batch in kind.articles(part, reading):
                row["articles"] += batch.num_rows
        except CorruptFileError as damage:
            reject_record(damage.line, str(damage), damage.partial_line)
        except InputError as error:
            row["error"] = str(error).replace(reading.source.path, files.sources[key[0]].path)
        row["lines"] += len(part.ends) if isinstance(part, LineBlock) else 0
    return {
        **row,
        "rejects": rejects,
        "warnings": list((+warnings).items()),
        "examples": list(examples.items()),
    }


def read_head(parts: Iterator[Any]) -> tuple[bytes, Iterator[Any]]:
    """Return the first bytes of a file of lines, and all its parts; no bytes for other files."""
    held, size = [], 0
    for part in parts:
        held.append(part)
        size += len(part.data) if isinstance(part, LineBlock) else ENCODING_SAMPLE_BYTES
        if size >= ENCODING_SAMPLE_BYTES:
            break
    first = b"".join(part.data for part in held if isinstance(part, LineBlock))
    return first[:ENCODING_SAMPLE_BYTES], chain(held, parts)


def is_foreign(sample: bytes, rules: ReadRules) -> bool:
    """Return whether a file that is named JSON Lines is a JSON document or not UTF-8, by a sample from its start."""
    try:
        encoding, decoded = decode_to_utf8(iter([sample]))
    except CorruptFileError:
        return True
    return encoding != "utf-8" or is_document(next(decoded, b""), "lines", rules.names)


@dataclass(frozen=True, slots=True)
class CorpusScan:
    """The scan of a corpus, by split."""

    splits: Mapping[SplitKey, SplitScan]
    articles: int
    reject_count: int
    warnings: Counter[str]
    foreign: tuple[int, ...]
    """The files of lines that must be read whole."""
    presets: Mapping[int, str]
    """The exports that were recognised in this scan, by the number of their file."""
    error: str | None
    """An error that also ends a local run, such as a table without a text column."""


def combine_scans(rows: Iterable[Any]) -> CorpusScan:
    """Return the scan of a corpus from the rows of its splits."""
    splits: dict[SplitKey, SplitScan] = {}
    warnings: Counter[str] = Counter()
    examples: dict[str, str] = {}
    file, line, position, refused = -1, 1, 0, 0
    ordered = sorted(rows, key=lambda row: (row["file"], row["start"]))
    for row in ordered:
        line = line if row["file"] == file else 1
        file = row["file"]
        splits[file, row["start"]] = SplitScan(line, position, row["articles"], row["refused"] > 0)
        line, position, refused = line + row["lines"], position + row["articles"], refused + row["refused"]
        warnings.update(dict(row["warnings"]))
        examples = {**dict(row["examples"]), **examples}
    foreign = tuple(sorted({row["file"] for row in ordered if row["foreign"]}))
    presets = {row["file"]: row["preset"] for row in ordered if row["preset"] and not row["foreign"]}
    errors = [row["error"] for row in ordered if row["error"]]
    warnings = add_examples(warnings, examples)
    return CorpusScan(splits, position, refused, warnings, foreign, presets, errors[0] if errors else None)


class SparkRejects(Sequence[Reject]):
    """Records that could not be read, in input order; they are counted first, and fetched from Spark on demand."""

    def __init__(self, rows: DataFrame, files: CorpusFiles, survey: CorpusScan) -> None:
        self.session = rows.sparkSession
        self._rows, self._files, self._survey = rows, files, survey

    def __len__(self) -> int:
        return self._survey.reject_count

    def __getitem__(self, place: Any) -> Any:
        return list(self)[place]

    def __iter__(self) -> Iterator[Reject]:
        from pyspark.sql import functions as sql

        exploded = self._rows.select("file", "start", sql.posexplode("rejects").alias("place", "reject"))
        for row in exploded.orderBy("file", "start", "place").toLocalIterator():
            line, reason, record = row["reject"]
            first = self._survey.splits[row["file"], row["start"]].line
            number = None if line is None else line + first - 1
            yield Reject(self._files.sources[row["file"]].path, number, reason, record)
