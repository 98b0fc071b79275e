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
