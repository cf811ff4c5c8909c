"""Reports of one holder: its status, events and log, in the store under its lease's number."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from jobs.records.spending import ReachedLimit
from jobs.records.status import Event, FailureClass, ItemCounts, Status, encode_events, make_event
from jobs.runtime.context import JobContext
from jobs.runtime.logs import EVENTS, LOG, log_fields
from jobs.runtime.metrics.counters import Counters
from jobs.runtime.metrics.progress import Progress, RateEstimator
from jobs.runtime.metrics.snapshot import ResourceUse
from jobs.runtime.spending import Spending
from jobs.store.store import Store

_MAX_LOG_CHARACTERS = 1 << 20
"""Length of the log. The oldest lines are dropped."""


_SPENDING_INTERVAL = 10.0
"""Longest time in seconds between two reports of what was spent, if nothing else is new. A holder
that is killed loses the count of at most this time and that between two reports."""


WRITING = "writing files"
"""`Status.phase` after the commit of the last octave."""


_PHASE_WORDS = {
    "decode": "reading the input",
    "encode": WRITING,
    "items": "dreaming items",
}


class Reporter(logging.Handler):
    """Collects reports in the working thread, and writes them to the store in another.

    It is also a log handler, which adds this process's log to the reports. generation: of the
    user's intent that this holder works for. counters: sums for the metrics. spending: what its
    workers cost.
    """

    def __init__(
        self,
        context: JobContext,
        generation: int,
        counters: Counters | None = None,
        spending: Spending | None = None,
    ) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        self._context, self._generation = context, generation
        self.counters = counters or Counters()
        self.spending = spending or Spending()
        self.counters.count_spending(lambda: self.spending.own)
        self._spent, self._spent_at = self.spending.total.rounded(), time.monotonic()
        self._limit: ReachedLimit | None = None
        self._workers = 0
        self._items: ItemCounts | None = None
        self._estimator = RateEstimator()
        self._progress: Progress | None = None
        self._began, self._seconds = time.monotonic(), 0.0
        self._reason: str | None = None
        self._failure: FailureClass | None = None
        self._drafted = 0
        self._events: list[Event] = []
        self._log: list[str] = []
        self._written: tuple[bytes, ...] = ()
        self._lock = threading.Lock()

    @contextmanager
    def capturing_logs(self) -> Iterator[None]:
        """Add this process's log to the reports until the block ends."""
        LOG.setLevel(logging.INFO)
        LOG.addHandler(self)
        try:
            yield
        finally:
            LOG.removeHandler(self)

    def set_workers(self, workers: int) -> None:
        """Report that a crew or pool of this size starts; 0 if it has ended."""
        self._workers = workers
        self.counters.start_crew(workers)

    def use_resources(self, use: ResourceUse) -> None:
        """Report the resources that the work needs from now on. Other jobs get the rest."""
        self.counters.use_resources(use)

    def set_items(self, items: ItemCounts) -> None:
        """Report the counts of a dataset's items."""
        self._items = items
        self.counters.add_items(items)

    def set_progress(self, progress: Progress) -> None:
        """Report the progress of the render. A new phase or octave is an event."""
        before = self._progress
        self._estimator.add(progress)
        self._progress = progress
        # Not the time of each report: one without news is not written again.
        self._seconds = time.monotonic() - self._began
        self.spending.add_progress(progress)
        self._update_spent()
        self.counters.add_progress(progress)
        if before is None or (before.phase, before.octave) != (progress.phase, progress.octave):
            self.add_event(progress.phase, octave=progress.octave, octaves=progress.octaves)

    def add_event(self, kind: str, **fields: str | float | None) -> None:
        """Add an event to the reports and to the JSON log."""
        EVENTS.info(kind, extra=log_fields(event=kind, **fields))
        with self._lock:
            self._events.append(make_event(kind, **fields))

    def warn(self, line: str) -> None:
        """Add a warning to the log."""
        LOG.warning("%s", line)

    def set_reason(self, reason: str | None, failure: FailureClass | None = None) -> None:
        """Set the reason of the job's state. With a failure, the job has failed."""
        self._reason, self._failure = reason, failure

    def set_limit(self, limit: ReachedLimit) -> None:
        """Report that a limit of the job has made this holder stop."""
        self._limit = limit
        self._reason = self.spending.describe(self._context.job, limit)

    def set_draft(self, octaves: int, reason: str) -> None:
        """Report that a draft of so many octaves is complete. reason: for the user."""
        self._drafted, self._reason = octaves, reason

    def emit(self, record: logging.LogRecord) -> None:
        """Add a log record, which may have many lines."""
        with self._lock:
            self._log.append(f"{self.format(record)}\n")
            while len(self._log) > 1 and sum(map(len, self._log)) > _MAX_LOG_CHARACTERS:
                self._log.pop(0)

    def add_store_error(self, reason: str) -> None:
        """Add an event about a store that does not answer, once for equal reasons in a row."""
        last = self._events[-1] if self._events else {}
        if last.get("event") != "store" or last.get("reason") != reason:
            self.add_event("store", reason=reason)

    def write(self, store: Store) -> None:
        """Write the reports that have changed. Raises StoreError."""
        keys, number = self._context.keys, self._context.lease_number
        is_late = time.monotonic() - self._spent_at >= _SPENDING_INTERVAL
        if is_late or not self.spending.is_running:
            self._update_spent()
        with self._lock:
            now = (
                self.status().encode(),
                encode_events(self._events),
                "".join(self._log).encode(),
            )
        reports = (keys.status(number), keys.events(number), keys.log(number))
        before = self._written or (b"",) * len(now)
        for key, content, old in zip(reports, now, before, strict=True):
            if content != old:
                store.put(key, content)
        self._written = now

    def _update_spent(self) -> None:
        self._spent, self._spent_at = self.spending.total.rounded(), time.monotonic()

    def status(self) -> Status:
        """The current status."""
        seen, estimate = self._progress, self._estimator.estimate()
        return Status(
            generation=self._generation,
            phase="starting"
            if seen is None
            else _PHASE_WORDS.get(seen.phase, f"octave {seen.octave}"),
            octave=seen.octave if seen else 0,
            octaves=seen.octaves if seen else 0,
            step=seen.step if seen else 0,
            steps=seen.steps if seen else 0,
            done=round(seen.done, 3) if seen else 0.0,
            total=round(seen.total, 3) if seen else 0.0,
            progress=round(seen.fraction, 4) if seen else 0.0,
            rate=None if estimate.rate is None else round(estimate.rate, 4),
            eta_seconds=None if estimate.eta_seconds is None else round(estimate.eta_seconds, 1),
            workers=self._workers,
            items=self._items,
            seconds=round(self._seconds, 1) if seen else None,
            reason=self._reason,
            failure=self._failure,
            drafted=self._drafted,
            spent=self._spent,
            limit=self._limit,
        )
