"""Errors as JSON: every response that refuses a request has the body `{"error": "one sentence"}`."""

import logging
from http import HTTPStatus

from fastapi import HTTPException, Request
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as StarletteHTTPException

from dedup.errors import IndexingError

__all__ = ["respond_to_error", "service_unavailable"]

log = logging.getLogger("dedup.server")


def service_unavailable(reason: str) -> HTTPException:
    """Return the error of a request that may be sent again soon."""
    return HTTPException(503, f"{reason}; try again in a second", {"Retry-After": "1"})


async def respond_to_error(request: Request, error: Exception) -> JSONResponse:
    """Return the response to an error. The message of an unexpected one may quote a text, so only its type is told."""
    if isinstance(error, IndexingError):
        return JSONResponse({"error": str(error)}, 503, {"Retry-After": "1"})
    if isinstance(error, StarletteHTTPException):
        status, headers = error.status_code, error.headers
        return JSONResponse({"error": describe_http_error(request, error)}, status, headers)
    kind = type(error).__name__
    log.error("a request failed: %s", kind)
    return JSONResponse({"error": f"this should not have happened ({kind}); please report it"}, 500)


def describe_http_error(request: Request, error: StarletteHTTPException) -> str:
    """Return the sentence of an HTTP error; those that the router raises have none of their own."""
    if error.detail == HTTPStatus.NOT_FOUND.phrase:
        return "there is nothing at this address; /openapi.json says what there is"
    if error.detail == HTTPStatus.METHOD_NOT_ALLOWED.phrase:
        return f"{request.method} is not allowed here"
    return str(error.detail)
