"""Words outside quotations and a common source raise the probability of one origin; quotations do not."""

from dedup.io.articles import to_batches
from dedup.origins.independence import MERGE_PROBABILITY
from dedup.origins.shared_origin import (
    MAX_PROBABILITY,
    MAX_WORDING,
    OriginModel,
    SharedEvidence,
    find_shared_evidence,
    load_origin_model,
)
from dedup.origins.trace import StoryArticle, make_story_articles
from dedup.settings.settings import Settings

SPEECH = "“We will build it again, higher and wider than before, and nobody will wait for a ferry for a second winter.”"
REPORT = "The mayor spoke for an hour in a cold tent beside the river while the divers looked for the last two pillars."


def trace_texts(*texts: str) -> list[StoryArticle]:
    """Return the articles with these texts, each of another outlet."""
    rows = [
        {"id": f"{k}", "title": "A bridge", "text": text, "source": f"{k}.example"}
        for k, text in enumerate(texts)
    ]
    [batch] = to_batches(rows)
    return make_story_articles(batch, batch["id"].to_pylist(), Settings(), {})


def test_a_shared_quotation_is_no_shared_wording() -> None:
    first, second = trace_texts(
        f"{SPEECH} he said. The crowd was silent until the last word of the speech had been said twice.",
        f"Rain fell on four hundred people in boots who had come from both of the banks to hear him. {SPEECH}",
    )

    assert find_shared_evidence(first, second).wording == 0.0


def test_a_shared_sentence_outside_quotations_is_shared_wording() -> None:
    first, second = trace_texts(f"{REPORT} {SPEECH} he said.", f"{SPEECH} So he promised on Monday. {REPORT}")

    assert find_shared_evidence(first, second).wording > MAX_WORDING


def test_an_outlet_that_the_other_names_is_a_shared_source() -> None:
    rows = [
        {"id": "a", "text": "“It fell,” she told CNN.", "url": "https://a.example/1"},
        {"id": "b", "text": "She saw it fall.", "url": "https://edition.cnn.com/1"},
        {"id": "c", "text": "Ella dijo a CNN que cayó.", "url": "https://c.example/1"},
    ]
    [batch] = to_batches(rows)
    a, b, c = make_story_articles(batch, ["a", "b", "c"], Settings(), {})

    assert find_shared_evidence(a, b).sources == find_shared_evidence(a, c).sources == ("cnn.com",)


def test_more_evidence_never_lowers_the_probability() -> None:
    model = load_origin_model()
    shares = [0.0, 0.02, 0.05, 0.1, MAX_WORDING, 1.0]

    without = [model.estimate(SharedEvidence(share)) for share in shares]
    named = [model.estimate(SharedEvidence(share, ("cnn.com",))) for share in shares]

    assert without == sorted(without)
    assert all(low <= high for low, high in zip(without, named, strict=True))
    assert without[0] < MERGE_PROBABILITY < without[-1] <= MAX_PROBABILITY


def test_no_evidence_is_certain() -> None:
    assert OriginModel(100.0, 100.0, 100.0).estimate(SharedEvidence(1.0, ("dpa",))) == MAX_PROBABILITY
