"""Whether a store can be reached, written, shared, and told the time by."""

import time
import uuid
from collections.abc import Callable, Iterator

from jobs.records.keys import ACTIVE
from jobs.services.doctor.finding import Finding, failed, ok, warning
from jobs.store.conditional_write import check_conditional_writes
from jobs.store.errors import ObjectNotFound, StoreError
from jobs.store.store import INTERNAL_PREFIX, Store, store_time

_SLOW = 2.0
"""Seconds for a small request, above which work spends its time waiting."""


_APART = 10.0

_FAR_APART = 300.0
"""Seconds between two clocks. S3 refuses who is 15 minutes off, and nobody knows when that is."""


def stores(store: Store, clock: Callable[[], float] = time.time) -> Iterator[Finding]:
    """The checks in turn; after one that fails, those that build on it are not made.

    clock: this machine's, in seconds since 1970. Objects are written under keys of our own, and
    removed.
    """
    for check in (_reach, _write, _conditions, lambda one: _skew(one, clock)):
        found = check(store)
        yield found
        if found.verdict == "failed":
            return


def _reach(store: Store) -> Finding:
    begun = time.monotonic()
    try:
        next(iter(store.list_objects(ACTIVE)), None)
    except StoreError as error:
        return failed("store: reach", str(error), "see that --store names it, and that it runs")
    took = time.monotonic() - begun
    if took > _SLOW:
        return warning(
            "store: reach",
            f"{store.address}: {took:.1f} s for a listing",
            "work nearer to the store, or see what it is busy with",
        )
    return ok("store: reach", f"{store.address}: a listing took {1000 * took:.0f} ms")


def _write(store: Store) -> Finding:
    key, content = f"{INTERNAL_PREFIX}doctor/{uuid.uuid4().hex}", uuid.uuid4().bytes
    try:
        store.put(key, content)
        try:
            came = store.get(key)
        finally:
            store.delete([key])
    except ObjectNotFound:
        came = b""
    except StoreError as error:
        return failed(
            "store: write",
            str(error),
            "give these credentials (or this user) leave to read, write, list and delete below it",
        )
    if came != content:
        return failed(
            "store: write",
            f"{store.address}: what was written is not what is read",
            "use a store that is consistent: one that shows at once what was written",
        )
    return ok("store: write", "written, read and deleted")


def _conditions(store: Store) -> Finding:
    try:
        check_conditional_writes(store)
    except StoreError as error:
        return failed(
            "store: conditional write", str(error), "`work` will refuse it: several would collide"
        )
    return ok("store: conditional write", "of eight writers at once exactly one wins")


def _skew(store: Store, clock: Callable[[], float]) -> Finding:
    try:
        before = clock()
        theirs = store_time(store)
        after = clock()
    except StoreError as error:
        return failed("store: clock", str(error), "try again: it answered a moment ago")
    # It counts whole seconds, and may have written at any moment of the request.
    apart = max(before - theirs - 1, theirs - after, 0.0)
    found = f"this machine's is {apart:.0f} s {'ahead of' if before > theirs else 'behind'} it"
    advice = "set this machine's clock by NTP (chronyc makestep, timedatectl set-ntp true)"
    if apart > _FAR_APART:
        return failed("store: clock", found, advice)
    if apart > _APART:
        return warning("store: clock", found, advice)
    return ok("store: clock", "this machine's agrees with it")
