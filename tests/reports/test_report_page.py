"""The page of `dedup report` in a browser: origins, outlets, single articles, labels, exports, addresses and keys."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from browsing import PHONE, opened, reported
from commands import written
from newsmaker import batch, story
from playwright.sync_api import Browser, expect

from dedup.io.corpus import read_articles
from dedup.pipeline.deduplicate import deduplicate
from dedup.reports.explanation import explain_in_corpus
from dedup.reports.html.article_details import read_details, sanitize_link
from dedup.settings.settings import Settings

WIRE = story(1)
SENTENCES = WIRE["text"].split(". ")
ADDED = "Nobody at the harbour had seen the like, the oldest pilot said over his soup."


def later(hours: float, source: str, text: str, **more: Any) -> dict[str, Any]:
    """Return an article of the story of the wire."""
    return {
        **WIRE,
        "published": WIRE["published"] + timedelta(hours=hours),
        "source": source,
        "text": text,
        **more,
    }


CARRIED = [
    later(0, "Norwire", f"PORT ELLERY (Reuters) - {WIRE['text']}", id="wire"),
    later(1, "Coastal Daily", ". ".join(SENTENCES[:5]) + ".", id="short"),
    later(3, "Inland Tribune", ". ".join(SENTENCES[:5]) + f". {ADDED}", id="longer"),
    later(4, "Ellery Courier", ". ".join(SENTENCES[:5]) + f". {ADDED}", id="same"),
]


@pytest.fixture(scope="module")
def carried(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the report on a story that three outlets carry."""
    return reported(written(tmp_path_factory.mktemp("carried") / "carried.jsonl", CARRIED))


