"""Logins: who may look, and who may change things.

A login is a signed cookie, so that any number of servers with the same tokens accept it, and none
of them keeps a list. Whoever changes a token ends all logins by it.
"""

import hashlib
import hmac
import time
from collections.abc import Callable
from typing import Literal

from jobs.web.settings import Tokens

Role = Literal["read", "write"]

COOKIE = "dreamfarm-session"

LIFETIME = 30 * 86_400
"""Seconds for which a login is valid."""

_BEARER = "bearer "


class Logins:
    """Checks tokens and cookies in constant time. clock: the time in seconds since 1970."""

    def __init__(self, tokens: Tokens, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._tokens: tuple[tuple[Role, str | None], ...] = (
            ("write", tokens.write),
            ("read", tokens.read),
        )
        self.are_needed = tokens.are_needed

    def role_of_token(self, token: str) -> Role | None:
        """The role that a token gives; None for a wrong one."""
        found: Role | None = None
        # All tokens are compared, so that the time tells nothing.
        for role, known in self._tokens:
            if known is not None and hmac.compare_digest(known.encode(), token.encode()):
                found = found or role
        return found

    def role_of(self, authorization: str | None, cookie: str | None) -> Role | None:
        """The role of a request by its header `Authorization` or its cookie; None: no login."""
        if not self.are_needed:
            return "write"
        if authorization is not None and authorization.lower().startswith(_BEARER):
            return self.role_of_token(authorization[len(_BEARER) :].strip())
        return None if cookie is None else self._role_of_cookie(cookie)

    def cookie(self, role: Role) -> str:
        """A cookie that proves a login from now on, for LIFETIME seconds."""
        expiry = int(self._clock()) + LIFETIME
        return f"{role}.{expiry}.{self._signature(role, expiry)}"

    def _role_of_cookie(self, cookie: str) -> Role | None:
        name, _, rest = cookie.partition(".")
        digits, _, signature = rest.partition(".")
        if not (digits.isascii() and digits.isdecimal() and len(digits) <= 12):
            return None
        for role, token in self._tokens:
            if role == name and token is not None:
                expected = self._signature(role, int(digits))
                is_right = hmac.compare_digest(expected.encode(), signature.encode())
                return role if is_right and int(digits) > self._clock() else None
        return None

    def _signature(self, role: Role, expiry: int) -> str:
        (token,) = (token for name, token in self._tokens if name == role)
        message = f"dreamfarm session {role} {expiry}".encode()
        return hmac.new((token or "").encode(), message, hashlib.sha256).hexdigest()
