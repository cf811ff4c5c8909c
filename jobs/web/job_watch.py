"""Watches one job for all browsers that show it: its new events, lines of logs and checkpoints."""

import threading
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from pydantic import BaseModel

from jobs.records.job import attempt_job
from jobs.store.store import Store
from jobs.text.errors import JobsError
from jobs.web.job_logs import (
    MOST_LINES,
    lease_numbers,
    read_events,
    read_log,
)
from jobs.web.models import Events, JobView, LogLine, LogLines

T = TypeVar("T")

Detail = tuple[str, BaseModel]
"""The name and the data of an event."""

FindCanvas = Callable[[str], BaseModel | None]
"""Finds the newest checkpoint of a job, for its picture; None if there is none."""


class JobWatch:
    """What is known about one job's reports. Thread-safe.

    find_canvas: see `FindCanvas`.
    """

    def __init__(self, store: Store, job: str, find_canvas: FindCanvas) -> None:
        self._store, self.job, self._find_canvas = store, job, find_canvas
        self._lock = threading.Lock()
        self._seen: JobView | None = None
        self._lease = 0
        self._events: list[dict[str, Any]] = []
        self._lines: list[LogLine] = []
        self._canvas: BaseModel | None = None

    def backlog(self, view: JobView) -> list[Detail]:
        """All that a new browser is told: the last events and lines, and the picture.

        What is newer than the last look waits for the next one, which tells all browsers.
        """
        with self._lock:
            if self._seen is None:
                self._attempt(view)
            return list(_details(self._events, self._lines, self._canvas))

    def look(self, view: JobView) -> list[Detail]:
        """Read what is new since the last look. A job that rests is not read again."""
        with self._lock:
            return self._attempt(view)

    def _attempt(self, view: JobView) -> list[Detail]:
        """Look; whatever is wrong with the records of this job stops nobody else."""
        found = attempt_job(self._store, self.job, lambda: self._look(view))
        return [] if isinstance(found, JobsError) else found

    def _look(self, view: JobView) -> list[Detail]:
        if view.state != "running" and view == self._seen:
            return []
        last, job = view.lease or 0, self.job
        events: list[dict[str, Any]] = []
        lines: list[LogLine] = []
        # The holder before may have written its last report after the last look.
        for lease in range(max(self._lease, lease_numbers(last).start), last + 1):
            events += _rest(self._events, read_events(self._store, job, lease))
            lines += _rest(self._lines, read_log(self._store, job, lease))
        canvas = self._newest_canvas(view)
        # Only now: whatever a silent store interrupts, the next look reads again.
        self._seen, self._lease = view, last
        self._events = [*self._events, *events][-MOST_LINES:]
        self._lines = [*self._lines, *lines][-MOST_LINES:]
        has_new = canvas is not None and canvas != self._canvas
        self._canvas = canvas or self._canvas
        return list(_details(events, lines, canvas if has_new else None))

    def _newest_canvas(self, view: JobView) -> BaseModel | None:
        """The newest checkpoint of a poster; None if there is none, or it is damaged."""
        if view.items is not None:
            return None
        found = attempt_job(self._store, self.job, lambda: self._find_canvas(self.job))
        return None if isinstance(found, JobsError) else found


def _details(
    events: list[dict[str, Any]], lines: list[LogLine], canvas: BaseModel | None
) -> Iterable[Detail]:
    if events:
        yield "events", Events(events=tuple(events[-MOST_LINES:]))
    if lines:
        yield "log", LogLines(lines=tuple(lines[-MOST_LINES:]))
    if canvas is not None:
        yield "canvas", canvas


def _rest(known: list[T], found: list[T]) -> list[T]:
    """What follows the known ones in a list that grows, and may lose its beginning.

    The same line may come again, so the end of `known` has to fit as a whole.
    """
    if not known:
        return found
    fitting = (
        stop
        for stop in range(1, len(found) + 1)
        if found[stop - 1] == known[-1] and found[max(0, stop - len(known)) : stop] == known[-stop:]
    )
    # Of several places, the one with the longest fit; then the first, which loses nothing.
    return found[max(fitting, key=lambda stop: min(stop, len(known)), default=0) :]