@pytest.fixture(scope="module")
def newsroom_report(newsroom: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the report on the newsroom."""
    copy = tmp_path_factory.mktemp("newsroom") / "newsroom.jsonl"
    copy.write_bytes(newsroom.read_bytes())
    return reported(copy)


def test_the_articles_of_a_story_say_whose_words_they_carry(carried: Path, browser: Browser) -> None:
    with opened(browser, carried, "cluster=wire") as page:
        rows = page.locator(".members tbody tr")

        expect(page.locator(".origins")).to_contain_text("Origins: 1 of 4")
        expect(rows.nth(0)).to_contain_text("credits Reuters: ELLERY (Reuters)")
        expect(rows.nth(1)).to_contain_text("words from Norwire · cut ")
        expect(rows.nth(2)).to_contain_text("words from Norwire · cut ")
        expect(rows.nth(2)).to_contain_text(", added ")
        expect(rows.nth(3)).to_contain_text("words from Inland Tribune · unchanged")
        expect(rows.nth(3)).to_contain_text(
            "no credit, but the words are those of Reuters, by the credit of Norwire"
        )
        rows.nth(3).locator(".says a", has_text="Inland Tribune").click()
        expect(page.locator(".texts small")).to_contain_text(["longer", "same"])


def test_a_node_says_what_was_cut_and_added_when_it_is_focused_or_pointed_at(
    carried: Path, browser: Browser
) -> None:
    with opened(browser, carried, "cluster=wire") as page:
        page.locator(".node").nth(1).focus()
        expect(page.locator("#carried")).to_contain_text("Coastal Daily")
        expect(page.locator("#carried .cut")).to_contain_text(SENTENCES[5][:40])
        expect(page.locator("#carried .added")).to_have_count(0)

        page.keyboard.press("ArrowDown")

        expect(page.locator("#carried .added")).to_contain_text("Nobody at the harbour had seen the like")
        assert page.locator(".lit").count() > 0
        page.keyboard.press("Escape")
        expect(page.locator("#carried")).to_be_hidden()
        assert page.locator(".lit").count() == 0
        page.locator(".node").nth(3).hover()
        expect(page.locator("#carried")).to_contain_text(
            "100% of its words stand in Inland Tribune, 1 h before"
        )


def test_the_lines_of_the_graph_meet_the_nodes(carried: Path, browser: Browser) -> None:
    with opened(browser, carried, "cluster=wire") as page:
        ends = page.locator(".graph path").evaluate_all(
            """paths => paths.map(path => {
                const end = path.getPointAtLength(path.getTotalLength()), box = path.ownerSVGElement.getBoundingClientRect();
                const node = path.closest("td").querySelector(".node").getBoundingClientRect();
                return [box.x + end.x - node.x - node.width / 2, box.y + end.y - node.y - node.height / 2];
            })"""
        )

        assert len(ends) == 3
        assert all(abs(x) < 2 and abs(y) < 2 for x, y in ends)


def test_articles_of_one_agency_in_other_words_are_one_origin_with_the_reason(
    newsroom_report: Path, newsroom: Path, browser: Browser
) -> None:
    stories = {each.canonical: each for each in deduplicate(read_articles(newsroom)).origins()}
    with opened(browser, newsroom_report, "clusters") as page:
        for canonical in ("ferry-aground-1", "painting-found-1", "harbour-fire-1"):
            page.evaluate(f"location.hash = 'cluster={canonical}'")
            expect(page.locator(".origins")).to_contain_text(f"Origins: {stories[canonical].count_text}")
            for merge in stories[canonical].merges:
                if "copy" not in merge.because and "ex" not in merge.because:
                    expect(page.locator(".says")).to_contain_text([merge.because])


def test_the_graph_and_its_note_fit_a_phone(carried: Path, browser: Browser) -> None:
    with opened(browser, carried, "cluster=wire", viewport=PHONE) as page:
        page.locator(".node").nth(2).focus()
        expect(page.locator("#carried")).to_be_visible()

        box = page.locator("#carried").bounding_box()

        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE["width"]
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the report on stories that two hundred outlets carry, the one later than the other."""
    articles = [
        {
            **story(n),
            "id": f"{n}-{k}",
            "source": f"Outlet {(7 * n + 11 * k) % 200:03d} of Port Ellery and the coast",
            "published": story(n)["published"] + timedelta(minutes=k * k * (1 + n % 50)),
        }
        for n in range(60)
        for k in range(8)
    ]
    return reported(written(tmp_path_factory.mktemp("many") / "many.jsonl", articles))


def test_outlets_are_searched_sorted_and_drawn_as_they_are_asked_for(many: Path, browser: Browser) -> None:
    with opened(browser, many, "outlets") as page:
        rows = page.locator("#outlet-rows tr")
        expect(page.locator("#outlet-count")).to_have_text("200 outlets")
        assert rows.count() == 50
        counts = [int(count) for count in rows.locator("td:nth-child(3)").all_inner_texts()]
        assert counts == sorted(counts, reverse=True)

        page.click("#more-outlets")
        assert rows.count() == 100
        page.select_option("#outlet-sort", "name")
        names = rows.locator("th").all_inner_texts()
        assert names == sorted(names)
        page.fill("#outlet-query", "outlet 013")
        expect(rows).to_have_count(1)
        expect(page.locator("#outlet-count")).to_have_text("1 of 200 outlets")
        page.fill("#outlet-query", "nobody")
        expect(page.locator(".lags-frame")).to_be_hidden()
        page.fill("#outlet-query", "")
        page.fill("#outlet-least", "1")
        expect(page.locator("#outlet-rows small")).to_have_count(0)


def test_the_median_of_an_outlet_lies_in_its_bar_and_at_its_time(many: Path, browser: Browser) -> None:
    with opened(browser, many, "outlets") as page:
        page.select_option("#outlet-sort", "fastest")
        parts = page.locator("#outlet-rows svg").evaluate_all(
            """drawings => drawings.map(drawing => ["rect.half", "line.median", "line.whisker"].map(part => {
                const box = drawing.querySelector(part).getBoundingClientRect();
                return [box.left, box.right];
            }))"""
        )

        assert len(parts) > 10
        for (left, right), (median, _), (least, most) in parts:
            assert least - 2 <= left <= median + 2 <= right + 4 <= most + 8
        medians = [median for _, (median, _), _ in parts]
        assert medians == sorted(medians)


FIT = """() => {
    const poor = [];
    for (const frame of document.querySelectorAll("figure, .lags thead th.strip")) {
        const edge = frame.getBoundingClientRect(), name = frame.textContent.trim().slice(0, 40);
        const texts = [...frame.querySelectorAll("svg text, .ends span")];
        const boxes = texts.map((text) => text.getBoundingClientRect()).filter((box) => box.width);
        for (const [n, a] of boxes.entries()) {
            if (a.left < edge.left - 0.5 || a.right > edge.right + 0.5) poor.push(["clips", name, a.left, a.right]);
            for (const b of boxes.slice(n + 1)) {
                const meet = a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
                if (meet) poor.push(["collides", name, a.left, b.left]);
            }
        }
    }
    return poor;
}"""
"""The labels of axes that leave their frame or meet another label."""


@pytest.mark.parametrize("width", [320, 360, 390, 520, 700, 840, 1024, 1280, 1920])
def test_labels_of_axes_neither_clip_nor_collide_in_any_view(
    many: Path, newsroom_report: Path, browser: Browser, width: int
) -> None:
    for report, views in (
        (many, ("overview", "outlets")),
        (newsroom_report, ("overview", "outlets", "storylines", "cluster=harbour-fire-1")),
    ):
        with opened(browser, report, viewport={"width": width, "height": 800}) as page:
            for view in views:
                page.evaluate(f"location.hash = '{view}'")
                page.wait_for_timeout(50)
                assert page.evaluate(FIT) == [], view
                assert page.evaluate("document.documentElement.scrollWidth") <= width, view


def test_names_in_both_articles_are_marked_as_explain_names_them(
    newsroom_report: Path, newsroom: Path, browser: Browser
) -> None:
    pair = ("ferry-aground-1", "ferry-aground-2")
    explained = explain_in_corpus(read_articles(newsroom), pair)
    assert len(explained.names) > 5
    with opened(
        browser, newsroom_report, "cluster=ferry-aground-1&a=ferry-aground-1&b=ferry-aground-2"
    ) as page:
        expect(page.locator(".texts article")).to_have_count(2)

        for side in (1, 2):
            text = page.locator(f".texts article:nth-child({side}) > div").inner_text()
            marked = set(page.locator(f".texts article:nth-child({side}) mark.name").all_inner_texts())
            assert {name for name in explained.names if name in text} <= marked
        expect(page.locator("#comparison")).to_contain_text("Names in both: ")


def test_a_name_that_only_one_article_has_is_not_marked(newsroom_report: Path, browser: Browser) -> None:
    with opened(browser, newsroom_report, "cluster=ferry-aground-1") as page:
        expect(page.locator(".texts article")).to_have_count(2)
        texts = [page.locator(f".texts article:nth-child({n})").inner_text().lower() for n in (1, 2)]

        for n in (1, 2):
            for name in page.locator(f".texts article:nth-child({n}) mark.name").all_inner_texts():
                assert name.lower() in texts[2 - n]


def test_the_names_of_syllables_are_pairs_of_words() -> None:
    vietnamese = {"text": "Thủ tướng Nguyễn Tấn Dũng gặp Nguyễn Tấn Dũng tại Hà Nội.", "language": "vi"}
    articles = batch([{"id": "a", **vietnamese}])

    details = read_details([articles], [0], frozenset([0]), 1_000, Settings())

    assert any(" " in word for word, _ in details.names[0])


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://news.example/1?a=b#c", "https://news.example/1?a=b#c"),
        (" http://news.example/ ", "http://news.example/"),
        ("javascript:alert(1)", ""),
        ("data:text/html,<script>alert(1)</script>", ""),
        ("//news.example/1", ""),
        ("/1", ""),
        ("https:///nowhere", ""),
        ("https://[bad", ""),
        ("https://news.example/" + "a" * 3_000, ""),
        (None, ""),
    ],
)
def test_only_addresses_of_the_web_are_links(url: str | None, link: str) -> None:
    assert sanitize_link(url) == link


