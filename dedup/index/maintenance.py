"""An index → whether it is sound, what is in it, and the same without what is no longer needed.

In: a home. Out: sentences on what is wrong, figures, and fewer rows. A kept article leaves together with all that was dropped for
it: a drop that names no kept article would be justified by nothing (law 4).
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from dedup.errors import IndexingError
from dedup.index.answers import EVIDENCE_BYTES, FORMAT_1_EVIDENCE_BYTES, Answer, build_past_answers
from dedup.index.cache import KEY_BYTES, MAX_POSITION, IndexCache, read_days
from dedup.index.lookup import LEVEL_ALL, LEVEL_NONE
from dedup.index.storage.backend import IndexRow, StorageBackend
from dedup.matching.classifier import NO_RELATION, REWRITE, MatchParams, make_match_params
from dedup.matching.clustering import MAX_COMPARISONS, MAX_WITNESSES, assign_leaders
from dedup.matching.evidence import CONTEXT_START, EVIDENCE_COUNT, NEARER, NEIGHBOURS
from dedup.settings.settings import RELATIONS, Settings
from dedup.sketches.minhash import compute_signatures, hash_bands
from dedup.sketches.sketch import SECONDS_PER_DAY

VERIFY_BATCH = 2000
"""Sketches that are looked through at once."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class IndexStats:
    """What is in an index."""

    place: str
    articles: int
    kept: int
    dropped: dict[str, int]
    """By relation, most first."""
    versions: int
    """Articles whose id came before with another text."""
    looked_up: int
    """Articles that new ones are compared with: those kept, and their rewrites."""
    undated: int
    first_published: datetime | None
    last_published: datetime | None
    first_decided: datetime | None
    last_decided: datetime | None
    bytes: int
    bytes_per_kept: float


def compute_stats(backend: StorageBackend) -> IndexStats:
    """Return what is in an index."""
    relations: Counter[int] = Counter()
    versions = looked_up = undated = 0
    published: list[float] = []
    decided: list[float] = []
    for rows in backend.iter_rows():
        relations.update(row.relation for row in rows)
        versions += sum(row.version > 1 for row in rows)
        looked_up += sum(row.mark != LEVEL_NONE for row in rows)
        dated = [row.published for row in rows if row.published is not None]
        undated += len(rows) - len(dated)
        published += [min(dated), max(dated)] if dated else []
        decided += [min(row.decided for row in rows), max(row.decided for row in rows)]
    kept, size = relations.pop(NO_RELATION, 0), backend.get_size()
    if not relations.keys() <= set(range(len(RELATIONS))):
        raise IndexingError(f"the index {backend.name} is damaged: it holds a relation that is none")
    return IndexStats(
        place=backend.name,
        articles=relations.total() + kept,
        kept=kept,
        dropped={RELATIONS[relation]: count for relation, count in relations.most_common()},
        versions=versions,
        looked_up=looked_up,
        undated=undated,
        first_published=to_datetime(min(published) * SECONDS_PER_DAY) if published else None,
        last_published=to_datetime(max(published) * SECONDS_PER_DAY) if published else None,
        first_decided=to_datetime(min(decided)) if decided else None,
        last_decided=to_datetime(max(decided)) if decided else None,
        bytes=size,
        bytes_per_kept=size / kept if kept else 0.0,
    )


def to_datetime(seconds: float) -> datetime | None:
    """Return a time given in seconds since 1970, to the second; None beyond what a calendar holds."""
    try:
        return EPOCH + timedelta(seconds=round(seconds))
    except (OverflowError, ValueError):  # it is infinite, or no number
        return None


def remove_chosen(backend: StorageBackend, choose_positions: Callable[[], list[int]]) -> int:
    """Take out what is chosen within the turn, by position, and give its space back; return how many articles left."""
    with backend.transaction():
        chosen = choose_positions()
        if chosen:
            backend.remove(chosen)
    if chosen:
        backend.release_space()
    return len(chosen)


def find_article_positions(backend: StorageBackend, article_id: str) -> list[int]:
    """Return the positions of all versions of an id, and of what was dropped for those of them that are kept."""
    rows = backend.get_rows_by_id([article_id])
    repeating = (backend.get_duplicates(row.position) for row in rows if row.relation == NO_RELATION)
    return sorted({row.position for row in rows} | {row.position for rows in repeating for row in rows})


def find_expired_positions(backend: StorageBackend, before: datetime) -> list[int]:
    """Return the positions of all clusters that are over: each of their articles was published before a time.

    Where an article has no date, the time when it was decided on counts.
    """
    columns = [
        (
            np.array([row.position for row in rows], np.int64),
            np.array([row.leader for row in rows], np.int64),
            np.array(
                [row.decided if row.published is None else row.published * SECONDS_PER_DAY for row in rows]
            ),
        )
        for rows in backend.iter_rows()
    ]
    if not columns:
        return []
    positions, leaders, times = map(np.concatenate, zip(*columns, strict=True))
    clusters = np.minimum(np.searchsorted(positions, leaders), len(positions) - 1)
    if (positions[clusters] != leaders).any():
        raise IndexingError(f"the index {backend.name} is damaged: an article repeats one that is not there")
    latest = np.full(len(positions), -np.inf)
    np.maximum.at(latest, clusters, times)
    found: list[int] = positions[latest[clusters] < before.timestamp()].tolist()
    return found


