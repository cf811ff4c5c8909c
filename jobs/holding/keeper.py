"""The thread that keeps a lease while the crew works, and brings wishes from outside."""

import os
import threading
import time
from types import TracebackType
from typing import Self

from jobs.holding.reporter import Reporter
from jobs.lifecycle.errors import BadRecord, LeaseLost
from jobs.lifecycle.intent import Intent
from jobs.lifecycle.lease import Held
from jobs.poster.control import Control
from jobs.store.errors import StoreError
from jobs.store.store import Store

_TICK = 0.25
"""Seconds: how soon a signal reaches the crew."""

_LOOK = 3.0
"""Seconds between two looks at what the user wants and two reports, at the most."""

_RENEWALS = 3
"""In each lifetime of a lease, so that one may be missed."""

_PARTING = 24.0
"""Seconds from a wish to stop at once until the process ends, come what may."""

_LAST_WORDS = 2.0
"""Seconds to give the lease back in."""

GONE = 75
"""Exit code of a holder that had to leave in the midst of things; what it had is in the store."""


class Keeper:
    """Renews, reports, and listens, from `with` to its end."""

    def __init__(
        self,
        store: Store,
        held: Held,
        control: Control,
        reporter: Reporter,
        *,
        dies_with: int | None = None,
    ) -> None:
        """dies_with: a process; when it is gone, the holder is asked to drain."""
        self._store, self._held = store, held
        self._control, self._reporter = control, reporter
        self._dies_with = dies_with
        self._ended = threading.Event()
        self._asked_at: float | None = None
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        renewal = self._held.ttl / _RENEWALS
        look = min(_LOOK, renewal)
        renewed = looked = time.monotonic() - look
        while not self._ended.wait(_TICK):
            now = time.monotonic()
            self._urge(now)
            if now - looked < look:
                continue
            looked = now
            try:
                if now - renewed >= renewal:
                    self._held.renew()
                    renewed = now
                self._listen()
                self._reporter.tell()
            except LeaseLost:
                self._control.ask("lost")
            except (StoreError, BadRecord) as error:
                # The store is out of reach, and so it is for whoever might take the lease.
                self._reporter.note("store", reason=str(error))

    def _listen(self) -> None:
        intent = Intent.read_or_none(self._store, self._held.keys.intent)
        if intent is None or intent.want == "cancel":
            self._control.ask("cancel")
        elif intent.want == "pause":
            self._control.ask("pause")

    def _urge(self, now: float) -> None:
        if self._dies_with is not None and os.getppid() != self._dies_with:
            self._control.ask("drain")
        if not self._control.must_leave:
            return
        self._control.urge()
        self._asked_at = self._asked_at or now
        if now - self._asked_at > _PARTING:
            # To a store that does not answer now, the lease runs out by itself.
            threading.Timer(_LAST_WORDS, os._exit, (GONE,)).start()
            self._held.release()
            os._exit(GONE)
