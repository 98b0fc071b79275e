"""A damaged index never changes an answer, and `verify --repair` restores it where the rest of it determines how it was."""

from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from commands import called
from earlier import do_beside, make_earlier
from homes import Place
from hypothesis import given
from hypothesis import strategies as st
from newsmaker import Article, batch, make_storylines

from dedup.errors import DedupError, IndexingError
from dedup.index.answers import Answer
from dedup.index.index import Index
from dedup.index.storage.backend import IndexRow
from dedup.index.storage.checksum import compute_checksum, correct_flipped_bit, pack_row, unpack_row
from dedup.index.storage.sqlite import PAGE_BYTES
from dedup.settings.settings import Settings

ARTICLES = make_storylines(120, seed=5)
KNOWN, LATER = ARTICLES[:80], ARTICLES[80:]
ALONE = Settings(threads=1)
FLIPS = 200


@pytest.fixture(scope="module", autouse=True)
def short_runs() -> Iterator[None]:
    """Let a run hold a few articles, so that an index has stored runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dedup.index.lookup.ArticleLookup.run_articles", 16)
        yield


@pytest.fixture(scope="module")
def sound(short_runs: None, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return the file of a sound index of articles, some of which follow others."""
    place = tmp_path_factory.mktemp("sound") / "seen.db"
    with Index.open(place, ALONE) as index:
        assert any(answer.link for answer in index.decide(batch(KNOWN)))
        index.decide(batch(KNOWN[:1]))
        assert len(index.backend.list_runs()) > 1
        index.backend.release_space()
    return place.read_bytes()


