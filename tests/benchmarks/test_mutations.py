import re
from difflib import SequenceMatcher
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from newsmaker import story

from benchmarks.mutations import CORE, Mutation, cut, mutated, mutations_of, other_spelling, slip

SPARE = [story(number)["text"] for number in range(50, 60)]
PARAGRAPHS = 5
TEXT = "\n\n".join(
    [
        *(story(number)["text"] for number in range(PARAGRAPHS)),
        'The café owner\'s neighbours said "no" -- the programme & the harbour cost 40 per cent more.',
    ]
)
ARTICLE = {
    "id": "1",
    "title": 'Café owner\'s neighbours reject "programme"',
    "text": TEXT,
    "source": "Norwire",
}
MUTATIONS = {mutation.name: mutation for mutation in mutations_of(SPARE)}
CASES = [(mutation, strength) for mutation in MUTATIONS.values() for strength in mutation.strengths]


def after(name: str, strength: float, seed: int = 1) -> str:
    """Return the text after a mutation."""
    return MUTATIONS[name].change(TEXT, strength, Random(seed))


def words(text: str) -> list[str]:
    """Return the words of a text, without the marks around them."""
    return CORE.findall(text)


def changed_words(text: str) -> float:
    """Return the share of the words of `STRENGTH_TEXT` that another text of as many words has not at the same place."""
    before = words(TEXT)
    return sum(a != b for a, b in zip(before, words(text), strict=True)) / len(before)


def changed_characters(text: str) -> float:
    """Return how many places of `STRENGTH_TEXT` were edited, as a share of its characters that are no spaces."""
    edits = SequenceMatcher(None, TEXT, text, autojunk=False).get_opcodes()
    return sum(kind != "equal" for kind, *_ in edits) / len(TEXT.replace(" ", ""))


@pytest.mark.parametrize(("mutation", "strength"), CASES, ids=lambda case: getattr(case, "name", case))
def test_a_mutation_changes_its_fields_alone_and_draws_from_its_seed_alone(
    mutation: Mutation, strength: float
) -> None:
    first, again = (mutated(ARTICLE, mutation, strength, Random("seed")) for _ in range(2))

    assert first == again
    assert {field for field in ARTICLE if first[field] != ARTICLE[field]} == set(mutation.fields)


@pytest.mark.parametrize("name", [name for name, m in MUTATIONS.items() if len(m.strengths) > 1])
def test_another_seed_or_strength_gives_another_text(name: str) -> None:
    mild, harsh = MUTATIONS[name].strengths[0], MUTATIONS[name].strengths[-1]

    assert after(name, mild) != after(name, harsh)
    assert name.startswith("cut") or after(name, mild) != after(name, mild, seed=2)


@pytest.mark.parametrize("strength", [0.8, 0.6, 0.4, 0.3, 0.2])
@pytest.mark.parametrize("where", [0.0, 0.5, 1.0])
def test_a_cut_keeps_its_share_in_one_piece(strength: float, where: float) -> None:
    left = cut(TEXT, strength, Random(1), where=where)

    assert left in TEXT
    assert abs(len(left.split()) / len(TEXT.split()) - strength) <= 0.1
    assert TEXT.startswith(left) == (where == 0)
    assert TEXT.endswith(left) == (where == 1)


def test_a_cut_ends_with_a_sentence_where_one_ends_near() -> None:
    assert cut(
        "It rained all night. The river rose. Dr. Quist of the U.S. office saw it.", 0.5, Random(1)
    ) == ("It rained all night. The river rose.")
    assert cut("one two three four five six seven eight nine ten", 0.3, Random(1)) == "one two three"


@pytest.mark.parametrize("strength", [0.2, 0.5, 1.0, 2.5])
def test_an_extension_adds_its_share_of_other_texts(strength: float) -> None:
    text = after("extended by", strength)
    added = text.removeprefix(TEXT + "\n\n")

    assert len(added) < len(text)
    assert abs(len(added.split()) / len(TEXT.split()) - strength) <= 0.05
    assert all(any(line in spare for spare in SPARE) for line in added.split("\n\n"))


@pytest.mark.parametrize("strength", [0.1, 0.3, 0.5])
def test_sentences_are_dropped_whole(strength: float) -> None:
    sentences = re.split(r"(?<=\.)\s+", TEXT)
    left = re.split(r"(?<=\.)\s+", after("sentences dropped", strength))

    assert len(left) == len(sentences) - round(strength * len(sentences))
    assert [sentence for sentence in sentences if sentence in set(left)] == left


