"""Leases: numbered objects that give one holder at a time the right to run a job.

A holder claims a lease by creating the object of the next number if it is absent; the store lets
one of several claimers succeed. The holder renews the lease by rewriting the object, which resets
its age by the store's clock. The next number may be claimed once a lease is released, or older
than its `ttl`. Leases are never deleted, and only the highest number counts.

The number is a fencing token (Kleppmann, "How to do distributed locking", 2016). A holder may sleep
past the end of its lease, wake up and write; no clock can prevent that. Therefore what a holder
writes, its successor writes to other keys, or with the same bytes, or only if absent:

- The keys of status, events, log, checkpoints, the files of a poster, and the ledger and tars of a
  dataset contain the lease number. Readers use the highest one, and the tar that a row names.
- Every holder makes the same bytes of the decoded input and masks, the previews of octaves, and the
  results of a dataset. Only its contact sheet may show an older state.
- `plan.json`, `manifest.json` and the listings of a dataset are created only if absent.

A late renewal is harmless too: it rewrites an object that nobody reads any more, and then checks
the lease, which stops the holder. If there is no successor, a late renewal continues the job.
"""

import secrets
import threading
from contextlib import suppress
from dataclasses import dataclass

from jobs.records.keys import MAX_NUMBER, JobKeys
from jobs.records.record import SMALL_RECORD, Record, Ttl, invalid_record, read_bytes_with_age
from jobs.store.errors import ObjectNotFound, StoreUnreachable
from jobs.store.store import Store
from jobs.text.errors import InvalidRecord, LeaseLost


class Lease(Record):
    """The stored object of a lease.

    token: random; a claimer recognises its own claim by it.
    holder: `host:pid`; a local render checks whether that process lives.
    ttl: seconds after the last write until the lease expires.
    """

    max_bytes = SMALL_RECORD

    token: str
    holder: str
    ttl: Ttl
    released: bool = False


@dataclass(frozen=True)
class CurrentLease:
    """The lease with the highest number. age: seconds since its last write, by the store."""

    number: int
    lease: Lease
    age: float

    @property
    def is_live(self) -> bool:
        """Whether the holder may still run the job; then no other process may claim it."""
        return not self.lease.released and self.age <= self.lease.ttl


class HeldLease:
    """A lease that this process holds: renew, check, release. Thread-safe.

    A process has one object for a lease: the object's lock keeps a check from a false alarm.
    `claim_lease` and `restore_lease` make it.
    """

    def __init__(
        self, store: Store, keys: JobKeys, number: int, token: str, holder: str, ttl: float
    ) -> None:
        self.keys = keys
        self.number = number
        self.token = token
        self.holder = holder
        self.ttl = ttl
        self._store, self._once = store, store.without_retries()
        self._released = False
        self._lock = threading.Lock()

    def renew(self) -> None:
        """Reset the age of the lease. Raises LeaseLost if it is not the current one.

        Requests are sent once: while the store does not answer, the caller tries again later.
        """
        with self._lock:
            if self._released:
                raise LeaseLost(f"{self.keys.job}: lease {self.number} was released")
            self._check_own(self._once)
            self._write(self._once, released=False)
            self._check_current()

    def check(self) -> None:
        """Raise LeaseLost if a higher number has been claimed, or the job was deleted."""
        while True:
            try:
                # In some file systems, a listing may miss an object that is being rewritten.
                with self._lock:
                    return self._check_current()
            except StoreUnreachable:
                # Wait for the store without the lock, which a renewal may need. Raises in the end.
                highest_lease(self._store, self.keys)

    def release(self) -> None:
        """Release the lease, so that the next number may be claimed at once.

        It writes nothing if the job was deleted.
        """
        with self._lock, suppress(LeaseLost):
            self._released = True
            self._check_own(self._store)
            self._write(self._store, released=True)

    def _check_own(self, store: Store) -> None:
        """Raise LeaseLost if the object is not this lease: a write would then revive a deleted job.

        Junk in it is not a reason to stop: the next write repairs it.
        """
        with suppress(InvalidRecord):
            lease = Lease.read_or_none(store, self.keys.lease(self.number))
            if lease is None or lease.token != self.token:
                raise LeaseLost(
                    f"{self.keys.job}: lease {self.number} is lost: the job was deleted"
                )

    def _check_current(self) -> None:
        highest = highest_lease(self._once, self.keys)
        if highest != self.number:
            reason = f"{highest} has been claimed" if highest else "the job was deleted"
            raise LeaseLost(f"{self.keys.job}: lease {self.number} is lost: {reason}")

    def _write(self, store: Store, *, released: bool) -> None:
        lease = Lease(token=self.token, holder=self.holder, ttl=self.ttl, released=released)
        store.put(self.keys.lease(self.number), lease.encode())


