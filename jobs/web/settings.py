"""What the operator of `dreamfarm serve` decides, by options and variables of the environment."""

import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path

from jobs.text.errors import RequestError

HOST, PORT = "127.0.0.1", 8787
"""The default address: only this machine reaches it."""

REFRESH_SECONDS = 2.0
"""Seconds between two looks at the store, while a browser is connected."""

MAX_UPLOAD = 2 << 30
"""The default of `--max-upload`, in bytes."""

TOKEN, READ_TOKEN = "DREAMFARM_TOKEN", "DREAMFARM_READ_TOKEN"
"""The variables that hold tokens; a file is safer, because other programs may see variables."""

_LEAST_TOKEN = 16
"""Characters. A shorter token could be guessed."""

_MOST_TOKEN = 4096


@dataclass(frozen=True)
class Tokens:
    """The secrets of the operator. None: there is no such login. Their text appears in no log.

    write: allows everything. read: allows to look.
    """

    write: str | None = None
    read: str | None = None

    def __repr__(self) -> str:
        return f"Tokens(write={self.write and '...'}, read={self.read and '...'})"

    @property
    def are_needed(self) -> bool:
        """Whether nobody gets in without a token."""
        return self.write is not None or self.read is not None


@dataclass(frozen=True)
class ServeSettings:
    """The settings of one server.

    host, port: where it listens; port 0 takes any free one. max_upload: bytes of one upload.
    refresh_seconds: between two looks at the store. allowed: folders and `s3://` prefixes that
    specs from the page may name.
    """

    host: str = HOST
    port: int = PORT
    tokens: Tokens = Tokens()
    max_upload: int = MAX_UPLOAD
    refresh_seconds: float = REFRESH_SECONDS
    allowed: tuple[str, ...] = ()

    def check(self) -> None:
        """Raise RequestError if anybody could reach the server without a token."""
        if not self.tokens.are_needed and not is_loopback(self.host):
            raise RequestError(
                f"--host {self.host}: other machines could reach this, so it needs a token; write "
                f"one into a file and add --token-file FILE, or set {TOKEN}"
            )


def is_loopback(host: str) -> bool:
    """Whether an address or name of this machine is reached only from this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def read_tokens(file: Path | None, read_file: Path | None) -> Tokens:
    """The tokens in files, or in the environment. Raises RequestError for an unusable one."""
    return Tokens(
        write=_read_token("--token-file", file, TOKEN),
        read=_read_token("--read-token-file", read_file, READ_TOKEN),
    )


def parse_max_upload(text: str | None) -> int:
    """A value of `--max-upload`, in bytes; the default for None. Raises RequestError."""
    # Here, because all commands import this module, and few need pydantic.
    from pydantic import ByteSize, TypeAdapter, ValidationError

    if text is None:
        return MAX_UPLOAD
    try:
        size = TypeAdapter(ByteSize).validate_python(text)
    except ValidationError:
        size = ByteSize(0)
    if size < 1:
        raise RequestError(f"--max-upload {text}: write a size such as 500MB or 2GiB")
    return int(size)


def _read_token(option: str, file: Path | None, variable: str) -> str | None:
    if file is None:
        token, source = os.environ.get(variable), variable
    else:
        token, source = _file_text(option, file), f"{option} {file}"
    if token is None:
        return None
    token = token.strip()
    if not _LEAST_TOKEN <= len(token) <= _MOST_TOKEN or not token.isascii():
        raise RequestError(
            f"{source}: a token has {_LEAST_TOKEN} to {_MOST_TOKEN} ASCII characters; "
            "`openssl rand -hex 32` makes one"
        )
    return token


def _file_text(option: str, file: Path) -> str:
    try:
        return file.read_text("ascii")
    except OSError as error:
        raise RequestError(f"{option} {file}: {error.strerror}; give a readable file") from error
    except UnicodeDecodeError as error:
        raise RequestError(f"{option} {file}: is not text; write a token into it") from error
