"""Estimate the cost of a run from Python: `dedup.plan` corresponds to the command `dedup plan`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Unpack

from dedup.pipeline.deduplicate import resolve_thread_count
from dedup.pipeline.estimate import RunEstimate, estimate_costs
from dedup.pipeline.overrides import SettingsOverrides, override_settings
from dedup.pipeline.sampling import MAX_SAMPLE_ARTICLES, sample_corpus
from dedup.settings.settings import Settings

__all__ = ["plan"]


def plan(
    paths: str | Path | Sequence[str | Path],
    settings: Settings | None = None,
    *,
    fields: Mapping[str, str] | None = None,
    max_articles: int = MAX_SAMPLE_ARTICLES,
    **overrides: Unpack[SettingsOverrides],
) -> RunEstimate:
    """Return the estimated articles, candidates, time, memory and disk of a run over files and folders.

    The estimate is from a trial run over a sample of at most `max_articles`, or over the whole of a small
    corpus. Settings are passed as to `deduplicate`. Raise `InputError` if there is nothing to sample.
    """
    settings = override_settings(settings, overrides)
    files = [paths] if isinstance(paths, str | Path) else list(paths)
    sample = sample_corpus(files, replace(settings, threads=1), fields=fields, max_articles=max_articles)
    return estimate_costs(sample, settings, resolve_thread_count(settings))
