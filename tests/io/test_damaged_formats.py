"""A damaged file of any format gives articles, rejects or one sentence, and the same number of articles in both passes."""

from pathlib import Path
from random import Random

import pytest
from corpora import lines, rows
from pages import make_page, write_warc
from test_feeds_and_news_xml import ATOM, NEWSML, NITF, RSS
from test_tables import TABLE, make_workbook, write_arrow

from dedup.errors import InputError
from dedup.io.corpus import read_articles

for package in ("trafilatura", "fastwarc", "feedparser", "python_calamine"):
    pytest.importorskip(package)

TRIALS = 40
KINDS = (".arrow", ".arrows", ".feather", ".orc", ".xlsx", ".warc", ".rss", ".atom", ".newsml", ".html")


def make_file(path: Path) -> bytes:
    """Return a sound file of the kind that its extension names."""
    if path.suffix in {".arrow", ".arrows", ".feather", ".orc"}:
        write_arrow(path, TABLE)
    elif path.suffix == ".xlsx":
        path.write_bytes(make_workbook({"A": [["id", "text"], *([n, f"Ferry {n}"] for n in range(20))]}))
    elif path.suffix == ".warc":
        pages = [
            (f"https://a.org/{n}", make_page(f"Ferry {n}").encode(), "text/html", "200 OK") for n in range(3)
        ]
        write_warc(path, pages, gzip=False)
    else:
        news = NEWSML.format(nitf=NITF.format(namespace=""))
        path.write_text({".rss": RSS, ".atom": ATOM, ".newsml": news, ".html": make_page()}[path.suffix])
    return path.read_bytes()


def damage(data: bytes, random: Random) -> bytes:
    """Return a file with a few bytes changed, removed or added."""
    changed = bytearray(data)
    for _ in range(random.randint(1, 6)):
        place = random.randrange(len(changed) or 1)
        if random.random() < 0.6:
            changed[place : place + 1] = random.randbytes(1)
        elif random.random() < 0.5:
            del changed[place : place + random.randint(1, 300)]
        else:
            changed[place:place] = random.randbytes(random.randint(1, 30))
    return bytes(changed)


@pytest.mark.parametrize("kind", KINDS)
def test_damage_is_never_more_than_a_reject_or_a_sentence(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"news{kind}"
    data, random = make_file(path), Random(7)
    sound = len(rows(read_articles(path)))
    assert sound
    sentences = []

    for _ in range(TRIALS):
        path.write_bytes(damage(data, random))
        corpus = read_articles(path)
        try:
            assert len(rows(corpus)) == len(lines(corpus))
        except InputError as error:
            sentences.append(str(error))
    assert [sentence for sentence in sentences if path.name not in sentence] == []
