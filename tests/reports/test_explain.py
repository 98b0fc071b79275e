"""Two articles or texts are explained alone."""

import pytest
from newsmaker import story, version

from dedup import deduplicate, explain
from dedup.errors import InputError


def test_two_texts_are_explained() -> None:
    text = story(1)["text"]

    found = explain(text, text)

    assert (found.kept.id, found.other.id, found.relation, found.joins) == ("0", "1", "exact", True)


@pytest.mark.parametrize("change", ["as sent", "cut", "extended"])
def test_the_relation_is_that_of_a_run(change: str) -> None:
    pair = [{"id": "a", **story(1)}, {"id": "b", **version(1, change, 1)}]

    found, result = explain(pair[0], pair[1]), deduplicate(pair)

    [match] = result.dropped
    assert (found.other.id, found.kept.id, found.relation) == (match.id, match.canonical, match.relation)


def test_fields_and_settings_are_given_as_for_a_run() -> None:
    pair = [{"id": 1, "body": story(1)["text"]}, {"id": 2, "body": version(1, "cut", 1)["text"]}]

    found = explain(pair[0], pair[1], fields={"text": "body"}, relations=("exact",))

    assert (found.kept.id, found.relation) == ("1", None)


def test_what_is_no_article_is_an_error() -> None:
    with pytest.raises(InputError, match="article 1"):
        explain("A text.", {"id": "b"})
