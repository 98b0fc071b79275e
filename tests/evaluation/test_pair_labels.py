"""Files of labelled pairs: what is read, what is refused, and where the ids stand in a corpus."""

import gzip
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.errors import InputError
from dedup.evaluation.pair_labels import (
    ANSWER_NOT_SAME,
    LABEL_ANSWERS,
    PairLabel,
    find_labelled_pairs,
    format_pair_label,
    is_together,
    read_pair_labels,
)

READ = [
    PairLabel("x", "y", "same"),
    PairLabel("x", "z", "different"),
    PairLabel("y", "z", "open"),
    PairLabel("x", "w", "followup"),
]
OLDER = [PairLabel("x", "y", "same"), PairLabel("x", "z", "apart"), PairLabel("y", "z", "open")]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (
            "p.jsonl",
            (
                '{"a":"x","b":"y","label":"same"}\n\n{"a":"x","b":"z","label":"different","sure":true}\n'
                '{"a":"y","b":"z","label":"open"}\n{"a":"x","b":"w","label":"followup"}'
            ),
        ),
        (
            "p.jsonl",
            (
                '{"id_a":"x","id_b":"y","label":"Same"}\n{"left":"x","right":"z","label":" different "}\n'
                '{"id":"y","canonical":"z","label":null}\n{"a":"x","b":"w","label":"follow-up"}'
            ),
        ),
        ("p.csv", "\ufeffa,b,label\nx,y,SAME\nx,z,different\ny,z,\nx,w,follow_up\n"),
        (
            "p.tsv",
            "a\tb\tlabel\tby\nx\ty\tsame\tme\nx\tz\tdifferent\tme\ny\tz\tunsure\tme\nx\tw\tFollowup\tme\n",
        ),
    ],
)
def test_pairs_are_read_whatever_the_format(name: str, content: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    (tmp_path / f"{name}.gz").write_bytes(gzip.compress(content.encode()))

    assert read_pair_labels(tmp_path / name) == READ
    assert read_pair_labels(tmp_path / f"{name}.gz") == READ


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (
            "p.jsonl",
            '{"a":"x","b":"y","same":true}\n\n{"a":"x","b":"z","same":false}\n{"a":"y","b":"z","same":"open"}',
        ),
        (
            "p.jsonl",
            (
                '{"id_a":"x","id_b":"y","same_story":"yes"}\n{"left":"x","right":"z","same":0}\n'
                '{"id":"y","canonical":"z","same":null}'
            ),
        ),
        ("p.csv", "a,b,same\nx,y,TRUE\nx,z,no\ny,z,\n"),
        ("p.tsv", "a\tb\tsame\nx\ty\t1\nx\tz\tdifferent\ny\tz\topen\n"),
    ],
)
def test_not_the_same_in_an_older_file_leaves_the_storyline_open(
    name: str, content: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")

    assert read_pair_labels(tmp_path / name) == OLDER


def test_a_label_counts_more_than_same_where_it_says_something(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("a,b,same,label\nx,w,false,followup\nx,z,no,different\nx,y,true,\ny,z,,open\n")

    assert [label.answer for label in read_pair_labels(path)] == ["followup", "different", "same", "open"]


def test_a_pair_that_comes_again_is_as_it_was_judged_last(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_bytes(b"".join(map(format_pair_label, [READ[0], READ[1], PairLabel("y", "x", "followup")])))

    assert read_pair_labels(path) == [PairLabel("y", "x", "followup"), READ[1]]


@given(
    st.lists(
        st.tuples(
            st.text(min_size=1), st.text(min_size=1), st.sampled_from([*LABEL_ANSWERS, ANSWER_NOT_SAME])
        )
    )
)
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str]]
) -> None:
    labels = {frozenset((a, b)): PairLabel(a, b, answer) for a, b, answer in rows if a != b}
    path = tmp_path_factory.mktemp("pairs") / "p.jsonl"
    path.write_bytes(b"".join(map(format_pair_label, labels.values())))

    assert read_pair_labels(path) == list(labels.values())


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
        ("[1]", "it is not an object"),
        ('{"a": "x", "same": true}', "it lacks the two ids, the fields 'a' and 'b'"),
        ('{"a": "x", "b": "y"}', "it has no field 'label': same, followup, different or open"),
        ('{"a": "x", "b": "x", "same": true}', "it pairs 'x' with itself"),
        ('{"a": "x", "b": "", "same": true}', "'' is not an id"),
        ('{"a": "x", "b": ["y"], "same": true}', "['y'] is not an id"),
        ('{"a": "x", "b": "y", "same": "perhaps"}', "same is 'perhaps', not true, false or open"),
        ('{"a": "x", "b": "y", "same": "followup"}', "same is 'followup', not true, false or open"),
        ('{"a": "x", "b": "y", "label": true}', "label is True, not same, followup, different or open"),
        ('{"a": "x", "b": "y", "label": "later"}', "label is 'later', not same, followup, different or open"),
        (
            '{"a": "x", "b": "y", "label": "same", "same": false}',
            "its label is 'same', and its field 'same' says otherwise",
        ),
        (
            '{"a": "x", "b": "y", "label": "followup", "same": true}',
            "its label is 'followup', and its field 'same' says otherwise",
        ),
        ('{"a": "x", "b": "y", "same": 0.5}', "same is 0.5, not true, false or open"),
    ],
)
def test_a_line_that_is_no_labelled_pair_is_named(line: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text(f'{{"a":"1","b":"2","same":true}}\n{line}\n')

    with pytest.raises(InputError, match=re.escape(f"p.jsonl:2: {says}")):
        read_pair_labels(path)


def test_files_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    for name, content, says in [
        ("no.jsonl", None, "cannot read"),
        ("p.jsonl", b"\xff\xff", "is not UTF-8"),
        ("p.jsonl.gz", b"not packed", "cannot read"),
        ("p.jsonl.zst", b"", "plain or gzipped"),
        ("p.csv", b'a,b,same\n"x,y,true', "broken CSV"),
    ]:
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=says):
            read_pair_labels(tmp_path / name)


