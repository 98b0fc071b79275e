"""A story model of one's own: a setting like any other, and a file that is read with suspicion."""

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from newsmaker import planned

from dedup.errors import InputError, SettingsError
from dedup.matching.evidence_columns import (
    CONTEXT_START,
    EVIDENCE_NAMES,
    FEATURES_START,
    FIGURE_SHARE,
    FIGURES_FOUND,
    NAMES_FOUND,
    TERMS_OF_LONGER,
)
from dedup.matching.models import choose_model, read_shipped_model
from dedup.pipeline.deduplicate import deduplicate
from dedup.settings.model_file import (
    CONTEXT_EVIDENCE,
    MAX_COEFFICIENT,
    MODEL_LEVELS,
    NEGATIVE_EVIDENCE,
    POSITIVE_EVIDENCE,
    Model,
    encode_model,
    read_model,
)
from dedup.settings.settings import Settings, dump_settings


def shipped(level: str = "story") -> Model:
    """Return the shipped model of a level, as it weighs dated pairs, as one of one's own."""
    coefficients, intercept = read_shipped_model(level)
    return Model(
        {n: float(c) for n, c in zip(EVIDENCE_NAMES, coefficients[0], strict=True) if c}, intercept, level
    )


def test_a_model_weighs_all_evidence_but_that_of_the_text_and_each_for_one_side() -> None:
    weighed = {EVIDENCE_NAMES[NAMES_FOUND], EVIDENCE_NAMES[FIGURES_FOUND], *EVIDENCE_NAMES[FEATURES_START:]}
    weighed -= {EVIDENCE_NAMES[FIGURE_SHARE], EVIDENCE_NAMES[TERMS_OF_LONGER]}  # they are for the guards

    assert sorted((*POSITIVE_EVIDENCE, *NEGATIVE_EVIDENCE)) == sorted(weighed)
    assert weighed > CONTEXT_EVIDENCE == set(EVIDENCE_NAMES[CONTEXT_START:])


@pytest.mark.parametrize("level", MODEL_LEVELS)
def test_the_shipped_model_in_a_file_changes_nothing(level: str, tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_bytes(encode_model(shipped(level), "1"))
    dates = {"published": 1_900_000_000}
    articles = [
        {**article, **(dates if article["published"] is None else {})} for article in planned(60, seed=4)
    ]

    own = deduplicate(articles, Settings(level=level, model=read_model(path)))

    assert read_model(path).level == level
    assert list(own) == list(deduplicate(articles, Settings(level=level)))


def test_a_model_takes_the_place_of_that_of_its_level_alone() -> None:
    own = Model({"quotes": 2}, 3, "storyline")
    settings = Settings(model=own)

    assert choose_model(settings, "storyline").intercept == 3
    assert choose_model(settings, "story") is read_shipped_model("story")
    assert own != Model({"quotes": 2}, 3)


def test_another_model_finds_other_rewrites() -> None:
    strict = Model(shipped().coefficients, -MAX_COEFFICIENT)
    articles = planned(60, seed=4)

    found = {match.relation for match in deduplicate(articles, Settings(model=strict)).dropped}

    assert "rewrite" in {match.relation for match in deduplicate(articles).dropped}
    assert "rewrite" not in found


def test_another_storyline_model_finds_other_follow_ups() -> None:
    strict = Model(shipped("storyline").coefficients, -MAX_COEFFICIENT, "storyline")
    articles = planned(60, seed=4)

    def find_relations(model: Model | None) -> set[str]:
        settings = Settings(level="storyline", relations=("exact", "followup"), model=model)
        return {match.relation for match in deduplicate(articles, settings).dropped}

    assert "followup" in find_relations(None)
    assert "followup" not in find_relations(strict)


def test_a_model_is_written_by_its_digest_and_equal_by_its_content() -> None:
    one = Model({"days": -1, "quotes": 2}, 3)
    again = Model({"quotes": 2, "days": -1}, 3.0, made_from={"labels": 7})

    assert one == again
    assert dump_settings(Settings(model=one))["model"] == one.digest
    assert one != Model({"days": -1, "quotes": 2}, 3.5)
    assert choose_model(Settings(model=one), "story").intercept == 3


@given(
    st.dictionaries(st.sampled_from(POSITIVE_EVIDENCE), st.floats(0, MAX_COEFFICIENT)),
    st.floats(-MAX_COEFFICIENT, MAX_COEFFICIENT),
)
def test_what_is_written_is_read(coefficients: dict[str, float], intercept: float) -> None:
    with tempfile.NamedTemporaryFile() as file:
        model = Model(coefficients, intercept)
        Path(file.name).write_bytes(encode_model(model, "1"))

        assert read_model(file.name) == model


def content(**changed: object) -> str:
    """Return a file of a model, with some of it changed."""
    return json.dumps({**json.loads(encode_model(Model({"days": -1}, 2), "1")), **changed})


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("", "not JSON"),
        ("[1]", "not an object with a 'format'"),
        (content(format=2), "its format is 2"),
        (content(format=True), "its format is True"),
        (content(coefficients=[1]), "no object 'coefficients'"),
        (content(coefficients={"days": "-1"}), "days is '-1', not a number"),
        (content(coefficients={"days": True}), "days is True, not a number"),
        (content(coefficients={"days": -1e4}), "days is -10000.0, not a number between"),
        (content(coefficients={"days": float("nan")}), "days is nan, not a number"),
        (content(coefficients={"days": 10**400}), "is no model"),
        (content(coefficients={"days": 1}), "must be at most 0"),
        (content(coefficients={"quotes": -1}), "must be at least 0"),
        (content(coefficients={"__class__": 1}), "is not evidence that a model uses"),
        (content(coefficients={"jaccard": 1}), "is not evidence that a model uses"),
        (content(level="text"), "its level is 'text', not story or storyline"),
        (content(level="storyline"), "damaged or edited"),
        (
            content(level="storyline", coefficients={"nearer": -1}),
            "nearer is evidence that only the story model uses",
        ),
        (content(intercept=None), "the intercept is None, not a number"),
        (content(intercept=2.5), "damaged or edited"),
        (content(digest=None), "damaged or edited"),
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


def test_a_model_file_of_the_first_version_is_refused_by_file_and_version(tmp_path: Path) -> None:
    path = tmp_path / "first.json"
    first = {name: value for name, value in json.loads(content(dedup="0.1.0")).items() if name != "level"}
    path.write_text(json.dumps(first))

    with pytest.raises(InputError) as error:
        read_model(path)

    assert str(error.value) == (
        f"{path} is no model: it was written by version 0.1.0, which had only one level; fit it again with dedup calibrate"
    )


@pytest.mark.parametrize("name", sorted(CONTEXT_EVIDENCE))
def test_what_depends_on_the_neighbours_is_for_the_story_model_alone(name: str) -> None:
    weight = 1.0 if name in POSITIVE_EVIDENCE else -1.0

    assert Model({name: weight}, 0).coefficients == {name: weight}
    with pytest.raises(ValueError, match=f"{name} is evidence that only the story model uses"):
        Model({name: weight}, 0, "storyline")


def test_bytes_that_are_no_text_are_no_model(tmp_path: Path) -> None:
    (tmp_path / "model.json").write_bytes(b"\xff\xfe{")

    with pytest.raises(InputError, match="it is not UTF-8"):
        read_model(tmp_path / "model.json")
    with pytest.raises(InputError, match="cannot read"):
        read_model(tmp_path)


def test_the_path_of_a_model_is_no_model() -> None:
    with pytest.raises(SettingsError, match="model must be None or a value of read_model"):
        Settings(model="model.json")  # type: ignore[arg-type]
