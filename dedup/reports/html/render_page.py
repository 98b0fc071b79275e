"""Render an HTML page from a template of this package.

A page is self-contained: it includes its style, script and data. Its security policy allows no other script
and no request. Jinja escapes everything that comes from a corpus.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from dedup.formatting import format_count, format_percent

__all__ = ["render_page"]


def render_page(template: str, /, *, script_files: Sequence[str] = (), **content: Any) -> bytes:
    """Return the page in UTF-8, with the common style and the script files joined in order."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("dedup.reports.html", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {
        "percent": format_percent,
        "counted": format_count,
        "number": "{:,}".format,
        "score": "{:.3f}".format,
    }
    style, script = read_package_file("page.css"), "\n".join(map(read_package_file, script_files))
    page = environment.get_template(template).render(
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - as above
        policy=build_security_policy(style, script),
        **content,
    )
    return page.encode()


def read_package_file(name: str) -> str:
    """Return the text of a file of this package."""
    return files("dedup.reports.html").joinpath(name).read_text("utf-8")


def build_security_policy(style: str, script: str) -> str:
    """Return the security policy that allows only this style and this script, and no requests."""
    script_source = hash_inline(script) if script else "'none'"
    return (
        f"default-src 'none'; style-src {hash_inline(style)}; script-src {script_source}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def hash_inline(content: str) -> str:
    """Return the hash that allows an inline style or script in a security policy."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
