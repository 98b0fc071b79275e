import re
import unicodedata
from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from newsmaker import batch

from dedup.text.tokenizer import (
    CAPITALIZED,
    CHARACTER_BIGRAM,
    IN_QUOTES,
    MAX_HEADLINE_WORDS,
    NUMERIC,
    SENTENCE_START,
    SHORT_WORD,
    TITLE_WORD,
    Words,
    hash_words,
    tokenize_articles,
)
from dedup.text.unicode_tables import (
    CHARACTER_CLASS,
    CHARACTER_FOLD,
    CODE_POINT_BITS,
    TABLE_CODE_POINTS,
    UPPER_CASE,
)

WORD32 = 0xFFFFFFFF


def hash_of(word: str) -> int:
    """Return the hash of a folded word: FNV-1a over its code points, MurmurHash3's finalizer, never 0."""
    h = 2166136261
    for character in word:
        h = (h ^ ord(character)) * 16777619 & WORD32
    h = (h ^ h >> 16) * 0x85EBCA6B & WORD32
    h = (h ^ h >> 13) * 0xC2B2AE35 & WORD32
    return max(h ^ h >> 16, 1)


def kind(character: str) -> str:
    """Return a letter for the class of a character: U, L(etter), D(igit), C(JK …), M(ark), P(oint), -."""
    code = ord(character)
    if code >= TABLE_CODE_POINTS:
        return "C" if code < 0x40000 else "-"
    entry = int(CHARACTER_CLASS[code])
    return "U" if entry & UPPER_CASE else "-LDCM---P"[entry]


def plain(text: str) -> str:
    """Return what letters and digits fold to, one or two characters each, and marks to nothing."""
    values = [
        int(CHARACTER_FOLD[ord(c)]) if ord(c) < TABLE_CODE_POINTS else ord(c) for c in text if kind(c) != "M"
    ]
    return "".join(
        chr(v & (1 << CODE_POINT_BITS) - 1) + (chr(v >> CODE_POINT_BITS) if v >> CODE_POINT_BITS else "")
        for v in values
    )


RUN, INITIAL, INITIALS, WORD, THOUSANDS = map(
    re.compile, ("C[CM]*", "UM*", r"(?:\.A(?=\.))+", "[ULD][ULDM]*", "999(?!9)")
)


def end_of(pattern: re.Pattern[str], text: str, start: int) -> int:
    """Return where the match of a pattern that begins at `start` ends."""
    found = pattern.match(text, start)
    return found.end() if found else start


def read(text: str) -> list[str]:
    """Return the words of a text by the documented rules, slowly: classes first, then patterns over them."""
    kinds = "".join(map(kind, text))
    ascii_ = "".join("9" if c in "0123456789" else "A" if "A" <= c <= "Z" else c for c in text)
    words = []
    i = 0
    while i < len(text):
        if run := RUN.match(kinds, i):
            dense = [c for c in text[i : run.end()] if kind(c) == "C"]
            words += ["".join(pair) for pair in pairwise(dense)] or dense
            i = run.end()
        elif (initial := INITIAL.match(kinds, i)) and (more := INITIALS.match(ascii_, initial.end())):
            words.append(plain(text[i : more.end()].replace(".", "")))
            i = more.end()
        elif word := WORD.match(kinds, i):
            end, parts = word.end(), [plain(word_of := text[i : word.end()])]
            while (
                kind(word_of[0]) == "D" and kinds[end : end + 1] == "P" and ascii_[end + 1 : end + 2] == "9"
            ):
                parts += [] if THOUSANDS.match(ascii_, end + 1) else ["."]
                more_of = text[end + 1 : end_of(WORD, kinds, end + 1)]
                parts.append(plain(more_of))
                end += 1 + len(more_of)
            words.append("".join(parts))
            i = end
        else:
            i += 1
    return words


def split(text: str, title: str = "") -> Words:
    """Return the kernel's words of one article."""
    return tokenize_articles(pa.array([title]), pa.array([text]))


def hashes(text: str, title: str = "") -> list[int]:
    """Return the kernel's word hashes of one article."""
    return list(map(int, split(text, title).hashes))


def flagged(text: str, flag: int, title: str = "") -> list[bool]:
    """Return for each word of one article whether it carries a flag."""
    return [bool(f & flag) for f in split(text, title).flags.tolist()]


def titled(text: str, title: str = "") -> tuple[int, int]:
    """Return (words of the title, words of the body) of one article."""
    found = split(text, title)
    return int(found.title_lengths[0]), len(found.hashes) - int(found.title_lengths[0])


MORSELS = [
    *"abZSUÉßﬁæ0123.,\"“”«» \n'’-_!。٣\u0301\u00ad\0",
    "1,200",
    "2.345",
    "3.5",
    "U.S.",
    "A.B",
    "Ph.D.",
    "12.",
]
LETTERS = st.lists(
    st.one_of(st.sampled_from(MORSELS), st.characters(codec="utf-8").filter(lambda c: kind(c) != "C"))
).map("".join)
DENSE_RUNS = st.text(st.sampled_from(list("中文新聞ニュースがกรุงเทพ한국어\U00020000\u00ad")))


