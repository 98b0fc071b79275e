"""Write graphs of origins as node-link JSON, as GraphML (for NetworkX and Gephi), or as rows.

An article repeats one other at most, so a row for each article, with the article that it repeats, is the whole graph.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from dedup.origins.trace import Story

__all__ = ["GRAPHS", "format_graphml", "format_json", "iter_rows"]

SHARE_DIGITS = 4
PARENT_COLUMNS = ("parent", "relation", "child_share", "parent_share", "seen_first")
"""The columns of a row that say which article it repeats."""
NO_XML_CHARACTER = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""A character that XML 1.0 cannot hold, not even as a reference."""
GRAPHML_TYPES = {str: "string", int: "int", float: "double", bool: "boolean"}


def format_json(stories: Sequence[Story]) -> str:
    """Return node-link JSON; each edge leads from parent to child.

    NetworkX reads it with `node_link_graph(json.load(file), edges="edges")`.
    """
    graph = {
        "directed": True,
        "multigraph": False,
        "graph": {"stories": [describe_story(story) for story in stories]},
        "nodes": list(iter_nodes(stories)),
        "edges": list(iter_edges(stories)),
    }
    return json.dumps(graph, ensure_ascii=False, indent=1) + "\n"


def describe_story(story: Story) -> dict[str, Any]:
    """Return the counts of a story, its first articles and the reasons for the count, as JSON."""
    claimed, seen = story.first_claimed, story.first_seen
    return {
        "story": story.canonical,
        "tellings": len(story.articles),
        "origins": story.origin_count,
        "count": story.count_text,
        "unknown": len(story.unknown),
        "first_claimed": claimed and claimed.id,
        "first_seen": seen.id,
        "lag_seconds": None if story.lag is None else round(story.lag.total_seconds()),
        "merges": [
            {
                "first": merge.first,
                "second": merge.second,
                "because": merge.because,
                "probability": merge.probability,
            }
            for merge in story.merges
        ],
    }


def format_graphml(stories: Sequence[Story]) -> str:
    """Return GraphML; each edge leads from parent to child. Characters that XML forbids become U+FFFD."""
    nodes, edges = list(iter_nodes(stories)), list(iter_edges(stories))
    keys = {
        ("node", name): type(value)
        for node in nodes
        for name, value in node.items()
        if name != "id" and value is not None
    }
    keys |= {
        ("edge", name): type(value)
        for edge in edges
        for name, value in edge.items()
        if name not in {"source", "target"}
    }
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">',
    ]
    lines += [
        f'<key id="{kind}_{name}" for="{kind}" attr.name="{name}" attr.type="{GRAPHML_TYPES[type_]}"/>'
        for (kind, name), type_ in keys.items()
    ]
    lines.append('<graph edgedefault="directed">')
    lines += [
        f"<node id={quoteattr(node['id'])}>{format_data('node', node, {'id'})}</node>" for node in nodes
    ]
    lines += [
        f"<edge source={quoteattr(edge['source'])} target={quoteattr(edge['target'])}>"
        f"{format_data('edge', edge, {'source', 'target'})}</edge>"
        for edge in edges
    ]
    return NO_XML_CHARACTER.sub("\ufffd", "\n".join([*lines, "</graph>", "</graphml>", ""]))


def format_data(kind: str, values: dict[str, Any], skipped: set[str]) -> str:
    """Return the attributes of a node or an edge as GraphML."""
    return "".join(
        f'<data key="{kind}_{name}">{escape(str(value).lower() if isinstance(value, bool) else str(value))}</data>'
        for name, value in values.items()
        if name not in skipped and value is not None
    )


def iter_rows(stories: Sequence[Story]) -> Iterator[dict[str, Any]]:
    """Yield a row for each article: its node, and its edge from the parent, with None for an article without one."""
    edges = {edge["target"]: {**edge, "parent": edge["source"]} for edge in iter_edges(stories)}
    for node in iter_nodes(stories):
        edge = edges.get(node["id"], {})
        yield {**node, **{name: edge.get(name) for name in PARENT_COLUMNS}}


def iter_nodes(stories: Sequence[Story]) -> Iterator[dict[str, Any]]:
    """Yield each article as a node."""
    for story in stories:
        for article, origin, credit in zip(story.articles, story.origins, story.credits, strict=True):
            passages = [each.passage for each in article.attribution.credits]
            yield {
                "id": article.id,
                "story": story.canonical,
                "origin": origin,
                "origin_known": origin not in story.unknown,
                "title": article.title,
                "source": article.source,
                "publisher": article.publisher,
                "group": article.group,
                "published": article.published and article.published.isoformat(),
                "seen": article.seen,
                "credit": credit.status,
                "agencies": ", ".join(credit.agencies) or None,
                "credited_by": credit.credited_by,
                "passages": " | ".join(passages) or None,
                "byline": article.attribution.byline,
            }


def iter_edges(stories: Sequence[Story]) -> Iterator[dict[str, Any]]:
    """Yield each edge from parent (key source) to child (key target)."""
    for story in stories:
        for edge in story.edges:
            yield {
                "source": edge.parent,
                "target": edge.child,
                "relation": edge.relation,
                "child_share": round(edge.child_share, SHARE_DIGITS),
                "parent_share": round(edge.parent_share, SHARE_DIGITS),
                "seen_first": edge.seen_first,
                "story": story.canonical,
            }


GRAPHS: dict[str, Callable[[Sequence[Story]], str]] = {"json": format_json, "graphml": format_graphml}
"""The formatter of a graph for each format."""
