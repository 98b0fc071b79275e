"""The page of `dedup report` in a browser: origins, outlets, single articles, labels, exports, addresses and keys."""

import csv
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from browsing import CONTRASTS, PHONE, opened, reported
from commands import called, written
from newsmaker import batch, planned, story
from playwright.sync_api import Browser, Page, expect

from dedup.evaluation.pair_labels import (
    ANSWER_FOLLOWUP,
    ANSWER_NOT_SAME,
    ANSWER_OPEN,
    ANSWER_SAME,
    PairLabel,
    find_labelled_pairs,
    format_pair_label,
    read_pair_labels,
)
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


def test_an_article_with_a_part_of_the_words_is_partial_in_the_graph_and_its_key(
    browser: Browser, tmp_path: Path
) -> None:
    own = [" ".join(reversed(sentence.split())) for sentence in SENTENCES[4:]]
    articles = [
        later(0, "Norwire", WIRE["text"], id="wire"),
        later(2, "Inland Tribune", ". ".join([*SENTENCES[:4], *own]) + ".", id="part"),
        later(3, "Coastal Daily", WIRE["text"], id="copy"),
    ]
    report = reported(written(tmp_path / "partial.jsonl", articles))

    with opened(browser, report, "cluster=wire") as page:
        row = page.locator(".members tbody tr").nth(1)
        expect(row).to_contain_text("words from Norwire · cut ")
        expect(row.locator(".node")).to_have_class("node partial")
        expect(page.locator(".carriers .marks")).to_contain_text("partial")
        expect(page.locator(".carriers .marks")).to_contain_text("repeats the wording or a part of it")
        dot = "node => getComputedStyle(node, '::before').backgroundColor"
        colours = {page.locator(f".node.{name}").evaluate(dot) for name in ("partial", "exact")}
        assert len(colours) == 2
        assert page.locator(".carriers .marks .relation.partial").evaluate(dot) in colours


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
            "news.example\u00a0↗",
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


def save(page: Page, button: str, folder: Path) -> Path:
    """Click a button that saves a file, and return the file."""
    with page.expect_download() as saved:
        page.locator(button).click()
    path = folder / saved.value.suggested_filename
    saved.value.save_as(path)
    return path


def test_labels_are_saved_as_calibrate_reads_them(
    newsroom_report: Path, newsroom: Path, tmp_path: Path, browser: Browser
) -> None:
    result = deduplicate(read_articles(newsroom))
    with opened(browser, newsroom_report, "cluster=harbour-fire-1", accept_downloads=True) as page:
        expect(page.locator("#label-bar")).to_be_hidden()
        page.locator("tr", has_text="harbour-fire-2").locator(".right").click()
        page.locator("tr", has_text="harbour-fire-4").locator(".wrong").click()
        page.evaluate("location.hash = 'cluster=ferry-aground-1'")
        expect(page.locator("h1:visible")).to_contain_text("Ferry with 212 aboard")
        page.locator(".answers button", has_text="Follow-up").click()
        page.evaluate("location.hash = 'cluster=painting-found-1'")
        expect(page.locator("h1:visible")).to_contain_text("Stolen Varga painting")
        page.locator(".answers").wait_for()
        page.keyboard.press("o")
        expect(page.locator("#label-count")).to_have_text("4 labels")

        file = save(page, "#save-labels", tmp_path)

    expected = [
        PairLabel("harbour-fire-1", "harbour-fire-2", ANSWER_SAME),
        PairLabel("harbour-fire-1", "harbour-fire-4", ANSWER_NOT_SAME),
        PairLabel("ferry-aground-1", "ferry-aground-2", ANSWER_FOLLOWUP),
        PairLabel("painting-found-1", "painting-found-2", ANSWER_OPEN),
    ]
    assert file.name == "labels.jsonl"
    assert file.read_bytes() == b"".join(map(format_pair_label, expected))
    labels = read_pair_labels(file)
    assert labels == expected
    pairs = find_labelled_pairs(labels, result.ids, "story")
    assert (pairs.together.tolist(), pairs.open, pairs.unknown) == ([True, False, False], 1, 0)


def test_calibrate_takes_the_labels_of_a_report(tmp_path: Path, browser: Browser) -> None:
    corpus = written(tmp_path / "planned.jsonl", planned(300, seed=11, stories=90))
    with opened(browser, reported(corpus), "clusters", accept_downloads=True) as page:
        page.select_option("#relation", "rewrite")
        for link in page.locator("#rows a").all()[:25]:
            page.evaluate("hash => { location.hash = hash; }", link.get_attribute("href"))
            expect(page.locator("#cluster h1")).to_have_text(link.text_content() or "")
            page.locator(".members tr:has(.relation.rewrite) .right").first.click()
        page.evaluate("location.hash = 'borderline'")
        missed = page.locator("#borderline section.card:not(:has(h2:text('matched'))) .right")
        for mark in missed.all():
            mark.click()
        count = int(page.locator("#label-count").inner_text().split()[0])
        file = save(page, "#save-labels", tmp_path)

    answer = called("calibrate", corpus, "--pairs", file)

    assert count == len(read_pair_labels(file)) > 20
    assert answer.exit_code == 0, answer.stderr
    assert json.loads(answer.stdout)["pairs"] > 20


