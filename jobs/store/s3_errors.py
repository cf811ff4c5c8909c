"""What boto3's errors mean, in one line that holds no key, token or signature.

Nothing of what a server or boto3 says is repeated but the code of an error.
"""

import re

from boto3.exceptions import Boto3Error
from botocore.exceptions import (
    BotoCoreError,
    ChecksumError,
    ClientError,
    ConnectionError,  # noqa: A004 - botocore's name
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    ProxyConnectionError,
    ReadTimeoutError,
    ResponseStreamingError,
    SSLError,
    TokenRetrievalError,
)
from botocore.parsers import ResponseParserError
from s3transfer.exceptions import RetriesExceededError, S3DownloadFailedError, S3ValidationError
from urllib3.exceptions import HTTPError

from jobs.store.errors import StoreError, StoreRefused, StoreUnreachable


class NeverAnsweredError(BotoCoreError):
    """An endpoint takes connections, and has not said a word yet."""

    fmt = "no answer yet"


class BrokeOffError(BotoCoreError):
    """An answer began well and did not come to its end."""

    fmt = "the answer broke off"


FAILURES = (
    BotoCoreError,
    Boto3Error,
    ClientError,
    HTTPError,
    ResponseParserError,
    RetriesExceededError,
    S3DownloadFailedError,
    S3ValidationError,
)
"""All that boto3 raises, and what it lets pass from below: the end of an answer to a listing."""


BROKEN_OFF = (IncompleteReadError, ReadTimeoutError, ResponseStreamingError)
"""What reading the body of an answer raises where it does not come to its end."""


_RUNNING = "is the store running, and AWS_ENDPOINT_URL right?"

_LOG_IN = "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"

_DENIED = "access denied; let these credentials list, read, write and delete there"

_ELSEWHERE = "the bucket is in another region; set AWS_DEFAULT_REGION"

_EXPIRED = "the credentials have expired; renew them"

_NO_BUCKET = "no such bucket; create it, or correct the address"


_REFUSALS = {
    "AccessDenied": _DENIED,
    "AuthorizationHeaderMalformed": _ELSEWHERE,
    "ExpiredToken": _EXPIRED,
    "IllegalLocationConstraintException": _ELSEWHERE,
    "InvalidAccessKeyId": f"unknown access key; {_LOG_IN}",
    "InvalidToken": _EXPIRED,
    "NoSuchBucket": _NO_BUCKET,
    "NotImplemented": "a request that this store does not know; use another store",
    "PermanentRedirect": _ELSEWHERE,
    "QuotaExceeded": "the quota is used up; free some space",
    "RequestTimeTooSkewed": "this machine's clock is wrong; set it",
    "SignatureDoesNotMatch": f"wrong secret key; {_LOG_IN}",
    "TokenRefreshRequired": _EXPIRED,
}


_BY_STATUS = {401: _DENIED, 403: _DENIED, 404: _NO_BUCKET}
"""What is meant where the code is none of S3's: gateways and other servers answer too."""


_PASSING = {
    "BadDigest",
    "ConditionalRequestConflict",
    "IncompleteBody",
    "InternalError",
    "NoSuchUpload",
    "OperationAborted",
    "RequestTimeout",
    "ServiceUnavailable",
    "SlowDown",
}
"""Codes after which the same request may succeed. An upload is gone where an answer was lost."""


_BROKE_OFF = "the connection broke off; try again later"

_NONSENSE = f"an answer that makes no sense; {_RUNNING}"


_UNREACHABLE: tuple[tuple[type[Exception], str], ...] = (
    (EndpointConnectionError, f"no connection; {_RUNNING}"),
    (ConnectTimeoutError, f"no connection; {_RUNNING}"),
    (ProxyConnectionError, "no connection to the proxy; is HTTPS_PROXY right?"),
    (NeverAnsweredError, f"no answer in time; {_RUNNING}"),
    (ReadTimeoutError, f"no answer in time; {_RUNNING}"),
    (ResponseParserError, _NONSENSE),
    (S3ValidationError, _NONSENSE),
    (S3DownloadFailedError, "an object changed while it was read; try again"),
    (BrokeOffError, _BROKE_OFF),
    (ConnectionError, _BROKE_OFF),
    (HTTPClientError, _BROKE_OFF),
    (HTTPError, _BROKE_OFF),
    (IncompleteReadError, _BROKE_OFF),
    (ChecksumError, _BROKE_OFF),
)

_UNABLE: tuple[tuple[type[Exception], str], ...] = (
    (ProfileNotFound, "no such profile; correct AWS_PROFILE"),
    (NoCredentialsError, f"no credentials; {_LOG_IN}"),
    (PartialCredentialsError, f"half of the credentials; {_LOG_IN}"),
    (CredentialRetrievalError, "the credentials cannot be had; log in again"),
    (TokenRetrievalError, "the credentials cannot be had; log in again"),
)
"""The first that an error is an instance of counts."""


def code(error: Exception) -> str:
    """The code that a store gave for an error, if it is the store's."""
    if not isinstance(error, ClientError):
        return ""
    return str(error.response.get("Error", {}).get("Code", ""))


def failure(error: BaseException, where: str) -> StoreError:
    """One of FAILURES, which happened to the store that is `where`."""
    if isinstance(error, RetriesExceededError):
        return failure(error.last_exception, where)
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return refusal(code(error), status, where)
    if isinstance(error, SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        return StoreRefused(f"{where}: its certificate is not trusted; set AWS_CA_BUNDLE")
    for kind, words in _UNREACHABLE:
        if isinstance(error, kind):
            return StoreUnreachable(f"{where}: {words}")
    for kind, words in _UNABLE:
        if isinstance(error, kind):
            return StoreRefused(f"{where}: {words}")
    return StoreRefused(
        f"{where}: boto3 cannot ask ({type(error).__name__}); check the AWS_ variables and profile"
    )


def refusal(name: str, status: int, where: str) -> StoreError:
    """What a code, and the status of its response, mean."""
    said = " ".join(dict.fromkeys(word for word in (str(status or ""), _plain(name)) if word))
    if name in _PASSING or status == 429 or (status >= 500 and name not in _REFUSALS):
        return StoreUnreachable(f"{where}: the store fails ({said}); try again later")
    remedy = _REFUSALS.get(name) or _BY_STATUS.get(status, "see what its manual says to that")
    return StoreRefused(f"{where}: refused ({said}): {remedy}")


def _plain(name: str) -> str:
    # A code is one word; what else a server may send there is nobody's business.
    return name if re.fullmatch(r"[A-Za-z0-9.]{1,60}", name) else ""
