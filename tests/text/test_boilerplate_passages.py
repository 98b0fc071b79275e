"""Passages: how a text is cut into them, and what is left of it without those that were learned."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from newsmaker import batch, story

from dedup.sketches.sketch import concat_sketches, sketch_batch
from dedup.text.boilerplate.passages import (
    compute_profile_keys,
    find_learned_passages,
    find_passages,
    hash_strings,
    remove_learned_passages,
)
from dedup.text.boilerplate.profile import (
    MIN_LINE_BYTES,
    MIN_SENTENCE_BYTES,
    BoilerplateProfile,
    is_passage,
    normalize_line_spaces,
)
from dedup.text.tokenizer import get_utf8_buffers

NOTICE = "All of this is read aloud for friends of the Bugle, who pay two crowns a month."
STORY = "The old bridge over the Senn was closed on Thursday after a crack was found in it."
LEARNED = BoilerplateProfile({"Bugle": {NOTICE: 9}})

WORDS = [
    "The",
    "U.S.",
    "bridge",
    "Senn",
    "was",
    "shut.",
    "Why?",
    "No!”",
    "»",
    "明日",
    "橋は閉鎖。",
    "a-much-longer-word",
]
SPACES = [" ", "  ", "\t", "\u00a0", "\n", "\n\n"]
texts = st.lists(st.sampled_from(WORDS + SPACES), max_size=60).map(" ".join)


def cut(text: str, source: str = "Bugle") -> list[str]:
    """Return the passages of a text as they stand in it."""
    column = pa.array([text])
    data, _ = get_utf8_buffers(column)
    return [data[a:b].tobytes().decode() for a, b in find_passages(column, pa.array([source])).spans.tolist()]


def plainly_cut(text: str) -> list[str]:
    """Return the passages of a text, their space folded, the slow and obvious way."""
    found = []
    for line in map(normalize_line_spaces, text.split("\n")):
        pieces, piece, stopped = [], "", False
        for character in line:
            if character == " " and stopped and len(piece.encode()) >= MIN_SENTENCE_BYTES:
                pieces.append(piece)
                piece, stopped = "", False
                continue
            piece = (piece + character).removeprefix(" ")
            if character != " ":
                stopped = character in ".!?" or (stopped and (character in "\"')]" or character > "\x7f"))
            if character in "。！？" and len(piece.encode()) >= MIN_SENTENCE_BYTES:
                pieces.append(piece)
                piece, stopped = "", False
        pieces += [piece] if piece else []
        least = MIN_LINE_BYTES if len(pieces) == 1 else MIN_SENTENCE_BYTES
        found += [piece for piece in pieces if len(piece.encode()) >= least]
    return found


def left_of(text: str, learned: BoilerplateProfile = LEARNED, source: str | None = "Bugle") -> str:
    """Return what is left of a text of a source."""
    return str(remove_learned_passages(pa.array([text]), pa.array([source], pa.string()), learned)[0].as_py())


@given(texts)
@examples(max_examples=120)
def test_passages_are_lines_and_long_sentences(text: str) -> None:
    assert [normalize_line_spaces(passage) for passage in cut(text)] == plainly_cut(text)


@given(texts)
def test_what_may_stand_in_a_file_is_what_is_cut_into_passages(text: str) -> None:
    assert is_passage(text) == bool(cut(text))


@given(texts)
def test_a_passage_is_cut_from_itself(text: str) -> None:
    for passage in cut(text):
        assert cut(passage) == [passage]


@given(texts, st.integers(0, 60))
def test_what_was_learned_is_left_out_and_nothing_else(text: str, chosen: int) -> None:
    passages = plainly_cut(text)
    learned = set(passages[chosen : chosen + 2])

    left = left_of(text, BoilerplateProfile({"Bugle": dict.fromkeys(learned, 5)}))

    assert left == without_slowly(text, learned)
    assert left_of(text, BoilerplateProfile({"Post": dict.fromkeys(learned, 5)})) == text


def without_slowly(text: str, learned: set[str]) -> str:
    """Return a text without some passages, one after the other."""
    left, start = "", 0
    for passage in cut(text):
        place = text.index(passage, start)
        left += text[start:place] + ("" if normalize_line_spaces(passage) in learned else passage)
        start = place + len(passage)
    return left + text[start:]


def test_a_notice_is_left_out_within_a_line_and_on_its_own() -> None:
    assert left_of(f"{STORY} {NOTICE} {STORY}").split() == f"{STORY} {STORY}".split()
    assert left_of(f"{STORY}\n  {NOTICE}\n\n{STORY}") == f"{STORY}\n  \n\n{STORY}"


def test_space_is_as_good_as_any_other() -> None:
    assert left_of(NOTICE.replace(" ", " \t")) == ""


def test_a_no_break_space_hides_nothing() -> None:
    assert left_of(f"{STORY}\u00a0{NOTICE}") == f"{STORY}\u00a0"
    assert left_of(NOTICE.replace(" ", "\u00a0")) == ""


def test_the_name_of_a_source_is_held_once(monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []

    def noted(names: pa.StringArray) -> np.ndarray:
        hashed.extend(names.to_pylist())
        return hash_strings(names)

    monkeypatch.setattr("dedup.text.boilerplate.passages.hash_strings", noted)
    learned = BoilerplateProfile({"Once": {f"{n} {STORY}": 5 for n in range(50)}, "None": {}})

    assert len(compute_profile_keys(learned)) == 50
    assert hashed == ["None", "Once"]


def test_another_source_keeps_its_words() -> None:
    assert left_of(NOTICE, source="Post") == NOTICE
    assert left_of(NOTICE, source=None) == NOTICE


def test_a_passage_of_several_sentences_is_known_sentence_by_sentence() -> None:
    assert left_of(f"{NOTICE} {STORY}", BoilerplateProfile({"Bugle": {f"{STORY} {NOTICE}": 0}})).strip() == ""


def test_names_with_a_stop_are_no_passages() -> None:
    assert cut("He told Grand Fennwick Motor Works Corp. and Sen. Dury of the U.S. that he was ill.") == [
        "He told Grand Fennwick Motor Works Corp.",
        "and Sen. Dury of the U.S. that he was ill.",
    ]
    assert cut("Dury Corp. fell.\nWhy?\n") == ["Dury Corp. fell."]


def test_nothing_learned_changes_nothing() -> None:
    column = pa.array([STORY, None, ""])

    assert remove_learned_passages(column, pa.array(["Bugle"] * 3), None) is column
    assert remove_learned_passages(column, pa.array(["Bugle"] * 3), BoilerplateProfile({})) is column


def test_what_is_left_out_is_quoted_as_it_stood() -> None:
    column, sources = pa.array([f"{STORY}\n{NOTICE.replace(' ', '  ')}"]), pa.array(["Bugle"])

    assert find_learned_passages(column, sources, LEARNED) == [NOTICE.replace(" ", "  ")]
    assert find_learned_passages(column, sources, None) == []


def test_learned_boilerplate_is_no_part_of_a_sketch_and_others_have_no_say() -> None:
    told = [{**story(n), "source": "Bugle"} for n in range(6)]
    dressed = [{**article, "text": f"{article['text']}\n{NOTICE}"} for article in told]

    whole = sketch_batch(batch(dressed), boilerplate=LEARNED)
    parts = [sketch_batch(batch([article]), boilerplate=LEARNED) for article in dressed]

    for bare, together, alone in zip(sketch_batch(batch(told)), whole, concat_sketches(parts), strict=True):
        assert np.array_equal(bare, together, equal_nan=bare.dtype.kind == "f")
        assert np.array_equal(bare, alone, equal_nan=bare.dtype.kind == "f")
