"""Refusals as ``application/problem+json`` (RFC 9457) with ``code`` and ``message``. Never a traceback."""

import logging
from collections.abc import Mapping
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from idm_app.api.schemas import ProblemOut
from idm_app.errors import Refused, TooManyTries

log = logging.getLogger(__name__)

PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": ProblemOut, "content": {"application/problem+json": {}}}
    for status in (400, 403, 404, 409, 413, 415, 421, 422, 507)
}
"""What routes say of their refusals in the OpenAPI document."""

_WORDS = {
    400: "The body is not valid JSON.",
    404: "There is nothing at this path.",
    405: "This path does not take that method.",
}
_CODES = {400: "malformed", 401: "not-signed-in", 403: "forbidden", 404: "not-found", 405: "wrong-method"}


def problem(status: int, code: str, message: str, **extra: Any) -> Response:
    """One refusal."""
    content = {"type": "about:blank", "title": message, "status": status, "code": code, "message": message, **extra}
    return Response(orjson.dumps(content), status, media_type="application/problem+json")


def install(app: FastAPI) -> None:
    """Translate every exception that leaves a route."""

    @app.exception_handler(Refused)
    async def _refused(_: Request, error: Refused) -> Response:
        answer = problem(error.http_status, error.code, str(error), **error.extra)
        if isinstance(error, TooManyTries):
            answer.headers["Retry-After"] = str(error.retry_after_seconds)
        return answer

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, error: RequestValidationError) -> Response:
        first: Mapping[str, Any] = error.errors()[0]
        if first["type"] == "json_invalid":
            return problem(400, "malformed", "The body is not valid JSON.")
        field = ".".join(str(part) for part in first["loc"][1:]) or "body"
        return problem(422, "invalid-field", f"{field}: {first['msg'].removeprefix('Value error, ')}.", field=field)

    @app.exception_handler(HTTPException)
    async def _http(_: Request, error: HTTPException) -> Response:
        code = getattr(error, "code", None) or _CODES.get(error.status_code, "refused")
        answer = problem(error.status_code, code, _WORDS.get(error.status_code, str(error.detail)))
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(Exception)
    async def _unexpected(request: Request, error: Exception) -> Response:
        log.error("%s %s failed", request.method, request.scope["path"], exc_info=error)
        return problem(500, "internal", "Something unexpected went wrong in the server. Its log says what.")
