"""The operator's addresses: `[NAME=]URL`, from options, a variable of the environment, or files.

Addresses contain secrets, such as tokens and passwords. No error message, log or record contains
more of an address than its `shown` form.
"""

import base64
import binascii
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from jobs.notify.message import Service
from jobs.notify.notice import Audience, Notice
from jobs.notify.webhook import Webhook
from jobs.spec.notify import MAX_NOTIFIED, is_notify_name
from jobs.text.errors import RequestError

OPTION, VARIABLE, SECRET = "--notify", "DREAMFARM_NOTIFY", "DREAMFARM_NOTIFY_SECRET"
"""The option and the variables of `work`."""

VARIABLES = frozenset({VARIABLE, SECRET})
"""Variables with secrets, which no process needs but `work` itself."""

_MAX_FILE = 1 << 16
"""The most bytes of a file with addresses or secrets."""

_PREFIX = "whsec_"
_SECRET_BYTES = range(24, 65)
"""The length of a secret, as Standard Webhooks has it."""

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)


@dataclass(frozen=True)
class Address:
    """Where to send notices.

    id: its name, or its scheme with a number, which is the same in each `work` with the same
    addresses. name: None for an address that gets all notices. shown: without secrets.
    """

    id: str
    name: str | None
    shown: str
    service: Service = field(repr=False)

    def wants(self, notice: Notice) -> bool:
        """Whether a notice is for this address."""
        return self.name is None or self.name in notice.notify


def audience_of(addresses: Iterable[Address]) -> Audience:
    """Who gets notices."""
    names = [address.name for address in addresses]
    named = tuple(name for name in names if name is not None)
    return Audience(hears_all=None in names, names=named)


def read_addresses(given: Iterable[str], environment: Mapping[str, str]) -> tuple[Address, ...]:
    """The addresses of the options and of the environment. Raises RequestError.

    given: the values of `--notify`: an address, or `@FILE` with one in each line.
    """
    texts = [(OPTION, text) for value in given for text in _expand(OPTION, value)]
    for word in environment.get(VARIABLE, "").split():
        texts += [(VARIABLE, text) for text in _expand(VARIABLE, word)]
    if not texts:
        return ()
    if len(texts) > MAX_NOTIFIED:
        raise RequestError(f"{OPTION}: {len(texts)} addresses; give at most {MAX_NOTIFIED}")
    secrets = tuple(_read_secrets(environment))
    counts: Counter[str] = Counter()
    addresses: list[Address] = []
    for source, text in texts:
        addresses.append(_parse(source, text, secrets, counts))
    names = Counter(address.id for address in addresses)
    for name, count in names.items():
        if count > 1:
            raise RequestError(f"{OPTION}: the name {name} is given {count} times; choose others")
    return tuple(addresses)


def _expand(source: str, value: str) -> Iterator[str]:
    """The addresses that a value stands for: itself, or the lines of a file."""
    if not value.startswith("@"):
        yield value.strip()
        return
    for line in _read_file(source, value).splitlines():
        if line.strip() and not line.strip().startswith("#"):
            yield line.strip()


def _read_file(source: str, value: str) -> str:
    path = Path(value[1:])
    try:
        with path.open("rb") as file:
            return file.read(_MAX_FILE).decode()
    except OSError as error:
        problem = error.strerror or type(error).__name__
        raise RequestError(f"{source} {value}: {problem}; give a readable file") from error
    except ValueError as error:
        raise RequestError(f"{source} {value}: is not text; write one address a line") from error


def _read_secrets(environment: Mapping[str, str]) -> Iterator[bytes]:
    """The keys of signatures, newest first. Raises RequestError."""
    text = environment.get(SECRET, "").strip()
    if text.startswith("@"):
        text = _read_file(SECRET, text)
    for word in text.split():
        try:
            secret = base64.b64decode(word.removeprefix(_PREFIX), validate=True)
        except binascii.Error:
            secret = b""
        if not word.startswith(_PREFIX) or len(secret) not in _SECRET_BYTES:
            raise RequestError(
                f"{SECRET}: must be {_PREFIX} and 24 to 64 bytes in base64; "
                f'`echo "{_PREFIX}$(openssl rand -base64 32)"` makes one'
            )
        yield secret


def _parse(source: str, text: str, secrets: tuple[bytes, ...], counts: Counter[str]) -> Address:
    """One address. counts: the addresses without a name so far, by scheme."""
    before, equals, after = text.partition("=")
    name, url = (before, after) if equals and is_notify_name(before) else (None, text)
    match = _SCHEME.match(url)
    if match is None or not url.isprintable() or any(character.isspace() for character in url):
        # Nothing of it is repeated: what it is, and what of it is a secret, is unknown.
        raise RequestError(
            f"{source}: one of the values is no address; write [NAME=]https://HOST/PATH, or "
            "[NAME=] and an address of apprise, such as ntfy://HOST/TOPIC; a name has a-z, "
            "0-9, '-' and '_'"
        )
    scheme = match[1].lower()
    shown, service = _service(source, scheme, url, secrets)
    if name is None:
        counts[scheme] += 1
        return Address(f"{scheme}+{counts[scheme]}", None, shown, service)
    return Address(name, name, shown, service)


def _service(source: str, scheme: str, url: str, secrets: tuple[bytes, ...]) -> tuple[str, Service]:
    """What shows an address without secrets, and its service."""
    from jobs.notify.apprise_service import AppriseService, find_plugin

    # Apprise knows the web addresses of some services, such as Slack and Discord.
    plugin = None if scheme == "http" else find_plugin(url)
    if plugin is not None:
        return f"{scheme}://...", AppriseService(plugin)
    if scheme not in ("http", "https"):
        raise RequestError(
            f"{source} {scheme}://...: apprise does not know such an address, or a part of it is "
            "missing; https://appriseit.com/services lists them"
        )
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host:
        raise RequestError(f"{source} {scheme}://...: has no valid host; write https://HOST/PATH")
    if not (parts.path + parts.query).isascii():
        raise RequestError(
            f"{source} {scheme}://...: has other letters than ASCII after the host; write each "
            "of their bytes as %XX"
        )
    place = host if port is None else f"{host}:{port}"
    return f"{scheme}://{place}/...", Webhook(parts, secrets)
