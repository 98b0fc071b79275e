"""Passages: how a text is cut into them, and what is left of it without those that were learned."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from newsmaker import batch, story

from dedup.sketches.sketch import joined, sketch
from dedup.text.boilerplate.passages import keys_of, learned_in, marks_of, passages_of, without
from dedup.text.boilerplate.profile import LINE, SENTENCE, Learned, folded, is_passage
from dedup.text.tokenizer import utf8

NOTICE = "All of this is read aloud for friends of the Bugle, who pay two crowns a month."
STORY = "The old bridge over the Senn was closed on Thursday after a crack was found in it."
LEARNED = Learned({"Bugle": {NOTICE: 9}})

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
    data, _ = utf8(column)
    return [data[a:b].tobytes().decode() for a, b in passages_of(column, pa.array([source])).spans.tolist()]


def plainly_cut(text: str) -> list[str]:
    """Return the passages of a text, their space folded, the slow and obvious way."""
    found = []
    for line in map(folded, text.split("\n")):
        pieces, piece, stopped = [], "", False
        for character in line:
            if character == " " and stopped and len(piece.encode()) >= SENTENCE:
                pieces.append(piece)
                piece, stopped = "", False
                continue
            piece = (piece + character).removeprefix(" ")
            if character != " ":
                stopped = character in ".!?" or (stopped and (character in "\"')]" or character > "\x7f"))
            if character in "。！？" and len(piece.encode()) >= SENTENCE:
                pieces.append(piece)
                piece, stopped = "", False
        pieces += [piece] if piece else []
        least = LINE if len(pieces) == 1 else SENTENCE
        found += [piece for piece in pieces if len(piece.encode()) >= least]
    return found


def left_of(text: str, learned: Learned = LEARNED, source: str | None = "Bugle") -> str:
    """Return what is left of a text of a source."""
    return str(without(pa.array([text]), pa.array([source], pa.string()), learned)[0].as_py())


@given(texts)
@examples(max_examples=300)
def test_passages_are_lines_and_long_sentences(text: str) -> None:
    assert [folded(passage) for passage in cut(text)] == plainly_cut(text)


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

    left = left_of(text, Learned({"Bugle": dict.fromkeys(learned, 5)}))

    assert left == without_slowly(text, learned)
    assert left_of(text, Learned({"Post": dict.fromkeys(learned, 5)})) == text


def without_slowly(text: str, learned: set[str]) -> str:
    """Return a text without some passages, one after the other."""
    left, start = "", 0
    for passage in cut(text):
        place = text.index(passage, start)
        left += text[start:place] + ("" if folded(passage) in learned else passage)
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
        return marks_of(names)

    monkeypatch.setattr("dedup.text.boilerplate.passages.marks_of", noted)
    learned = Learned({"Once": {f"{n} {STORY}": 5 for n in range(50)}, "None": {}})

    assert len(keys_of(learned)) == 50
    assert hashed == ["None", "Once"]


def test_another_source_keeps_its_words() -> None:
    assert left_of(NOTICE, source="Post") == NOTICE
    assert left_of(NOTICE, source=None) == NOTICE


def test_a_passage_of_several_sentences_is_known_sentence_by_sentence() -> None:
    assert left_of(f"{NOTICE} {STORY}", Learned({"Bugle": {f"{STORY} {NOTICE}": 0}})).strip() == ""


def test_names_with_a_stop_are_no_passages() -> None:
    assert cut("He told Grand Fennwick Motor Works Corp. and Sen. Dury of the U.S. that he was ill.") == [
        "He told Grand Fennwick Motor Works Corp.",
        "and Sen. Dury of the U.S. that he was ill.",
    ]
    assert cut("Dury Corp. fell.\nWhy?\n") == ["Dury Corp. fell."]


def test_nothing_learned_changes_nothing() -> None:
    column = pa.array([STORY, None, ""])

    assert without(column, pa.array(["Bugle"] * 3), None) is column
    assert without(column, pa.array(["Bugle"] * 3), Learned({})) is column


def test_what_is_left_out_is_quoted_as_it_stood() -> None:
    column, sources = pa.array([f"{STORY}\n{NOTICE.replace(' ', '  ')}"]), pa.array(["Bugle"])

    assert learned_in(column, sources, LEARNED) == [NOTICE.replace(" ", "  ")]
    assert learned_in(column, sources, None) == []


def test_learned_furniture_is_no_part_of_a_sketch_and_others_have_no_say() -> None:
    told = [{**story(n), "source": "Bugle"} for n in range(6)]
    dressed = [{**article, "text": f"{article['text']}\n{NOTICE}"} for article in told]

    whole = sketch(batch(dressed), furniture=LEARNED)
    parts = [sketch(batch([article]), furniture=LEARNED) for article in dressed]

    for bare, together, alone in zip(sketch(batch(told)), whole, joined(parts), strict=True):
        assert np.array_equal(bare, together, equal_nan=bare.dtype.kind == "f")
        assert np.array_equal(bare, alone, equal_nan=bare.dtype.kind == "f")
