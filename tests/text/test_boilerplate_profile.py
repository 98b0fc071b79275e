"""The file of learned boilerplate: what it holds, and what is wrong with one that is none."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dedup.errors import InputError
from dedup.settings.settings import Settings, dump_settings
from dedup.text.boilerplate.profile import (
    MAX_PROFILE_BYTES,
    BoilerplateProfile,
    encode_profile,
    read_boilerplate,
)

LEARNED = BoilerplateProfile(
    {"Post": {"Read it all.": 2, "A whole line.": 7, "Another line.": 7}, "Bugle": {"「全文」 →": 5}}, 40
)
WHOLE = json.loads(encode_profile(LEARNED, "1.0"))


def test_a_file_holds_what_was_learned(tmp_path: Path) -> None:
    path = tmp_path / "boilerplate.json"
    path.write_bytes(encode_profile(LEARNED, "1.0"))

    read = read_boilerplate(path)

    assert read == LEARNED
    assert (read.sources, read.articles) == (LEARNED.sources, 40)
    assert "「全文」 →" in path.read_text(encoding="utf-8")


def test_a_file_begins_with_what_is_most_frequent() -> None:
    assert list(WHOLE) == ["format", "dedup", "articles", "sources"]
    assert list(WHOLE["sources"]) == ["Bugle", "Post"]
    assert list(WHOLE["sources"]["Post"]) == ["A whole line.", "Another line.", "Read it all."]


def test_content_counts_and_not_order_counts_or_origin() -> None:
    same = BoilerplateProfile(
        {"Bugle": {"「全文」 →": 1}, "Post": {"Another line.": 0, "A whole line.": 0, "Read it all.": 0}}
    )

    assert same == LEARNED
    assert hash(same) == hash(LEARNED)
    assert Settings(boilerplate=same) == Settings(boilerplate=LEARNED)
    assert Settings(boilerplate=BoilerplateProfile({"Post": {"A whole line.": 7}})) != Settings(
        boilerplate=LEARNED
    )
    assert BoilerplateProfile({"Post": {"「全文」 →": 5}}) != BoilerplateProfile({"Bugle": {"「全文」 →": 5}})


def test_settings_are_written_with_the_digest() -> None:
    assert dump_settings(Settings(boilerplate=LEARNED))["boilerplate"] == LEARNED.digest
    assert dump_settings(Settings())["boilerplate"] is None
    assert dump_settings(replace(Settings(), window_days=9.0))["window_days"] == 9


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "it is not JSON (line 1: Expecting value)"),
        (b'{"format": 1,\n"sources"}', "it is not JSON (line 2: Expecting ':' delimiter)"),
        (b"\xff\xfe{", "it is not UTF-8"),
        (b"[" * 100_000, "it is nested too deeply"),
        ([], "it is not an object with a 'format'"),
        ({"text": "an article"}, "it is not an object with a 'format'"),
        ({**WHOLE, "format": 2}, "its format is 2, and this version reads 1"),
        ({**WHOLE, "format": True}, "its format is True, and this version reads 1"),
        ({"format": 1}, "it has no object of 'sources'"),
        ({**WHOLE, "sources": ["Post"]}, "it has no object of 'sources'"),
        ({**WHOLE, "sources": {"Post": ["A line."]}}, "source 'Post' has no object of passages"),
        ({**WHOLE, "sources": {" ": {}}}, "' ' is not the name of a source, of 1 to 1,000 characters"),
        ({**WHOLE, "sources": {"P" * 1_001: {}}}, "is not the name of a source"),
        (
            {**WHOLE, "sources": {"Post": {" ": 5}}},
            "source 'Post' has the passage ' ', which can match nothing",
        ),
        (
            {**WHOLE, "sources": {"Post": {"Read\n on!": 5}}},
            "a passage is a whole line of 12 bytes or more, or a",
        ),
        (b'{"format":1,"sources":{"Post":{"Read it all \\ud800":5}}}', "\\ud800', which can match nothing"),
        ({**WHOLE, "sources": {"Post": {"Read it all.": -1}}}, "of 'Post' has the count -1, not a whole"),
        ({**WHOLE, "sources": {"Post": {"Read it all.": True}}}, "of 'Post' has the count True, not a whole"),
        (b'{"format":1,"sources":{"Post":{},"Post":{}}}', "it has 'Post' twice in one object"),
        (b'{"format":1,"sources":{},"articles":%b}' % (b"9" * 5_000), "it has a number of 5,000 digits"),
        ({**WHOLE, "articles": "many"}, "its number of articles is 'many', not a whole number"),
    ],
)
def test_what_is_no_boilerplate_is_an_error_that_says_why(content: Any, says: str, tmp_path: Path) -> None:
    path = tmp_path / "boilerplate.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())

    with pytest.raises(InputError) as raised:
        read_boilerplate(path)

    assert str(raised.value).startswith(f"{path} is no boilerplate: ")
    assert says in str(raised.value)


def test_a_file_that_is_not_there_or_too_large_is_an_error(tmp_path: Path) -> None:
    large = tmp_path / "large.json"
    with large.open("wb") as file:
        file.truncate(MAX_PROFILE_BYTES + 1)

    with pytest.raises(InputError, match=r"cannot read .*nothing.json: No such file"):
        read_boilerplate(tmp_path / "nothing.json")
    with pytest.raises(InputError, match=r"cannot read .*: Is a directory"):
        read_boilerplate(tmp_path)
    with pytest.raises(InputError, match="larger than 64 MB"):
        read_boilerplate(large)