def current_lease(store: Store, keys: JobKeys) -> CurrentLease | None:
    """The lease with the highest number, live or not; None if nobody has claimed the job yet.

    Takes one listing and one read. Raises InvalidRecord.
    """
    number = highest_lease(store, keys)
    if not number:
        return None
    key = keys.lease(number)
    try:
        content, age = read_bytes_with_age(store, key)
    except ObjectNotFound:  # the job is being deleted
        return None
    return CurrentLease(number, Lease.decode(content, key), age)


_MOST_PROBES = 4
"""Leases that `later_lease` looks for one by one, before it lists them all."""


def later_lease(store: Store, keys: JobKeys, known: int) -> CurrentLease | None:
    """Like `current_lease`, without a listing if few leases follow the number `known`.

    A listing costs as much as ten reads. known: 0 if no lease is known. Raises InvalidRecord.
    """
    found = None
    for number in range(max(1, known), known + _MOST_PROBES + 1):
        try:
            found = number, *read_bytes_with_age(store, keys.lease(number))
        except ObjectNotFound:
            break
    else:
        return current_lease(store, keys)
    if found is None:
        # Leases have no gaps. Without the known one, the job was deleted, and may be back.
        return current_lease(store, keys) if known else None
    # Only the highest counts: junk in an earlier one is no fault.
    number, content, age = found
    return CurrentLease(number, Lease.decode(content, keys.lease(number)), age)


def claim_lease(
    store: Store, keys: JobKeys, after: int, holder: str, ttl: float, mark: str = ""
) -> HeldLease | None:
    """Claim the lease after the number `after`; None if another claimer was faster.

    The caller must know that lease `after` is not live. Raises InvalidRecord.

    Args:
        store: the store of the job.
        keys: the keys of the job.
        after: the highest lease number, or 0 if there is no lease.
        holder: `host:pid`; a local render checks whether that process lives.
        ttl: seconds after the last renewal until the lease expires.
        mark: what the random token ends with.
    """
    number, token = after + 1, f"{secrets.token_hex(16)}{mark}"
    key = keys.lease(number)
    if number > MAX_NUMBER:
        raise invalid_record(keys.lease(after), "no lease can follow the one with this number")
    lease = Lease(token=token, holder=holder, ttl=ttl)
    if not store.put_if_absent(key, lease.encode()):
        # The existing object may be our own: a request is sent again if its answer is lost.
        existing = Lease.read_or_none(store, key)
        if existing is None and any(True for _ in store.list_objects(keys.spec)):
            # The job was not deleted meanwhile. Some stores keep folders, one of them at this key.
            raise invalid_record(key, "is taken, but not by a lease")
        if existing is None or existing.token != token:
            return None
    return HeldLease(store, keys, number, token, holder, ttl)


def restore_lease(
    store: Store, keys: JobKeys, number: int, token: str, holder: str, ttl: float
) -> HeldLease:
    """Take over a lease that another process of the same holder claimed.

    Only one of the two processes may renew it from then on.

    Args:
        store: the store of the job.
        keys: the keys of the job.
        number: the number of the lease.
        token: the random token of the claim.
        holder: `host:pid`, as in the claim.
        ttl: seconds after the last renewal until the lease expires.
    """
    return HeldLease(store, keys, number, token, holder, ttl)


def highest_lease(store: Store, keys: JobKeys) -> int:
    """The highest lease number; 0 if nobody has claimed the job, or it was deleted."""
    numbers = (keys.lease_number(entry.key) for entry in store.list_objects(keys.leases))
    return max((number for number in numbers if number is not None), default=0)
