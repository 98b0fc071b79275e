"""Files of labelled pairs: what is read, what is refused, and where the ids stand in a corpus."""

import gzip
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.errors import InputError
from dedup.labels import Label, find, line_of, read_labels

READ = [Label("x", "y", same=True), Label("x", "z", same=False), Label("y", "z", same=None)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (
            "p.jsonl",
            '{"a":"x","b":"y","same":true}\n\n{"a":"x","b":"z","same":false}\n{"a":"y","b":"z","same":"open"}',
        ),
        (
            "p.jsonl",
            '{"id_a":"x","id_b":"y","same_story":"yes"}\n{"left":"x","right":"z","same":0}\n{"id":"y","canonical":"z","same":null}',
        ),
        ("p.csv", "\ufeffa,b,same\nx,y,TRUE\nx,z,no\ny,z,\n"),
        ("p.tsv", "a\tb\tsame\tby\nx\ty\t1\tme\nx\tz\tdifferent\tme\ny\tz\topen\tme\n"),
    ],
)
def test_pairs_are_read_whatever_the_format(name: str, content: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    (tmp_path / f"{name}.gz").write_bytes(gzip.compress(content.encode()))

    assert read_labels(tmp_path / name) == READ
    assert read_labels(tmp_path / f"{name}.gz") == READ


def test_a_pair_that_comes_again_is_as_it_was_judged_last(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_bytes(b"".join(map(line_of, [READ[0], READ[1], Label("y", "x", same=False)])))

    assert read_labels(path) == [Label("y", "x", same=False), READ[1]]


@given(st.lists(st.tuples(st.text(min_size=1), st.text(min_size=1), st.sampled_from([True, False, None]))))
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, bool | None]]
) -> None:
    labels = {frozenset((a, b)): Label(a, b, same) for a, b, same in rows if a != b}
    path = tmp_path_factory.mktemp("pairs") / "p.jsonl"
    path.write_bytes(b"".join(map(line_of, labels.values())))

    assert read_labels(path) == list(labels.values())


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
        ("[1]", "it is not an object"),
        ('{"a": "x", "same": true}', "it has not the two ids, as the fields 'a' and 'b'"),
        ('{"a": "x", "b": "y"}', "it has no field 'same'"),
        ('{"a": "x", "b": "x", "same": true}', "it pairs 'x' with itself"),
        ('{"a": "x", "b": "", "same": true}', "'' is no id"),
        ('{"a": "x", "b": ["y"], "same": true}', "['y'] is no id"),
        ('{"a": "x", "b": "y", "same": "perhaps"}', "same is 'perhaps', not true, false or open"),
        ('{"a": "x", "b": "y", "same": 0.5}', "same is 0.5, not true, false or open"),
    ],
)
def test_a_line_that_is_no_labelled_pair_is_named(line: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text(f'{{"a":"1","b":"2","same":true}}\n{line}\n')

    with pytest.raises(InputError, match=re.escape(f"p.jsonl:2: {says}")):
        read_labels(path)


def test_files_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    for name, content, says in [
        ("no.jsonl", None, "cannot read"),
        ("p.jsonl", b"\xff\xff", "is not UTF-8"),
        ("p.jsonl.gz", b"not packed", "cannot read"),
        ("p.jsonl.zst", b"", "plain, or packed with gzip"),
        ("p.csv", b'a,b,same\n"x,y,true', "broken CSV"),
    ]:
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=says):
            read_labels(tmp_path / name)


def test_ids_are_found_by_position_and_others_counted() -> None:
    labels = [*READ, Label("x", "nowhere", same=True)]

    found = find(labels, ["z", "y", "x", "x"])

    assert (found.left.tolist(), found.right.tolist(), found.same.tolist()) == ([2, 2], [1, 0], [True, False])
    assert (found.open, found.unknown) == (1, 1)
    assert json.loads(line_of(READ[2])) == {"a": "y", "b": "z", "same": "open"}