def test_the_marks_of_a_pair_mean_what_the_run_decided(
    newsroom_report: Path, tmp_path: Path, browser: Browser
) -> None:
    with opened(browser, newsroom_report, "borderline", accept_downloads=True) as page:
        matched = page.locator("section.card:has-text('Just matched') tbody tr").first
        missed = page.locator("section.card:has-text('Just missed') tbody tr").first
        matched.locator(".right").click()
        missed.locator(".wrong").click()
        expect(matched.locator(".right")).to_have_attribute("aria-pressed", "true")
        both = read_pair_labels(save(page, "#save-labels", tmp_path))
        matched.locator(".wrong").click()
        missed.locator(".right").click()
        opposite = read_pair_labels(save(page, "#save-labels", tmp_path))

    assert [label.answer for label in both] == [ANSWER_SAME, ANSWER_SAME]
    assert ANSWER_SAME not in {label.answer for label in opposite}


def test_labels_outlive_a_reload_and_can_be_taken_back(newsroom_report: Path, browser: Browser) -> None:
    with opened(browser, newsroom_report, "cluster=harbour-fire-1") as page:
        mark = page.locator("tr", has_text="harbour-fire-2").locator(".right")
        mark.click()
        page.reload()
        expect(mark).to_have_attribute("aria-pressed", "true")
        expect(page.locator(".answers button", has_text="Same story")).to_have_attribute(
            "aria-pressed", "true"
        )

        mark.click()

        expect(mark).to_have_attribute("aria-pressed", "false")
        expect(page.locator("#label-bar")).to_be_hidden()
        page.locator(".wrong").first.click()
        page.click("#clear-labels")
        page.reload()
        expect(page.locator("#label-bar")).to_be_hidden()


def test_a_story_is_saved_as_json_with_its_origins(carried: Path, tmp_path: Path, browser: Browser) -> None:
    with opened(browser, carried, "cluster=wire", accept_downloads=True) as page:
        file = save(page, ".exports button:has-text('JSON')", tmp_path)

    story = json.loads(file.read_text())
    assert file.name == "story-wire.json"
    assert (story["cluster"], story["size"], story["origins"]) == ("wire", 4, 1)
    assert story["canonical"]["agencies"] == ["Reuters"]
    members = {member["id"]: member for member in story["members"]}
    assert {name: member["words_from"] for name, member in members.items()} == {
        "short": "wire",
        "longer": "wire",
        "same": "longer",
    }
    assert members["same"]["published"] == later(4, "", "")["published"].isoformat()
    assert members["same"]["credited_by"] == "wire"
    assert members["short"]["share_from_parent"] == 1


def test_a_story_is_saved_as_csv_that_no_spreadsheet_runs(tmp_path: Path, browser: Browser) -> None:
    title = '=HYPERLINK("http://192.0.2.1"),\n"x"'
    articles = [{"id": f"/a/{n}", **story(1), "title": title, "source": '@SUM(1)"'} for n in range(2)]
    with opened(
        browser, reported(written(tmp_path / "csv.jsonl", articles)), "cluster=/a/0", accept_downloads=True
    ) as page:
        file = save(page, ".exports button:has-text('CSV')", tmp_path)

    with file.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines, strict=True))
    assert file.name == "story--a-0.csv"
    assert [row["id"] for row in rows] == ["/a/0", "/a/1"]
    assert rows[1]["relation"] == "exact"
    assert rows[0]["title"] == f"'{title}"
    assert rows[0]["source"] == "'@SUM(1)\""


def test_back_and_forward_return_to_where_a_view_was_left(many: Path, browser: Browser) -> None:
    with opened(browser, many, "clusters") as page:
        page.evaluate("scrollTo(0, 1500)")
        page.wait_for_function("() => scrollY === 1500")
        link = page.locator("#rows a").nth(30)
        link.evaluate("link => link.click()")
        expect(page.locator("#cluster h1")).to_be_visible()
        page.wait_for_function("() => scrollY === 0")
        page.locator(".waterfall").wait_for()
        page.evaluate("scrollTo(0, 700)")
        page.wait_for_function("() => scrollY === 700")

        page.go_back()
        page.wait_for_function("() => scrollY === 1500")
        expect(link).to_be_focused()
        page.go_forward()
        expect(page.locator("#cluster h1")).to_be_visible()
        page.wait_for_function("() => scrollY === 700")
        page.reload()
        page.locator(".waterfall").wait_for()
        page.wait_for_function("() => scrollY === 700")


def test_a_search_is_still_there_on_the_way_back(newsroom_report: Path, browser: Browser) -> None:
    with opened(browser, newsroom_report, "clusters") as page:
        page.fill("#query", "fire")
        before = page.locator("#rows a").all_inner_texts()
        page.locator("#rows a").first.click()
        expect(page.locator("#cluster h1")).to_be_visible()

        page.go_back()

        expect(page.locator("#query")).to_have_value("fire")
        assert page.locator("#rows a").all_inner_texts() == before