@pytest.mark.parametrize(
    ("name", "ends"), [("sentences reordered", r"(?<=\.)\s+"), ("paragraphs reordered", r"\n\n")]
)
def test_what_is_reordered_stays_whole_and_leaves_its_place(name: str, ends: str) -> None:
    pieces, moved = re.split(ends, TEXT), re.split(ends, after(name, 1.0))

    assert sorted(moved) == sorted(pieces)
    assert all(a != b for a, b in zip(pieces, moved, strict=True))


def test_a_third_of_the_sentences_moves_at_a_third() -> None:
    ends = r"(?<=\.)\s+"
    pieces, moved = re.split(ends, TEXT), re.split(ends, after("sentences reordered", 1 / 3))

    assert sum(a != b for a, b in zip(pieces, moved, strict=True)) == round(len(pieces) / 3)


@pytest.mark.parametrize("strength", [0.05, 0.1, 0.2, 0.3])
def test_words_are_replaced_by_words_of_other_texts(strength: float) -> None:
    text = after("words replaced", strength)

    assert changed_words(text) == pytest.approx(strength, abs=0.01)
    assert set(words(text)) <= set(words(TEXT)) | set(words(" ".join(SPARE)))


@pytest.mark.parametrize("name", ["typing noise", "OCR noise"])
@pytest.mark.parametrize("strength", [0.01, 0.03, 0.05])
def test_noise_falls_on_its_share_of_the_characters(name: str, strength: float) -> None:
    assert changed_characters(after(name, strength)) == pytest.approx(strength, rel=0.35)


def test_a_scanner_misreads_no_spaces_and_breaks_long_words_at_the_end_of_a_line() -> None:
    text = after("OCR noise", 0.05)

    assert text.count(" ") == TEXT.count(" ")
    assert re.search(r"\w-\n\w", text)


@pytest.mark.parametrize(("pair", "slips"), [("to", {"ot", "o", "tto", "ro", "yo"}), ("é", {"", "éé"})])
def test_a_slip_swaps_drops_doubles_or_hits_the_key_beside(pair: str, slips: set[str]) -> None:
    assert {slip(pair, Random(seed)) for seed in range(200)} == slips


@pytest.mark.parametrize(
    ("word", "other"),
    [
        ("Colour", "Color"),
        ("color", "colour"),
        ("CENTRE", "CENTER"),
        ("per cent", "percent"),
        ("river", "river"),
    ],
)
def test_a_word_is_spelled_as_across_the_ocean(word: str, other: str) -> None:
    assert other_spelling(word) == other


@pytest.mark.parametrize(
    ("name", "text", "changed"),
    [
        ("quotes and dashes", 'He said "it\'s over" -- twice.', "He said “it’s over” — twice."),
        ("quotes and dashes", "He said “it’s over” — twice.", 'He said "it\'s over" -- twice.'),
        ("accents lost", "Élodie Čapek of Åre, Łódź", "Elodie Capek of Are, Łodz"),
        ("all upper case", "The café", "THE CAFÉ"),
        ("without headline", "Bridge closed", ""),
    ],
)
def test_what_is_set_otherwise_says_the_same(name: str, text: str, changed: str) -> None:
    assert MUTATIONS[name].change(text, 1.0, Random(1)) == changed


def test_entities_stand_for_all_marks_and_a_share_of_the_spaces() -> None:
    text = after("HTML entities left in", 0.1)

    assert "owner&#39;s neighbours said &quot;no&quot;".replace(" ", "") in re.sub("&nbsp;| ", "", text)
    assert text.count("&nbsp;") == round(0.1 * TEXT.count(" "))


def test_a_dateline_takes_the_place_of_the_one_before_it() -> None:
    bare = "The bridge over the Senn was closed on Thursday."

    for seed in range(50):
        text = MUTATIONS["re-datelined"].change(f"LONDON (Reuters) - {bare}", 1.0, Random(seed))
        assert text.endswith(bare)
        assert len(text) > len(bare)
        assert text != f"LONDON (Reuters) - {bare}"
        assert text.count("London".upper()) + text.count("Reuters") <= 2


@given(case=st.sampled_from(CASES), seed=st.integers(0, 9_999))
def test_no_seed_leaves_an_article_as_it_is(case: tuple[Mutation, float], seed: int) -> None:
    mutation, strength = case

    assert mutated(ARTICLE, mutation, strength, Random(seed)) != ARTICLE


@given(text=st.text(alphabet="ab .!\n\"'é-1", max_size=60), case=st.sampled_from(CASES))
def test_any_text_can_be_mutated(text: str, case: tuple[Mutation, float]) -> None:
    mutation, strength = case

    assert isinstance(mutation.change(text, strength, Random(1)), str)
