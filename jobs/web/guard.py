"""What every request passes before any route: Host, origin, login, type and speed of its body.

The rules are pure functions of a request's headers; `Guard` applies them.
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from jobs.web.problems import Problem
from jobs.web.session import COOKIE, Logins, Role
from jobs.web.settings import is_loopback

API = "/api/v1"

SESSION = f"{API}/session"

UPLOADS = f"{API}/uploads"

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        "connect-src 'self'; font-src 'self'; manifest-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Headers of every answer. Nothing inline runs, and no other site may show or load anything."""

MAX_BODY = 1 << 20
"""Bytes of a JSON body, at most."""

_TOO_LARGE = f"a body has at most {MAX_BODY} bytes"

_CLOSE = {"Connection": "close"}
"""Nobody reads the rest of the body, so the connection is of no more use."""

_TIMEOUT = 30.0
"""Seconds that a client may take to receive a part of an answer, or to send a part of a body."""

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

_SIMPLE = frozenset({"", "text/plain", "multipart/form-data", "application/x-www-form-urlencoded"})
"""Types of bodies that a form of any site can send without asking the server first."""

_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?")


def check_host(host: str | None, *, has_login: bool) -> None:
    """Refuse a name that is not this machine's own, where no login protects the server.

    A page of any site can let its name point here (DNS rebinding), and would then be of the same
    origin. It has no cookie of another name, so with a login every name will do. Raises Problem.
    """
    match = _HOST.fullmatch(host or "")
    if match is None or not (has_login or is_loopback(match["name"])):
        raise Problem(
            HTTPStatus.MISDIRECTED_REQUEST,
            "this server answers only to 127.0.0.1 and localhost; behind a proxy it needs a token",
        )


def check_origin(method: str, headers: Mapping[str, str]) -> None:
    """Refuse what a page of another site asks for. Raises Problem."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        is_ours = site == "same-origin" or (site == "none" and method in _SAFE)
    else:
        is_ours = origin is None or origin.partition("://")[2] == headers.get("host")
    if not is_ours:
        raise Problem(HTTPStatus.FORBIDDEN, "another site asked for this; open the page itself")


def check_type(path: str, method: str, headers: Mapping[str, str]) -> None:
    """Refuse bodies of a type that a form of another site could send. Raises Problem."""
    if method in _SAFE or not _has_body(headers):
        return
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    is_right = kind not in _SIMPLE if path == UPLOADS else kind == "application/json"
    if not is_right:
        expected = "application/octet-stream" if path == UPLOADS else "application/json"
        raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Content-Type must be {expected}")


def check_role(path: str, method: str, role: Role | None) -> None:
    """Refuse requests without a login, and changes by one that may only look. Raises Problem."""
    if path == SESSION:
        return
    if role is None:
        raise Problem(HTTPStatus.UNAUTHORIZED, "this needs a login: a token of this server")
    if role == "read" and method not in _SAFE:
        raise Problem(HTTPStatus.FORBIDDEN, "this login may only look, and change nothing")


def _has_body(headers: Mapping[str, str]) -> bool:
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


@dataclass(frozen=True)
class Guard:
    """The application behind these rules. A request's role is in `scope["state"]["role"]`.

    timeout: seconds that a client may take for a part of a request or an answer.
    """

    app: ASGIApp
    logins: Logins
    timeout: float = _TIMEOUT

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        client = _Client(scope, receive, send, self.timeout)
        try:
            self._check(scope)
        except Problem as problem:
            await problem.response()(scope, client.receive, client.send)
            return
        try:
            await self.app(scope, client.receive, client.send)
        except _TooSlow:
            # The server closes the connection, because the answer has no end.
            return

    def _check(self, scope: Scope) -> None:
        headers, path, method = Headers(scope=scope), scope["path"], scope["method"]
        check_host(headers.get("host"), has_login=self.logins.are_needed)
        if not path.startswith(f"{API}/"):
            return
        check_origin(method, headers)
        role = self.logins.role_of(
            headers.get("authorization"), cookie_parser(headers.get("cookie", "")).get(COOKIE)
        )
        check_role(path, method, role)
        check_type(path, method, headers)
        scope.setdefault("state", {})["role"] = role


class _TooSlow(Exception):  # noqa: N818 - it says what happened
    """The client took too long to receive something."""


class _Client:
    """One client: adds the headers to an answer, and waits for it only for so long."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, timeout: float) -> None:
        self._receive, self._send, self._timeout = receive, send, timeout
        self._has_body = _has_body(Headers(scope=scope))
        self._left = None if scope["path"] == UPLOADS else MAX_BODY

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        try:
            await asyncio.wait_for(self._send(message), self._timeout)
        except TimeoutError:
            raise _TooSlow from None

    async def receive(self) -> Message:
        # After the body there is only the end of the connection, for which a stream waits.
        if not self._has_body:
            return await self._receive()
        # FastAPI answers other errors while it reads a body by its own.
        try:
            message = await asyncio.wait_for(self._receive(), self._timeout)
        except TimeoutError:
            raise HTTPException(
                HTTPStatus.REQUEST_TIMEOUT, "the body took too long", _CLOSE
            ) from None
        self._has_body = bool(message.get("more_body"))
        if self._left is not None:
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _TOO_LARGE, _CLOSE)
        return message