@given(st.lists(st.one_of(LETTERS, DENSE_RUNS)).map(" ".join))
@examples(max_examples=100)
def test_the_kernel_reads_the_words_that_the_rules_say(text: str) -> None:
    assert hashes(text) == [hash_of(word) for word in read(text)]


@given(LETTERS, LETTERS, LETTERS)
@examples(max_examples=50)
def test_an_article_reads_the_same_among_others(before: str, text: str, after: str) -> None:
    titles = pa.array(["", "", ""])

    found = tokenize_articles(titles, pa.array([before, text, after]))

    assert found.hashes[found.offsets[1] : found.offsets[2]].tolist() == hashes(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The RIVER Rose", ["the", "river", "rose"]),
        ("Élysée façade, Zürich", ["elysee", "facade", "zurich"]),
        ("Straße STRASSE", ["strasse", "strasse"]),
        ("ﬁnal stuﬀ", ["final", "stuff"]),
        ("the U.S. said", ["the", "us", "said"]),
        ("a Ph.D. or u.S.", ["a", "ph", "d", "or", "u", "s"]),
        ("U.S.A. and U.K.", ["usa", "and", "uk"]),
        ("1,200 and 1.200 and 1200", ["1200", "and", "1200", "and", "1200"]),
        ("3.5 or 3,5", ["3.5", "or", "3.5"]),
        ("1,200,300.", ["1200300"]),
        ("don't l'État", ["don", "t", "l", "etat"]),
        ("don’t", ["don", "t"]),
        ("soft\u00adhyphen zero\u200bwidth", ["softhyphen", "zerowidth"]),
        ("Санкт-Петербург", ["санкт", "петербург"]),
        ("Москва МОСКВА", ["москва", "москва"]),
        ("مُحَمَّد محمد", ["محمد", "محمد"]),
        ("٢٠٣١", ["2031"]),
        ("\uff21\uff22\uff23\u3000\uff11\uff12", ["abc", "12"]),
        ("青凪市長", ["青凪", "凪市", "市長"]),
        ("ニュース。空", ["ニュ", "ュー", "ース", "空"]),
        ("กรุง", ["กร", "รุ", "ุง"]),
        ("한국", ["한국"]),
        ("", []),
        ("\0\0", []),
        ("a\0b", ["a", "b"]),
        ("...!?", []),
        ("🦊 fox", ["fox"]),
    ],
)
def test_words_are_read_as_documented(text: str, words: list[str]) -> None:
    assert hashes(text) == [hash_of(word) for word in words]


@pytest.mark.parametrize(
    "text",
    [
        "Der Täter floh über die Brücke nach Köln",
        "Le président a été réélu à Évreux dès août",
        "El niño cruzó la montaña con su pingüino",
        "A inundação avançou até São João",
        "È più città che virtù",
        "Чайка й ёлка",
        "أعلنت المسؤولة أن الآثار آمنة",
        "Thủ tướng đã đến Hà Nội",
        "Η κυβέρνηση ανακοίνωσε μέτρα",
    ],
)
def test_normal_forms_read_the_same(text: str) -> None:
    composed, apart = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))

    assert hashes(composed) == hashes(apart)


@pytest.mark.xfail(reason="jamo, kana voicing marks and nuktas taken apart make other words")
@pytest.mark.parametrize("text", ["한국 정부는 발표했다", "ガンダムがパリで", "क़लम और ऩई"])
def test_normal_forms_of_dense_scripts_read_the_same(text: str) -> None:
    composed, apart = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))

    assert hashes(composed) == hashes(apart)


def test_a_number_ends_a_run_of_dense_characters() -> None:
    assert hashes("4月12日") == hashes("4 月 12 日")


def test_half_width_kana_read_as_kana() -> None:
    assert hashes("ﾄｳｷｮｳ") == hashes("トウキョウ")


@pytest.mark.xfail(reason="a ligature of three letters has no room in the table")
def test_a_ligature_of_three_letters_reads_as_its_letters() -> None:
    assert hashes("oﬃce") == hashes("office")


def test_capital_greek_reads_as_small_greek() -> None:
    assert hashes("ΟΔΟΣ") == hashes("οδος")


def test_straight_quotes_read_as_curly_ones() -> None:
    straight, curly = split('He said "the dam\'s safe" twice'), split("He said “the dam’s safe” twice")

    assert straight.hashes.tolist() == curly.hashes.tolist()
    assert straight.flags.tolist() == curly.flags.tolist()


def test_word_hashes_are_those_of_the_kernel_and_0_for_what_is_not_one_word() -> None:
    found = hash_words(["Fähre", "two words", "", "don't", "青凪"])

    assert found.tolist() == [hash_of("fahre"), 0, 0, 0, hash_of("青凪")]


def test_capitals_are_flagged() -> None:
    assert flagged("the River Élan 5B", CAPITALIZED) == [False, True, True, False]


def test_the_first_word_of_each_sentence_is_flagged() -> None:
    text = "Rain fell. The dam, they say, held! Will it? “It will,” he said\nNobody knows"

    found = [w for w, flag in zip(read(text), flagged(text, SENTENCE_START), strict=True) if flag]

    assert found == ["rain", "the", "will", "it", "nobody"]


