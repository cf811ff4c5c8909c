"""Errors as `application/problem+json` (RFC 9457), with the line that the command line prints."""

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from jobs.store.errors import ObjectNotFound, StoreRefused, StoreUnreachable
from jobs.text.errors import JobNotFound, JobsError, RequestError
from render.errors import RenderError

_LOG = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"

_RETRY_SECONDS = 2


class Problem(Exception):  # noqa: N818 - RFC 9457 calls it so
    """An answer other than the one that was asked for.

    detail: one line: what is wrong, and what to do. errors: of single fields, by dotted name.
    """

    def __init__(self, status: int, detail: str, errors: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(detail)
        self.status, self.detail, self.errors = status, detail, errors
        self.headers: dict[str, str] = {}

    def document(self) -> dict[str, Any]:
        """The problem as JSON values."""
        document: dict[str, Any] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors:
            document["errors"] = [{"field": name, "message": text} for name, text in self.errors]
        return document

    def response(self) -> Response:
        """The problem as an answer."""
        headers = dict(self.headers)
        if self.status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS):
            headers["Retry-After"] = str(_RETRY_SECONDS)
        return JSONResponse(self.document(), self.status, headers, CONTENT_TYPE)


def problem_of(error: Exception) -> Problem:
    """The problem of one of our errors."""
    match error:
        case JobNotFound() | ObjectNotFound():
            status = HTTPStatus.NOT_FOUND
        case StoreUnreachable() | StoreRefused():
            status = HTTPStatus.SERVICE_UNAVAILABLE
        case RequestError() | RenderError():
            status = HTTPStatus.UNPROCESSABLE_ENTITY
        case _:
            status = HTTPStatus.INTERNAL_SERVER_ERROR
    if isinstance(error, ObjectNotFound):
        return Problem(status, f"{error.key}: is not in the store, or not any more")
    return Problem(status, str(error))


def add_problem_handlers(app: FastAPI) -> None:
    """Let an application answer its errors by problems."""
    app.add_exception_handler(Problem, _answer_problem)
    for kind in (JobsError, RenderError, ObjectNotFound):
        app.add_exception_handler(kind, _answer_error)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(ClientDisconnect, _answer_nobody)
    app.add_exception_handler(Exception, _answer_defect)


async def _answer_problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return error.response()


async def _answer_error(_: Request, error: Exception) -> Response:
    return problem_of(error).response()


async def _answer_invalid(_: Request, error: Exception) -> Response:
    """Answer a wrong parameter or body. A wrong part of a path names nothing that there is."""
    assert isinstance(error, RequestValidationError)
    found = [(tuple(map(str, one["loc"])), str(one["msg"])) for one in error.errors()]
    if any(place[0] == "path" for place, _ in found):
        return Problem(HTTPStatus.NOT_FOUND, "there is nothing at this address").response()
    errors = tuple((".".join(place[1:]) or place[0], text) for place, text in found)
    line = "; ".join(f"{name}: {text}" for name, text in errors[:3])
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, line, errors).response()


async def _answer_nobody(_request: Request, _error: Exception) -> Response:
    """Answer a client that has gone: that is no defect."""
    return Problem(HTTPStatus.BAD_REQUEST, "the client left before the end of its body").response()


async def _answer_defect(_: Request, error: Exception) -> Response:
    """Answer a defect of this program. The server prints its traceback."""
    _LOG.error("unexpected %s", type(error).__name__, exc_info=error)
    text = f"unexpected {type(error).__name__}; the server's log has its traceback"
    return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, text).response()


async def _answer_http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    problem = Problem(error.status_code, str(error.detail))
    problem.headers.update(error.headers or {})
    return problem.response()
