"""What can be asked of the service, and how: an OpenAPI 3.1 document, written by hand and kept true by tests.

In: the limits of a service. Out: the document, as JSON has it.
"""

from typing import Any

import dedup
from dedup.io.schema import ALIASES, FIELDS
from dedup.serving.bodies import JSON, LINES
from dedup.serving.refusals import Limits
from dedup.settings.settings import RELATIONS

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
FIELD: Schema = {"type": ["string", "number", "null"]}
ARTICLE: Schema = {
    "type": "object",
    "description": "`text` is needed; `id` should be there, and the same when the article comes again. "
    "Other names that fields may have: "
    + "; ".join(f"{ours}: {', '.join(others)}" for ours, others in ALIASES.items())
    + ". Unknown fields are passed over.",
    "required": ["text"],
    "properties": {name: TEXT if name == "text" else FIELD for name in FIELDS},
}
EVIDENCE: Schema = {"type": "object", "additionalProperties": {"type": "number"}}
DEDUP: Schema = {
    "type": "object",
    "required": ["cluster", "canonical", "relation", "score", "storyline"],
    "additionalProperties": False,
    "properties": {
        "cluster": {"type": "string", "description": "The name of the article that is kept."},
        "canonical": {"type": "boolean", "description": "It is this one."},
        "relation": {"enum": [*RELATIONS, None]},
        "score": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
        "evidence": EVIDENCE,
        "storyline": {
            "type": "string",
            "description": "The name of the first article of the running affair.",
        },
        "follows": {
            "type": "object",
            "description": "Of a kept article that is another chapter of an affair: the article that it follows.",
            "required": ["id", "probability", "evidence"],
            "additionalProperties": False,
            "properties": {
                "id": {"type": "string"},
                "probability": {"type": "number", "minimum": 0, "maximum": 1},
                "evidence": EVIDENCE,
            },
        },
        "again": {
            "const": True,
            "description": "The same id and text came before, and this is the answer of that time.",
        },
    },
}
DECISION: Schema = {
    "type": "object",
    "required": ["id", "version", "dedup"],
    "additionalProperties": False,
    "properties": {
        "id": TEXT,
        "version": {
            "type": "integer",
            "minimum": 1,
            "description": "2 and more where the id came before with another text: it is called id#2 then.",
        },
        "dedup": {"$ref": "#/components/schemas/Dedup"},
    },
}
ERROR: Schema = {
    "type": "object",
    "required": ["error"],
    "additionalProperties": False,
    "properties": {"error": {"type": "string", "description": "One sentence."}},
}
HISTORY: Schema = {
    "type": "object",
    "required": ["id", "versions"],
    "additionalProperties": False,
    "properties": {
        "id": TEXT,
        "versions": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Decision"}},
    },
}
CLUSTER: Schema = {
    "type": "object",
    "required": ["cluster", "size", "articles"],
    "additionalProperties": False,
    "properties": {
        "cluster": TEXT,
        "size": {"type": "integer", "minimum": 1},
        "articles": {
            "type": "array",
            "minItems": 1,
            "description": "The kept one first, then those that repeat it, as they came.",
            "items": {"$ref": "#/components/schemas/Decision"},
        },
    },
}
READY: Schema = {"type": "object", "required": ["ready"], "properties": {"ready": {"const": True}}}
ANSWER: Schema = {"oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in ("Decision", "Error")]}
"""What stands in the place of an article."""
REASONS = {
    400: "The body is no JSON.",
    401: "The token is missing or wrong.",
    404: "There is no such article.",
    413: "The body has too many bytes, or too many articles.",
    415: "The body is of a kind that is not taken.",
    422: "The body is JSON, but no article.",
    500: "A defect of the service.",
    503: "There is no room or no time at the moment, or the index cannot be used. A request may come again: "
    "what was decided already gets the same answer.",
}


def document(limits: Limits, *, has_token: bool) -> dict[str, Any]:
    """Return the description of a service with some limits, which asks for a token or does not."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "dedup",
            "version": dedup.__version__,
            "summary": "Says of each article whether it is new, or which one it repeats, and why.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"token": []}] if has_token else [],
        "paths": paths(limits),
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "What DEDUP_TOKEN was when the service was started.",
                }
            },
            "schemas": {
                "Article": ARTICLE,
                "Dedup": DEDUP,
                "Decision": DECISION,
                "Error": ERROR,
                "History": HISTORY,
                "Cluster": CLUSTER,
                "Ready": READY,
            },
        },
    }


def paths(limits: Limits) -> Schema:
    """Return what each address answers."""
    return {
        "/articles": {"post": posting(limits)},
        "/articles/{id}": {
            "get": looking("article", "What was decided on an article, all versions.", "History")
        },
        "/clusters/{id}": {
            "get": looking("cluster", "The kept article of a story and all that repeat it.", "Cluster")
        },
        "/healthz": {
            "get": {
                "operationId": "healthz",
                "summary": "Whether the index can be used. Needs no token.",
                "security": [],
                "responses": {"200": replying("It can.", "Ready"), **refusals(500, 503)},
            }
        },
        "/metrics": {
            "get": {
                "operationId": "metrics",
                "summary": "Figures for Prometheus.",
                "responses": {
                    "200": {"description": "The figures.", "content": {"text/plain": {"schema": TEXT}}},
                    **refusals(401, 500),
                },
            }
        },
        "/openapi.json": {
            "get": {
                "operationId": "openapi",
                "summary": "This document.",
                "responses": {
                    "200": {
                        "description": "The document.",
                        "content": {JSON: {"schema": {"type": "object"}}},
                    },
                    **refusals(401, 500),
                },
            }
        },
    }


def posting(limits: Limits) -> Schema:
    """Return how articles are posted."""
    article = {"$ref": "#/components/schemas/Article"}
    several = {"type": "array", "maxItems": limits.articles, "items": article}
    return {
        "operationId": "decide",
        "summary": "Says what becomes of some articles, in order, once that is recorded for good.",
        "description": f"One object, a list of them, or JSON Lines: at most {limits.articles:,} articles and "
        f"{limits.body:,} bytes. What is no article is answered with an error in its place, and does not stop "
        "the others. The same id and text get the same answer again, so a request may be sent again. An article "
        "without an id gets one that is made of its content.",
        "requestBody": {
            "required": True,
            "content": {JSON: {"schema": {"anyOf": [article, several]}}, LINES: {"schema": TEXT}},
        },
        "responses": {
            "200": {
                "description": "A decision for each article, in order; of the kind that the body had.",
                "content": {
                    JSON: {
                        "schema": {
                            "oneOf": [
                                {"$ref": "#/components/schemas/Decision"},
                                {"type": "array", "items": ANSWER},
                            ]
                        }
                    },
                    LINES: {"schema": TEXT},
                },
            },
            **refusals(400, 401, 413, 415, 422, 500, 503),
        },
    }


def looking(name: str, summary: str, schema: str) -> Schema:
    """Return how something is looked up by an id."""
    return {
        "operationId": name,
        "summary": summary,
        "parameters": [
            {
                "name": "id",
                "in": "path",
                "required": True,
                "description": "The id, percent-encoded; id#2 for the second version.",
                "schema": TEXT,
            }
        ],
        "responses": {
            "200": replying("What is recorded.", schema),
            **refusals(401, 404, 500, 503),
        },
    }


def replying(words: str, schema: str) -> Schema:
    """Return a reply of one of the schemas."""
    return {
        "description": words,
        "content": {JSON: {"schema": {"$ref": f"#/components/schemas/{schema}"}}},
    }


def refusals(*codes: int) -> Schema:
    """Return the replies to requests that are refused."""
    return {str(code): replying(REASONS[code], "Error") for code in codes}
