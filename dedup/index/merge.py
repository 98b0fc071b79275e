"""Add the articles of one index to another.

Articles that have a sketch are decided on anew, in their order, as if they came in now. An index keeps no sketch of an article
that it dropped as a copy: such an article is added where the article that it repeats is kept in the other index too, and left out
where that is dropped.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from dedup.index.answers import check_match, find_new_articles
from dedup.index.cache import IndexCache, read_days
from dedup.index.decide import IndexDecisions, NewArticles, decide_new_articles
from dedup.index.storage.backend import IndexRow, StorageBackend
from dedup.matching.classifier import NO_RELATION
from dedup.matching.match_params import MatchParams, make_match_params
from dedup.pipeline.deduplicate import resolve_thread_count
from dedup.settings.settings import Settings
from dedup.sketches.codec import pack_sketches
from dedup.sketches.sketch import Sketches

ArticleKey = tuple[str, int]
"""An id and a telling: an article, wherever it stands."""


class MergeBatch(NamedTuple):
    """Rows of the other index, with the sketches of those that have one, and the rows of the articles that they repeat."""

    rows: Sequence[IndexRow]
    sketches: Sketches
    leaders: Mapping[int, IndexRow]
    name: str
    """The name of the other index."""


def iter_merge_batches(backend: StorageBackend, settings: Settings) -> Iterator[MergeBatch]:
    """Yield the articles of an index in their order, in chunks; IndexingError where it is damaged."""
    cache = IndexCache(backend, settings)
    for rows in backend.iter_rows():
        cache.add_rows(rows)
        marked = [row for row in rows if row.mark]
        s = cache.get_sketches(np.array([row.position for row in marked], np.int64), read_days(marked))
        told = np.array([row.telling for row in marked], np.int64).view(np.uint64)
        repeated = backend.get_rows_at(sorted({row.leader for row in rows}))
        yield MergeBatch(
            rows, s._replace(content_hashes=told), {row.position: row for row in repeated}, backend.name
        )


def apply_merge_batches(
    backend: StorageBackend, cache: IndexCache, settings: Settings, other: Iterable[MergeBatch]
) -> tuple[int, int]:
    """Record the batches of another index, each in a transaction; return (articles added, articles left out)."""
    added = left_out = 0
    for new in other:
        with backend.transaction():
            cache.sync()
            cache.store_runs()
            made, lost = resolve_merge_batch(
                new,
                backend.get_rows_by_id,
                cache,
                make_match_params(settings),
                resolve_thread_count(settings),
            )
            backend.record(made.rows, made.sketches)
        cache.add_recorded(made.rows, made.sketches)
        added, left_out = added + len(made.rows), left_out + lost
    return added, left_out


def resolve_merge_batch(
    new: MergeBatch,
    get_rows_by_id: Callable[[Sequence[str]], list[IndexRow]],
    cache: IndexCache,
    rules: MatchParams,
    threads: int,
) -> tuple[IndexDecisions, int]:
    """Return the rows and sketches of a batch to record, and the number of articles that are left out."""
    ids = {row.id for row in (*new.rows, *new.leaders.values())}
    before = get_rows_by_id(sorted(ids))
    marked = [row for row in new.rows if row.mark]
    members, versions = find_new_articles(
        [get_article_key(row) for row in marked], before, lambda name: bool(get_rows_by_id([name]))
    )
    names, packed = [row.id for row in marked], pack_sketches(new.sketches).to_byte_strings()
    made = decide_new_articles(
        NewArticles(new.sketches, packed, np.array(members, np.int64), names, versions), cache, rules, threads
    )
    here = {get_article_key(row): row for row in [*before, *made.rows]}
    others = [row for row in new.rows if not row.mark and get_article_key(row) not in here]
    _, versions = find_new_articles(
        [get_article_key(row) for row in others],
        [*before, *made.rows],
        lambda name: bool(get_rows_by_id([name])),
    )
    added: list[IndexRow] = []
    left_out = 0
    first = cache.articles.next_position + len(made.rows)
    for row, version in zip(others, versions, strict=True):
        position = first + len(added)
        leader = None if row.relation == NO_RELATION else here.get(get_article_key(new.leaders[row.leader]))
        if row.relation == NO_RELATION:
            added.append(row._replace(position=position, leader=position, version=version, follows=position))
        elif leader is not None and leader.relation == NO_RELATION:
            check_match(row, new.leaders, new.name)
            added.append(
                row._replace(position=position, leader=leader.position, version=version, follows=position)
            )
        else:
            left_out += 1
    return made._replace(rows=[*made.rows, *added]), left_out


def get_article_key(row: IndexRow) -> ArticleKey:
    """Return the id and telling of an article, which identify it in any index."""
    return row.id, row.telling
