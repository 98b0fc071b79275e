"""Return errors as JSON: every refused request gets the body `{"error": "one sentence"}`."""

import logging
from http import HTTPStatus

from fastapi import HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as StarletteHTTPException

from dedup.errors import IndexingError

__all__ = ["respond_to_error", "service_unavailable"]

log = logging.getLogger("dedup.server")


def service_unavailable(reason: str) -> HTTPException:
    """Return the error for a request that can be repeated soon."""
    return HTTPException(503, f"{reason}; try again in a second", {"Retry-After": "1"})


async def respond_to_error(request: Request, error: Exception) -> JSONResponse:
    """Return the response to an error; of an unexpected one only the type, because its message may quote a text."""
    if isinstance(error, IndexingError):
        return JSONResponse({"error": str(error)}, 503, {"Retry-After": "1"})
    if isinstance(error, StarletteHTTPException):
        status, headers = error.status_code, error.headers
        return JSONResponse({"error": describe_http_error(request, error)}, status, headers)
    if isinstance(error, RequestValidationError):
        return JSONResponse({"error": describe_invalid_parameter(error)}, 422)
    kind = type(error).__name__
    log.error("a request failed: %s", kind)
    return JSONResponse({"error": f"this should not have happened ({kind}); please report it"}, 500)


def describe_http_error(request: Request, error: StarletteHTTPException) -> str:
    """Return the sentence of an HTTP error; errors of the router have no sentence of their own."""
    if error.detail == HTTPStatus.NOT_FOUND.phrase:
        return "there is nothing at this address; /openapi.json lists the addresses"
    if error.detail == HTTPStatus.METHOD_NOT_ALLOWED.phrase:
        allowed = (error.headers or {}).get("Allow", "")
        return f"{request.method} is not allowed here{f'; use {allowed}' if allowed else ''}"
    return str(error.detail)


def describe_invalid_parameter(error: RequestValidationError) -> str:
    """Return the sentence of an error in a parameter; it names the first one."""
    first = error.errors()[0]
    message = str(first["msg"])
    return f"{first['loc'][-1]}: {message[:1].lower()}{message[1:]}"
