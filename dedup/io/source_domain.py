"""Name the source of an article by the registered domain of its URL, where the article names none.

The registered domain is the part that a publisher registers: `bbc.co.uk` of `https://sport.bbc.co.uk/a`. Where domains
end is in the Public Suffix List that tldextract brings; nothing is fetched. A blog under a shared domain is a source of
its own: `ferries.blogspot.com`. The URL of a page in the Wayback Machine counts as that of the page.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from tldextract import TLDExtract

__all__ = ["fill_missing_sources", "find_domain", "find_url_domain"]

URL_START = r"(?i)^\s*(?P<start>(?:(?:https?:)?//|www\.)[^/?#\s]+)"
"""A URL up to its path. Without a scheme it must begin with `www.`: `story.md` is a file, though .md is a country."""
WAYBACK_MACHINE = "//web.archive.org"
WAYBACK_PREFIX = r"(?i)^\s*https?://web\.archive\.org/web/[^/]+/"
START_PATTERN, WAYBACK_PATTERN = re.compile(URL_START), re.compile(WAYBACK_PREFIX)
NO_HOST = frozenset("%<>\"'\\")
"""Characters that no host has."""
HOST = re.compile(r"(?i)^(?:[\w-]+\.)+[^\W\d_]{2,}(?=[:/?#]|$)")
"""The name of a host at the start of a text."""
MAX_HOSTS, MAX_HOST_CHARACTERS = 1 << 16, 512
"""The hosts whose domains are kept, and the longest one that is looked at: DNS allows 253 characters."""


def find_url_domain(url: str | None) -> str | None:
    """Return the registered domain of a URL in lower case; None if it has none.

    >>> (
    ...     find_url_domain("https://sport.bbc.co.uk/a"),
    ...     find_url_domain("http://10.0.0.1/a"),
    ...     find_url_domain("a.md"),
    ... )
    ('bbc.co.uk', None, None)
    """
    domain: str | None = _find_domains(pa.array([url], pa.string()))[0].as_py()
    return domain


def find_domain(address: str | None) -> str | None:
    """Return the registered domain of a URL or of the name of a host, also of one whose suffix the list lacks.

    >>> (
    ...     find_domain("sport.bbc.co.uk"),
    ...     find_domain("https://desk.norwire.example/a"),
    ...     find_domain("The Bugle"),
    ... )
    ('bbc.co.uk', 'norwire.example', None)
    """
    text = (address or "").strip()
    start = START_PATTERN.match(WAYBACK_PATTERN.sub("", f"//{text}" if HOST.match(text) else text))
    return _find_registered_domain(start["start"], any_suffix=True) if start else None


def fill_missing_sources(sources: pa.Array, urls: pa.Array) -> pa.Array:
    """Return the sources (strings), with each missing one made the registered domain of its URL, if it has one."""
    if sources.null_count == 0 or urls.null_count == len(urls):
        return sources
    return pc.coalesce(sources, _find_domains(urls))


def _find_domains(urls: pa.Array) -> pa.Array:
    """Return the registered domain of each URL, with null for one that has none."""
    starts = _extract_starts(urls)
    if any(start and start.lower().endswith(WAYBACK_MACHINE) for start in starts.dictionary.to_pylist()):
        starts = _extract_starts(pc.replace_substring_regex(urls, WAYBACK_PREFIX, ""))
    domains = [_find_registered_domain(start) for start in starts.dictionary.to_pylist()]
    return pa.array(domains, pa.string()).take(starts.indices)


def _extract_starts(urls: pa.Array) -> pa.Array:
    """Return the URLs up to their paths as a dictionary array: a corpus has few hosts."""
    return pc.struct_field(pc.extract_regex(urls, URL_START), "start").dictionary_encode()


def _find_registered_domain(start: str | None, *, any_suffix: bool = False) -> str | None:
    """Return the registered domain of the start of a URL."""
    host = (start or "").rpartition("//")[2].rpartition("@")[2].partition(":")[0].rstrip(".").lower()
    if not host or len(host) > MAX_HOST_CHARACTERS or not NO_HOST.isdisjoint(host):
        return None
    return _find_host_domain(host, any_suffix=any_suffix)


@lru_cache(MAX_HOSTS)
def _find_host_domain(host: str, *, any_suffix: bool) -> str | None:
    """Return the registered domain of a host; with `any_suffix`, a suffix that the list lacks is one label."""
    found = _build_extractor()(host)
    domain = found.top_domain_under_public_suffix or (found.suffix if found.is_private else "")
    if any_suffix and not found.suffix and HOST.fullmatch(host):
        domain = ".".join(host.split(".")[-2:])
    if "xn--" in domain:
        try:
            return domain.encode().decode("idna")
        except UnicodeError:
            return domain
    return domain or None


@cache
def _build_extractor() -> TLDExtract:
    """Return the list of public suffixes as it is installed: it is neither fetched nor cached on disk."""
    from tldextract import TLDExtract

    return TLDExtract(
        cache_dir=None, suffix_list_urls=(), fallback_to_snapshot=True, include_psl_private_domains=True
    )
