"""What a run would take, by a sample: held against real runs for counts, and never for seconds."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from commands import called, on_terminal, written
from hypothesis import given
from hypothesis import strategies as st
from newsmaker import planned

from dedup.errors import InputError
from dedup.io.corpus import read_articles
from dedup.matching.lsh_probability import compute_candidate_probabilities
from dedup.pipeline.deduplicate import deduplicate
from dedup.pipeline.estimate import CorpusSample, EstimateRange, estimate_costs
from dedup.pipeline.sampling import sample_corpus
from dedup.settings.settings import Settings

SETTINGS = Settings(threads=1)
SAMPLE = CorpusSample(
    total_bytes=1_000_000,
    read_bytes=10_000,
    articles=100,
    size_deviation=0.4,
    is_uniform=True,
    is_whole=False,
    unpacked_bytes=12_000,
    sketch_bytes=300_000,
    share_in_window=0.2,
    verified=50,
    kept=90,
    preparing_seconds=0.02,
    deciding_seconds=0.001,
)


def holds(found: EstimateRange, truth: float) -> bool:
    """Return whether a range holds the truth."""
    return found.low <= truth <= found.high


def test_a_small_corpus_is_counted_and_not_estimated(newsroom: Path) -> None:
    result = deduplicate(read_articles(newsroom), SETTINGS)

    found = estimate_costs(sample_corpus([newsroom], SETTINGS), SETTINGS, 1)

    verified = float(result.assignments.verified.mean())
    assert found.articles == EstimateRange(54, 54, 54)
    assert found.candidates == EstimateRange(verified, verified, verified)
    assert found.odds == compute_candidate_probabilities(SETTINGS)


@pytest.mark.parametrize("packed", [False, True])
def test_ranges_hold_the_counts_of_a_real_run(packed: bool, tmp_path: Path) -> None:
    articles = planned(3_000, seed=4, stories=400)
    path = tmp_path / ("news.csv" if packed else "news.jsonl")
    called("filter", written(tmp_path / "all.jsonl", articles), "--annotate", "-o", path)
    result = deduplicate(read_articles(path), SETTINGS)

    taken = sample_corpus([path], SETTINGS, max_articles=400, whole_bytes=0)
    found = estimate_costs(taken, SETTINGS, 1)

    assert taken.articles < 3_000
    assert taken.is_uniform != packed
    assert holds(found.articles, 3_000)
    assert holds(found.candidates, float(result.assignments.verified.mean()))
    assert holds(found.disk_bytes, sum(len(a["text"]) for a in articles) * len(result.kept) / 3_000)


def test_lines_are_drawn_by_the_seed_and_each_once(tmp_path: Path) -> None:
    path = written(tmp_path / "news.jsonl", planned(300, seed=4, stories=50))

    def taken(seed: int) -> CorpusSample:
        found = sample_corpus([path, path], replace(SETTINGS, seed=seed), max_articles=100, whole_bytes=0)
        return replace(found, preparing_seconds=0, deciding_seconds=0)

    assert taken(1) == taken(1)
    assert taken(1) != taken(2)
    assert taken(1).articles <= 100


def test_odd_lines_do_not_stop_a_sample(tmp_path: Path) -> None:
    good = [json.dumps(a, default=str) for a in planned(20, seed=1)]
    path = written(tmp_path / "news.jsonl", [*good, "broken", "", "x" * (2 << 20)])

    assert 0 < sample_corpus([path], SETTINGS, max_articles=200, whole_bytes=0).articles <= 20


def test_standard_input_cannot_be_planned_for() -> None:
    with pytest.raises(InputError, match="standard input can be read only once"):
        sample_corpus(["-"], SETTINGS)


@given(
    st.builds(
        replace,
        st.just(SAMPLE),
        total_bytes=st.integers(10_000, 10**14),
        articles=st.integers(0, 10**5),
        verified=st.integers(0, 10**7),
        size_deviation=st.floats(0, 5),
        is_uniform=st.booleans(),
        is_whole=st.booleans(),
    ),
    st.integers(1, 64),
)
def test_no_range_is_upside_down(sample: CorpusSample, threads: int) -> None:
    found = estimate_costs(sample, SETTINGS, threads)

    for r in (found.articles, found.candidates, found.seconds, found.memory_bytes, found.disk_bytes):
        assert 0 <= r.low <= r.expected <= r.high


def test_what_is_drawn_evenly_is_surer_than_beginnings() -> None:
    evenly, begun = (estimate_costs(replace(SAMPLE, is_uniform=e), SETTINGS, 1) for e in (True, False))

    assert evenly.articles.expected == begun.articles.expected == 10_000
    assert evenly.articles.high < begun.articles.high
    assert begun.candidates.low < evenly.candidates.low


def test_more_articles_take_more_of_everything() -> None:
    small, large = (estimate_costs(replace(SAMPLE, total_bytes=n), SETTINGS, 1) for n in (10**6, 10**9))

    for name in ("articles", "candidates", "seconds", "memory_bytes", "disk_bytes"):
        assert getattr(small, name).expected < getattr(large, name).expected
    assert large.candidates.high <= 2 * SETTINGS.max_candidates


def test_a_pipe_gets_json_and_a_terminal_a_table(newsroom: Path) -> None:
    answer = json.loads(called("plan", newsroom).stdout)
    seen = on_terminal("plan", newsroom)

    assert answer["articles"] == {"low": 54, "expected": 54, "high": 54}
    assert "expected" in seen
    assert "54 articles" in seen
    assert "candidates per article" in seen


@pytest.mark.parametrize("command", ["cluster", "filter"])
def test_a_dry_run_says_and_does_nothing(command: str, newsroom: Path, tmp_path: Path) -> None:
    done = called(command, newsroom, "-o", tmp_path / "out.jsonl", "--dry-run")

    assert json.loads(done.stdout)["articles"]["expected"] == 54
    assert not list(tmp_path.iterdir())


def test_what_is_more_than_the_memory_goes_to_files() -> None:
    much, little = (estimate_costs(SAMPLE, Settings(memory=memory), 1) for memory in (1 << 30, 1 << 24))

    assert much.files_bytes.high == 0
    assert little.files_bytes.low > 0
    assert little.memory_bytes.high < much.memory_bytes.high


def test_an_index_of_a_long_time_needs_less_room() -> None:
    dense, spread = (
        estimate_costs(replace(SAMPLE, share_in_window=share), SETTINGS, 1).memory_bytes
        for share in (1.0, 0.1)
    )

    assert spread.expected < dense.expected
