"""A client of S3 by the conventions of its users: AWS_* variables and profiles."""

import math
import os
from typing import TYPE_CHECKING, Any

from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ReadTimeoutError

from jobs.store.errors import StoreRefused
from jobs.store.s3_errors import NeverAnsweredError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_ADDRESSING = "DREAMFARM_S3_ADDRESSING"
_TIMEOUT = "DREAMFARM_S3_TIMEOUT"
_CONNECT_TIMEOUT, _READ_TIMEOUT = 3.0, 10.0
_ATTEMPTS = 3
_CONNECTIONS = 32
_REGION = "us-east-1"

_CONFLICT = "ConditionalRequestConflict"
"""Another writer is at an object, and none has won yet."""


def make_client() -> "S3Client":
    """A client, safe for threads, for the credentials, region and endpoint of the environment.

    Two variables are our own: DREAMFARM_S3_ADDRESSING, `path` (`host/bucket`, the default where an
    endpoint is set) or `virtual` (`bucket.host`), and DREAMFARM_S3_TIMEOUT, the seconds to wait for
    a connection or an answer. Asks nothing of the store yet. Raises StoreRefused for settings that
    make no sense, and botocore's errors.
    """
    session = Session()
    region = session.region_name or _REGION
    config = _config()
    try:
        client: S3Client = session.client("s3", region_name=region, config=config)
    except BotoCoreError:  # some are ValueErrors too
        raise
    except ValueError as error:
        raise StoreRefused("AWS_ENDPOINT_URL: is no URL; write https://HOST:PORT") from error
    rule: Any = _Retries().rule  # its type says that handlers return nothing, but these may
    client.meta.events.register_first("needs-retry.s3", rule)
    return client


def _config() -> Config:
    connect, read = _timeouts()
    addressing = _addressing()
    return Config(
        connect_timeout=connect,
        read_timeout=read,
        retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
        max_pool_connections=_CONNECTIONS,
        # By default checksums come as trailers, which other stores than AWS refuse.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        # Without a word from us a profile's own `s3 = addressing_style` counts.
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
    """What botocore's own rules of repetition leave out, for one client."""

    def __init__(self) -> None:
        self._answered = False

    def rule(
        self,
        response: tuple[object, dict[str, Any]] | None,
        attempts: int,
        caught_exception: Exception | None,
        **_: object,
    ) -> float | None:
        """Called by botocore after each attempt: seconds to the next, or None for its own rules."""
        if response is None:
            # Who has never answered is not waited for twice, nor by s3transfer five times: the
            # address may be wrong. Later, silence is an accident.
            if isinstance(caught_exception, ReadTimeoutError) and not self._answered:
                raise NeverAnsweredError from caught_exception
            return None
        self._answered = True
        if attempts < _ATTEMPTS and response[1].get("Error", {}).get("Code") == _CONFLICT:
            return float(0.1 * 2**attempts)
        return None