@pytest.mark.parametrize(
    ("level", "says"),
    [
        ("text", {"same": True, "followup": False, "different": False, "apart": False, "open": None}),
        ("story", {"same": True, "followup": False, "different": False, "apart": False, "open": None}),
        ("storyline", {"same": True, "followup": True, "different": False, "apart": None, "open": None}),
    ],
)
def test_what_a_label_says_depends_on_the_level(level: str, says: dict[str, bool | None]) -> None:
    assert {answer: is_together(answer, level) for answer in (*LABEL_ANSWERS, ANSWER_NOT_SAME)} == says


def test_ids_are_found_by_position_and_others_counted() -> None:
    labels = [
        *READ[:3],
        PairLabel("x", "nowhere", "same"),
        PairLabel("v", "y", "followup"),
        PairLabel("v", "z", "apart"),
    ]
    ids = ["z", "y", "x", "x", "v"]

    story, storyline = (find_labelled_pairs(labels, ids, level) for level in ("story", "storyline"))

    assert (story.left.tolist(), story.right.tolist()) == ([2, 2, 4, 4], [1, 0, 1, 0])
    assert story.together.tolist() == [True, False, False, False]
    assert (storyline.left.tolist(), storyline.right.tolist()) == ([2, 2, 4], [1, 0, 1])
    assert storyline.together.tolist() == [True, False, True]
    assert (story.open, storyline.open, story.unknown, storyline.unknown) == (1, 2, 1, 1)
    assert story.answers == {"same": 1, "different": 1, "open": 1, "followup": 1, "apart": 1}


@pytest.mark.parametrize(
    ("answer", "said"),
    [*((answer, {"label": answer}) for answer in LABEL_ANSWERS), (ANSWER_NOT_SAME, {"same": False})],
)
def test_a_label_is_written_as_it_is_called(answer: str, said: dict[str, object]) -> None:
    assert json.loads(format_pair_label(PairLabel("y", "z", answer), sure=True)) == {
        "a": "y",
        "b": "z",
        **said,
        "sure": True,
    }
