"""Run every kernel once: commands on a small invented corpus, and the few kernels that these do not call."""

import contextlib
import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dedup.cli.main import cli
from dedup.index.key_run import LookupKeys
from dedup.index.lookup import ArticleLookup
from dedup.io.articles import to_batches
from dedup.matching import clustering
from dedup.matching.candidates import build_horizon
from dedup.matching.cell_pairs import find_cell_pairs, find_joining_pairs, join_edges
from dedup.matching.evidence_columns import EVIDENCE_COUNT
from dedup.matching.guards import has_different_subject, is_different_report, shares_only_template
from dedup.matching.inverted_index import ensure_room, make_index_for_articles
from dedup.matching.match_params import make_match_params
from dedup.pipeline.deduplicate import sketch_with_settings
from dedup.settings.settings import Settings
from dedup.sketches.sketch import select_sketches
from dedup.sketches.terms import hash_term_pair

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


def run_all_kernels(folder: Path) -> None:
    """Run every kernel that Python calls; `folder` is for the corpus and the outputs."""
    run_commands(folder)
    run_cell_pairs()
    run_large_corpus()
    run_small_kernels()


def run_commands(folder: Path) -> None:
    """Run each command on a small corpus in `folder`."""
    rewrites = list(make_articles("rewrite", REWRITE))
    articles = list(make_articles("story", STORY, READ_MORE, NOTICE))
    undated = [article | {"published": None} for article in articles]
    for name, records in (("corpus", articles), ("rewrites", rewrites), ("undated", undated)):
        Path(folder, f"{name}.jsonl").write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    clustering.CHUNK_SIZE = DAYS // 4  # so that there are several chunks
    ArticleLookup.run_articles = 3 * DAYS // 4  # so that the keys are in a sorted run and in the table
    with contextlib.chdir(folder), contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO())):
        for command in COMMANDS:
            cli([*command, "--quiet"], standalone_mode=False)


def run_cell_pairs() -> None:
    """Run the kernels that only Spark calls, on the sketches of a few articles."""
    (batch,) = to_batches(list(make_articles("story", STORY)))
    sketches, params = sketch_with_settings(batch, Settings()), make_match_params(Settings())
    keys, n = LookupKeys(sketches.salient, sketches.bands), len(sketches.days)
    is_home, no_twins = np.ones(n, bool), np.full(n, -1)
    later, earlier = find_cell_pairs(keys, sketches.days, is_home, ~is_home, no_twins, params)
    later, earlier = later.copy(), earlier.copy()
    find_joining_pairs(sketches, later, earlier, np.ones(len(later), bool), params, both_ways=True)
    join_edges(np.stack([later, earlier], axis=1), np.arange(n))


def run_large_corpus() -> None:
    """Run the kernels that only large corpora call: their index grows, and sketches of earlier batches are used again."""
    (batch,) = to_batches(list(make_articles("story", STORY)))
    sketches, params = sketch_with_settings(batch, Settings()), make_match_params(Settings())
    order = np.arange(len(sketches.days))
    horizon = build_horizon(sketches, order, params, in_order=True)
    keys_each = sketches.salient.shape[1] + sketches.bands.shape[1]
    select_sketches(sketches, order)
    ensure_room(make_index_for_articles(1, keys_each), len(order) * keys_each, sketches.days[0], horizon)


def run_small_kernels() -> None:
    """Run the kernels of one pair or term that reports call only for some pairs."""
    row = np.zeros(EVIDENCE_COUNT, np.float32)
    for guard in (shares_only_template, is_different_report, has_different_subject):
        guard(row)
    hash_term_pair(np.uint32(1), np.uint32(2))


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
