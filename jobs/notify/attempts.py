"""Attempts to send a notice to an address: claims in the store, and when the next one is due.

An attempt is an object that is created if absent, right before its message is sent; its number is
in its key. Whoever created it writes the outcome into it. So a message is sent a second time only
if the sender died, or got no answer, before it could write what became of the first; and never a
third time.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from jobs.records.record import SMALL_RECORD, Record, invalid_record, read_bytes_with_age
from jobs.store.errors import ObjectNotFound
from jobs.store.store import Store

Result = Literal["sent", "refused", "unanswered", "rejected"]
"""What became of a message. sent: the service took it. refused: it did not, and may take it later.
unanswered: it may have taken it. rejected: it will never take it."""


@dataclass(frozen=True)
class Outcome:
    """What became of a message. detail: why, in a few words without secrets."""

    result: Result
    detail: str = ""


_MOST = 100
"""The most attempts that are read: anybody may have written more of them."""


class Attempt(Record):
    """One attempt.

    nonce: of the notice's job. A job that was deleted and submitted again has another one.
    token: random; whoever created the object recognises it by that. holder: `host:pid`.
    time: in UTC, when the attempt began.
    result, detail: the outcome; None while the message is being sent.
    """

    max_bytes = SMALL_RECORD

    nonce: str
    token: str
    holder: str
    time: str
    result: Result | None = None
    detail: str = ""

    @property
    def may_have_arrived(self) -> bool:
        """Whether the message was taken, or may have been."""
        return self.result in (None, "sent", "unanswered")


@dataclass(frozen=True)
class Rules:
    """When and how often to send.

    timeout: seconds for a connection, and for an answer. dead_after: seconds after which an attempt
    without an outcome counts as that of a dead sender. first_delay, growth, longest_delay: seconds
    until the second attempt, the factor of each further delay, and the limit.
    most_attempts: in all. most_messages: attempts that may have arrived.
    """

    timeout: float = 10.0
    dead_after: float = 60.0
    first_delay: float = 10.0
    growth: float = 3.0
    longest_delay: float = 1800.0
    most_attempts: int = 10
    most_messages: int = 2

    def delay_after(self, number: int) -> float:
        """Seconds between the end of that attempt and the next one."""
        return float(min(self.longest_delay, self.first_delay * self.growth ** (number - 1)))


@dataclass(frozen=True)
class Step:
    """What to do about a notice and an address: an attempt, in so many seconds; or no more."""

    is_over: bool
    wait: float = 0.0


_OVER = Step(is_over=True)


def next_step(attempts: Sequence[Attempt], age: float, rules: Rules) -> Step:
    """Decide about the next attempt. age: seconds since the last one was written."""
    if not attempts:
        return Step(is_over=False)
    if any(one.result in ("sent", "rejected") for one in attempts):
        return _OVER
    is_open = attempts[-1].result is None
    delay = rules.dead_after if is_open else rules.delay_after(len(attempts))
    if is_open and age < delay:
        return Step(is_over=False, wait=delay - age)
    arrived = sum(one.may_have_arrived for one in attempts)
    if arrived >= rules.most_messages or len(attempts) >= rules.most_attempts:
        return _OVER
    return Step(is_over=False, wait=max(0.0, delay - age))


class AttemptLog:
    """The attempts to send one notice to one address.

    prefix: of their keys. nonce: of the notice's job.
    """

    def __init__(self, store: Store, prefix: str, holder: str, nonce: str) -> None:
        self._store, self._prefix, self._holder, self._nonce = store, prefix, holder, nonce

    def read(self) -> tuple[list[Attempt], float]:
        """All attempts in order, and the age of the last one. Raises InvalidRecord.

        A sender that was at work while the job was deleted may have left some of another nonce.
        """
        attempts: list[Attempt] = []
        age = 0.0
        while len(attempts) < _MOST:
            key = self._key(len(attempts) + 1)
            try:
                content, age_of_next = read_bytes_with_age(self._store, key)
            except ObjectNotFound:
                return attempts, age
            attempts.append(Attempt.decode(content, key))
            age = age_of_next
        raise invalid_record(self._prefix, f"has {_MOST} attempts or more")

    def of_now(self, attempts: Sequence[Attempt]) -> list[Attempt]:
        """Those of this nonce."""
        return [one for one in attempts if one.nonce == self._nonce]

    def begin(self, number: int) -> Attempt | None:
        """Claim the attempt with that number; None if another sender was faster."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        token = secrets.token_hex(16)
        attempt = Attempt(nonce=self._nonce, token=token, holder=self._holder, time=now)
        key = self._key(number)
        if self._store.put_if_absent(key, attempt.encode()):
            return attempt
        # It may be our own: a request is sent again if its answer is lost.
        existing = Attempt.read_or_none(self._store, key)
        return attempt if existing is not None and existing.token == attempt.token else None

    def end(self, number: int, attempt: Attempt, outcome: Outcome) -> Attempt:
        """Write what became of an attempt, and return it."""
        update = {"result": outcome.result, "detail": outcome.detail}
        ended = attempt.model_copy(update=update)
        self._store.put(self._key(number), ended.encode())
        return ended

    def _key(self, number: int) -> str:
        return f"{self._prefix}{number}.json"
