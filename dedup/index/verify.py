"""Check that an index is sound: its storage, each row, each sketch, and, on request, that no two kept articles match.

Everything is read without regard to checksums, so that one fault does not hide the others; a checksum that does not match is a
fault of its own.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from dedup.errors import IndexingError
from dedup.index.answers import EVIDENCE_BYTES, FORMAT_1_EVIDENCE_BYTES
from dedup.index.cache import KEY_BYTES, MAX_POSITION, IndexCache, read_days
from dedup.index.key_run import LEVEL_ALL
from dedup.index.storage.backend import ConnectionLostError, IndexRow, StorageBackend
from dedup.index.storage.checksum import compute_checksum, compute_row_checksum
from dedup.matching.classifier import NO_RELATION, REWRITE
from dedup.matching.clustering import MAX_WITNESSES, assign_leaders
from dedup.matching.comparisons import MAX_COMPARISONS
from dedup.matching.evidence_columns import CONTEXT_START, EVIDENCE_COUNT, NEARER, NEIGHBOURS
from dedup.matching.match_params import MatchParams, make_match_params
from dedup.settings.settings import RELATIONS, Settings
from dedup.sketches.minhash import compute_signatures, hash_bands

VERIFY_BATCH = 2000
"""The number of sketches that are checked at once."""


def find_faults(backend: StorageBackend, settings: Settings, *, deep: bool = False) -> Iterator[str]:
    """Yield a sentence for each fault of an index; `deep` also compares the kept articles with each other."""
    yield from backend.find_damage()
    try:
        backend.read_state()
    except ConnectionLostError:
        raise
    except IndexingError as error:
        yield str(error)
    try:
        with backend.skip_checksums():
            yield from find_article_faults(backend, settings)
        yield from IndexCache(backend, settings).find_run_faults()
        if deep:
            yield from find_missed_repeats(backend, settings)
    except ConnectionLostError:
        raise
    except IndexingError as error:
        yield str(error)


def find_article_faults(backend: StorageBackend, settings: Settings) -> Iterator[str]:
    """Yield a sentence for each fault of the rows and sketches."""
    seen: set[tuple[str, int]] = set()
    tellings: set[tuple[str, int]] = set()
    witnesses: Counter[int] = Counter()
    kept: set[int] = set()
    firsts: set[int] = set()
    last = -1
    for rows in backend.iter_rows():
        for row in rows:
            yield from (
                f"article {row.id!r}: {fault}" for fault in find_row_faults(row, kept, firsts, settings)
            )
            kept.update([row.position] if row.relation == NO_RELATION else [])
            firsts.update(
                [row.position] if row.relation == NO_RELATION and row.follows == row.position else []
            )
            witnesses[row.leader] += row.relation >= REWRITE and row.mark == LEVEL_ALL
            if (row.id, row.version) in seen or (row.id, row.telling) in tellings:
                yield f"article {row.id!r}: it is there twice"
            seen.add((row.id, row.version))
            tellings.add((row.id, row.telling))
            last = row.position
        yield from find_checksum_faults(backend, rows)
        yield from find_sketch_faults(backend, rows, settings)
    yield from (
        f"the article at position {p} has {n} witnesses, more than the {MAX_WITNESSES} allowed"
        for p, n in witnesses.items()
        if n > MAX_WITNESSES
    )
    if last >= (count := backend.read_state().articles):
        yield f"its count of articles is {count}, and it holds one at position {last}"


def find_row_faults(row: IndexRow, kept: set[int], firsts: set[int], settings: Settings) -> Iterator[str]:
    """Yield the faults of a row.

    `kept` holds the positions of the kept articles before it, `firsts` those of them that follow no other.
    """
    is_kept, follows = row.relation == NO_RELATION, row.follows != row.position
    if not 0 <= row.position <= MAX_POSITION:
        yield f"its position {row.position} is not between 0 and {MAX_POSITION}"
    if is_kept != (row.leader == row.position):
        yield "it repeats itself" if not is_kept else "it is kept, and repeats another"
    elif not is_kept and row.leader not in kept:
        yield f"it repeats the article at position {row.leader}, which is not kept"
    if not is_kept:
        yield from find_match_faults(row)
    lengths = {EVIDENCE_BYTES, FORMAT_1_EVIDENCE_BYTES} | ({0} if is_kept and not follows else set())
    if len(row.evidence) not in lengths:
        yield "its evidence is cut short"
    if follows:
        yield from find_link_faults(row, kept, firsts)
    if len(row.keys) != (KEY_BYTES * (settings.salient_terms + settings.bands) if row.mark else 0):
        yield "its keys are cut short"
    if row.mark not in range(LEVEL_ALL + 1) or (
        row.mark and row.relation != NO_RELATION and row.relation < REWRITE
    ):
        yield "it is looked up, and should not be"
    if row.version < 1:
        yield f"its version is {row.version}, and versions begin with 1"


def find_match_faults(row: IndexRow) -> Iterator[str]:
    """Yield the faults of the relation and the score of a row whose article is dropped."""
    if not 0 <= row.relation < len(RELATIONS):
        yield f"its relation {row.relation} is not between 0 and {len(RELATIONS) - 1}"
    if not 0 <= row.score <= 1:
        yield f"its score {row.score} is not between 0 and 1"


def find_link_faults(row: IndexRow, kept: set[int], firsts: set[int]) -> Iterator[str]:
    """Yield the faults of the link of a row whose article follows another."""
    if row.relation != NO_RELATION:
        yield f"it is dropped, and follows the article at position {row.follows}"
    elif row.follows not in kept:
        yield f"it follows the article at position {row.follows}, which is not kept"
    elif row.follows not in firsts:
        yield f"it follows the article at position {row.follows}, which follows another itself"
    if row.relation == NO_RELATION and not 0 <= row.score <= 1:
        yield f"its probability {row.score} is not between 0 and 1"


def find_checksum_faults(backend: StorageBackend, rows: Sequence[IndexRow]) -> Iterator[str]:
    """Yield a sentence for each row and each sketch that does not match its checksum."""
    checksums = backend.read_checksums([row.position for row in rows])
    sketches = backend.get_packed_sketches([row.position for row in rows if row.position in checksums])
    for row in rows:
        if not (stored := checksums.get(row.position)):
            continue
        if compute_row_checksum(row) != stored.row:
            yield f"article {row.id!r}: its row does not match its checksum"
        sketch = sketches.get(row.position)
        if (None if sketch is None else compute_checksum(sketch)) != stored.sketch:
            yield f"article {row.id!r}: its sketch does not match its checksum"


def find_sketch_faults(
    backend: StorageBackend, rows: Sequence[IndexRow], settings: Settings
) -> Iterator[str]:
    """Yield the faults of the sketches of rows: one that cannot be read, or belongs to another article."""
    width = KEY_BYTES * (settings.salient_terms + settings.bands)
    marked = [row for row in rows if row.mark and len(row.keys) == width]
    for first in range(0, len(marked), VERIFY_BATCH):
        yield from find_batch_faults(backend, marked[first : first + VERIFY_BATCH], settings)


def find_batch_faults(backend: StorageBackend, rows: Sequence[IndexRow], settings: Settings) -> Iterator[str]:
    """Yield the faults of the sketches of a batch of rows; if they cannot be read together, read each on its own."""
    try:
        s = IndexCache(backend, settings).get_sketches(
            np.array([row.position for row in rows]), read_days(rows)
        )
    except ConnectionLostError:
        raise
    except IndexingError as error:
        if len(rows) == 1:
            yield str(error)
        else:
            middle = len(rows) // 2
            yield from find_batch_faults(backend, rows[:middle], settings)
            yield from find_batch_faults(backend, rows[middle:], settings)
        return
    signatures = compute_signatures(
        s.shingles, s.shingle_offsets, settings.bands * settings.rows, settings.seed
    )
    is_wrong = (hash_bands(signatures, settings.rows) != s.bands).any(axis=1)
    tellings = np.array([row.telling for row in rows], np.int64).view(np.uint64)
    is_wrong |= (s.text_hashes != 0) & (s.text_hashes != tellings)
    yield from (f"article {rows[k].id!r}: its sketch is another's" for k in np.flatnonzero(is_wrong).tolist())


def find_missed_repeats(backend: StorageBackend, settings: Settings) -> Iterator[str]:
    """Yield a sentence for each kept article that repeats another kept one.

    The verdict of the story model also rests on the neighbours of an article. Where articles were removed since, only a verdict
    that holds for any neighbours is a fault.
    """
    params = make_match_params(settings)
    if backend.read_state().generation:
        margin = compute_max_context(params)
        params = params._replace(
            story_threshold=params.story_threshold + margin,
            story_witnessed_threshold=params.story_witnessed_threshold + margin,
        )
    cache = IndexCache(backend, settings)
    cache.sync()
    slots = cache.articles.find_kept()
    if not len(slots):
        return
    kept, days = cache.articles.positions[slots], cache.articles.days[slots]
    assignments = assign_leaders(cache.get_sketches(kept, days), np.arange(len(kept)), params)
    for k in np.flatnonzero(assignments.relations != NO_RELATION).tolist():
        row, other = backend.get_rows_at([int(kept[k]), int(kept[assignments.leaders[k]])])
        relation = RELATIONS[assignments.relations[k]]
        yield f"article {row.id!r}: it is kept, and repeats {other.id!r} ({relation}), which is kept too"


def compute_max_context(params: MatchParams) -> float:
    """Return the most (log-odds) by which other neighbours could change the verdict of the story model on two articles."""
    most = np.ones(EVIDENCE_COUNT)
    most[[NEARER, NEIGHBOURS]] = np.log1p(MAX_COMPARISONS)
    return float((np.abs(params.story_coefficients) * most)[..., CONTEXT_START:].sum(axis=-1).max())
