"""What one index has seen → rows to add to another.

In: the rows of an index, in their order, with their sketches; and what is recalled of the other. Out: what it is to record.
Articles that have a sketch are judged anew, as if they came in. Of those dropped as copies an index keeps no sketch: they follow
the article that they repeat if that is kept there too, and are left out if it is not.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from dedup.index.answers import check_match, sorted_out
from dedup.index.cache import Recalled, days_of
from dedup.index.ingest import Decided, Newcomers, decided
from dedup.index.storage.backend import Home, Row
from dedup.matching.classifier import NONE, Rules, rules_of
from dedup.pipeline.deduplicate import threads_of
from dedup.settings.settings import Settings
from dedup.sketches.sketch import Sketches

Key = tuple[str, int]
"""An id and a telling: an article, wherever it stands."""


class Arrivals(NamedTuple):
    """Some rows of the other index, with the sketches of those that have one, and the articles that the others repeat."""

    rows: Sequence[Row]
    sketches: Sketches
    leaders: Mapping[int, Row]


def arrivals(home: Home, settings: Settings) -> Iterator[Arrivals]:
    """Yield the articles of an index in their order, some at a time; IndexingError where it is damaged."""
    recalled = Recalled(home, settings)
    for rows in home.rows():
        recalled.learn(rows)
        marked = [row for row in rows if row.mark]
        s = recalled.sketches(np.array([row.position for row in marked], np.int64), days_of(marked))
        told = np.array([row.telling for row in marked], np.int64).view(np.uint64)
        repeated = home.rows_at(sorted({row.leader for row in rows}))
        yield Arrivals(rows, s._replace(tellings=told), {row.position: row for row in repeated})


def taken_in(
    home: Home, recalled: Recalled, settings: Settings, other: Iterable[Arrivals]
) -> tuple[int, int]:
    """Record the arrivals from another index, each in a turn; return (articles added, articles that had to be left out)."""
    added = left_out = 0
    for new in other:
        with home.turn():
            recalled.catch_up()
            made, lost = merged(new, home.rows_of, recalled, rules_of(settings), threads_of(settings))
            home.record(made.rows, made.sketches)
        recalled.remember(made.rows, made.sketches)
        added, left_out = added + len(made.rows), left_out + lost
    return added, left_out


def merged(
    new: Arrivals,
    rows_of: Callable[[Sequence[str]], list[Row]],
    recalled: Recalled,
    rules: Rules,
    threads: int,
) -> tuple[Decided, int]:
    """Return what to record of some arrivals, and how many articles must be left out."""
    ids = {row.id for row in (*new.rows, *new.leaders.values())}
    before = rows_of(sorted(ids))
    marked = [row for row in new.rows if row.mark]
    members, versions = sorted_out(
        [key_of(row) for row in marked], before, lambda name: bool(rows_of([name]))
    )
    names = [row.id for row in marked]
    made = decided(
        Newcomers(new.sketches, np.array(members, np.int64), names, versions), recalled, rules, threads
    )
    here = {key_of(row): row for row in [*before, *made.rows]}
    others = [row for row in new.rows if not row.mark and key_of(row) not in here]
    _, versions = sorted_out(
        [key_of(row) for row in others], [*before, *made.rows], lambda name: bool(rows_of([name]))
    )
    added: list[Row] = []
    left_out = 0
    first = recalled.known.count + len(made.rows)
    for row, version in zip(others, versions, strict=True):
        position = first + len(added)
        leader = None if row.relation == NONE else here.get(key_of(new.leaders[row.leader]))
        if row.relation == NONE:
            added.append(row._replace(position=position, leader=position, version=version, follows=position))
        elif leader is not None and leader.relation == NONE:
            check_match(row, new.leaders)
            added.append(
                row._replace(position=position, leader=leader.position, version=version, follows=position)
            )
        else:
            left_out += 1
    return made._replace(rows=[*made.rows, *added]), left_out


def key_of(row: Row) -> Key:
    """Return what tells an article from all others, in any index."""
    return row.id, row.telling
