"""Compare the checksums of rows as they are read: the part that the backends of SQLite and PostgreSQL share."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from dedup.index.storage.backend import Checksums, IndexState, make_damage_error
from dedup.index.storage.checksum import NEW_STATE, check_meta, check_sketch, check_state


class CheckedBackend:
    """A backend whose rows have checksums; the subclass reads the rows."""

    name: str
    _compares_checksums = True

    @contextmanager
    def skip_checksums(self) -> Iterator[None]:
        """Read damaged rows, sketches and states too."""
        self._compares_checksums = False
        try:
            yield
        finally:
            self._compares_checksums = True

    def read_state(self) -> IndexState:
        """Return the progress of the index."""
        raise NotImplementedError

    def _parse_meta(self, found: Iterable[Any]) -> dict[str, str]:
        """Return the settings and versions in the rows (key, value); empty for a new index."""
        stored = dict(found)
        if not stored and self.read_state() == NEW_STATE:
            return {}
        return check_meta(stored, self.name)

    def _parse_state(self, found: Sequence[Any]) -> IndexState:
        """Return the state in the only row (articles, generation, checksum)."""
        if len(found) != 1:
            raise make_damage_error(self.name, "its count of articles is missing")
        articles, generation, checksum = found[0]
        state = IndexState(articles, generation)
        return check_state(state, checksum, self.name) if self._compares_checksums else state

    def _parse_sketches(self, found: Iterable[Any]) -> dict[int, bytes]:
        """Return the keys followed by the sketch of each row (position, keys, sketch, checksum), by position."""
        sketches = {}
        for position, keys, sketch, checksum in found:
            sketches[position] = keys + sketch
            if self._compares_checksums:
                check_sketch(position, sketches[position], checksum, self.name)
        return sketches


def parse_checksums(found: Iterable[Any]) -> dict[int, Checksums]:
    """Return the checksums of the rows (position, row, sketch), by position."""
    return {position: Checksums(*checksums) for position, *checksums in found}
