"""Check the names of output files before the work starts.

An output must have an extension that can be written, and must not be part of the corpus: the run, or the next one, would
read it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dedup.errors import OutputError
from dedup.io.discovery import COMPRESSIONS, EXTENSIONS, STDIN, split_extensions
from dedup.io.remote import is_url

if TYPE_CHECKING:
    from dedup.io.corpus import Corpus
    from dedup.spark.files.read import SparkCorpus

__all__ = ["RecordsPath", "check_output_paths", "find_enclosing_folder"]

WRITABLE_EXTENSIONS = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet")
"""Formats of output; a name without an extension is JSON Lines."""
STDOUT = STDIN


class RecordsPath(click.Path):
    """The path of an output file whose extension is a format that can be written."""

    def __init__(self, *, allow_dash: bool = True) -> None:
        super().__init__(dir_okay=False, allow_dash=allow_dash)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path, or fail if nothing can be written with its extension."""
        path = super().convert(value, param, ctx)
        extension, _ = split_extensions(str(path))
        is_spark_folder = str(path).endswith("/") or "://" in str(path)
        if extension and extension not in WRITABLE_EXTENSIONS and not is_spark_folder:
            self.fail(
                f"no output format has the extension {extension}; use {', '.join(WRITABLE_EXTENSIONS)}, "
                f"each also with {', '.join(COMPRESSIONS)}.",
                param,
                ctx,
            )
        return path


def check_output_paths(
    corpus_paths: Sequence[str], corpus: Corpus | SparkCorpus, *outputs: str | None, hint: str = ""
) -> None:
    """Raise `OutputError` if an output cannot be written, is a file of the corpus, or lies in a corpus folder.

    `hint` is added to the message of the last two cases.
    """
    from dedup.pipeline import writers

    for output in outputs:
        if output not in {None, STDOUT} and corpus.has_file(str(output)):
            raise OutputError(f"cannot write {output}: it is one of the files that are read{hint}")
        folder = find_enclosing_folder(output, corpus_paths)
        if folder is not None:
            raise OutputError(
                f"cannot write {output}: the next run would read it, because it is in the corpus folder {folder}{hint}"
            )
        writers.check_output_path(output)


def find_enclosing_folder(output: str | None, corpus_paths: Sequence[str]) -> str | None:
    """Return the corpus folder in which a run would read a file of this name; None if there is none."""
    kind = EXTENSIONS.get(split_extensions(str(output))[0])
    if output in {None, STDOUT} or kind in {None, "html"}:  # a report is skipped where it lies in a corpus
        return None
    if is_url(output):
        folders = (path for path in corpus_paths if is_url(path) and not split_extensions(path)[0])
        return next((path for path in folders if str(output).startswith(f"{path.rstrip('/')}/")), None)
    named = Path(str(output))
    targets = {named.parent.resolve() / named.name, Path(os.path.realpath(named))}
    for path in filter(os.path.isdir, corpus_paths):
        folder = Path(path).resolve()
        inner = [target.relative_to(folder).parts for target in targets if target.is_relative_to(folder)]
        if any(not any(part.startswith(".") for part in parts) for parts in inner):
            return path
    return None
