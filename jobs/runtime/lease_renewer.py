"""The thread that keeps a lease while the crew works, and brings wishes from outside."""

import math
import os
import threading
import time
from types import TracebackType
from typing import Self

from jobs.records.lease import Held
from jobs.records.state import Intent
from jobs.runtime.control import Control
from jobs.runtime.reporter import Reporter
from jobs.store.errors import StoreError
from jobs.store.store import Store
from jobs.text.errors import BadRecord, LeaseLost

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
    """Renews, reports, and listens, from `with` to its end.

    store, held: such as do not wait for a store that does not answer.
    """

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
        self._renewed = -math.inf
        # A store that does not answer must keep nobody from leaving.
        self._threads = [
            threading.Thread(target=self._keep, name="keeper", daemon=True),
            threading.Thread(target=self._urge, name="urger", daemon=True),
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

    def _keep(self) -> None:
        try:
            look = min(_LOOK, self._held.ttl / _RENEWALS)
            self._look()
            while not self._ended.wait(look):
                self._look()
        finally:
            # Should this thread ever end before its time, nobody may render on unleased.
            if not self._ended.is_set():
                self._control.ask("drain")

    def _look(self) -> None:
        try:
            if time.monotonic() - self._renewed >= self._held.ttl / _RENEWALS:
                begun = time.monotonic()
                self._held.renew()
                self._renewed = begun
            self._listen()
            self._reporter.tell(self._store)
        except LeaseLost:
            self._control.ask("lost")
        except (StoreError, BadRecord) as error:
            # The store is out of reach, and so it is for whoever might take the lease.
            self._reporter.complain(str(error))

    def _listen(self) -> None:
        intent = Intent.read_or_none(self._store, self._held.keys.intent)
        if intent is None or intent.want == "cancel":
            self._control.ask("cancel")
        elif intent.want == "pause":
            self._control.ask("pause")

    def _urge(self) -> None:
        asked: float | None = None
        while not self._ended.wait(_TICK):
            if self._dies_with is not None and os.getppid() != self._dies_with:
                self._control.ask("drain")
            if not self._control.must_leave:
                continue
            self._control.urge()
            asked = asked or time.monotonic()
            if time.monotonic() - asked > _PARTING:
                self._part()

    def _part(self) -> None:
        """The end of a holder that could not stop by itself in time."""
        # To a store that does not answer now, the lease runs out by itself.
        threading.Timer(_LAST_WORDS, os._exit, (GONE,)).start()
        self._held.release()
        os._exit(GONE)
