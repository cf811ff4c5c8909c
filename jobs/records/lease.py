"""Leases: the numbered, fenced right of one scheduler to run one job.

A claim is the creation, if absent, of the next number; the store lets one of many succeed. The
holder renews by rewriting its own object, which gives it a new age by the store's own clock. A
lease that was released, or is older than its `ttl`, may be followed by the next number. Leases are
never deleted, and only the highest number counts.

That number is a fencing token (Kleppmann, "How to do distributed locking", 2016). A holder may
sleep through its lease, wake up and write, and no clock can prevent it. So nothing that a holder
writes lies where its successor writes: status, checkpoints, outputs carry its number, and of those
the highest number's count. A late renewal is harmless for the same reason: it rewrites an object
at which nobody looks any more, and the look that follows it ends the holder. Where no successor
has come, a late renewal simply goes on with the job.
"""

import secrets
import threading
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from jobs.records.keys import JobKeys
from jobs.records.record import Record, aged_bytes
from jobs.store.errors import Missing
from jobs.store.store import Store
from jobs.text.errors import LeaseLost


class Lease(Record):
    """Who holds it, for how many seconds from its last writing, and whether it was given back.

    token: random; by it a claimer knows its own claim again.
    holder: for people, as `host:pid`.
    """

    token: str
    holder: str
    ttl: Annotated[float, Field(gt=0)]
    released: bool = False


@dataclass(frozen=True)
class Standing:
    """The lease that counts; age: seconds since it was written, by the store's clock."""

    number: int
    lease: Lease
    age: float

    @property
    def is_live(self) -> bool:
        """Whether its holder may run the job; nobody else may claim it then."""
        return not self.lease.released and self.age <= self.lease.ttl


class Held:
    """A lease in the hands of its holder. Safe to use from several threads."""

    def __init__(
        self, store: Store, keys: JobKeys, number: int, token: str, holder: str, ttl: float
    ) -> None:
        self.keys = keys
        self.number = number
        self.token = token
        self.holder = holder
        self.ttl = ttl
        self._store = store
        self._released = False
        self._turn = threading.Lock()

    def renew(self) -> None:
        """Make it young again. Raises LeaseLost, then or before, where it does not count."""
        with self._turn:
            if self._released:
                raise LeaseLost(f"{self.keys.job}: lease {self.number} was given back")
            self._write(released=False)
            self._look()

    def check(self) -> None:
        """Raises LeaseLost where another number has been claimed, or the job was deleted."""
        # In its turn: in some folders a listing may miss what is rewritten meanwhile.
        with self._turn:
            self._look()

    def release(self) -> None:
        """Give it back: the next may claim at once. Nothing renews it after that."""
        with self._turn:
            self._released = True
            self._write(released=True)

    def _look(self) -> None:
        highest = _highest(self._store, self.keys)
        if highest != self.number:
            news = f"{highest} has been claimed" if highest else "the job was deleted"
            raise LeaseLost(f"{self.keys.job}: lease {self.number} is lost: {news}")

    def _write(self, *, released: bool) -> None:
        lease = Lease(token=self.token, holder=self.holder, ttl=self.ttl, released=released)
        self._store.put(self.keys.lease(self.number), lease.encoded())


def standing(store: Store, keys: JobKeys) -> Standing | None:
    """The lease that counts, live or not; None for a job that nobody has claimed yet.

    One listing and one read. Raises BadRecord.
    """
    number = _highest(store, keys)
    if not number:
        return None
    key = keys.lease(number)
    try:
        content, age = aged_bytes(store, key)
    except Missing:  # the job is being deleted
        return None
    return Standing(number, Lease.decoded(content, key), age)


def claim(store: Store, keys: JobKeys, after: int, holder: str, ttl: float) -> Held | None:
    """The next lease after the number `after` (0: the first); None where another was faster.

    The caller has seen that lease `after` is not live. Raises BadRecord where something else lies
    at the key.
    """
    number, token = after + 1, secrets.token_hex(16)
    key = keys.lease(number)
    lease = Lease(token=token, holder=holder, ttl=ttl)
    if not store.put_if_absent(key, lease.encoded()):
        # What refuses may be this very claim, whose answer was lost and which was sent again.
        found = Lease.read_or_none(store, key)
        if found is None or found.token != token:
            return None
    return Held(store, keys, number, token, holder, ttl)


def rebuilt(store: Store, keys: JobKeys, number: int, token: str, holder: str, ttl: float) -> Held:
    """A lease that another process of this holder claimed; only one of the two may renew it."""
    return Held(store, keys, number, token, holder, ttl)


def _highest(store: Store, keys: JobKeys) -> int:
    """The highest number there is, 0 where there is none."""
    numbers = (keys.lease_number(entry.key) for entry in store.entries(keys.leases))
    return max((number for number in numbers if number is not None), default=0)
