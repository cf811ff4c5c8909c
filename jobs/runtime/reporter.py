"""What a holder tells the store of its work: status, events, log, all under its own number."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from jobs.records.events import Event, encoded, event
from jobs.records.state import Failure, Items, Status
from jobs.runtime.context import Site
from jobs.runtime.logs import EVENTS, LOG
from jobs.runtime.logs import facts as known
from jobs.runtime.metrics.counters import Meter, Use
from jobs.runtime.metrics.progress import Pacer, Progress
from jobs.store.store import Store

_LOG_LENGTH = 1 << 20
"""Characters of the log that are kept; the oldest go first."""


WRITING = "writing files"
"""The phase of a job's status when its last octave is committed."""


_PHASES = {
    "decode": "reading the input",
    "encode": WRITING,
    "items": "dreaming items",
}


class Reporter(logging.Handler):
    """Collects in the working thread, writes in the keeper's; also takes this process's log in.

    generation: of the intent that the holder works for. meter: adds up for whoever watches.
    """

    def __init__(self, site: Site, generation: int, meter: Meter | None = None) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        self._site, self._generation = site, generation
        self.meter = meter or Meter()
        self._workers = 0
        self._items: Items | None = None
        self._pacer = Pacer()
        self._progress: Progress | None = None
        self._reason: str | None = None
        self._failure: Failure | None = None
        self._events: list[Event] = []
        self._log: list[str] = []
        self._told: tuple[bytes, ...] = ()
        self._telling = threading.Lock()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Within, what this process logs is taken in."""
        LOG.setLevel(logging.INFO)
        LOG.addHandler(self)
        try:
            yield
        finally:
            LOG.removeHandler(self)

    def crew(self, workers: int) -> None:
        """Note that a crew or pool of so many begins."""
        self._workers = workers
        self.meter.crew(workers)

    def uses(self, use: Use) -> None:
        """Note what the work asks of its machines from now on, so that others get the rest."""
        self.meter.uses(use)

    def count(self, items: Items) -> None:
        """Note what has become of a dataset's items."""
        self._items = items
        self.meter.counted(items)

    def watch(self, progress: Progress) -> None:
        """Note where the render is."""
        before = self._progress
        self._pacer.note(progress)
        self._progress = progress
        self.meter.progressed(progress)
        if before is None or (before.phase, before.octave) != (progress.phase, progress.octave):
            self.note(progress.phase, octave=progress.octave, octaves=progress.octaves)

    def note(self, kind: str, **facts: str | float | None) -> None:
        """Note an event."""
        EVENTS.info(kind, extra=known(event=kind, **facts))
        with self._telling:
            self._events.append(event(kind, **facts))

    def give_reason(self, reason: str | None, failure: Failure | None = None) -> None:
        """Say why the job stands where it stands; with a failure, that it has failed for good."""
        self._reason, self._failure = reason, failure

    def emit(self, record: logging.LogRecord) -> None:
        """Take in a line of the log, or a trace of many."""
        with self._telling:
            self._log.append(f"{self.format(record)}\n")
            while len(self._log) > 1 and sum(map(len, self._log)) > _LOG_LENGTH:
                self._log.pop(0)

    def complain(self, reason: str) -> None:
        """Note that the store does not serve, once for each reason in a row."""
        last = self._events[-1] if self._events else {}
        if last.get("event") != "store" or last.get("reason") != reason:
            self.note("store", reason=reason)

    def tell(self, store: Store) -> None:
        """Write what has changed. Raises StoreError."""
        keys, number = self._site.keys, self._site.number
        with self._telling:
            now = (
                self.status().encoded(),
                encoded(self._events),
                "".join(self._log).encode(),
            )
        places = (keys.status(number), keys.events(number), keys.log(number))
        before = self._told or (b"",) * len(now)
        for place, content, old in zip(places, now, before, strict=True):
            if content != old:
                store.put(place, content)
        self._told = now

    def status(self) -> Status:
        """What is known now."""
        seen, pace = self._progress, self._pacer.pace()
        return Status(
            generation=self._generation,
            phase="starting" if seen is None else _PHASES.get(seen.phase, f"octave {seen.octave}"),
            octave=seen.octave if seen else 0,
            octaves=seen.octaves if seen else 0,
            step=seen.step if seen else 0,
            steps=seen.steps if seen else 0,
            done=round(seen.done, 3) if seen else 0.0,
            total=round(seen.total, 3) if seen else 0.0,
            progress=round(seen.share, 4) if seen else 0.0,
            rate=None if pace.rate is None else round(pace.rate, 4),
            eta_seconds=None if pace.eta_seconds is None else round(pace.eta_seconds, 1),
            workers=self._workers,
            items=self._items,
            reason=self._reason,
            failure=self._failure,
        )
