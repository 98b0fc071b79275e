"""A story model of one's own: a setting like any other, and a file that is read with suspicion."""

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from newsmaker import planned

from benchmarks.fit import AGAINST as FITTED_AGAINST
from benchmarks.fit import USED
from dedup.errors import InputError, SettingsError
from dedup.evidence import EVIDENCE
from dedup.matches import model as shipped_model
from dedup.matches import model_of
from dedup.model import AGAINST, GREATEST, SPEAKS_FOR, Model, file_of, read_model
from dedup.pipeline import deduplicate
from dedup.settings import Settings, as_written


def shipped() -> Model:
    """Return the shipped model as one of one's own."""
    coefficients, intercept = shipped_model()
    return Model({n: float(c) for n, c in zip(EVIDENCE, coefficients, strict=True) if c}, intercept)


def test_a_model_weighs_the_evidence_that_the_shipped_one_may() -> None:
    assert {*SPEAKS_FOR, *AGAINST} == {EVIDENCE[column] for column in USED}
    assert set(AGAINST) == FITTED_AGAINST


def test_the_shipped_model_in_a_file_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_bytes(file_of(shipped(), "1"))
    articles = planned(60, seed=4)

    own = deduplicate(articles, Settings(model=read_model(path)))

    assert list(own) == list(deduplicate(articles))


def test_another_model_finds_other_rewrites() -> None:
    strict = Model(shipped().coefficients, -GREATEST)
    articles = planned(60, seed=4)

    found = {match.relation for match in deduplicate(articles, Settings(model=strict)).dropped}

    assert "rewrite" in {match.relation for match in deduplicate(articles).dropped}
    assert "rewrite" not in found


def test_a_model_is_written_by_its_digest_and_equal_by_its_content() -> None:
    one, again = Model({"days": -1, "quotes": 2}, 3), Model({"quotes": 2, "days": -1}, 3.0, {"labels": 7})

    assert one == again
    assert as_written(Settings(model=one))["model"] == one.digest
    assert one != Model({"days": -1, "quotes": 2}, 3.5)
    assert model_of(Settings(model=one))[1] == 3


@given(st.dictionaries(st.sampled_from(SPEAKS_FOR), st.floats(0, GREATEST)), st.floats(-GREATEST, GREATEST))
def test_what_is_written_is_read(coefficients: dict[str, float], intercept: float) -> None:
    with tempfile.NamedTemporaryFile() as file:
        model = Model(coefficients, intercept)
        Path(file.name).write_bytes(file_of(model, "1"))

        assert read_model(file.name) == model


def content(**changed: object) -> str:
    """Return a file of a model, with some of it changed."""
    return json.dumps({**json.loads(file_of(Model({"days": -1}, 2), "1")), **changed})


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("", "not JSON"),
        ("[1]", "not an object with a 'format'"),
        (content(format=2), "its format is 2"),
        (content(format=True), "its format is True"),
        (content(coefficients=[1]), "no object of 'coefficients'"),
        (content(coefficients={"days": "-1"}), "days is '-1', not a number"),
        (content(coefficients={"days": True}), "days is True, not a number"),
        (content(coefficients={"days": -1e4}), "days is -10000.0, not a number between"),
        (content(coefficients={"days": float("nan")}), "days is nan, not a number"),
        (content(coefficients={"days": 10**400}), "is no model"),
        (content(coefficients={"days": 1}), "may only speak against one story"),
        (content(coefficients={"quotes": -1}), "may only speak for one story"),
        (content(coefficients={"__class__": 1}), "is no evidence that a model weighs"),
        (content(coefficients={"jaccard": 1}), "is no evidence that a model weighs"),
        (content(intercept=None), "the intercept is None, not a number"),
        (content(intercept=2.5), "damaged or changed by hand"),
        (content(digest=None), "damaged or changed by hand"),
        ('{"format": 1, "format": 1}', "'format' twice in one object"),
        ("[" * 100_000, "nested too deeply"),
        ("9" * 5_000, "is no model"),
        (" " * ((1 << 20) + 1), "larger than 1 MB"),
    ],
)
def test_a_file_that_is_no_model_is_told_with_the_reason(written: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_text(written)

    with pytest.raises(InputError, match=r"model\.json is no model: ") as error:
        read_model(path)

    assert says in str(error.value)


def test_bytes_that_are_no_text_are_no_model(tmp_path: Path) -> None:
    (tmp_path / "model.json").write_bytes(b"\xff\xfe{")

    with pytest.raises(InputError, match="it is not UTF-8"):
        read_model(tmp_path / "model.json")
    with pytest.raises(InputError, match="cannot read"):
        read_model(tmp_path)


def test_the_path_of_a_model_is_no_model() -> None:
    with pytest.raises(SettingsError, match="model must be what read_model"):
        Settings(model="model.json")  # type: ignore[arg-type]
