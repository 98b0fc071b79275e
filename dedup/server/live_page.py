"""Serve the live page: one HTML document that holds no data and asks only this service, which its policy enforces."""

import re
from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files

from fastapi import Response
from fastapi.responses import HTMLResponse

__all__ = ["render_live_page"]

INLINE = re.compile(r"<(script|style)>(.*?)</\1>", re.DOTALL)


@cache
def read_page() -> tuple[str, str]:
    """Return the page and its content security policy, which allows its script and style by their hashes."""
    page = (files("dedup") / "server" / "live.html").read_text("utf-8")
    hashes = {tag: hash_source(source) for tag, source in INLINE.findall(page)}
    policy = (
        f"default-src 'none'; script-src '{hashes['script']}'; style-src '{hashes['style']}'; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return page, policy


def hash_source(source: str) -> str:
    """Return the hash of a script or style as a policy names it."""
    return f"sha256-{b64encode(sha256(source.encode()).digest()).decode()}"


def render_live_page() -> Response:
    """Return the live page."""
    page, policy = read_page()
    headers = {
        "Content-Security-Policy": policy,
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return HTMLResponse(page, headers=headers)
