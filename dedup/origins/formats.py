"""Write graphs of origins as node-link JSON, as GraphML (for NetworkX and Gephi), or as a CSV of the edges."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from dedup.origins.trace import Story

__all__ = ["FORMATS", "format_csv", "format_graphml", "format_json"]

SHARE_DIGITS = 4
EDGE_COLUMNS = ("child", "parent", "relation", "child_share", "parent_share", "story")
GRAPHML_TYPES = {str: "string", int: "int", float: "double"}


def format_json(stories: Sequence[Story]) -> str:
    """Return node-link JSON; each edge leads from parent to child.

    NetworkX reads it with `node_link_graph(json.load(file), edges="edges")`.
    """
    graph = {
        "directed": True,
        "multigraph": False,
        "graph": {
            "stories": [
                {"story": story.canonical, "tellings": len(story.articles), "origins": story.origin_count}
                for story in stories
            ]
        },
        "nodes": list(iter_nodes(stories)),
        "edges": list(iter_edges(stories)),
    }
    return json.dumps(graph, ensure_ascii=False, indent=1) + "\n"


def format_graphml(stories: Sequence[Story]) -> str:
    """Return GraphML; each edge leads from parent to child."""
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
    return "\n".join([*lines, "</graph>", "</graphml>", ""])


def format_data(kind: str, values: dict[str, Any], skipped: set[str]) -> str:
    """Return the attributes of a node or an edge as GraphML."""
    return "".join(
        f'<data key="{kind}_{name}">{escape(str(value))}</data>'
        for name, value in values.items()
        if name not in skipped and value is not None
    )


def format_csv(stories: Sequence[Story]) -> str:
    """Return the edges as CSV with a header."""
    file = io.StringIO()
    writer = csv.DictWriter(file, EDGE_COLUMNS, lineterminator="\n")
    writer.writeheader()
    for edge in iter_edges(stories):
        parent, child = edge.pop("source"), edge.pop("target")
        writer.writerow({"child": child, "parent": parent, **edge})
    return file.getvalue()


def iter_nodes(stories: Sequence[Story]) -> Iterator[dict[str, Any]]:
    """Yield each article as a node."""
    for story in stories:
        for article, origin in zip(story.articles, story.origins, strict=True):
            yield {
                "id": article.id,
                "story": story.canonical,
                "origin": origin,
                "title": article.title,
                "source": article.source,
                "publisher": article.publisher,
                "agencies": ", ".join(sorted(article.agencies)) or None,
                "published": article.published and article.published.isoformat(),
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
                "story": story.canonical,
            }


FORMATS: dict[str, Callable[[Sequence[Story]], str]] = {
    "json": format_json,
    "graphml": format_graphml,
    "csv": format_csv,
}
"""The formatter for each file extension."""
