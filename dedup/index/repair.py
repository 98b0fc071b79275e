"""Restore damaged rows and sketches of an index from the rest of the index.

A restoration counts only if the result matches the checksum that was stored with the original, so it is the original never a
guess. It tries in turn: the bands and the hash of the text, computed from the sketch; each single bit flipped back; each article
as the one that is followed.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from dedup.errors import IndexingError
from dedup.index.cache import KEY_BYTES
from dedup.index.storage.backend import Checksums, IndexRow, IndexState, StorageBackend
from dedup.index.storage.checksum import (
    compute_checksum,
    compute_row_checksum,
    correct_flipped_bit,
    pack_row,
    unpack_row,
)
from dedup.settings.settings import Settings
from dedup.sketches.codec import unpack_sketches
from dedup.sketches.minhash import compute_signatures, hash_bands

MAX_GENERATION = 1 << 30
POSITION_BYTES = 8
"""A packed row begins with its position: a row that stood at another one cannot be put back."""


def repair_index(backend: StorageBackend, settings: Settings) -> list[str]:
    """Restore all that can be restored, within a transaction; return a sentence for each article that was repaired."""
    backend.rebuild_indexes()
    sentences: list[str] = []
    positions: list[int] = []
    with backend.skip_checksums():
        for rows in backend.iter_rows():
            sentences += repair_rows(backend, rows, positions, settings)
            positions += [row.position for row in rows]
    return sentences + repair_state(backend, positions[-1] + 1 if positions else 0)


def repair_rows(
    backend: StorageBackend, rows: Sequence[IndexRow], earlier: Sequence[int], settings: Settings
) -> list[str]:
    """Restore the damaged ones among some rows, and their sketches; return a sentence for each article that was repaired."""
    checksums = backend.read_checksums([row.position for row in rows])
    sketches = backend.get_packed_sketches([row.position for row in rows if row.position in checksums])
    positions = [*earlier, *(row.position for row in rows)]
    sentences = []
    for row in rows:
        if not (stored := checksums.get(row.position)):
            continue
        keyed_sketch = sketches.get(row.position)
        restored = restore_row(row, stored.row, keyed_sketch, positions, settings)
        if restored and restored != row:
            backend.replace_damaged_rows([restored], {})
            sentences.append(f"article {restored.id!r}: its row was damaged and is restored")
        sketch = restore_sketch(restored or row, keyed_sketch and keyed_sketch[len(row.keys) :], stored)
        if sketch is not None:
            backend.replace_damaged_rows([], {row.position: sketch})
            sentences.append(f"article {(restored or row).id!r}: its sketch was damaged and is restored")
    return sentences


def restore_row(
    row: IndexRow, checksum: int, keyed_sketch: bytes | None, positions: Sequence[int], settings: Settings
) -> IndexRow | None:
    """Return the row that matches a checksum, `row` itself if it does; None where it cannot be restored."""
    if compute_row_checksum(row) == checksum:
        return row
    sketch = keyed_sketch and keyed_sketch[len(row.keys) :]
    for candidate in iter_candidates_from_sketch(row, sketch, settings) if sketch else ():
        if compute_row_checksum(candidate) == checksum:
            return candidate
    data = correct_flipped_bit(pack_row(row), checksum)
    if data and data.startswith(pack_row(row)[:POSITION_BYTES]):
        return unpack_row(data)
    candidates = (row._replace(follows=position) for position in positions)
    return next((row for row in candidates if compute_row_checksum(row) == checksum), None)


def iter_candidates_from_sketch(row: IndexRow, sketch: bytes, settings: Settings) -> Iterator[IndexRow]:
    """Yield a damaged row with the bands and the text hash of its sketch; nothing if the sketch is damaged too."""
    keys = np.zeros((1, settings.salient_terms + settings.bands), np.uint32)
    try:
        s = unpack_sketches([sketch], np.full(1, np.nan), keys[:, : settings.salient_terms], keys)
    except ValueError:
        return
    signatures = compute_signatures(
        s.shingles, s.shingle_offsets, settings.bands * settings.rows, settings.seed
    )
    bands = hash_bands(signatures, settings.rows).astype("<u4").tobytes()
    with_bands = row._replace(keys=row.keys[: KEY_BYTES * settings.salient_terms] + bands)
    telling = int(s.text_hashes.view(np.int64)[0])
    yield from (with_bands, row._replace(telling=telling), with_bands._replace(telling=telling))


def restore_sketch(row: IndexRow, sketch: bytes | None, stored: Checksums) -> bytes | None:
    """Return the original of a damaged packed sketch; None if it is not damaged or cannot be restored."""
    if sketch is None or stored.sketch is None or compute_checksum(row.keys + sketch) == stored.sketch:
        return None
    data = correct_flipped_bit(row.keys + sketch, stored.sketch)
    return data[len(row.keys) :] if data and data.startswith(row.keys) else None


def repair_state(backend: StorageBackend, first_free: int) -> list[str]:
    """Correct the count of articles if it is damaged or too small; return a sentence if so.

    The generation rises, so that every process reads the index again.
    """
    with backend.skip_checksums():
        try:
            stored = backend.read_state()
        except IndexingError:
            stored = IndexState(0, 0)
    try:
        if backend.read_state().articles >= first_free:
            return []
    except IndexingError:
        pass
    backend.write_state(IndexState(first_free, stored.generation % MAX_GENERATION + 1))
    return [f"its count of articles was damaged and is {first_free} now"]
