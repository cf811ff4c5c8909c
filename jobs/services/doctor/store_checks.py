"""Checks whether a store answers, stores, supports conditional writes, and has the right time."""

import time
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from jobs.records.keys import ACTIVE
from jobs.services.doctor.finding import Finding, failed, ok, warning
from jobs.store.conditional_write import check_conditional_writes
from jobs.store.errors import ObjectNotFound, StoreError
from jobs.store.folder import FolderStore
from jobs.store.store import INTERNAL_PREFIX, Store, store_time

_SLOW = 2.0
"""Seconds for a small request. With a slower store, jobs spend their time waiting."""


_CLOCK_WARNING = 10.0
"""Seconds between this machine's clock and the store's."""

_CLOCK_FAILURE = 300.0
"""Seconds between the two clocks. S3 refuses requests from a clock that is 15 minutes off."""


def check_store(store: Store, clock: Callable[[], float] = time.time) -> Iterator[Finding]:
    """Run the checks in turn, up to the first that fails: later ones build on it.

    The checks write objects below a prefix of their own, and delete them.

    clock: this machine's, in seconds since 1970.
    """
    checks = (_check_answer, _check_write, _check_conditions, partial(_check_clock, clock=clock))
    for check in checks:
        finding = check(store)
        yield finding
        if finding.verdict == "failed":
            return


def _check_answer(store: Store) -> Finding:
    if isinstance(store, FolderStore) and not Path(store.address).exists():
        return failed(
            "store: reach",
            f"{store.address}: there is no such store",
            "check --store; `submit` and `work` make a new one with --create",
        )
    begun = time.monotonic()
    try:
        next(iter(store.list_objects(ACTIVE)), None)
    except StoreError as error:
        return failed("store: reach", str(error), "check --store, and that the store runs")
    seconds = time.monotonic() - begun
    if seconds > _SLOW:
        return warning(
            "store: reach",
            f"{store.address}: {seconds:.1f} s for a listing",
            "run work nearer to the store, or check its load",
        )
    return ok("store: reach", f"{store.address}: a listing took {1000 * seconds:.0f} ms")


def _check_write(store: Store) -> Finding:
    key, content = f"{INTERNAL_PREFIX}doctor/{uuid.uuid4().hex}", uuid.uuid4().bytes
    try:
        store.put(key, content)
        try:
            read = store.get(key)
        finally:
            store.delete([key])
    except ObjectNotFound:
        read = b""
    except StoreError as error:
        return failed(
            "store: write",
            str(error),
            "change what the message names; jobs read, write, list and delete objects below it",
        )
    if read != content:
        return failed(
            "store: write",
            f"{store.address}: an object read back differs from the one written",
            "use a store with strong consistency: it shows at once what was written",
        )
    return ok("store: write", "written, read and deleted")


def _check_conditions(store: Store) -> Finding:
    try:
        check_conditional_writes(store)
    except StoreError as error:
        return failed(
            "store: conditional write",
            str(error),
            "use another store: `work` refuses this one, because two holders could run one job",
        )
    return ok("store: conditional write", "of eight simultaneous writers exactly one wins")


def _check_clock(store: Store, clock: Callable[[], float]) -> Finding:
    try:
        before = clock()
        stored = store_time(store)
        after = clock()
    except StoreError as error:
        return failed("store: clock", str(error), "try again: the store answered a moment ago")
    # The store counts whole seconds, and may take its time at any moment of the request.
    apart = max(before - stored - 1, stored - after, 0.0)
    direction = "ahead of" if before > stored else "behind"
    found = f"this machine's clock is {apart:.0f} s {direction} the store's"
    advice = "set this machine's clock by NTP (chronyc makestep, timedatectl set-ntp true)"
    if apart > _CLOCK_FAILURE:
        return failed("store: clock", found, advice)
    if apart > _CLOCK_WARNING:
        return warning("store: clock", found, advice)
    return ok("store: clock", "this machine's clock agrees with the store's")
