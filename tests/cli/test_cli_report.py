"""`dedup report` in a browser: what people do with the page, and what no corpus may do to it."""

import re
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import browsing
import pytest
from browsing import DESKTOP, PHONE, opened, reported
from commands import called, written
from newsmaker import batch, story, version
from playwright.sync_api import Browser, Page, expect
from sagas import CHAPTERS, STORYLINES, linked, saga

from dedup.io.corpus import read_articles
from dedup.pipeline.deduplicate import deduplicate
from dedup.pipeline.results import Result
from dedup.reports.html.page import build_report_page
from dedup.text.boilerplate.passages import remove_boilerplate
from dedup.text.shared_passages import find_shared_passages

VIEWS = ("overview", "clusters", "storylines", "articles", "outlets", "borderline", "boilerplate", "rejects")
ALERT = "<script>alert(1)</script>"
PLEA = "Sign up for our newsletter to get the news of the day."
HOSTILE = [
    ALERT,
    "</script><script>alert(2)</script>",
    "<img src=x onerror=alert(3)>",
    '" onmouseover="alert(4)" x="',
    "{{ 7 * 7 }} {% raw %}",
    "<!--<script>",
    "</title></style><svg onload=alert(5)>",
]


@pytest.fixture(scope="session")
def report(newsroom: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the report on the newsroom."""
    copy = tmp_path_factory.mktemp("report") / "newsroom.jsonl"
    copy.write_bytes(newsroom.read_bytes())
    return reported(copy)


@pytest.fixture(scope="session")
def found(newsroom: Path) -> Result:
    """Return what the report on the newsroom is about."""
    return deduplicate(read_articles(newsroom))


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the report on two storylines, of nine chapters and of two."""
    folder = tmp_path_factory.mktemp("saga")
    corpus = read_articles(written(folder / "saga.jsonl", saga()))
    result = linked(deduplicate(corpus), STORYLINES)
    shown = folder / "saga.html"
    shown.write_bytes(build_report_page(result, corpus, name="saga", version="0"))
    return shown


@pytest.fixture(scope="session")
def joined(newsroom: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the report on the newsroom at the level of storylines."""
    copy = tmp_path_factory.mktemp("joined") / "newsroom.jsonl"
    copy.write_bytes(newsroom.read_bytes())
    return reported(copy, "--level", "storyline")


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the report on articles that would do harm if they were taken for markup."""
    corpus = tmp_path_factory.mktemp("hostile") / f"{ALERT.replace('/', '')}.jsonl"
    articles = [
        {
            **story(n),
            "id": f"{n}-{k} {attack}&b=#c",
            "title": attack,
            "source": attack,
            "text": f"{story(n)['text']}\n{attack}",
        }
        for n, attack in enumerate(HOSTILE)
        for k in range(2)
    ]
    lines: list[dict[str, Any] | bytes | str] = [*articles, f'{{"id": "{ALERT}"}}', ALERT]
    return reported(written(corpus, lines), "--max-rejects", "100%")


def rows(page: Page) -> list[str]:
    """Return the titles in the list of clusters."""
    return page.locator("#rows a").all_inner_texts()


def test_the_overview_says_what_became_of_the_articles(report: Path, found: Result, browser: Browser) -> None:
    with opened(browser, report) as page:
        said = f"{len(found.dropped)} of 54 articles repeat another"
        expect(page.locator("h1:visible")).to_have_text(said)
        rewrites = [match.relation for match in found.dropped].count("rewrite")
        expect(page.locator(".legend tr", has_text="rewrite")).to_contain_text(str(rewrites))
        expect(page.locator(".legend tr", has_text="followup")).to_have_count(0)
        expect(page.locator("figure svg[role=img]:visible")).to_have_count(4)
        assert page.title() == f"{said} – dedup report"


def test_searching_narrows_the_list_of_clusters(report: Path, found: Result, browser: Browser) -> None:
    with opened(browser, report, "clusters") as page:
        every = len(found.clusters)
        assert len(rows(page)) == every

        page.fill("#query", "lifeboats AGROUND")

        assert rows(page) == ["Ferry with 212 aboard runs aground on the Comb off Threnlow"]
        expect(page.locator("#count")).to_have_text(f"1 of {every} clusters")
        page.fill("#query", "no such story")
        assert rows(page) == []
        page.fill("#query", "")
        page.select_option("#relation", "excerpt")
        assert 0 < len(rows(page)) < every


def test_the_list_is_sorted_by_its_heads(report: Path, browser: Browser) -> None:
    with opened(browser, report, "clusters") as page:
        sizes = [int(size) for size in page.locator("#rows tr td:nth-child(2)").all_inner_texts()]
        assert sizes == sorted(sizes, reverse=True)

        page.click("button[data-sort=weakest]")

        scores = [
            float(score.rstrip("%")) for score in page.locator("#rows td:nth-child(6)").all_inner_texts()
        ]
        assert scores == sorted(scores)
        expect(page.locator("th[aria-sort=ascending]")).to_have_text("Lowest score")
        expect(page.locator("#sort")).to_have_value("weakest")
        page.select_option("#sort", "title")
        assert rows(page) == sorted(rows(page), key=lambda title: (title[0] > "z", title))


def test_a_cluster_has_an_address_that_survives_a_reload(report: Path, browser: Browser) -> None:
    with opened(browser, report, "clusters") as page:
        page.click("#rows a:has-text('aground')")

        assert page.url.endswith("#cluster=ferry-aground-1")
        page.reload()
        expect(page.locator("h1:visible")).to_have_text(
            "Ferry with 212 aboard runs aground on the Comb off Threnlow"
        )
        expect(page.locator(".members tbody tr")).to_have_count(2)
        expect(page.locator("#cluster .timeline circle")).to_have_count(2)
        assert "from 2 Mar 2026, 08:20 to 2 Mar 2026, 12:15" in str(
            page.locator("#cluster .timeline svg").get_attribute("aria-label")
        )
        page.go_back()
        expect(page.locator("#clusters")).to_be_visible()


def test_a_cluster_that_there_is_not_is_told_so(report: Path, browser: Browser) -> None:
    with opened(browser, report, "cluster=nobody") as page:
        expect(page.locator("#cluster")).to_contain_text("lists no cluster with the article nobody")


def test_the_overview_counts_storylines_and_links_to_them(running: Path, browser: Browser) -> None:
    with opened(browser, running) as page:
        expect(page.locator("#overview .lede")).to_contain_text(
            "9 follow-ups are among them: later chapters of 2 storylines"
        )
        expect(page.locator(".tiles div", has_text="Storylines").locator("dd")).to_have_text("2")

        page.click("#overview .lede a")

        expect(page.locator("h1:focus")).to_have_text("Storylines")
        expect(page.locator("nav a[aria-current]")).to_have_text("Storylines")


def test_an_address_with_a_view_opens_it_from_the_top(running: Path, browser: Browser) -> None:
    with opened(browser, running, "storylines", viewport=PHONE) as page:
        expect(page.locator("h1:visible")).to_have_text("Storylines")
        expect(page.locator("h1:visible")).to_be_in_viewport()
        page.wait_for_function("() => scrollY === 0")


TEXTS_THAT_DO_NOT_FIT = """() => [...document.querySelectorAll("figure svg[role=img]")].flatMap((svg) => {
    const frame = svg.closest("figure").getBoundingClientRect();
    const boxes = [...svg.querySelectorAll("text")].map((text) => text.getBoundingClientRect()).filter((box) => box.width);
    const collide = (a, b) => a !== b && a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
    const clips = (box) => box.left < frame.left || box.right > frame.right;
    return boxes.filter((box) => clips(box) || boxes.some((other) => collide(box, other)));
}).length"""


@pytest.mark.parametrize("width", [320, 360, 840, 1280])
def test_labels_of_charts_neither_clip_nor_collide(report: Path, browser: Browser, width: int) -> None:
    with opened(browser, report, viewport={"width": width, "height": 800}) as page:
        assert page.locator("figure svg[role=img] text").count() > 10
        assert page.evaluate(TEXTS_THAT_DO_NOT_FIT) == 0


def test_storylines_are_listed_longest_first_with_their_chapters(running: Path, browser: Browser) -> None:
    with opened(browser, running, "storylines") as page:
        cards = page.locator(".storyline:visible")
        expect(cards.locator("h2")).to_have_text([story(1)["title"], story(21)["title"]])
        expect(page.locator("#storyline-count")).to_have_text("2 storylines")

        chapters = cards.first.locator(".chapters li")
        expect(chapters).to_have_count(6)
        expect(chapters.nth(0)).to_contain_text("republished twice")
        expect(chapters.nth(0)).to_contain_text("leads it")
        expect(chapters.nth(1)).to_contain_text(story(2)["title"])
        expect(chapters.nth(1)).to_contain_text("+24 h")
        expect(chapters.nth(1)).to_contain_text("follows 90%")
        expect(chapters.nth(2)).to_contain_text("republished once")

        cards.first.locator("a.button").click()

        expect(page.locator("h1:focus")).to_have_text(story(1)["title"])
        assert page.url.endswith("#storyline=c1")
        expect(page.locator(".chapters:visible li")).to_have_count(CHAPTERS)
        expect(page.locator(".chapters:visible li").last).to_contain_text("undated")


def test_the_chapters_stand_on_an_axis_of_time_and_undated_ones_at_its_end(
    running: Path, browser: Browser
) -> None:
    for size in (DESKTOP, PHONE):
        with opened(browser, running, "storyline=c1", viewport=size) as page:
            strip = page.locator(".course:visible")
            assert str(strip.get_attribute("aria-label")).endswith(", and 1 without a date")
            rings = strip.locator(".chapter circle").evaluate_all(
                "nodes => nodes.map(node => { const box = node.getBoundingClientRect(); return [box.x, box.y, box.width]; })"
            )
            assert [x for x, _, _ in rings] == sorted(x for x, _, _ in rings)
            assert len(rings) == CHAPTERS
            for (x, y, width), (other_x, other_y, _) in combinations(rings, 2):
                assert abs(x - other_x) >= width or abs(y - other_y) >= width
            expect(strip.locator("> circle.exact")).to_have_count(3)
            labels = strip.locator("> text").evaluate_all(
                "nodes => nodes.map(node => { const box = node.getBoundingClientRect(); return [box.left, box.right]; })"
            )
            assert all(right <= left for (_, right), (left, _) in pairwise(labels))


def test_a_chapter_opens_its_story_and_a_story_its_storyline(running: Path, browser: Browser) -> None:
    with opened(browser, running, "storyline=c1") as page:
        page.locator(".chapters:visible a").nth(2).click()

        expect(page.locator("h1:focus")).to_have_text(story(3)["title"])
        expect(page.locator(".members tbody tr")).to_have_count(2)
        expect(page.locator(".storyline-note")).to_have_text(
            f"Chapter 3 of {CHAPTERS} in the storyline {story(1)['title']}; it follows with a probability of 90%. "
            "Compare them"
        )
        page.locator(".storyline-note a").first.click()
        expect(page.locator("h1:focus")).to_have_text(story(1)["title"])
        page.locator(".course .chapter").first.click()
        expect(page.locator(".storyline-note")).to_have_text(
            f"Chapter 1 of {CHAPTERS} in the storyline that it leads."
        )


def test_a_chapter_that_was_told_once_is_read_beside_the_first(running: Path, browser: Browser) -> None:
    with opened(browser, running, "storyline=c1") as page:
        page.locator(".chapters:visible a").nth(1).click()

        expect(page.locator("#cluster .lede")).to_contain_text("not republished")
        expect(page.locator(".texts h3")).to_have_text([story(1)["title"], story(2)["title"]])
        expect(page.locator("#cluster")).to_contain_text("The storyline model's part is below")
        page.select_option(
            "label:has-text('Left') select", label=f"{story(4)['source']} · {story(4)['title']}"
        )
        assert page.url.endswith("#cluster=c2&a=c4&b=c2")
        page.reload()
        expect(page.locator(".texts h3")).to_have_text([story(4)["title"], story(2)["title"]])


def test_searching_narrows_the_list_of_storylines(running: Path, browser: Browser) -> None:
    with opened(browser, running, "storylines") as page:
        page.keyboard.press("/")
        page.keyboard.type(story(22)["title"].upper())

        expect(page.locator("#storyline-count")).to_have_text("1 of 2 storylines")
        expect(page.locator(".storyline:visible h2")).to_have_text(story(21)["title"])


def test_a_follow_up_that_was_nearly_one_story_is_weighed_by_both_models(
    report: Path, browser: Browser
) -> None:
    with opened(browser, report, "borderline") as page:
        kept = page.locator("#borderline tr", has_text="it is kept as a follow-up").first
        likely = kept.locator(".figure").inner_text()

        kept.locator("a").click()

        expect(page.locator("summary:visible")).to_have_text(
            ["Why, by the storyline model", "Why, by the story model"]
        )
        shown = page.locator(".waterfall tfoot th").last.inner_text()
        assert float(shown.split()[-1].rstrip("%")) == pytest.approx(float(likely.rstrip("%")), abs=0.6)
        expect(page.locator("#cluster .back")).to_have_text("← The storyline")


def test_a_storyline_that_there_is_not_is_told_so(running: Path, browser: Browser) -> None:
    with opened(browser, running, "storyline=nobody") as page:
        expect(page.locator("#cluster")).to_contain_text("lists no storyline with the article nobody")


def test_where_followups_join_they_are_told_by_a_colour_of_their_own(joined: Path, browser: Browser) -> None:
    with opened(browser, joined) as page:
        expect(page.locator(".legend tr", has_text="followup")).to_contain_text(
            "another chapter of the same storyline"
        )
        expect(page.locator(".key:visible").last).to_contain_text("matched as follow-ups")
        colours = page.locator(".legend .relation").evaluate_all(
            "nodes => nodes.map(node => getComputedStyle(node, '::before').backgroundColor)"
        )
        assert len(set(colours)) == len(colours) == 6
        browsing.visit(page, joined, "clusters")
        page.select_option("#relation", "followup")
        page.locator("#rows a").first.click()
        expect(page.locator(".members .relation.followup").first).to_be_visible()
        browsing.visit(page, joined, "storylines")
        expect(page.locator("#storylines .lede")).to_contain_text(
            "the chapters of a storyline are one cluster"
        )


def test_two_members_are_compared_side_by_side(report: Path, newsroom: Path, browser: Browser) -> None:
    with opened(browser, report, "cluster=harbour-fire-1") as page:
        page.click(".members tr:has-text('harbour-fire-3') a.button")
        expect(page.locator(".texts article")).to_have_count(2)

        assert "b=harbour-fire-3" in page.url
        texts = {
            id_: text
            for batch in read_articles(newsroom)
            for id_, text in zip(
                batch["id"].to_pylist(), remove_boilerplate(batch, None).to_pylist(), strict=True
            )
        }
        passages = find_shared_passages(texts["harbour-fire-1"], texts["harbour-fire-3"], 100)
        marks = page.locator(".texts article:first-child mark:not(.own)").all_inner_texts()
        assert sorted(" ".join(mark.split()) for mark in marks) == sorted(passages)
        expect(page.locator(".texts s", has_text="Read more")).to_be_visible()
        expect(page.locator(".waterfall tfoot")).to_contain_text("Probability")

        page.select_option("label:has-text('Left') select", index=1)
        expect(page.locator(".texts article:first-child small")).to_contain_text("harbour-fire-2")
        assert "a=harbour-fire-2" in page.url
        expect(page.locator(".texts ~ p")).to_contain_text("the kept article that it was compared with")


def test_the_same_words_are_marked_down_to_four_and_not_in_boilerplate(
    tmp_path: Path, browser: Browser
) -> None:
    texts = {
        "a": "Ana Ruiz told the harbour board on Monday that the old crane would be gone by June; nobody at the "
        f"table was surprised, and the vote took four minutes.\n{PLEA}",
        "b": "Nobody at the table spoke. The old crane would stay, Ana Ruiz told the harbour board on Monday that "
        f"week, if it can be paid for; by June; then the vote took four minutes.\n{PLEA}",
    }
    articles = [
        {"id": name, **story(1), "text": f"{story(1)['text']}\n{text}", "published": f"2031-05-0{day}"}
        for day, (name, text) in enumerate(texts.items(), start=4)
    ]
    one, other = remove_boilerplate(batch(articles), None).to_pylist()
    passages = find_shared_passages(one, other, 100)
    assert min(len(passage.split()) for passage in passages) == 4
    with opened(browser, reported(written(tmp_path / "two.jsonl", articles)), "cluster=a") as page:
        expect(page.locator(".texts article")).to_have_count(2)

        marks = page.locator(".texts article:first-child mark:not(.own)").all_inner_texts()

        assert sorted(" ".join(mark.split()) for mark in marks) == sorted(passages)
        expect(page.locator(".texts s", has_text=PLEA)).to_have_count(2)


def test_numbers_that_the_other_has_nowhere_are_marked(report: Path, browser: Browser) -> None:
    with opened(browser, report, "a=lottery-draw-1118&b=lottery-draw-1119") as page:
        expect(page.locator(".texts article")).to_have_count(2)
        own = [set(page.locator(f".texts article:nth-child({n}) mark.own").all_inner_texts()) for n in (1, 2)]

        others = [page.locator(f".texts article:nth-child({n}) div").inner_text() for n in (2, 1)]
        assert min(map(len, own)) > 3
        for numbers, other in zip(own, others, strict=True):
            assert not [
                number
                for number in numbers
                if re.search(rf"(?<![\w.,]){re.escape(number)}(?!\w|[.,]\w)", other)
            ]


def test_borderline_pairs_can_be_compared(report: Path, browser: Browser) -> None:
    with opened(browser, report, "borderline") as page:
        expect(page.locator("#borderline h2")).to_have_text(["Just matched", "Just missed", "Held apart"])
        held = page.locator("section:has-text('Held apart') tr:has-text('Crown Lottery')").first
        expect(held).to_contain_text("one form with other facts in it")

        held.locator("a").click()

        expect(page.locator(".texts article")).to_have_count(2)
        expect(page.locator("#cluster")).to_contain_text("one form with other facts")
        expect(page.locator("nav a[aria-current]")).to_have_text("Borderline")


def test_titles_and_texts_are_shown_and_never_run(hostile: Path, browser: Browser) -> None:
    with opened(browser, hostile) as page:
        for view in VIEWS:
            browsing.visit(page, hostile, view)
        expect(page.locator("#rejects code", has_text=ALERT).first).to_be_attached()
        browsing.visit(page, hostile, "clusters")
        assert sorted(rows(page)) == sorted(HOSTILE)
        for n in range(len(HOSTILE)):
            browsing.visit(page, hostile, "clusters")
            page.locator("#rows a").nth(n).click()
            expect(page.locator("h1:visible")).to_have_text(rows(page)[n])
            expect(page.locator(".texts article")).to_have_count(2)
            assert (
                page.locator("h1:visible").inner_text()
                in page.locator(".texts article div").first.inner_text()
            )
        assert page.locator("main img, main iframe, main script, svg[onload]").count() == 0
        assert page.locator("html[data-ready] script:not([type])").count() == 1


def test_the_policy_lets_no_other_script_run_and_nothing_load(report: Path, browser: Browser) -> None:
    page = browser.new_page()
    loaded: list[str] = []
    failed: list[str | None] = []
    page.on("response", lambda response: loaded.append(response.url))
    page.on("requestfailed", lambda request: failed.append(request.failure))
    browsing.visit(page, report, "overview")
    loaded.clear()

    page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.ran = true";
            document.body.append(script);
            const picture = document.createElement("img");
            picture.src = "http://192.0.2.1/spy.png";
            document.body.append(picture);
            document.body.setAttribute("onclick", "window.ran = true");
            document.body.click();
            return fetch("http://192.0.2.1/").catch(() => null);
        }"""
    )

    assert page.evaluate("window.ran") is None
    assert loaded == []
    assert set(failed) == {"csp"}
    page.close()


def test_the_keyboard_is_enough(report: Path, browser: Browser) -> None:
    with opened(browser, report, "") as page:
        page.keyboard.press("Tab")
        expect(page.locator(":focus")).to_have_text("Skip to the content")
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        expect(page.locator(":focus")).to_have_text("Clusters")
        page.keyboard.press("Enter")
        expect(page.locator("h1:focus")).to_have_text("Clusters")

        page.keyboard.press("/")
        page.keyboard.type("painting")
        expect(page.locator("#count")).to_contain_text("1 of ")
        for _ in range(20):
            page.keyboard.press("Tab")
            if page.locator("#rows a:focus").count():
                break
        page.keyboard.press("Enter")

        expect(page.locator("h1:focus")).to_have_text(
            "Stolen Varga painting found behind false wall in Quillfort"
        )
        for _ in range(30):
            page.keyboard.press("Tab")
            if page.locator("a:focus", has_text="Compare").count():
                break
        page.keyboard.press("Enter")
        expect(page.locator("h2:focus")).to_have_text("Side by side")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("name", "views"),
    [
        ("report", (*VIEWS, "cluster=harbour-fire-1&a=harbour-fire-1&b=harbour-fire-3")),
        ("running", ("overview", "storylines", "storyline=c1", "cluster=c2")),
        ("joined", ("overview", "storylines", "cluster=painting-found-1")),
    ],
)
def test_all_text_stands_out_from_what_is_behind_it(
    name: str, views: tuple[str, ...], scheme: str, browser: Browser, request: pytest.FixtureRequest
) -> None:
    shown: Path = request.getfixturevalue(name)
    with opened(browser, shown, color_scheme=scheme) as page:
        for view in views:
            browsing.visit(page, shown, view)
            if view.startswith("cluster="):
                page.locator(".waterfall").first.wait_for()
            seen, poor = page.evaluate(browsing.CONTRASTS)
            assert seen >= 8
            assert poor == []
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        red = int(re.findall(r"\d+", ground)[0])
        assert (red < 64) == (scheme == "dark")


@pytest.mark.parametrize("name", ["report", "hostile", "running"])
def test_a_phone_need_not_be_scrolled_sideways(
    name: str, browser: Browser, request: pytest.FixtureRequest
) -> None:
    shown: Path = request.getfixturevalue(name)
    with opened(browser, shown, viewport=PHONE) as page:
        for view in VIEWS:
            browsing.visit(page, shown, view)
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], view
        browsing.visit(page, shown, "clusters")
        page.locator("#rows a").first.click()
        page.locator(".texts article").first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.parametrize(("name", "view"), [("report", "cluster=harbour-fire-1"), ("running", "cluster=c2")])
def test_tables_have_heads_and_charts_have_words(
    name: str, view: str, browser: Browser, request: pytest.FixtureRequest
) -> None:
    with opened(browser, request.getfixturevalue(name), view) as page:
        page.locator(".waterfall").first.wait_for()
        assert page.locator("table:not(:has(thead th[scope=col]))").count() == 0
        assert page.locator("tbody th:not([scope=row])").count() == 0
        assert page.locator("svg:not([aria-hidden]):not([role=img][aria-label]):not(svg svg)").count() == 0
        assert page.locator("a:not([href]), button:visible:text-is('')").count() == 0
        unnamed = "nodes => nodes.filter(node => !node.labels.length).length"
        assert page.locator("input, select").evaluate_all(unnamed) == 0
        levels = [
            int(tag[1])
            for tag in page.locator("#cluster :is(h1, h2, h3)").evaluate_all("n => n.map(x => x.tagName)")
        ]
        assert levels[0] == 1
        assert all(after - before <= 1 for before, after in pairwise(levels))


def test_long_lists_are_drawn_as_they_are_asked_for(tmp_path: Path, browser: Browser) -> None:
    articles = [{"id": f"{n}-{k}", **story(n)} for n in range(120) for k in range(2)]
    with opened(browser, reported(written(tmp_path / "many.jsonl", articles)), "clusters") as page:
        clusters = int(page.locator("#count").inner_text().split()[0])
        assert 100 < clusters <= 150
        assert page.locator("#rows tr").count() == 50

        page.click("#more")

        assert page.locator("#rows tr").count() == 100
        page.click("#more")
        assert page.locator("#rows tr").count() == clusters
        expect(page.locator("#more")).to_be_hidden()


def test_a_page_without_scripts_still_tells(report: Path, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(report.as_uri())

    for view in VIEWS:
        expect(page.locator(f"#{view} h1")).to_be_visible()
    for notice in page.locator("noscript p").all():
        expect(notice).to_be_visible()
    context.close()


def test_what_is_left_out_is_said(tmp_path: Path, browser: Browser) -> None:
    long = {**version(1, "extended", 2), "text": " ".join(story(n)["text"] for n in range(40, 90))}
    corpus = written(tmp_path / "long.jsonl", [{"id": "a", **long}, {"id": "b", **long}])
    with opened(browser, reported(corpus), "cluster=a") as page:
        expect(page.locator("footer")).to_contain_text("the first")
    with opened(browser, reported(corpus, "--texts", "0"), "cluster=a") as page:
        expect(page.locator("footer")).to_contain_text("contains no texts")
        expect(page.locator("#comparison")).to_contain_text("lacks the text")


@pytest.mark.parametrize("articles", [[], [{"id": "only", **story(1)}]])
def test_a_corpus_without_a_story_told_again_has_a_report_too(
    articles: list[dict[str, object]], tmp_path: Path, browser: Browser
) -> None:
    with opened(browser, reported(written(tmp_path / "few.jsonl", articles))) as page:
        expect(page.locator("h1:visible")).to_contain_text("No duplicates in")
        browsing.visit(page, tmp_path / "few.jsonl.html", "clusters")
        expect(page.locator("#count")).to_have_text("0 clusters")


def test_the_same_articles_make_the_same_bytes(newsroom: Path, report: Path, tmp_path: Path) -> None:
    called("report", newsroom, "-o", tmp_path / "again.html")

    assert (tmp_path / "again.html").read_bytes() == report.read_bytes()


def test_the_report_on_a_few_articles_is_small(seeds: Path, tmp_path: Path) -> None:
    called("report", seeds, "-o", tmp_path / "seeds.html")

    assert (tmp_path / "seeds.html").stat().st_size < 300_000


def test_the_corpus_is_not_written_over(tmp_path: Path) -> None:
    corpus = written(tmp_path / "news.jsonl", [{"id": "a", **story(1)}])
    before = corpus.read_bytes()

    answer = called("report", corpus, "-o", corpus)

    assert answer.exit_code == 1
    assert "it is one of the files that are read" in answer.stderr
    assert corpus.read_bytes() == before
