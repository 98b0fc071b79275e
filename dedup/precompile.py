"""Compile the kernels ahead of time, into the package: `python -m dedup.precompile [LEVEL]`.

Commands that run on a small corpus compile the kernels as a first run does, but for a CPU level (such as x86-64-v3)
instead of this CPU: without a level, for the best one of this CPU; with `all`, for each one. `dedup.jit` finds the folder
wherever the package is installed. The build of a wheel and the installation of a checkout call this.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from dedup.errors import SettingsError
from dedup.jit import PACKAGE, SHIPPED_KERNELS, find_cpu_levels, name_kernel_folder

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
CORPUS = ("corpus.jsonl", "rewrites.jsonl")
COMMANDS = (
    ("boilerplate", "corpus.jsonl", "-o", "boilerplate.json"),
    ("cluster", *CORPUS, "--boilerplate", "boilerplate.json"),
    ("cluster", "undated.jsonl"),
    ("explain", "corpus.jsonl", "story-0", "story-1"),
    ("evaluate", *CORPUS, "--gold", "story", "--curve"),
    ("report", *CORPUS, "-o", "report.html"),
    ("match", *CORPUS),
    ("filter", "corpus.jsonl", "--index", "seen.db"),
    ("filter", "rewrites.jsonl", "--index", "seen.db"),
)
"""Commands that together call every kernel."""


def compile_kernels(level: str | None = None) -> Path | None:
    """Return the folder of the kernels compiled for a CPU level; compile them if it is missing.

    Without a level, it is the best one of this CPU. Return None if this CPU has no level; its kernels are compiled in the
    first run. Raise `SettingsError` for a level that this CPU does not have, because the kernels run once here.
    """
    levels = find_cpu_levels()
    if level is not None and level not in levels:
        raise SettingsError(
            f"CPU level {level}: kernels can be compiled here for {', '.join(levels) or 'none'}"
        )
    if not levels:
        return None
    level = level or levels[0]
    folder = SHIPPED_KERNELS / name_kernel_folder(level)
    if not folder.is_dir():
        sys.stderr.write(f"Compiling kernels for {level}, once: about a minute.\n")
        SHIPPED_KERNELS.mkdir(exist_ok=True)
        remove_stale_kernels(level)
        with tempfile.TemporaryDirectory(prefix="draft-", dir=SHIPPED_KERNELS) as draft:
            kernels = Path(draft, "kernels")
            kernels.mkdir()
            run_commands(Path(draft), kernels, level)
            kernels.rename(folder)
    return folder


def remove_stale_kernels(level: str) -> None:
    """Delete the kernels that this Python compiled for a level from other sources or with another numba."""
    prefix = name_kernel_folder(level).partition("numba-")[0]
    for path in SHIPPED_KERNELS.glob(f"{prefix}*"):
        shutil.rmtree(path, ignore_errors=True)


def run_commands(folder: Path, kernels: Path, level: str) -> None:
    """Run each command on a small corpus in `folder`; numba compiles for `level` into `kernels`."""
    rewrites = list(make_articles("rewrite", REWRITE))
    articles = list(make_articles("story", STORY, READ_MORE, NOTICE))
    undated = [article | {"published": None} for article in articles]
    for name, records in (("corpus", articles), ("rewrites", rewrites), ("undated", undated)):
        Path(folder, f"{name}.jsonl").write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("NUMBA_", "DEDUP_"))},
        "NUMBA_CPU_NAME": level,
        "NUMBA_CPU_FEATURES": "",
        "NUMBA_CACHE_DIR": str(kernels),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(PACKAGE.parent), os.environ.get("PYTHONPATH")])),
    }
    for command in COMMANDS:
        subprocess.run(  # noqa: S603 - the commands above
            [sys.executable, "-m", "dedup", *command, "--quiet"],
            cwd=folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            check=True,
        )


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


def compile_requested_kernels(*level: str) -> None:
    """Compile the kernels for the level on the command line, if there is one; for `all`, for each level of this CPU."""
    if level == (ALL_LEVELS,):
        for each in find_cpu_levels():
            compile_kernels(each)
    else:
        compile_kernels(*level)


if __name__ == "__main__":
    try:
        compile_requested_kernels(*sys.argv[1:2])
    except SettingsError as error:
        sys.exit(f"dedup: {error}")
