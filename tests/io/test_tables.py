"""Arrow, ORC and Excel files give articles by the number of the row."""

import datetime as dt
import gzip
import io
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pyarrow.orc
import pytest
from corpora import STORIES, ids, lines, rows

from dedup.errors import InputError
from dedup.io.corpus import read_articles

COLUMNS = ("id", "title", "text", "published", "source", "url", "language", "extra")
TABLE = pa.table({name: [story.get(name) for story in STORIES] for name in COLUMNS})


def write_arrow(path: Path, table: pa.Table) -> None:
    """Write a table in the format of the extension."""
    if path.suffix == ".orc":
        pyarrow.orc.write_table(table, path)
    elif path.suffix == ".feather":
        pyarrow.feather.write_feather(table, str(path), compression="zstd")
    else:
        make = pa.ipc.new_stream if path.suffix == ".arrows" else pa.ipc.new_file
        with make(str(path), table.schema) as writer:
            writer.write_table(table, max_chunksize=2)


@pytest.mark.parametrize("extension", [".arrow", ".arrows", ".feather", ".ipc", ".orc"])
def test_arrow_and_orc_give_the_articles_of_json_lines(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"news{extension}"
    write_arrow(path, TABLE)
    corpus = read_articles(path)

    found = rows(corpus)

    assert [(row["id"], row["title"], row["text"]) for row in found] == [
        (story["id"], story["title"] or None, story["text"]) for story in STORIES
    ]
    assert b'"extra":"kept"' in lines(corpus)[-1]


@pytest.mark.parametrize("extension", [".arrow", ".arrows", ".orc"])
def test_rows_without_a_text_and_damaged_files_are_rejects(tmp_path: Path, extension: str) -> None:
    write_arrow(tmp_path / f"a{extension}", pa.table({"id": ["1", "2"], "text": ["Ferry", None]}))
    (tmp_path / f"b{extension}").write_bytes(b"ARROW1 or something else" * 9)
    (tmp_path / f"c{extension}").write_bytes(b"")
    corpus = read_articles(tmp_path)

    assert ids(corpus) == ["1"]
    assert corpus.rejects[0].line == 2
    assert [reject.reason.split(" file")[0] for reject in corpus.rejects[1:]] == (
        ["not an ORC"] * 2 if extension == ".orc" else ["not an Arrow"] * 2
    )


def test_a_compressed_arrow_file_is_unpacked(tmp_path: Path) -> None:
    write_arrow(tmp_path / "a.arrow", TABLE)
    (tmp_path / "b.arrow.gz").write_bytes(gzip.compress((tmp_path / "a.arrow").read_bytes()))

    assert ids(read_articles(tmp_path / "b.arrow.gz")) == ["a", "b", "c", "d"]


def make_workbook(sheets: dict[str, list[list[Any]]]) -> bytes:
    """Return a workbook as openpyxl writes it."""
    from openpyxl import Workbook

    book, file = Workbook(), io.BytesIO()
    book.remove(book.active)
    for name, cells in sheets.items():
        sheet = book.create_sheet(name)
        for row in cells:
            sheet.append(row)
    book.save(file)
    return file.getvalue()


def test_the_sheets_of_a_workbook_that_have_a_text_are_read(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine")
    header = ["id", "headline", "body", "date"]
    morning = dt.datetime.fromisoformat("2024-05-03T09:30")  # a cell has no zone
    sheets: dict[str, list[list[Any]]] = {
        "News": [
            header,
            [1, "Ferry", "The ferry ran aground.", morning],
            [2, "No text", None, None],
        ],
        "Notes": [["who", "when"], ["me", "today"]],
        "More": [[], header, ["x", "Tugs", "Two tugs came.", dt.date(2024, 5, 4)]],
    }
    (tmp_path / "news.xlsx").write_bytes(make_workbook(sheets))
    corpus = read_articles(tmp_path)

    found = rows(corpus)

    assert [(row["id"], row["title"], row["text"]) for row in found] == [
        ("1", "Ferry", "The ferry ran aground."),
        ("x", "Tugs", "Two tugs came."),
    ]
    assert [row["published"].isoformat() for row in found] == [
        "2024-05-03T09:30:00+00:00",
        "2024-05-04T00:00:00+00:00",
    ]
    assert [(reject.line, reject.reason) for reject in corpus.rejects] == [
        (3, "no text (nor body, content, article)")
    ]
    assert [count for words, count in corpus.warnings.items() if "sheets without" in words] == [1]
    assert len(lines(corpus)) == 2


def test_a_workbook_without_a_text_is_an_error_that_names_its_columns(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine")
    (tmp_path / "news.xlsx").write_bytes(make_workbook({"A": [["id", "story"], ["1", "x"]]}))

    with pytest.raises(InputError, match=r"has no column text or body .*it has id, story"):
        rows(read_articles(tmp_path))


def test_what_is_no_workbook_is_a_reject(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine")
    (tmp_path / "a.xlsx").write_bytes(b"PK\x03\x04 no more")
    (tmp_path / "b.xls").write_bytes(b"nothing")
    corpus = read_articles(tmp_path)

    assert rows(corpus) == []
    assert [reject.reason.partition(",")[0] for reject in corpus.rejects] == ["not an Excel workbook"] * 2


def test_excel_without_its_package_is_an_error_that_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.xlsx").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "python_calamine", None)

    with pytest.raises(
        InputError, match=r"reading Excel needs python_calamine: pip install 'news-dedup\[excel\]'"
    ):
        rows(read_articles(tmp_path))
