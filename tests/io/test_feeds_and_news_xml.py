"""Feeds, NewsML-G2 and NITF give their items, and no entity of theirs is expanded."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from corpora import lines, rows

from dedup.errors import InputError
from dedup.io.corpus import Corpus, read_articles
from dedup.io.xml_text import ENTITY_REASON

RSS = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/">
<channel><title>Harbour Digest</title><link>https://digest.example/</link><language>en-gb</language>
<item><title>Ferry &amp; tugs</title><link>https://norwire.example/ferry</link><guid isPermaLink="false">n-1</guid>
<pubDate>Fri, 03 May 2024 09:30:00 +0200</pubDate><source url="https://norwire.example/rss">Norwire</source>
<description>In short.</description>
<content:encoded><![CDATA[<p>The ferry ran <b>aground</b>.</p><script>track()</script>
<p>Nobody was hurt.</p>]]></content:encoded></item>
<item><title>Only a summary</title><guid>n-2</guid><description>&lt;p&gt;Two tugs came.&lt;/p&gt;</description></item>
<item><title>Nothing at all</title><guid>n-3</guid></item>
</channel></rss>"""

ATOM = """<?xml version="1.0" encoding="iso-8859-1"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="de"><title>Küstenpost</title><id>urn:feed</id>
<entry><id>urn:1</id><title type="html">Fähre &amp;amp; Schlepper</title><updated>2024-05-03T07:30:00Z</updated>
<link href="https://kueste.example/1"/><summary>Kurz.</summary>
<content type="html">&lt;p&gt;Die Fähre lief auf Grund.&lt;/p&gt;</content></entry></feed>"""

NITF = """<nitf{namespace}><head><title>Ignored</title><docdata><date.issue norm="20240503T093000+0200"/>
<doc-id id-string="nitf-7" regsrc="NW"/></docdata></head><body xml:lang="en"><body.head><hedline><hl1>Ferry runs
aground</hl1></hedline><distributor>Norwire</distributor></body.head><body.content><p>The ferry <em>Merganser</em> ran
aground.</p><p>Nobody was hurt.</p></body.content><body.end/></body></nitf>"""

NEWSML = """<?xml version="1.0"?><newsMessage xmlns="http://iptc.org/std/nar/2006-10-01/"><header><sent>2024-05-03</sent>
</header><itemSet>
<newsItem guid="tag:norwire:1" version="2" xml:lang="en"><itemMeta><itemClass qcode="ninat:text"/><provider
literal="Norwire"/><versionCreated>2024-05-03T09:45:00+02:00</versionCreated></itemMeta><contentMeta>
<contentCreated>2024-05-03T09:30:00+02:00</contentCreated><language tag="en"/><headline>Ferry runs aground</headline>
</contentMeta><contentSet><inlineXML contenttype="application/xhtml+xml"><html xmlns="http://www.w3.org/1999/xhtml">
<head><title/></head><body><p>The ferry ran aground.</p><p>Nobody was hurt.</p></body></html></inlineXML></contentSet>
</newsItem>
<newsItem guid="tag:norwire:2"><contentMeta><headline>Plain</headline></contentMeta><contentSet>
<inlineData contenttype="text/plain">Two tugs came.</inlineData></contentSet></newsItem>
<newsItem guid="tag:norwire:3"><contentMeta><headline>Inside</headline></contentMeta><contentSet><inlineXML>{nitf}
</inlineXML></contentSet></newsItem></itemSet></newsMessage>"""


def test_the_items_of_rss_are_articles_with_their_own_source(tmp_path: Path) -> None:
    pytest.importorskip("feedparser")
    (tmp_path / "feed.rss").write_text(RSS)
    corpus = read_articles(tmp_path)

    first, second = rows(corpus)

    assert first == {
        "id": "n-1",
        "title": "Ferry & tugs",
        "text": "The ferry ran aground.\nNobody was hurt.",
        "published": datetime(2024, 5, 3, 7, 30, tzinfo=UTC),
        "source": "Norwire",
        "url": "https://norwire.example/ferry",
        "language": "en-gb",
    }
    assert (second["text"], second["source"], second["published"]) == (
        "Two tugs came.",
        "Harbour Digest",
        None,
    )
    assert [(reject.line, reject.reason) for reject in corpus.rejects] == [
        (3, "no text (nor body, content, article)")
    ]
    assert len(lines(corpus)) == 2


def test_the_entries_of_atom_are_read_in_the_encoding_that_the_feed_declares(tmp_path: Path) -> None:
    pytest.importorskip("feedparser")
    (tmp_path / "feed.xml").write_bytes(ATOM.encode("latin-1"))

    (article,) = rows(read_articles(tmp_path))

    assert (article["title"], article["text"]) == ("Fähre & Schlepper", "Die Fähre lief auf Grund.")
    assert (article["source"], article["url"]) == ("Küstenpost", "https://kueste.example/1")
    assert (article["language"], article["published"]) == ("de", datetime(2024, 5, 3, 7, 30, tzinfo=UTC))