def find_faults(backend: StorageBackend, settings: Settings, *, deep: bool = False) -> Iterator[str]:
    """Yield a sentence on everything that is wrong with an index; `deep` also compares the kept articles with each other."""
    yield from backend.find_damage()
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
        yield from find_sketch_faults(backend, rows, settings)
    yield from (f"the article at {p} has {n} witnesses" for p, n in witnesses.items() if n > MAX_WITNESSES)
    if last >= backend.read_state().articles:
        yield f"it says that it holds {backend.read_state().articles} articles, and holds one at {last}"
    if deep:
        try:
            yield from find_missed_repeats(backend, settings)
        except IndexingError as error:
            yield str(error)


def find_row_faults(row: IndexRow, kept: set[int], firsts: set[int], settings: Settings) -> Iterator[str]:
    """Yield what is wrong with a row; `kept` and `firsts` are the positions of those kept before it, and that follow none."""
    is_kept, follows = row.relation == NO_RELATION, row.follows != row.position
    if not 0 <= row.position <= MAX_POSITION:
        yield f"it stands at {row.position}"
    if is_kept != (row.leader == row.position):
        yield "it repeats itself" if not is_kept else "it is kept, and repeats another"
    elif not is_kept and row.leader not in kept:
        yield f"it repeats the article at {row.leader}, which is not kept"
    if not is_kept and not (0 <= row.relation < len(RELATIONS) and 0 <= row.score <= 1):
        yield f"its relation {row.relation} or its score {row.score} is none"
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
        yield f"its version is {row.version}"


def find_link_faults(row: IndexRow, kept: set[int], firsts: set[int]) -> Iterator[str]:
    """Yield what is wrong with a row that says that its article follows another."""
    if row.relation != NO_RELATION:
        yield f"it is dropped, and follows the article at {row.follows}"
    elif row.follows not in kept:
        yield f"it follows the article at {row.follows}, which is not kept"
    elif row.follows not in firsts:
        yield f"it follows the article at {row.follows}, which follows another itself"
    if row.relation == NO_RELATION and not 0 <= row.score <= 1:
        yield f"its probability {row.score} is none"


def find_sketch_faults(
    backend: StorageBackend, rows: Sequence[IndexRow], settings: Settings
) -> Iterator[str]:
    """Yield what is wrong with the sketches of some rows."""
    width = KEY_BYTES * (settings.salient_terms + settings.bands)
    marked = [row for row in rows if row.mark and len(row.keys) == width]
    recalled = IndexCache(backend, settings)
    for first in range(0, len(marked), VERIFY_BATCH):
        some = marked[first : first + VERIFY_BATCH]
        try:
            s = recalled.get_sketches(np.array([row.position for row in some]), read_days(some))
        except IndexingError as error:
            yield str(error)
            continue
        signatures = compute_signatures(
            s.shingles, s.shingle_offsets, settings.bands * settings.rows, settings.seed
        )
        wrong = (hash_bands(signatures, settings.rows) != s.bands).any(axis=1)
        told = np.array([row.telling for row in some], np.int64).view(np.uint64)
        wrong |= (s.text_hashes != 0) & (s.text_hashes != told)
        yield from (f"article {some[k].id!r}: its sketch is another's" for k in np.flatnonzero(wrong))


def find_missed_repeats(backend: StorageBackend, settings: Settings) -> Iterator[str]:
    """Yield each kept article that another kept one repeats.

    What the story model says rests on the neighbours of an article too. Where some have been taken out since, only what it would
    have said whatever they were is a fault.
    """
    rules = make_match_params(settings)
    if backend.read_state().generation:
        doubt = compute_max_context(rules)
        rules = rules._replace(
            story_threshold=rules.story_threshold + doubt,
            story_witnessed_threshold=rules.story_witnessed_threshold + doubt,
        )
    recalled = IndexCache(backend, settings)
    recalled.sync()
    places = recalled.articles.find_kept()
    if not len(places):
        return
    kept, days = recalled.articles.positions[places], recalled.articles.days[places]
    made = assign_leaders(recalled.get_sketches(kept, days), np.arange(len(kept)), rules)
    for k in np.flatnonzero(made.relations != NO_RELATION).tolist():
        row, other = backend.get_rows_at([int(kept[k]), int(kept[made.leaders[k]])])
        yield f"article {row.id!r}: it is kept, and repeats {other.id!r} ({RELATIONS[made.relations[k]]}), which is kept too"


def compute_max_context(rules: MatchParams) -> float:
    """Return by how much (log-odds) other neighbours could change what the story model says of two articles."""
    most = np.ones(EVIDENCE_COUNT)
    most[[NEARER, NEIGHBOURS]] = np.log1p(MAX_COMPARISONS)
    return float((np.abs(rules.story_coefficients) * most)[..., CONTEXT_START:].sum(axis=-1).max())


def iter_log(backend: StorageBackend) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows as records to read, some at a time."""
    for rows in backend.iter_rows():
        yield [
            build_log_entry(row, answer)
            for row, answer in zip(rows, build_past_answers(backend, rows), strict=True)
        ]


def build_log_entry(row: IndexRow, answer: Answer) -> dict[str, Any]:
    """Return what was decided on an article, as it is exported."""
    match, link = answer.match, answer.link
    return {
        "id": row.id,
        "version": row.version,
        "name": answer.name,
        "published": None if row.published is None else to_datetime(row.published * SECONDS_PER_DAY),
        "decided": to_datetime(row.decided),
        "canonical": match.canonical if match else None,
        "relation": match.relation if match else None,
        "score": match.score if match else None,
        "evidence": match.evidence if match else None,
        "storyline": answer.storyline,
        "follows": link and {"id": link.canonical, "probability": link.score, "evidence": link.evidence},
    }
