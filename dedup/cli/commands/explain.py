"""`dedup explain`: show why two articles match, or why they do not."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import click

from dedup.cli.long_work import compile_missing_kernels, prepare_libraries
from dedup.cli.messages import echo_status
from dedup.cli.options import Command, add_corpus_options, add_settings_options
from dedup.cli.output_format import TABLE, add_document_format_option, print_document
from dedup.cli.rejects import check_reject_share
from dedup.errors import InputError
from dedup.formatting import format_count

if TYPE_CHECKING:
    from dedup.io.corpus import Corpus
    from dedup.reports.explanation import Explanation
    from dedup.settings.settings import Settings

__all__ = ["explain_command"]

MAX_COMPARED_IDS = 200_000
"""The search for the nearest id compares this many at most: about ten seconds."""


@click.command(
    name="explain",
    cls=Command,
    section="Find",
    examples=(
        "dedup explain news/ harbour-fire-1 harbour-fire-3",
        "dedup explain one.txt other.txt",
    ),
)
@click.argument("names", metavar="CORPUS ID ID", nargs=-1, required=True)
@add_document_format_option(pipe=TABLE)
@add_settings_options
@add_corpus_options
def explain_command(
    names: tuple[str, ...], format_: str, settings: Settings, quiet: bool, **reading: Any
) -> None:
    """Explain why two articles match, or why they do not.

    An ID can be shortened to its beginning if no other id begins like this. For two files of one article each, leave
    out the ids: dedup explain a.txt b.txt
    """
    prepare_libraries()
    from dedup import read_articles

    if len(names) == 1:
        raise click.UsageError("Name a corpus and two ids, or two files of one article each.")
    corpus = read_articles(*names[:-2] or names, **reading)
    compile_missing_kernels(quiet=quiet)
    explanation = explain_names(corpus, names, settings)
    if corpus.rejects:
        echo_status(f"{format_count(len(corpus.rejects), 'article')} could not be read", quiet=quiet)
    if format_ == TABLE:
        from dedup.cli.render import print_renderables
        from dedup.cli.render.pair import render_explanation

        print_renderables(render_explanation(explanation))
    else:
        print_document(asdict(explanation), format_)


def explain_names(corpus: Corpus, names: tuple[str, ...], settings: Settings) -> Explanation:
    """Return the explanation of the two articles named by the last two names, or of a corpus of two articles."""
    from dedup.reports.explanation import explain_in_corpus, explain_pair, read_article_pair

    if len(names) <= len(("ID", "ID")):
        return explain_pair(read_article_pair(corpus), settings)
    try:
        return explain_in_corpus(corpus, (names[-2], names[-1]), settings)
    except InputError as error:
        ids = {id_ for batch in corpus for id_ in batch["id"].to_pylist()}
        check_reject_share(corpus.rejects, len(corpus.rejects), len(ids), 1.0)
        hints = [hint for name in names[-2:] if (hint := suggest_id(name, ids))]
        raise InputError(f"{error}{''.join(hints)}") from None


def suggest_id(name: str, ids: Collection[str]) -> str:
    """Return a hint with the nearest id, if no id is or begins with the name and one is similar."""
    if any(id_.startswith(name) for id_ in ids) or name.rpartition("#")[0] in ids:
        return ""
    nearest = get_close_matches(name, sorted(ids)[:MAX_COMPARED_IDS], 1)
    return f"; did you mean {nearest[0]!r}?" if nearest else ""
