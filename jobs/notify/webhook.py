"""Webhooks: a JSON document by POST, signed as https://www.standardwebhooks.com describes.

A webhook follows no redirect: its operator trusts that address, and not what the address names.
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from http.client import HTTPException, HTTPMessage
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.parse import SplitResult, unquote
from urllib.request import HTTPRedirectHandler, Request, build_opener

from jobs.notify.attempts import Outcome
from jobs.notify.message import Message, error_words

_LATER = {408, 425, 429}
"""Answers after which the same request may succeed later, besides those from 500 on."""

_GATEWAY_TIMEOUT = 504
"""The gateway does not know whether the service took the message."""


class Webhook:
    """A service behind an http or https URL.

    url: parts of an URL with a host. secrets: keys of signatures; without any, nothing is signed.
    clock: seconds since 1970.
    """

    def __init__(
        self,
        url: SplitResult,
        secrets: tuple[bytes, ...] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        login, _, place = url.netloc.rpartition("@")
        self._url = url._replace(netloc=place, fragment="").geturl()
        self._login, self._secrets, self._clock = login, secrets, clock
        self._opener = build_opener(_NoRedirects)

    def send(self, message: Message, timeout: float) -> Outcome:
        """Send a message. timeout: seconds for the connection, and for the answer."""
        body = webhook_body(message)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "dreamfarm",
            **signature_headers(message.id, int(self._clock()), body, self._secrets),
        }
        if self._login:
            login = base64.b64encode(unquote(self._login).encode()).decode()
            headers["Authorization"] = f"Basic {login}"
        request = Request(self._url, body, headers, method="POST")
        try:
            with self._opener.open(request, timeout=timeout):
                return Outcome("sent")
        except HTTPError as error:
            error.close()
            return _judge(error.code)
        except URLError as error:
            # The request was not sent completely.
            return Outcome("refused", error_words(error.reason))
        except (OSError, HTTPException) as error:
            return Outcome("unanswered", error_words(error))


def webhook_body(message: Message) -> bytes:
    """The body of the request: type, time and facts of the event."""
    notice = message.notice
    document = {
        "type": f"job.{notice.event}",
        "timestamp": notice.time,
        "data": {**notice.summary, "store": message.store.address},
    }
    return json.dumps(document, separators=(",", ":")).encode()


def signature_headers(
    message: str, timestamp: int, body: bytes, secrets: tuple[bytes, ...]
) -> dict[str, str]:
    """The headers of Standard Webhooks.

    message: its id, the same in each attempt. timestamp: seconds since 1970, signed with the body.
    secrets: each gives one signature, so that a receiver may change from one to the next.
    """
    headers = {"webhook-id": message, "webhook-timestamp": str(timestamp)}
    signed = f"{message}.{timestamp}.".encode() + body
    signatures = [
        base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
        for secret in secrets
    ]
    if signatures:
        headers["webhook-signature"] = " ".join(f"v1,{one}" for one in signatures)
    return headers


class _NoRedirects(HTTPRedirectHandler):
    """Treats each redirect as an error."""

    def redirect_request(
        self,
        req: Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> None:
        """Follow nothing."""


def _judge(status: int) -> Outcome:
    """What an answer other than success means."""
    if status == _GATEWAY_TIMEOUT:
        return Outcome("unanswered", f"answered {status}")
    if status >= 500 or status in _LATER:
        return Outcome("refused", f"answered {status}")
    if 300 <= status < 400:
        return Outcome("rejected", f"answered {status}; redirects are not followed")
    return Outcome("rejected", f"answered {status}")
