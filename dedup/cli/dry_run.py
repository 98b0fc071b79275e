"""A corpus, before the long work on it → what the work will take, by a sample; said to a person, or all that is done.

In: paths and settings. Out: an estimate as a table or JSON on stdout, or a line of talk on stderr.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from dedup.cli.messages import print_json, tell
from dedup.cli.progress import announce_compiling, interruptible
from dedup.formatting import size

if TYPE_CHECKING:
    from dedup.io.corpus import Corpus
    from dedup.pipeline.estimate import Estimate
    from dedup.settings.settings import Settings

__all__ = ["SAMPLE", "foretell", "say_plan"]

SAMPLE = 2_000
"""Articles that are read."""
LARGE = 512 << 20
"""A corpus of more bytes is worth a word beforehand: it takes half a minute or more."""


def planned(
    paths: Sequence[str], settings: Settings, fields: Mapping[str, str] | None, sample: int
) -> Estimate:
    """Return what a run over a corpus would take."""
    from dedup.pipeline.deduplicate import threads_of
    from dedup.pipeline.estimate import estimate
    from dedup.pipeline.sampling import sampled

    taken = interruptible(lambda: sampled(paths, replace(settings, threads=1), fields=fields, most=sample))
    return estimate(taken, settings, threads_of(settings))


def say_plan(
    paths: Sequence[str],
    settings: Settings,
    fields: Mapping[str, str] | None,
    *,
    quiet: bool,
    sample: int = SAMPLE,
    as_json: bool = False,
) -> None:
    """Say what a run would take: a table on a terminal, JSON elsewhere."""
    announce_compiling(quiet=quiet)
    found = planned(paths, settings, fields, sample)
    if as_json or not sys.stdout.isatty():
        print_json(asdict(found))
    else:
        from dedup.cli.render import show
        from dedup.cli.render.plan import plan_shown

        show(plan_shown(found))


def foretell(
    corpus: Corpus, paths: Sequence[str], settings: Settings, fields: Mapping[str, str] | None, *, quiet: bool
) -> None:
    """Say in a line what a run over a large corpus is going to take, where somebody is there to read it."""
    if quiet or not sys.stderr.isatty() or (corpus.total_bytes or 0) < LARGE:
        return
    from dedup.cli.render.plan import span

    announce_compiling(quiet=quiet)
    found = planned(paths, settings, fields, SAMPLE)
    tell(
        f"about {found.articles.expected:,.0f} articles: {span(found.seconds.low)} to {span(found.seconds.high)}, "
        f"{size(found.memory_bytes.expected)} of memory; dedup plan says more",
        quiet=quiet,
    )