@pytest.fixture(scope="module")
def expected(sound: bytes, tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """Return the answers of the sound index."""
    place = tmp_path_factory.mktemp("expected") / "seen.db"
    place.write_bytes(sound)
    return ask(place)


def ask(place: Place) -> list[Any]:
    """Return all that an index answers about articles that it has and articles that come later."""
    with Index.open(place, ALONE) as index:
        past: list[list[Answer]] = [index.history(article["id"]) for article in KNOWN[:20]]
        clusters = [index.cluster(article["id"]) for article in KNOWN[:20]]
        log = [{**row, "decided": None} for rows in index.log() for row in rows]
        return [past, clusters, log, index.decide(batch(KNOWN[:10])), index.decide(batch(LATER))]


@pytest.mark.parametrize("part", range(20))
def test_a_flipped_bit_is_told_or_changes_no_answer(
    sound: bytes, expected: list[Any], tmp_path: Path, part: int
) -> None:
    place = tmp_path / "seen.db"
    random = Random(part)
    for _ in range(FLIPS // 20):
        data = bytearray(sound)
        for _ in range(random.choice([1, 1, 1, 4])):
            # Half of them hit the first pages: the header, the schema, and the roots of the tables.
            bit = random.randrange(8 * random.choice([len(data), min(len(data), 4 * PAGE_BYTES)]))
            data[bit >> 3] ^= 1 << (bit & 7)
        place.write_bytes(data)
        try:
            answers = ask(place)
        except IndexingError as error:
            assert str(place) in str(error)  # noqa: PT017 - most flips hit no answer
        else:
            assert answers == expected
        for path in tmp_path.iterdir():
            path.unlink()


@given(
    st.builds(
        IndexRow,
        position=st.integers(0, 2**48),
        id=st.text(st.characters(exclude_categories=["Cs"])),
        version=st.integers(1, 2**31),
        telling=st.integers(-(2**63), 2**63 - 1),
        published=st.none() | st.floats(-1e6, 1e6),
        leader=st.integers(0, 2**48),
        relation=st.integers(-1, 5),
        score=st.floats(0, 1),
        evidence=st.binary(max_size=40),
        decided=st.floats(0, 1e10),
        mark=st.integers(0, 2),
        keys=st.binary(max_size=40),
        follows=st.integers(0, 2**48),
    )
)
def test_a_packed_row_is_the_whole_row(row: IndexRow) -> None:
    assert unpack_row(pack_row(row)) == row


@given(data=st.binary(min_size=1, max_size=60), where=st.randoms(use_true_random=False))
def test_one_flipped_bit_is_flipped_back_and_two_are_not(data: bytes, where: Random) -> None:
    flipped = bytearray(data)
    first, second = where.sample(range(8 * len(data)), 2)
    flipped[first >> 3] ^= 1 << (first & 7)

    assert correct_flipped_bit(bytes(flipped), compute_checksum(data)) == data
    flipped[second >> 3] ^= 1 << (second & 7)
    assert correct_flipped_bit(bytes(flipped), compute_checksum(data)) is None


DAMAGE: dict[str, Callable[[IndexRow, bool], list[str]]] = {
    "its row": lambda row, _: [set_column(row, "mark = 0")],
    "its bands": lambda row, in_postgres: [damage_keys(row, in_postgres=in_postgres)],
    "the hash of its text": lambda row, _: [set_column(row, "telling = 77")],
    "its link": lambda row, _: [f"DELETE FROM links WHERE position = {row.position}"],  # noqa: S608 - our own names
    "the count": lambda *_: ["UPDATE state SET articles = 3"],
}


def damage_keys(row: IndexRow, *, in_postgres: bool) -> str:
    """Return a statement that overwrites the last bands of an article."""
    keys = (row.keys[:-12] + bytes(12)).hex()
    value = rf"'\x{keys}'" if in_postgres else f"x'{keys}'"
    return set_column(row, f"keys = {value}")


def set_column(row: IndexRow, change: str) -> str:
    """Return a statement that changes a column of a row."""
    return f"UPDATE articles SET {change} WHERE position = {row.position}"  # noqa: S608 - our own names


@pytest.mark.parametrize("part", DAMAGE)
def test_what_the_rest_determines_is_restored(lasting_place: Place, tmp_path: Path, part: str) -> None:
    with Index.open(lasting_place, ALONE) as index:
        index.decide(batch(KNOWN))
        rows = [row for rows in index.backend.iter_rows() for row in rows]
    follower = next(row for row in rows if row.follows != row.position)
    do_beside(lasting_place, *DAMAGE[part](follower, str(lasting_place).startswith("postgresql:")))

    with pytest.raises(DedupError, match=r"damaged: .*`dedup index verify --repair`"):
        ask(lasting_place)
    with Index.open_for_maintenance(lasting_place) as index:
        sentences = index.repair()
        assert index.verify(deep=True) == []
        assert index.repair() == []
        assert [row for rows in index.backend.iter_rows() for row in rows] == rows
    with Index.open(tmp_path / "other.db", ALONE) as other:
        other.decide(batch(KNOWN))

    assert len(sentences) == 1
    assert ask(lasting_place) == ask(tmp_path / "other.db")


def test_a_damaged_sketch_is_restored_or_named(lasting_place: Place) -> None:
    with Index.open(lasting_place, ALONE) as index:
        index.decide(batch(KNOWN))
        (one, two, *_) = [row for rows in index.backend.iter_rows() for row in rows if row.mark]
        sketches = index.backend.get_packed_sketches([one.position, two.position])
        packed = {row.position: bytearray(sketches[row.position][len(row.keys) :]) for row in (one, two)}
        packed[one.position][50] ^= 1
        packed[two.position][50:60] = bytes(10)
        with index.backend.transaction():
            index.backend.replace_damaged_rows([], {p: bytes(data) for p, data in packed.items()})

    done = called("index", "verify", "--repair", lasting_place)

    assert done.exit_code == 1
    assert f"article {one.id!r}: its sketch was damaged and is restored\n" in done.stdout
    assert f"article {two.id!r}: its sketch does not match its checksum" in done.stdout
    assert "fault" in done.stderr
    assert called("index", "delete", lasting_place, two.id).exit_code == 0
    assert called("index", "verify", lasting_place).exit_code == 0


def test_damaged_settings_are_told(lasting_place: Place) -> None:
    Index.open(lasting_place).close()
    do_beside(lasting_place, "UPDATE meta SET value = replace(value, '5', '6') WHERE key = 'settings'")

    for opened in (Index.open, Index.open_for_maintenance):
        with pytest.raises(IndexingError, match="its settings do not match their checksum"):
            opened(lasting_place)


def test_an_index_without_its_settings_is_no_new_one(lasting_place: Place) -> None:
    with Index.open(lasting_place) as index:
        index.add(KNOWN[:2])
    do_beside(lasting_place, "DELETE FROM meta")

    with pytest.raises(IndexingError, match="its settings do not match their checksum"):
        Index.open(lasting_place)


def test_an_index_of_an_earlier_format_gets_checksums(lasting_place: Place) -> None:
    earlier: list[Article] = KNOWN[:30]
    make_earlier(lasting_place, earlier)

    with Index.open_for_maintenance(lasting_place) as index:
        assert index.verify() == []
        positions = [row.position for rows in index.backend.iter_rows() for row in rows]
        assert index.backend.read_checksums(positions).keys() == set(positions)


def test_removed_articles_leave_sound_checksums(lasting_place: Place) -> None:
    with Index.open(lasting_place, ALONE) as index:
        answers = index.decide(batch(KNOWN))
        followed = next(answer.link.canonical for answer in answers if answer.link)
        assert index.delete(followed) >= 1
        assert index.verify(deep=True) == []
        assert len(index.decide(batch(LATER))) == len(LATER)
