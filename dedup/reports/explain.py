"""Explain from Python why two articles match or not: `dedup.explain` corresponds to the command `dedup explain`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

from dedup.io.articles import to_batches
from dedup.pipeline.overrides import SettingsOverrides, override_settings
from dedup.reports.explanation import Explanation, explain_pair, read_article_pair
from dedup.settings.settings import Settings

__all__ = ["explain"]

Article = Mapping[str, Any] | str


def explain(
    first: Article,
    second: Article,
    settings: Settings | None = None,
    *,
    fields: Mapping[str, str] | None = None,
    **overrides: Unpack[SettingsOverrides],
) -> Explanation:
    """Return the explanation of why two articles match or not; each is a dict or a text.

    The two are compared alone, whereas `dedup explain` on a corpus also considers the other articles of the
    storyline. An article without an id gets "0" or "1". Settings are passed as to `deduplicate`. Raise
    `InputError` if one is not an article.

    >>> explain(
    ...     "The river rose two metres at Tollan overnight.", "The river rose two metres at Tollan overnight."
    ... ).verdict
    '1 is an exact copy of 0: they have the same words in the same order.'
    """
    settings = override_settings(settings, overrides)
    return explain_pair(read_article_pair(to_batches([first, second], fields=fields)), settings)