def test_keys_are_listed_and_do_what_the_list_says(newsroom_report: Path, browser: Browser) -> None:
    with opened(browser, newsroom_report) as page:
        page.keyboard.press("?")
        expect(page.locator("dialog#keys")).to_be_visible()
        listed = page.locator("#keys kbd").all_inner_texts()
        assert {"/", "?", "j", "k", "n", "p", "s", "f", "d", "o"} <= set(listed)
        page.keyboard.press("2")
        expect(page.locator("#overview")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("dialog#keys")).to_be_hidden()

        for n, link in enumerate(page.locator("nav a").all(), start=1):
            page.keyboard.press(str(n))
            expect(link).to_have_attribute("aria-current", "page")

        page.keyboard.press("2")
        expect(page.locator("#clusters h1")).to_be_focused()
        page.keyboard.press("j")
        page.keyboard.press("j")
        page.keyboard.press("k")
        expect(page.locator("#rows a").first).to_be_focused()
        titles = page.locator("#rows a").all_inner_texts()
        page.keyboard.press("Enter")
        expect(page.locator("#cluster h1")).to_have_text(titles[0])
        page.keyboard.press("n")
        expect(page.locator("#cluster h1")).to_have_text(titles[1])
        page.keyboard.press("p")
        expect(page.locator("#cluster h1")).to_have_text(titles[0])
        page.locator(".answers").wait_for()
        for key, name in (("s", "Same story"), ("f", "Follow-up"), ("d", "Different"), ("o", "Undecided")):
            page.keyboard.press(key)
            expect(page.locator(".answers [aria-pressed=true]")).to_contain_text(name)


def test_letters_in_a_field_are_only_letters(newsroom_report: Path, browser: Browser) -> None:
    with opened(browser, newsroom_report, "clusters") as page:
        page.focus("#query")
        page.keyboard.type("jn?2s")

        expect(page.locator("#query")).to_have_value("jn?2s")
        expect(page.locator("#clusters")).to_be_visible()
        expect(page.locator("dialog#keys")).to_be_hidden()


@pytest.mark.parametrize("view", ["clusters", "articles", "outlets", "borderline", "cluster=harbour-fire-1"])
def test_whatever_has_the_focus_shows_it(newsroom_report: Path, view: str, browser: Browser) -> None:
    with opened(browser, newsroom_report, view) as page:
        if view.startswith("cluster="):
            page.locator(".waterfall").wait_for()
        for _ in range(30):
            page.keyboard.press("Tab")
            shown = page.evaluate(
                """() => {
                    const node = document.activeElement, style = getComputedStyle(node);
                    if (node === document.body) return true;
                    return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
                }"""
            )
            assert shown, page.evaluate("document.activeElement.outerHTML.slice(0, 200)")


def test_outlets_of_one_owner_are_one_origin(newsroom: Path, tmp_path: Path, browser: Browser) -> None:
    corpus = tmp_path / "newsroom.jsonl"
    corpus.write_bytes(newsroom.read_bytes())
    owners = tmp_path / "owners.csv"
    owners.write_text("domain,group\nnorwire.example,Norholm Media\ncoastaldaily.example,Norholm Media\n")
    with opened(browser, reported(corpus, "--publishers", str(owners)), "cluster=ferry-aground-1") as page:
        expect(page.locator(".origins")).to_contain_text("Origins: 1 of 2")
        expect(page.locator(".says")).to_contain_text("same origin as Norwire: same group (Norholm Media)")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_notes_labels_and_keys_stand_out_from_what_is_behind_them(
    carried: Path, scheme: str, browser: Browser
) -> None:
    with opened(browser, carried, "cluster=wire", color_scheme=scheme) as page:
        page.locator(".answers").wait_for()
        page.locator(".right").first.click()
        page.locator(".wrong").last.click()
        page.locator(".node").nth(2).focus()
        expect(page.locator("#carried .added")).to_be_visible()
        assert page.evaluate(CONTRASTS)[1] == []

        page.keyboard.press("?")

        expect(page.locator("dialog#keys")).to_be_visible()
        assert page.evaluate(CONTRASTS)[1] == []


def test_a_search_without_a_hit_says_so_and_leads_to_all_articles(
    newsroom_report: Path, browser: Browser
) -> None:
    with opened(browser, newsroom_report, "clusters") as page:
        page.fill("#query", "lottery")
        expect(page.locator("#no-rows")).to_contain_text("No cluster matches.")
        expect(page.locator("#clusters table")).to_be_hidden()

        page.click("#search-all")

        expect(page.locator("#article-query")).to_have_value("lottery")
        assert page.locator("#article-rows tr").count() > 0
        page.fill("#article-query", "nobody has this")
        expect(page.locator("#no-article-rows")).to_be_visible()
        page.evaluate("location.hash = 'storylines'")
        page.fill("#storyline-query", "nobody has this")
        expect(page.locator("#no-storyline-cards")).to_be_visible()
        page.evaluate("location.hash = 'clusters'")
        page.fill("#query", "")
        expect(page.locator("#clusters table")).to_be_visible()
