"""A small corpus is read once and kept; a large one is read again."""

from pathlib import Path

import pytest
from commands import written

from dedup.errors import InputError
from dedup.io.kept_corpus import KeptCorpus


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a corpus of three articles."""
    return written(tmp_path / "news.jsonl", [{"id": str(n), "text": f"Story {n}."} for n in range(3)])


def ids(batches: object) -> list[str]:
    """Return the ids of all batches."""
    return [name for batch in batches for name in batch["id"].to_pylist()]  # type: ignore[attr-defined]


def test_kept_articles_need_no_file(path: Path) -> None:
    corpus = KeptCorpus([path])
    first = ids(corpus)

    path.unlink()

    assert ids(corpus.read_again()) == first == ["0", "1", "2"]


def test_a_corpus_above_the_limit_is_read_again(path: Path) -> None:
    corpus = KeptCorpus([path], keep_bytes=10)
    first = ids(corpus)
    assert ids(corpus.read_again()) == first

    path.write_text('{"id": "9", "text": "Another."}\n')

    with pytest.raises(InputError, match="changed"):
        ids(corpus.read_again())


def test_an_iteration_that_breaks_off_keeps_nothing(path: Path) -> None:
    corpus = KeptCorpus([path])

    next(iter(corpus))
    ids(corpus)

    assert ids(corpus.read_again()) == ["0", "1", "2"]
