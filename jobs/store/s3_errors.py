"""Translates errors of boto3 into errors of the store, without secrets.

Of the server's text, messages contain only the error code: other text of a server or of boto3 may
contain a key, a token or a signature.
"""

import re

from boto3.exceptions import Boto3Error
from botocore.exceptions import (
    BotoCoreError,
    ChecksumError,
    ClientError,
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
from botocore.exceptions import (
    ConnectionError as BotoConnectionError,
)
from botocore.parsers import ResponseParserError
from s3transfer.exceptions import RetriesExceededError, S3DownloadFailedError, S3ValidationError
from urllib3.exceptions import HTTPError

from jobs.store.errors import StoreError, StoreRefused, StoreUnreachable


class NoAnswerError(BotoCoreError):
    """An endpoint accepts connections, but has never answered."""

    fmt = "no answer yet"


class TruncatedError(BotoCoreError):
    """The body of an answer ended early."""

    fmt = "the answer ended early"


BOTO3_ERRORS = (
    BotoCoreError,
    Boto3Error,
    ClientError,
    HTTPError,
    ResponseParserError,
    RetriesExceededError,
    S3DownloadFailedError,
    S3ValidationError,
)
"""All errors that boto3 raises or passes on. Listings that end early raise HTTPError."""


TRUNCATION_ERRORS = (IncompleteReadError, ReadTimeoutError, ResponseStreamingError)
"""Errors of reading the body of an answer that ends early."""


_RUNNING = "check that the store is running, and AWS_ENDPOINT_URL_S3"

_LOG_IN = "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"

_DENIED = "access denied; allow these credentials to list, read, write and delete there"

_OTHER_REGION = "the bucket is in another region; set AWS_DEFAULT_REGION"

_EXPIRED = "the credentials have expired; renew them"

_NO_BUCKET = "no such bucket; create it, or correct the address"


_NO_REASON = "the store gives no reason; check the credentials, the region and the address"


_REMEDIES = {
    "AccessDenied": _DENIED,
    "AuthorizationHeaderMalformed": _OTHER_REGION,
    "ExpiredToken": _EXPIRED,
    "IllegalLocationConstraintException": _OTHER_REGION,
    "InvalidAccessKeyId": f"unknown access key; {_LOG_IN}",
    "InvalidToken": _EXPIRED,
    "NoSuchBucket": _NO_BUCKET,
    "NotImplemented": "the store does not support this request; use another store",
    "PermanentRedirect": _OTHER_REGION,
    "QuotaExceeded": "the quota is exhausted; free some space",
    "RequestTimeTooSkewed": "this machine's clock is wrong; set it",
    "SignatureDoesNotMatch": f"wrong secret key; {_LOG_IN}",
    "TokenRefreshRequired": _EXPIRED,
}


_REMEDIES_BY_STATUS = {401: _DENIED, 403: _DENIED, 404: _NO_BUCKET}
"""Remedies by HTTP status, for codes that are not S3's: a gateway may answer too."""


_SYNONYMS = {
    "AccessDenied": ("AccessForbidden", "AllAccessDisabled", "Forbidden", "Unauthorized"),
    "InvalidRange": ("InvalidRangeRequest", "RangeNotSatisfiable", "RequestedRangeNotSatisfiable"),
    "NoSuchBucket": ("BucketNotFound", "ContainerNotFound", "NoSuchContainer"),
    "NoSuchKey": ("BlobNotFound", "KeyNotFound", "NoSuchObject", "NotFound", "ObjectNotFound"),
    "NoSuchUpload": ("UploadNotFound",),
    "NotImplemented": (
        *("MethodNotAllowed", "NotSupported", "OperationNotSupported", "UnsupportedOperation"),
        *("MissingContentMD5", "UnsupportedMethod"),
    ),
    "PreconditionFailed": (
        *("BlobAlreadyExists", "ConditionNotMet", "FileAlreadyExists", "KeyAlreadyExists"),
        *("ObjectAlreadyExists", "ObjectExists"),
    ),
    "SlowDown": ("RequestLimitExceeded", "Throttling", "ThrottlingException", "TooManyRequests"),
}
"""What other stores call the errors of S3."""


_S3_CODES = {word: code for code, words in _SYNONYMS.items() for word in words}

_CODES_BY_STATUS = {
    304: "PreconditionFailed",
    405: "NotImplemented",
    412: "PreconditionFailed",
    416: "InvalidRange",
    501: "NotImplemented",
}
"""The codes of statuses that have one meaning, whatever a store calls it."""


_TRANSIENT_CODES = {
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
"""Codes after which the same request may succeed.

NoSuchUpload: the upload was completed, but the answer was lost."""


_CONNECTION_LOST = "the connection was lost; try again later"

_INVALID_ANSWER = f"invalid answer; {_RUNNING}"


_UNREACHABLE: tuple[tuple[type[Exception], str], ...] = (
    (EndpointConnectionError, f"no connection; {_RUNNING}"),
    (ConnectTimeoutError, f"no connection; {_RUNNING}"),
    (ProxyConnectionError, "no connection to the proxy; check HTTPS_PROXY"),
    (NoAnswerError, f"no answer in time; {_RUNNING}"),
    (ReadTimeoutError, f"no answer in time; {_RUNNING}"),
    (ResponseParserError, _INVALID_ANSWER),
    (S3ValidationError, _INVALID_ANSWER),
    (S3DownloadFailedError, "an object changed during the download; try again"),
    (TruncatedError, _CONNECTION_LOST),
    (BotoConnectionError, _CONNECTION_LOST),
    (HTTPClientError, _CONNECTION_LOST),
    (HTTPError, _CONNECTION_LOST),
    (IncompleteReadError, _CONNECTION_LOST),
    (ChecksumError, _CONNECTION_LOST),
)

_NO_CREDENTIALS: tuple[tuple[type[Exception], str], ...] = (
    (ProfileNotFound, "no such profile; correct AWS_PROFILE"),
    (NoCredentialsError, f"no credentials; {_LOG_IN}"),
    (PartialCredentialsError, f"incomplete credentials; {_LOG_IN}"),
    (CredentialRetrievalError, "the credentials could not be loaded; log in again"),
    (TokenRetrievalError, "the credentials could not be loaded; log in again"),
)
"""In both tables, the first matching class decides."""


def error_code(error: Exception) -> str:
    """The error code in the answer of a store, in the words of S3; empty for other errors."""
    if not isinstance(error, ClientError):
        return ""
    return s3_code(*_code_and_status(error))


def http_status(error: ClientError) -> int:
    """The HTTP status of the answer of a store; 0 if there is none."""
    return _code_and_status(error)[1]


def s3_code(name: str, status: int = 0) -> str:
    """The code of S3 for a code of another store, and the HTTP status (0: unknown)."""
    if name in _REMEDIES or name in _TRANSIENT_CODES:
        return name
    return _S3_CODES.get(name) or _CODES_BY_STATUS.get(status) or name


def _code_and_status(error: ClientError) -> tuple[str, int]:
    name = error.response.get("Error", {}).get("Code") or ""
    return name, error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)


def store_error(error: BaseException, where: str) -> StoreError:
    """Translate one of BOTO3_ERRORS. where: the address of the store, for the message."""
    if isinstance(error, RetriesExceededError):
        return store_error(error.last_exception, where)
    if isinstance(error, ClientError):
        return error_of_code(*_code_and_status(error), where)
    if isinstance(error, SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        return StoreRefused(f"{where}: its certificate is not trusted; set AWS_CA_BUNDLE")
    for kind, message in _UNREACHABLE:
        if isinstance(error, kind):
            return StoreUnreachable(f"{where}: {message}")
    for kind, message in _NO_CREDENTIALS:
        if isinstance(error, kind):
            return StoreRefused(f"{where}: {message}")
    return StoreRefused(
        f"{where}: boto3 failed ({type(error).__name__}); check the AWS_ variables and profile"
    )


def error_of_code(name: str, status: int, where: str) -> StoreError:
    """The error for an error code and the HTTP status of its response (0: unknown)."""
    codes = " ".join(dict.fromkeys(part for part in (str(status or ""), _safe_code(name)) if part))
    code = s3_code(name, status)
    if code in _TRANSIENT_CODES or status == 429 or (status >= 500 and code not in _REMEDIES):
        return StoreUnreachable(f"{where}: the store failed ({codes}); try again later")
    remedy = _REMEDIES.get(code) or _REMEDIES_BY_STATUS.get(status, "see the manual of the store")
    # Answers to HEAD have no body: botocore uses the status as the code. 401, 403 and 404 have
    # remedies above.
    if name in ("", "400"):
        remedy = _REMEDIES_BY_STATUS.get(status, _NO_REASON)
    return StoreRefused(f"{where}: refused ({codes}): {remedy}")


def _safe_code(name: str) -> str:
    # A code is one word; any other text from a server may be secret.
    return name if re.fullmatch(r"[A-Za-z0-9.]{1,60}", name) else ""
