"""Compile the kernels ahead of time, into the package: `python -m dedup.precompile [LEVEL]`.

Commands run on a small corpus while numba compiles each kernel for a CPU level, such as x86-64-v3: without a level, for the
best one of this CPU; with `all`, for each one. Their machine code becomes a library (`dedup.jit.library`). The build of a
wheel and the installation of a checkout call this, and so does a first run that finds no library.
"""

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dedup.errors import DedupError, SettingsError
from dedup.jit import KERNELS
from dedup.jit.cache_folder import find_cache_folder
from dedup.jit.cpu_levels import find_cpu_levels
from dedup.jit.digest import PACKAGE, digest_files, list_kernel_files
from dedup.jit.library import COMPILING, MANIFEST, OBJECT_FILE, SHIPPED_KERNELS, is_current, name_library

STORY = (
    "The river Aven rose two metres overnight and flooded the old mill of Quillfort, the mayor Ada Lind said on Monday.",
    "Firefighters led forty people to the school on the hill, and the bridge stays closed until engineers have seen it.",
    "Nobody was hurt. The mill, built in 1887, holds the archive of the town, and its lower rooms stood in brown water.",
    "Crews of three counties pumped all night; the forecast promises a dry week, and the school opens again on Thursday.",
)
REWRITE = (
    "Ada Lind, mayor of Quillfort, spoke of a lucky escape after the swollen Aven broke into the 1887 mill before dawn.",
    "About forty residents slept on gymnasium mats, engineers closed the bridge, and pumps from three counties ran all night.",
    "Water ruined part of the town archive kept downstairs in the mill; no injuries were reported by firefighters.",
)
READ_MORE = "Read more: The floods of the valley in pictures"
"""A line that a built-in rule removes."""
NOTICE = "Follow the Quillfort Courier on every channel for news from the valley and letters of our readers."
DAYS = 20
ALL_LEVELS = "all"
DATABASES = "boilerplate-*.hyperscan"
"""The compiled patterns of the rules for boilerplate, in the cache (`dedup.text.boilerplate.candidate_lines`)."""
CORPUS = ("corpus.jsonl", "rewrites.jsonl")
COMMANDS = (
    ("boilerplate", "corpus.jsonl", "-o", "boilerplate.json"),
    ("cluster", *CORPUS, "--boilerplate", "boilerplate.json"),
    ("cluster", "undated.jsonl"),
    ("explain", "corpus.jsonl", "story-0", "story-1"),
    ("explain", "corpus.jsonl", "rewrites.jsonl", "story-0", "rewrite-1"),
    ("evaluate", *CORPUS, "--gold", "story", "--curve"),
    ("report", *CORPUS, "-o", "report.html"),
    ("match", *CORPUS),
    ("filter", "corpus.jsonl", "--index", "seen.db"),
    ("filter", "rewrites.jsonl", "--index", "seen.db"),
)
"""Commands that together call nearly all kernels."""


def compile_kernels(level: str | None = None, folder: Path | None = None) -> Path:
    """Return the folder of the library for a CPU level; compile it if it is missing or of other sources.

    Without a level, it is the best one of this CPU; without a folder, the one in the package. Raise `SettingsError` for a
    level that this CPU does not have, because the kernels run once here.
    """
    levels = find_cpu_levels()
    if level is not None and level not in levels:
        raise SettingsError(f"CPU level {level}: kernels can be compiled here for {', '.join(levels)}")
    level = level or levels[0]
    folder = folder or SHIPPED_KERNELS / name_library(level)
    if is_current(folder):
        return folder
    sys.stderr.write(f"Compiling kernels for {level}, once: about a minute.\n")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="draft-", dir=folder.parent) as draft:
        library = Path(draft, "library")
        library.mkdir()
        compile_library(level, library, Path(draft))
        shutil.rmtree(folder, ignore_errors=True)
        library.rename(folder)
    return folder


def compile_library(level: str, library: Path, work: Path) -> None:
    """Write the library for a level into the folder `library`; `work` is a folder for the corpus and outputs."""
    os.environ |= {"NUMBA_CPU_NAME": level, "NUMBA_CPU_FEATURES": ""}  # before anything imports numba
    COMPILING.set()
    run_commands(work)
    run_cell_pairs()
    from dedup.jit.linker import link_kernels

    code, entry_points = link_kernels([kernel for kernel in KERNELS if kernel.is_called], level)
    sources = list_kernel_files()
    manifest = {"digest": digest_files(sources), "sources": sources, "entry_points": entry_points}
    (library / OBJECT_FILE).write_bytes(code)
    (library / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    for database in find_cache_folder().glob(DATABASES):
        shutil.copy(database, library)


def run_commands(folder: Path) -> None:
    """Run each command on a small corpus in `folder`."""
    from dedup.cli.main import cli

    rewrites = list(make_articles("rewrite", REWRITE))
    articles = list(make_articles("story", STORY, READ_MORE, NOTICE))
    undated = [article | {"published": None} for article in articles]
    for name, records in (("corpus", articles), ("rewrites", rewrites), ("undated", undated)):
        Path(folder, f"{name}.jsonl").write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    with contextlib.chdir(folder), contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO())):
        for command in COMMANDS:
            cli([*command, "--quiet"], standalone_mode=False)


def run_cell_pairs() -> None:
    """Run the kernels that only Spark calls, on the sketches of a few articles."""
    from dedup.index.key_run import LookupKeys
    from dedup.io.articles import to_batches
    from dedup.matching.cell_pairs import find_cell_pairs, find_joining_pairs, join_edges
    from dedup.matching.match_params import make_match_params
    from dedup.pipeline.deduplicate import sketch_with_settings
    from dedup.settings.settings import Settings

    (batch,) = to_batches(list(make_articles("story", STORY)))
    sketches, params = sketch_with_settings(batch, Settings()), make_match_params(Settings())
    keys, n = LookupKeys(sketches.salient, sketches.bands), len(sketches.days)
    is_home, no_twins = np.ones(n, bool), np.full(n, -1)
    later, earlier = find_cell_pairs(keys, sketches.days, is_home, ~is_home, no_twins, params)
    find_joining_pairs(sketches, later, earlier, np.ones(len(later), bool), params, both_ways=True)
    join_edges(np.stack([later, earlier], axis=1), np.arange(n))


def make_articles(name: str, sentences: tuple[str, ...], *notices: str) -> Iterator[dict[str, str]]:
    """Yield one article a day of one source: it grows by a sentence a day, then starts again; each ends with the notices.

    So the corpus contains copies, extensions, rewrites and boilerplate.
    """
    for day in range(DAYS):
        yield {
            "id": f"{name}-{day}",
            "title": f"Day {day} of the flood at Quillfort",
            "text": "\n".join([*sentences[: 1 + day % len(sentences)], *notices]),
            "published": f"2026-03-{day + 1:02}T08:00:00Z",
            "source": f"Quillfort {name}",
            "story": str(day // len(STORY)),
        }


def compile_requested_kernels(level: str | None = None, folder: str | None = None) -> None:
    """Compile the kernels for a level; for `all`, for each level of this CPU, each in its own process."""
    if level == ALL_LEVELS:
        for each in find_cpu_levels():
            command = [sys.executable, "-m", "dedup.precompile", each]
            subprocess.run(command, cwd=PACKAGE.parent, check=True)  # noqa: S603 - our own module
    else:
        compile_kernels(level, Path(folder) if folder else None)


if __name__ == "__main__":
    try:
        compile_requested_kernels(*sys.argv[1:3])
    except DedupError as error:
        sys.exit(f"dedup: {error}")
