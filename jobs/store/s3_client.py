"""The boto3 client, configured by AWS_* variables and profiles."""

import base64
import hashlib
import math
import os
from typing import TYPE_CHECKING, Any

from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ReadTimeoutError

from jobs.store.errors import StoreRefused
from jobs.store.s3_errors import NoAnswerError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_ADDRESSING = "DREAMFARM_S3_ADDRESSING"
_TIMEOUT = "DREAMFARM_S3_TIMEOUT"
_CONNECT_TIMEOUT, _READ_TIMEOUT = 3.0, 10.0
_ATTEMPTS = 3
_CONNECTIONS = 32
_REGION = "us-east-1"

_CONFLICT = "ConditionalRequestConflict"
"""The error code while several writers compete for an object, before one succeeds."""


def make_client() -> "S3Client":
    """Make a thread-safe client for the credentials, region and endpoint of the environment.

    Two variables are specific to Dreamfarm:
    DREAMFARM_S3_ADDRESSING: `path` (`host/bucket`, the default with an endpoint) or `virtual`
        (`bucket.host`).
    DREAMFARM_S3_TIMEOUT: seconds to wait for a connection or an answer.

    Sends no request yet. Raises StoreRefused for invalid settings, and errors of botocore.
    """
    session = Session()
    region = session.region_name or _REGION
    config = _config()
    try:
        client: S3Client = session.client("s3", region_name=region, config=config)
    except BotoCoreError:  # some are ValueErrors too
        raise
    except ValueError as error:
        raise StoreRefused("AWS_ENDPOINT_URL_S3: not a URL; write https://HOST:PORT") from error
    rule: Any = _Retries().rule  # typed as returning None, but a handler may return a delay
    client.meta.events.register_first("needs-retry.s3", rule)
    client.meta.events.register("before-call.s3.DeleteObjects", _add_content_md5)
    return client


def _add_content_md5(params: dict[str, Any], **_: object) -> None:
    """Send Content-MD5 instead of a CRC. AWS takes both, and older stores only the former."""
    params["context"].pop("checksum", None)
    digest = hashlib.md5(params["body"], usedforsecurity=False).digest()
    params["headers"]["Content-MD5"] = base64.b64encode(digest).decode()


def _config() -> Config:
    connect, read = _timeouts()
    addressing = _addressing()
    return Config(
        connect_timeout=connect,
        read_timeout=read,
        retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
        max_pool_connections=_CONNECTIONS,
        # By default checksums are sent as trailers, which stores other than AWS reject.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        # Without our setting, `s3 = addressing_style` of a profile applies.
        s3={"addressing_style": addressing} if addressing else None,
    )


def _timeouts() -> tuple[float, float]:
    text = os.environ.get(_TIMEOUT)
    if not text:
        return _CONNECT_TIMEOUT, _READ_TIMEOUT
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise StoreRefused(f"{_TIMEOUT}: must be a number of seconds, not {text}")
    return seconds, seconds


def _addressing() -> Any:
    text = os.environ.get(_ADDRESSING)
    if text and text not in {"auto", "path", "virtual"}:
        raise StoreRefused(f"{_ADDRESSING}: must be auto, path or virtual, not {text}")
    return text


class _Retries:
    """Retry rules of one client, in addition to those of botocore."""

    def __init__(self) -> None:
        self._has_answered = False

    def rule(
        self,
        response: tuple[object, dict[str, Any]] | None,
        attempts: int,
        caught_exception: Exception | None,
        **_: object,
    ) -> float | None:
        """Return the seconds until the next attempt, or None to apply botocore's own rules.

        botocore calls this after each attempt.
        """
        if response is None:
            # If the endpoint has never answered, the address may be wrong: do not wait again.
            # (s3transfer would wait five times.) Later timeouts are transient.
            if isinstance(caught_exception, ReadTimeoutError) and not self._has_answered:
                raise NoAnswerError from caught_exception
            return None
        self._has_answered = True
        if attempts < _ATTEMPTS and response[1].get("Error", {}).get("Code") == _CONFLICT:
            return float(0.1 * 2**attempts)
        return None
