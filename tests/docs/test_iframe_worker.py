"""Search needs a worker, also where the site is opened from a folder."""

from pathlib import Path

import browsing
from playwright.sync_api import Browser

SCRIPT = Path(__file__).parents[2] / "docs" / "assets" / "iframe-worker.js"
PAGE = """<!doctype html><title>-</title><script src="shim.js"></script><script>
const sent = {words: ["a"]};
const worker = new Worker("worker.js");
worker.onmessage = event => { document.title = event.data.words.join() + sent.words.join(); };
worker.postMessage(sent);
</script>"""
WORKER = 'self.onmessage = event => { event.data.words.push("b"); self.postMessage(event.data); };'


def test_a_worker_runs_in_a_page_opened_from_a_folder_and_gets_a_copy(
    tmp_path: Path, browser: Browser
) -> None:
    (tmp_path / "shim.js").write_text(SCRIPT.read_text(encoding="utf-8"))
    (tmp_path / "worker.js").write_text(WORKER)
    (tmp_path / "index.html").write_text(PAGE)

    page = browser.new_page()
    page.goto((tmp_path / "index.html").as_uri())
    page.wait_for_function("document.title !== '-'", timeout=browsing.PATIENCE)

    assert page.title() == "a,ba"
