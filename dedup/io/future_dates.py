"""Find articles dated in the future, where most of their corpus is not.

Such a date is often a mistake, and puts an article outside every date window. It is shown, not changed: nobody can tell
what the date should be. Invented news of the future is dated so as a whole, and gives no warning.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["FutureDates"]

MARGIN = timedelta(days=366)
"""Agendas and embargoed texts may be dated a little ahead."""
MAX_SHARE = 0.1
WARNING = "articles dated more than a year in the future, such as {}"


class FutureDates:
    """Count the dated articles of a corpus, and those dated more than a year in the future."""

    def __init__(self, now: datetime | None = None) -> None:
        """Take the clock of the machine, or another `now`."""
        self._latest = pa.scalar((now or datetime.now(UTC)) + MARGIN, pa.timestamp("s", tz="UTC"))
        self._dated = self._future = 0
        self._example = ""

    def add_batch(self, batch: pa.RecordBatch) -> None:
        """Count the dates of a batch of articles."""
        dates = batch["published"]
        self._dated += len(dates) - dates.null_count
        if len(dates) == dates.null_count or not pc.greater(pc.max(dates), self._latest).as_py():
            return
        future = dates.filter(pc.fill_null(pc.greater(dates, self._latest), False))  # noqa: FBT003 - Arrow names it not
        self._future += len(future)
        self._example = self._example or future[0].as_py().date().isoformat()

    def make_warning(self) -> Mapping[str, int]:
        """Return the warning with its count; nothing if a large share of the articles has such dates."""
        if not 0 < self._future <= MAX_SHARE * self._dated:
            return {}
        return {WARNING.format(self._example): self._future}
