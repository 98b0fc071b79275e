"""A report in a browser: a headless Chromium, and pages that tolerate neither an error nor a request."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from commands import called
from playwright.sync_api import Browser, Page, sync_playwright
from programs import require

OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
DESKTOP, PHONE = {"width": 1280, "height": 860}, {"width": 360, "height": 740}
PATIENCE = 20_000
"""Milliseconds that a page may take for anything: a shared machine may be busy."""

CONTRASTS = """() => {
  const channel = (c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const drawn = (colours) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => 0.2126 * channel(r / 255) + 0.7152 * channel(g / 255) + 0.0722 * channel(b / 255);
  const poor = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let seen = 0;
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    const hidden = !node.checkVisibility() || node.closest("script, style, title, .unseen, .skip");
    if (hidden || !walker.currentNode.data.trim()) continue;
    const grounds = [];
    for (let at = node; at; at = at.parentElement) grounds.unshift(getComputedStyle(at).backgroundColor);
    const style = getComputedStyle(node);
    const ground = light(drawn(grounds)), ink = light(drawn([...grounds, node.closest("svg") ? style.fill : style.color]));
    const contrast = (Math.max(ground, ink) + 0.05) / (Math.min(ground, ink) + 0.05);
    seen += 1;
    if (contrast < 4.5) poor.push(`${contrast.toFixed(2)} ${node.tagName} ${walker.currentNode.data.trim()}`);
  }
  return [seen, poor];
}"""
"""How many pieces of text can be seen, and those that stand out too little from what is behind them."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return a browser for all tests of a file.

    Playwright keeps an event loop running in its thread. It ends with the file, so that a later file can start its own.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=require("chromium"), args=OPTIONS)
        yield browser
        browser.close()


def reported(corpus: Path, *options: str) -> Path:
    """Return the report on a corpus, written beside it."""
    page = corpus.with_name(f"{corpus.name}.html")
    answer = called("report", corpus, "-o", page, "--quiet", *options)
    assert answer.exit_code == 0, answer.stderr
    return page


@contextmanager
def opened(browser: Browser, report: Path, view: str = "overview", **options: Any) -> Iterator[Page]:
    """Give a report in a page of its own; in the end it must have met with no error and asked for nothing."""
    complaints: list[str] = []
    context = browser.new_context(**{"viewport": DESKTOP, **options})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
    page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
    page.on("request", lambda asked: complaints.append(asked.url) if asked.url != report.as_uri() else None)
    try:
        visit(page, report, view)
        yield page
        assert complaints == []
    finally:
        context.close()


def visit(page: Page, report: Path, view: str) -> None:
    """Show a view of a report, and wait until it is there."""
    page.goto(f"{report.as_uri()}#{view}")
    page.locator("html[data-ready]").wait_for()