def test_an_article_links_to_its_outlet_and_tells_it_nothing(tmp_path: Path, browser: Browser) -> None:
    good, bad = 'https://news.example/1?q="><script>alert(1)</script>', "javascript:alert(2)"
    articles = [{"id": str(n), **story(1), "url": url} for n, url in enumerate((good, bad))]
    with opened(browser, reported(written(tmp_path / "links.jsonl", articles)), "cluster=0") as page:
        links = page.locator(".texts a")

        expect(links).to_have_count(1)

        assert links.evaluate(
            "link => [link.getAttribute('href'), link.rel, link.target, link.textContent]"
        ) == [
            good,
            "noopener noreferrer",
            "_blank",
            "news.example ↗",
        ]


def test_single_articles_are_found_and_have_an_address(
    newsroom_report: Path, newsroom: Path, browser: Browser
) -> None:
    result = deduplicate(read_articles(newsroom))
    with opened(browser, newsroom_report, "articles") as page:
        expect(page.locator("#article-count")).to_have_text(f"{len(result.ids)} articles")
        page.select_option("#article-kind", "single")
        singles = int(page.locator("#article-count").inner_text().split()[0])
        chapters = {a for story in result.list_chapters() for a in story}
        clusters = {a for group in result.list_cluster_positions() for a in group}
        assert singles == len(set(range(len(result.ids))) - chapters - clusters)

        page.locator("#article-rows a").first.click()

        expect(page.locator("#cluster")).to_be_visible()
        page.evaluate("location.hash = 'articles'")
        page.select_option("#article-kind", "repeat")
        expect(page.locator("#article-count")).to_contain_text(f"{len(result.dropped)} of ")


@pytest.mark.parametrize(
    ("address", "heading", "current"),
    [
        ("story-wire", WIRE["title"], "wire"),
        ("story-longer", WIRE["title"], "longer"),
        ("story-other%20%2F%20%23one", story(2)["title"], None),
    ],
)
def test_the_address_of_a_story_opens_it_by_any_of_its_articles(
    address: str, heading: str, current: str | None, tmp_path: Path, browser: Browser
) -> None:
    corpus = written(tmp_path / "few.jsonl", [*CARRIED, {**story(2), "id": "other / #one"}])
    with opened(browser, reported(corpus), address) as page:
        expect(page.locator("h1:visible")).to_have_text(heading)
        if current == "longer":
            expect(page.locator("tr[aria-current]")).to_contain_text("Inland Tribune")
        if current is None:
            expect(page.locator("#cluster")).to_contain_text("A single article")


@pytest.mark.parametrize("address", ["story-nobody", "story-%E0%A4%A", "story-"])
def test_the_address_of_a_story_that_is_not_there_says_so(
    address: str, carried: Path, browser: Browser
) -> None:
    with opened(browser, carried, address) as page:
        expect(page.locator("h1:visible")).to_have_text("No such cluster")
