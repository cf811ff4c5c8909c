"""A message to an address of the operator, and what a service does with it."""

import hashlib
import ssl
from dataclasses import dataclass
from typing import Protocol

from jobs.notify.attempts import Outcome
from jobs.notify.notice import Notice
from jobs.store.errors import ObjectError, ObjectNotFound
from jobs.store.store import Store
from jobs.text.report import one_line

_MAX_WORDS = 200
"""Characters of an error in a line of `work`."""


@dataclass(frozen=True)
class Message:
    """A notice that is being sent. store: where the notice, and the job's pictures, lie."""

    notice: Notice
    store: Store

    @property
    def id(self) -> str:
        """The same for each attempt to send the notice, so that a receiver can ignore the second.

        It has no dot, because the signature separates its parts by dots.
        """
        notice = self.notice
        digest = hashlib.sha256(f"{notice.nonce} {notice.key}".encode()).hexdigest()
        return f"msg_{digest[:32]}"

    def picture(self) -> bytes | None:
        """The newest preview as a JPEG, or None. Raises StoreError."""
        key = self.notice.preview
        if key is None:
            return None
        try:
            return self.store.get(key)
        except (ObjectError, ObjectNotFound):
            return None


class Service(Protocol):
    """Something that takes messages."""

    def send(self, message: Message, timeout: float) -> Outcome:
        """Send a message once. timeout: seconds for a connection, and for an answer.

        Whatever goes wrong on the way is an outcome. Raises StoreError.
        """


def error_words(error: BaseException | str) -> str:
    """A few words about an error of the network, which contain no address."""
    if isinstance(error, str):
        return "no connection"
    if isinstance(error, ssl.SSLError) and error.reason:
        return one_line(error.reason.replace("_", " ").lower())
    text = error.strerror if isinstance(error, OSError) else None
    return one_line(text)[:_MAX_WORDS] if text else type(error).__name__
