"""Compute the checksums that SQLite and PostgreSQL keep beside each row, and correct single flipped bits with them.

A checksum is 8 bytes of BLAKE2b, read as a signed integer. It shows accidental damage, such as a flipped bit on a disk. It is no
signature: anyone who can write a row can also write its checksum.
"""

import hashlib
from collections.abc import Mapping
from struct import Struct

from dedup.errors import IndexingError
from dedup.index.storage.backend import IndexRow, IndexState, make_damage_error

CHECKSUM_BYTES = 8
ROW_HEAD = Struct("<7q3d?2I")
"""The numbers of a row, whether it has a date, and the lengths of its id and evidence; id, evidence and keys follow."""
STATE_HEAD = Struct("<2q")
NEW_STATE = IndexState(0, 0)
"""The state of an index that never held an article."""
META_CHECKSUM_KEY = "checksum"
"""The entry of the meta table that holds the checksum of all others."""


def compute_checksum(data: bytes | memoryview) -> int:
    """Return the checksum of bytes: 64 bits, signed.

    >>> compute_checksum(b"dedup")
    6146977972607407539
    """
    digest = hashlib.blake2b(data, digest_size=CHECKSUM_BYTES).digest()
    return int.from_bytes(digest, "little", signed=True)


def compute_row_checksum(row: IndexRow) -> int:
    """Return the checksum of a row, its link included."""
    return compute_checksum(pack_row(row))


def compute_state_checksum(state: IndexState) -> int:
    """Return the checksum of the state of an index."""
    return compute_checksum(STATE_HEAD.pack(*state))


def compute_meta_checksum(meta: Mapping[str, str]) -> str:
    """Return the checksum of the meta table, as text, like all its values."""
    return str(compute_checksum(repr(sorted(meta.items())).encode()))


def add_meta_checksum(meta: Mapping[str, str]) -> dict[str, str]:
    """Return the entries of the meta table together with their checksum."""
    return {**meta, META_CHECKSUM_KEY: compute_meta_checksum(meta)}


def check_meta(stored: Mapping[str, str], name: str) -> dict[str, str]:
    """Return the entries of the meta table without their checksum; IndexingError where it does not match."""
    meta = {key: value for key, value in stored.items() if key != META_CHECKSUM_KEY}
    if stored.get(META_CHECKSUM_KEY) != compute_meta_checksum(meta):
        raise IndexingError(
            f"the index {name} is damaged: its settings do not match their checksum, and nothing else records them; "
            "restore it from a backup, or make another index, in another place"
        )
    return meta


def check_state(state: IndexState, checksum: int, name: str) -> IndexState:
    """Return the state of an index; IndexingError where its checksum does not match."""
    if compute_state_checksum(state) != checksum:
        raise make_damage_error(name, "its count of articles does not match its checksum")
    return state


def check_row(row: IndexRow, checksum: int, name: str) -> None:
    """Raise IndexingError where the checksum of a row does not match."""
    if compute_row_checksum(row) != checksum:
        raise make_damage_error(name, f"the row of article {row.id!r} does not match its checksum")


def check_sketch(position: int, sketch: bytes, checksum: int | None, name: str) -> None:
    """Raise IndexingError where the checksum of the keys and the packed sketch of an article does not match."""
    if compute_checksum(sketch) != checksum:
        raise make_damage_error(
            name, f"the sketch of the article at position {position} does not match its checksum"
        )


def pack_row(row: IndexRow) -> bytes:
    """Return the bytes that the checksum of a row covers."""
    name = row.id.encode()
    head = ROW_HEAD.pack(
        row.position,
        row.version,
        row.telling,
        row.leader,
        row.relation,
        row.mark,
        row.follows,
        # SQLite stores -0.0 as 0.
        row.score + 0.0,
        row.decided + 0.0,
        0.0 if row.published is None else row.published + 0.0,
        row.published is not None,
        len(name),
        len(row.evidence),
    )
    return head + name + row.evidence + row.keys


def unpack_row(data: bytes) -> IndexRow:
    """Return the row that `pack_row` packed into these bytes."""
    *numbers, has_date, id_length, evidence_length = ROW_HEAD.unpack_from(data)
    position, version, telling, leader, relation, mark, follows, score, decided, published = numbers
    evidence_start = ROW_HEAD.size + id_length
    keys_start = evidence_start + evidence_length
    return IndexRow(
        position=position,
        id=data[ROW_HEAD.size : evidence_start].decode(),
        version=version,
        telling=telling,
        published=published if has_date else None,
        leader=leader,
        relation=relation,
        score=score,
        evidence=data[evidence_start:keys_start],
        decided=decided,
        mark=mark,
        keys=data[keys_start:],
        follows=follows,
    )


def correct_flipped_bit(data: bytes, checksum: int) -> bytes | None:
    """Return the data with the one bit flipped back that makes the checksum match; None where no single bit does.

    A sketch of 4,000 bytes takes a fifth of a second. With 64 bits of checksum a wrong correction is out of the question.
    """
    trial = bytearray(data)
    for bit in range(8 * len(trial)):
        trial[bit >> 3] ^= 1 << (bit & 7)
        if compute_checksum(bytes(trial)) == checksum:
            return bytes(trial)
        trial[bit >> 3] ^= 1 << (bit & 7)
    return None
