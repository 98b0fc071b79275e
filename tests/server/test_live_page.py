"""The live page in a browser: stories appear as they are decided on, and the page asks nobody but its service."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from browsing import PATIENCE
from commands import ROOT
from playwright.sync_api import Browser, Page, expect
from server_processes import asked, serving

NEWSROOM = ROOT / "examples" / "newsroom.jsonl"
HOSTILE = "<img src=x onerror=alert(1)>"
ADDRESS = "https://news.example/ferry"
TOKEN = "s3cret"  # noqa: S105 - it opens nothing
LINES = {"Content-Type": "application/x-ndjson"}


@contextmanager
def live(browser: Browser, port: int, *, refused: int = 0) -> Iterator[Page]:
    """Give the live page of a service; in the end it must have asked nobody else, and met no error but refusals."""
    complaints: list[str] = []
    context = browser.new_context(viewport={"width": 1280, "height": 860})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    home = f"http://127.0.0.1:{port}"
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
    page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
    requests: set[str] = set()
    page.on("request", lambda request: requests.add(request.url))
    try:
        page.goto(f"{home}/live")
        yield page
        assert requests <= {f"{home}/live", f"{home}/events", "data:,"}
        assert len([text for text in complaints if "401" in text]) == refused
        assert [text for text in complaints if "401" not in text] == []
    finally:
        context.close()


def post(port: int, body: bytes, **headers: str) -> list[dict[str, Any]]:
    """Return the decisions on articles."""
    status, answer = asked(port, "POST", "/articles", body, **LINES, **headers)
    assert status == 200
    return [json.loads(line) for line in answer.splitlines()]


def test_a_replayed_corpus_appears_story_by_story(browser: Browser, tmp_path: Path) -> None:
    lines = NEWSROOM.read_bytes().splitlines(keepends=True)
    with serving(tmp_path) as (_, port), live(browser, port) as page:
        expect(page.locator("#state")).to_have_text("listening", timeout=PATIENCE)
        decisions = post(port, b"".join(lines[:30]))
        kept = [each["id"] for each in decisions if each["dedup"]["canonical"]]
        expect(page.locator("#stories > li")).to_have_count(len(kept), timeout=PATIENCE)
        decisions += post(port, b"".join(lines[30:]))
        kept = [each["id"] for each in decisions if each["dedup"]["canonical"]]
        figures = f"{len(kept)} stories, {len(decisions) - len(kept)} more articles"
        expect(page.locator("#figures")).to_have_text(figures, timeout=PATIENCE)
        shown = page.locator("#stories > li").evaluate_all("items => items.map(item => item.dataset.story)")
        follow_ups = page.locator("#stories > li", has_text="follows ").count()
        first = next(each["dedup"]["cluster"] for each in decisions if not each["dedup"]["canonical"])
        size = sum(each["dedup"]["cluster"] == first for each in decisions)
        expect(page.locator(f'#stories > li[data-story="{first}"]')).to_contain_text(f"{size} articles")

    assert sorted(shown) == sorted(kept)
    assert follow_ups == sum("follows" in each["dedup"] for each in decisions) > 0


def test_ids_are_shown_as_text_and_addresses_as_links(browser: Browser, tmp_path: Path) -> None:
    articles = [
        {"id": HOSTILE, "text": "The river Tarn rose two metres overnight and flooded the old mill."},
        {"id": ADDRESS, "text": "Prosecutors in Averstone charged the owner of the shipyard with fraud."},
    ]
    with serving(tmp_path) as (_, port), live(browser, port) as page:
        post(port, b"".join(json.dumps(article).encode() + b"\n" for article in articles))

        expect(page.locator("#stories h2")).to_have_text([ADDRESS, HOSTILE], timeout=PATIENCE)
        expect(page.locator("#stories h2 a")).to_have_attribute("href", ADDRESS)
        assert page.locator("#stories img").count() == 0


def test_the_page_asks_for_the_token(browser: Browser, tmp_path: Path) -> None:
    with serving(tmp_path, DEDUP_TOKEN=TOKEN) as (_, port), live(browser, port, refused=2) as page:
        for token, state in (("wrong", "the token is wrong"), (TOKEN, "listening")):
            page.get_by_label("token").fill(token)
            page.get_by_role("button").click()
            expect(page.locator("#state")).to_have_text(state, timeout=PATIENCE)
        post(port, b'{"id": "a", "text": "The river rose."}\n', Authorization=f"Bearer {TOKEN}")

        expect(page.locator("#stories h2")).to_have_text(["a"], timeout=PATIENCE)