def test_a_feed_that_breaks_off_gives_the_items_before_the_break(tmp_path: Path) -> None:
    pytest.importorskip("feedparser")
    (tmp_path / "feed.rss").write_text(RSS[: RSS.index("<item><title>Nothing")])
    corpus = read_articles(tmp_path)

    assert [row["id"] for row in rows(corpus)] == ["n-1", "n-2"]
    assert corpus.rejects[0].reason.startswith("broken XML")


def test_a_feed_without_its_package_is_an_error_that_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "feed.rss").write_text(RSS)
    monkeypatch.setitem(sys.modules, "feedparser", None)

    with pytest.raises(
        InputError, match=r"reading feeds needs feedparser: pip install 'news-dedup\[feeds\]'"
    ):
        rows(read_articles(tmp_path))


def test_a_document_of_nitf_is_an_article(tmp_path: Path) -> None:
    doctype = '<!DOCTYPE nitf SYSTEM "nitf-3-4.dtd">'
    (tmp_path / "a.xml").write_text('<?xml version="1.0"?>' + doctype + NITF.format(namespace=""))

    (article,) = rows(read_articles(tmp_path))

    assert article == {
        "id": "nitf-7",
        "title": "Ferry runs aground",
        "text": "The ferry Merganser ran aground.\nNobody was hurt.",
        "published": datetime(2024, 5, 3, 7, 30, tzinfo=UTC),
        "source": "Norwire",
        "url": None,
        "language": "en",
    }


def test_the_items_of_newsml_are_articles_whatever_their_text_is_in(tmp_path: Path) -> None:
    nitf = NITF.format(namespace=' xmlns="http://iptc.org/std/NITF/2006-10-18/"')
    (tmp_path / "a.newsml").write_text(NEWSML.format(nitf=nitf))

    first, second, third = rows(read_articles(tmp_path))

    assert (first["id"], first["title"]) == ("tag:norwire:1", "Ferry runs aground")
    assert first["text"] == "The ferry ran aground.\nNobody was hurt."
    assert (first["published"], first["source"]) == (datetime(2024, 5, 3, 7, 30, tzinfo=UTC), "Norwire")
    assert (second["text"], second["title"]) == ("Two tugs came.", "Plain")
    assert (third["id"], third["title"]) == ("tag:norwire:3", "Inside")
    assert third["text"] == "The ferry Merganser ran aground.\nNobody was hurt."


BOMB = '<!DOCTYPE rss [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE rss [<!ENTITY a SYSTEM "file:///etc/hostname">]>'


@pytest.mark.parametrize(
    "doctype", [BOMB, OUTSIDE, "<!-- [x] > -->" + BOMB, BOMB.lower().replace("entity", "ENTITY")]
)
@pytest.mark.parametrize("body", [RSS.partition("?>")[2].replace("Nobody", "&b;"), NITF.format(namespace="")])
def test_a_document_that_declares_entities_is_rejected(tmp_path: Path, doctype: str, body: str) -> None:
    (tmp_path / "a.xml").write_text(f'<?xml version="1.0"?>{doctype}{body}')
    corpus = read_articles(tmp_path)

    assert rows(corpus) == []
    assert [reject.reason for reject in corpus.rejects] == [ENTITY_REASON]
    assert corpus.corrupt_files == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<sitemap/>", "XML of 'sitemap'; known are RSS"),
        (b"", "not XML; known are"),
        (b"hello", "not XML; known are"),
        ("<rss/>".encode("utf-16-le"), "not XML; known are"),
        (b"<nitf><body><p>open", "broken XML, and so is the rest"),
        (b"<nitf>" + b"<p>" * 300, "elements are nested more than 200 deep"),
    ],
)
def test_other_xml_is_rejected_with_the_reason(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "a.xml").write_bytes(content)
    corpus = read_articles(tmp_path)

    assert rows(corpus) == []
    assert corpus.rejects[0].reason.startswith(reason)


def test_newsml_is_read_an_item_at_a_time(tmp_path: Path) -> None:
    item = '<newsItem guid="{}"><contentSet><inlineData>Two tugs came.</inlineData></contentSet></newsItem>'
    items = "".join(item.format(n) for n in range(500))
    (tmp_path / "a.xml").write_text(f"<newsMessage><itemSet>{items}</itemSet></newsMessage>")

    corpus = Corpus([tmp_path], max_article_bytes=1 << 21)

    assert len(rows(corpus)) == 500
    (tmp_path / "a.xml").write_text(f"<newsItem><p>{'x' * (3 << 20)}</p></newsItem>")
    assert rows(corpus) == []
    assert [reject.reason for reject in corpus.rejects] == ["longer than 2,097,152 bytes"]
