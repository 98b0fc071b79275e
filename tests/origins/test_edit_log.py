"""Versions of an article share an id or a URL; an edit lists the words that changed, and whether the text says so."""

from typing import Any

from dedup.origins.edit_log import build_edit_logs, list_changes


def version(name: str, text: str, **others: Any) -> dict[str, Any]:
    """Return a version of an article."""
    return {"id": name, "title": "Bridge", "text": text, "url": None, "published": None, **others}


def test_an_id_with_a_suffix_is_a_version() -> None:
    [log] = build_edit_logs([version("a", "Ten came."), version("a#2", "Two came."), version("b", "None.")])

    [edit] = log.edits
    assert (log.key, edit.older, edit.newer) == ("a", "a", "a#2")
    assert [(change.removed, change.added) for change in edit.changes] == [("Ten", "Two")]


def test_articles_with_one_url_are_versions() -> None:
    url = "https://bugle.example/bridge"

    [log] = build_edit_logs([version("a", "Ten came.", url=url), version("b", "Two came.", url=url)])

    assert log.key == url


def test_an_id_that_ends_like_a_version_needs_the_first_one() -> None:
    assert build_edit_logs([version("page#1", "Ten came."), version("b", "Two came.")]) == []


def test_the_same_text_again_is_no_edit() -> None:
    url = "https://bugle.example/bridge"

    assert build_edit_logs([version("a", "Ten.", url=url), version("b", "Ten.", url=url)]) == []


def test_a_correction_is_noted_and_a_silent_change_is_not() -> None:
    versions = [
        version("a", "Ten came."),
        version("a#2", "Two came."),
        version("a#3", "Two came. Correction: Two, not ten, came."),
    ]

    [log] = build_edit_logs(versions)

    assert [edit.is_noted for edit in log.edits] == [False, True]


def test_a_change_has_the_words_before_it() -> None:
    older = "one two three four five six seven eight"

    [change] = list_changes(older, older.replace("eight", "nine ten"))

    assert (change.before, change.removed, change.added) == (
        "two three four five six seven",
        "eight",
        "nine ten",
    )


def test_long_texts_are_compared_by_sentence() -> None:
    lines = [f"line {n} with words" for n in range(4_000)]

    [change] = list_changes("\n".join(lines), "\n".join([*lines[:7], "another", *lines[8:]]))

    assert (change.removed, change.added) == ("line 7 with words", "another")