def test_numbers_are_flagged() -> None:
    assert flagged("5 of 1,200 in 2nd or B12", NUMERIC) == [True, False, True, False, True, False, False]


def test_short_words_are_flagged() -> None:
    assert flagged("an oak tree 12", SHORT_WORD) == [True, True, False, True]


def test_pairs_of_characters_are_flagged() -> None:
    assert flagged("abc 青凪市", CHARACTER_BIGRAM) == [False, True, True]


@pytest.mark.parametrize(
    "text",
    [
        'one "two three" four',
        "one “two three” four",
        "one «two three» four",
        "one „two three“ four",
        "one「two three」four",
    ],
)
def test_words_inside_quotation_marks_are_flagged(text: str) -> None:
    assert flagged(text, IN_QUOTES) == [False, True, True, False]


def test_a_quotation_left_open_ends_with_its_line() -> None:
    assert flagged("one “two three\nfour five", IN_QUOTES) == [False, True, True, False, False]


def test_the_title_comes_first_and_is_flagged() -> None:
    found = flagged("Rain fell all night", TITLE_WORD, title="Dam holds")

    assert found == [True, True, False, False, False, False]


def test_a_first_line_that_repeats_the_title_is_dropped() -> None:
    found = split("DAM  holds!\n\nRain fell all night", "Dam Holds")

    assert found.hashes.tolist() == hashes("Rain fell all night", "Dam holds")
    assert found.title_lengths.tolist() == [2]


def test_a_first_line_that_goes_on_after_the_title_stays() -> None:
    assert titled("Dam holds again\nRain fell all night", "Dam holds") == (2, 7)


def test_a_headline_on_the_first_line_of_an_untitled_text_is_its_title() -> None:
    assert titled("\n  Dam holds after a night of rain\nIt rained all night.") == (7, 4)


def test_a_first_line_that_ends_like_a_sentence_is_no_headline() -> None:
    assert titled("Dam holds after a night of rain.\nIt rained all night.") == (0, 11)


def test_a_first_line_longer_than_a_headline_is_no_headline() -> None:
    line = "word " * MAX_HEADLINE_WORDS

    assert titled(f"{line}\nIt rained all night.") == (MAX_HEADLINE_WORDS, 4)
    assert titled(f"{line}more\nIt rained all night.") == (0, MAX_HEADLINE_WORDS + 5)


def test_a_text_of_one_line_has_no_title() -> None:
    assert titled("Dam holds after a night of rain") == (0, 7)
    assert titled("Dam holds after a night of rain\n") == (0, 7)


def test_a_first_line_of_dense_script_can_be_a_headline() -> None:
    assert titled("青凪市に新しい船\n市長が発表した。") == (7, 6)


def test_nothing_has_no_words() -> None:
    nothing = tokenize_articles(pa.array([], pa.string()), pa.array([], pa.string()))

    assert nothing.hashes.size == 0
    assert nothing.offsets.tolist() == [0]


def test_null_reads_as_empty() -> None:
    found = tokenize_articles(pa.array([None, "A title"]), pa.array(["some text", None]))

    assert found.offsets.tolist() == [0, 2, 4]
    assert found.title_lengths.tolist() == [0, 2]


def test_slices_and_large_strings_read_like_any_column() -> None:
    texts = pa.array(["left out", "some text", "more of it"])
    titles = pa.array(["", "", ""])

    sliced = tokenize_articles(titles.slice(1), texts.slice(1))
    large = tokenize_articles(titles.slice(1).cast(pa.large_string()), texts.slice(1).cast(pa.large_string()))

    assert sliced.hashes.tolist() == hashes("some text more of it")
    assert large.hashes.tolist() == sliced.hashes.tolist()


def broken(data: list[bytes]) -> pa.StringArray:
    """Return a string column over bytes that are no UTF-8, as a careless producer may hand it over."""
    return pa.array(data, pa.binary()).view(pa.string())


@given(st.lists(st.binary(max_size=12), min_size=1, max_size=6))
@examples(max_examples=100)
def test_broken_utf8_spoils_only_the_article_it_is_in(data: list[bytes]) -> None:
    texts = broken([*data, b"a sound text"])

    found = tokenize_articles(pa.nulls(len(texts), pa.string()), texts)

    assert found.hashes[found.offsets[-2] :].tolist() == hashes("a sound text")


def test_a_lone_surrogate_cannot_reach_the_kernel() -> None:
    found = batch(["one \ud83d two"])["text"]

    assert found.to_pylist() == ["one \ufffd two"]
    with pytest.raises(UnicodeEncodeError):
        pa.array(["\ud83d"])


def test_nul_reads_as_a_space() -> None:
    assert hashes(batch(["one\0two"])["text"][0].as_py()) == hashes("one two")


def test_dense_letters_beyond_the_tables_are_pairs_too() -> None:
    assert kind("\U00020000") == "C"
    assert hashes("\U00020000\U00020001\U00020002") == [
        hash_of("\U00020000\U00020001"),
        hash_of("\U00020001\U00020002"),
    ]
