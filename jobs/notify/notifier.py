"""Sends the notices in a store to the addresses of one `work`.

Whoever writes a notice does not send it: any `work` on the store finds it in the listing that it
makes in any case, and hands it to its couriers. When no address needs it any more, it is deleted.
"""

import threading
import time
from collections.abc import Sequence
from contextlib import suppress

from jobs.notify.address import Address
from jobs.notify.attempts import Rules
from jobs.notify.courier import Courier, Desk
from jobs.runtime.logs import Notify
from jobs.store.errors import ObjectError, StoreError
from jobs.store.retrying import RetryingStore
from jobs.store.store import Store


def rules_for(lease_seconds: float) -> Rules:
    """The rules of a `work`. lease_seconds: after so long, a silent process counts as dead.

    An attempt takes two timeouts at most, and ends before others take its sender for dead.
    """
    timeout = min(Rules.timeout, lease_seconds / 3)
    return Rules(timeout=timeout, dead_after=lease_seconds)


class Notifier:
    """The couriers of one process.

    holder: `host:pid`. report: tells the operator what was sent, and what was not.
    """

    def __init__(
        self,
        store: Store,
        addresses: Sequence[Address],
        rules: Rules,
        holder: str,
        report: Notify,
    ) -> None:
        # What became of a message must be written, or it is sent again.
        self._store = RetryingStore(store, rules.dead_after / 2)
        desk = Desk(self._store, holder, rules, report, self._over)
        self._couriers = {address.id: Courier(address, desk) for address in addresses}
        self._over_by_key: dict[str, set[str]] = {}
        self._listed: set[str] = set()
        self._lock = threading.Lock()

    def offer(self, keys: Sequence[str]) -> None:
        """Hand the notices of a listing to the couriers. Sends no request."""
        if not self._couriers:
            return
        listed = set(keys)
        with self._lock:
            self._listed = listed
            over = {key: set(ids) for key, ids in self._over_by_key.items() if key in listed}
            self._over_by_key = over
        for courier in self._couriers.values():
            courier.forget_others(listed)
        left = [key for key in keys if len(over.get(key, ())) == len(self._couriers)]
        if left:
            self._delete(left)  # a deletion has failed
        for key in keys:
            done = over.get(key, set())
            for address, courier in self._couriers.items():
                if address not in done:
                    courier.offer(key)

    @property
    def is_busy(self) -> bool:
        """Whether there is something to send now; not if it waits for another attempt."""
        return any(courier.is_busy for courier in self._couriers.values())

    @property
    def waiting(self) -> int:
        """How many notices of the last listing some address has still to get."""
        with self._lock:
            everyone = len(self._couriers)
            return sum(len(self._over_by_key.get(key, ())) < everyone for key in self._listed)

    def stop(self) -> None:
        """Begin no more attempts. What is not sent stays in the store, for the next `work`."""
        for courier in self._couriers.values():
            courier.stop()

    def join(self, seconds: float) -> None:
        """Wait for the attempts that are being made, for so long in all."""
        deadline = time.monotonic() + seconds
        for courier in self._couriers.values():
            courier.join(max(0.0, deadline - time.monotonic()))

    def _over(self, key: str, address: str) -> None:
        """Note that an address needs no more attempts; called in the courier's thread."""
        with self._lock:
            done = self._over_by_key.setdefault(key, set())
            done.add(address)
            is_done = len(done) == len(self._couriers)
        if is_done:
            self._delete([key])

    def _delete(self, keys: Sequence[str]) -> None:
        # Without retries: the scheduler waits for it. `offer` deletes what is still listed.
        with suppress(StoreError, ObjectError):
            self._store.without_retries().delete(keys)
