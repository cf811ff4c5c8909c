"""Threads that renew a lease, write reports, and pass on requests to stop, during a run."""

import math
import os
import threading
import time
from types import TracebackType
from typing import Self

from jobs.records.lease import HeldLease
from jobs.records.state import Intent
from jobs.runtime.control import Control
from jobs.runtime.reporter import Reporter
from jobs.store.errors import ObjectError, StoreError
from jobs.store.store import Store
from jobs.text.errors import InvalidRecord, LeaseLost

_STOP_POLL = 0.25
"""Seconds between two checks for a request to stop."""


_MAX_REPORT_INTERVAL = 3.0
"""Longest time in seconds between two reports, and between two reads of the user's intent.

A renewal that fails is tried again after this time.
"""


_RENEWALS_PER_TTL = 3
"""Renewals in the lifetime of a lease. If one fails, there is time for another."""


_STOP_SECONDS = 24.0
"""Seconds from an urgent request to stop until the process exits in any case."""


_RELEASE_SECONDS = 2.0
"""Seconds to release the lease before a forced exit."""


EXIT_STOPPED = 75
"""Exit code of a holder that stopped before the end of its job. The store has its checkpoints."""


class LeaseRenewer:
    """Renews a lease, writes reports and reads the user's intent, while in its `with` block.

    store: without retries, so that reports fail at once if the store does not answer. held: the
    holder's only object for its lease.
    """

    def __init__(
        self,
        store: Store,
        held: HeldLease,
        control: Control,
        reporter: Reporter,
        *,
        parent: int | None = None,
    ) -> None:
        """parent: the id of the parent process. If that process ends, the holder shuts down."""
        self._store, self._lease = store, held
        self._control, self._reporter = control, reporter
        self._parent = parent
        self._ended = threading.Event()
        self._renewed = -math.inf
        # Daemons, because a store that does not answer must not keep this process alive.
        self._threads = [
            threading.Thread(target=self._renew_loop, name="lease renewer", daemon=True),
            threading.Thread(target=self._stop_loop, name="stop requests", daemon=True),
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _renew_loop(self) -> None:
        try:
            interval = min(_MAX_REPORT_INTERVAL, self._lease.ttl / _RENEWALS_PER_TTL)
            self._renew_and_report()
            while not self._ended.wait(interval):
                self._renew_and_report()
        finally:
            # If this thread fails, the lease expires, and the holder must not go on rendering.
            if not self._ended.is_set():
                self._control.request("shutdown")

    def _renew_and_report(self) -> None:
        try:
            if time.monotonic() - self._renewed >= self._lease.ttl / _RENEWALS_PER_TTL:
                begun = time.monotonic()
                self._lease.renew()
                self._renewed = begun
            self._read_intent()
            self._reporter.write(self._store)
        except LeaseLost:
            self._control.request("lost")
        except (StoreError, ObjectError, InvalidRecord) as error:
            # While the store does not answer, no other process can take the lease either.
            self._reporter.add_store_error(str(error))

    def _read_intent(self) -> None:
        intent = Intent.read_or_none(self._store, self._lease.keys.intent)
        # A claimed job has an intent, which its submit wrote. Without one the job was deleted.
        if intent is None or intent.want == "cancel":
            self._control.request("cancel")
        elif intent.want == "pause":
            self._control.request("pause")

    def _stop_loop(self) -> None:
        asked: float | None = None
        while not self._ended.wait(_STOP_POLL):
            if self._parent is not None and os.getppid() != self._parent:
                self._control.request("shutdown")
            if not self._control.must_stop_now:
                continue
            self._control.interrupt()
            asked = asked or time.monotonic()
            if time.monotonic() - asked > _STOP_SECONDS:
                self._force_exit()

    def _force_exit(self) -> None:
        """Exit a process that did not stop in time."""
        # If the store does not answer, the lease expires.
        threading.Timer(_RELEASE_SECONDS, os._exit, (EXIT_STOPPED,)).start()
        self._lease.release()
        os._exit(EXIT_STOPPED)
