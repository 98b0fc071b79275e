import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings as examples
from newsmaker import Article, batch, corpora, planned, sketched

from dedup.sketches.minhash import compute_signatures, hash_bands
from dedup.sketches.sketch import Sketches, concat_sketches, sketch_batch

POLYGLOT = [
    {
        "title": "Bridge shut",
        "text": "The bridge over the Senn was closed on Thursday after a crack was found.",
        "language": "en",
    },
    {"text": "Die Brücke über die Senn wurde am Donnerstag wegen eines Risses gesperrt, sagte die Stadt."},
    {"text": "Le pont sur la Senn a été fermé jeudi après la découverte d'une fissure, a dit la mairie."},
    {"text": "Мост через Сенн закрыли в четверг из-за трещины, сообщили в мэрии города."},
    {"text": "أغلق الجسر فوق نهر سين يوم الخميس بعد اكتشاف شق فيه كما قالت البلدية."},
    {"text": "市政府周四表示，因发现裂缝，森河大桥已经关闭。"},
    {"text": "ตำรวจปิดสะพานข้ามแม่น้ำเมื่อวันพฤหัสบดี"},
    {"text": ""},
]


def same(a: Sketches, b: Sketches) -> bool:
    """Return whether two batches of sketches hold the same bits."""
    return all(np.array_equal(x, y, equal_nan=x.dtype.kind == "f") for x, y in zip(a, b, strict=True))


@given(corpora(most=12))
@examples(max_examples=25)
def test_a_batch_may_be_cut_anywhere(articles: list[Article]) -> None:
    articles = [*articles, *POLYGLOT]
    whole = batch(articles)

    for size in (1, 3, 7):
        parts = [sketch_batch(whole.slice(i, size)) for i in range(0, whole.num_rows, size)]
        assert same(concat_sketches(parts), sketch_batch(whole))


def test_articles_of_many_languages_are_sketched_in_one_batch() -> None:
    together = sketched(POLYGLOT)

    alone = [sketched([article]) for article in POLYGLOT]

    assert same(together, concat_sketches(alone))


def test_dates_are_kept_in_days_and_missing_ones_as_nan() -> None:
    days = sketched([{"text": "x", "published": "1970-01-02T12:00:00Z"}, {"text": "y"}]).days

    assert days[0] == 1.5
    assert np.isnan(days[1])


def test_lengths_are_those_of_the_text_or_else_of_the_title() -> None:
    lengths = sketched(
        [
            {"title": "A title of five words", "text": "three more words"},
            {"title": "A title of five words", "text": ""},
            {"text": ""},
        ]
    ).lengths

    assert lengths.tolist() == [3, 5, 0]


def test_bands_are_those_of_the_signatures() -> None:
    s = sketched(planned(5, seed=1))

    signatures = compute_signatures(s.shingles, s.shingle_offsets, 64, 1)

    assert np.array_equal(s.bands, hash_bands(signatures, 2))


@pytest.mark.parametrize(("text", "none"), [("some text", False), ("", True)])
def test_only_an_article_without_words_has_no_bands(text: str, none: bool) -> None:
    bands = sketch_batch(batch([text]), bands=10, rows=3).bands

    assert bands.shape == (1, 10)
    assert (bands == 0).all() == none
    assert (bands > 0).all() != none


def test_boilerplate_is_no_part_of_a_sketch() -> None:
    text = "The bridge over the Senn was closed on Thursday after a crack was found.\nIt stays shut."
    dressed = f"Share\nLONDON (Reuters) - {text}\nRead more:\n- Cats of the year\n"

    assert same(sketched([dressed]), sketched([text]))


def test_the_outlet_named_in_a_title_is_no_part_of_it() -> None:
    bare, dressed = (
        {"title": title, "text": "It stays shut."}
        for title in ("Bridge shut", "Bridge shut | The Daily Example")
    )

    assert same(sketched([bare]), sketched([dressed]))


def test_no_article_makes_no_sketch() -> None:
    nothing = sketch_batch(pa.RecordBatch.from_pylist([], batch(["x"]).schema))

    assert [len(nothing.text_hashes), len(nothing.shingles), len(nothing.term_hashes)] == [0, 0, 0]
    assert same(concat_sketches([nothing, sketched(["some text"])]), sketched(["some text"]))
