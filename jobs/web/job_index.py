"""All jobs of a store, as far as this server knows them: the open ones always, the others in time.

A refresh lists the markers of open jobs, by one request, and reads these jobs again. Jobs that have
ended do not change, unless a user asks for it, and then they have a marker again. They are read
once, in the background.
"""

import itertools
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from jobs.records.job import attempt_job, list_job_ids
from jobs.records.keys import ACTIVE, parse_active_marker
from jobs.records.state import State
from jobs.store.store import Store, batches
from jobs.text.errors import JobNotFound, JobsError
from jobs.web.job_reader import Entry, read_entry, read_old_entry, read_whole_entry
from jobs.web.models import IndexView, JobPage, JobView, Unreadable

_THREADS = 8

_MOST_RELOADS = 64
"""Open jobs that one refresh reads again: those that run, and the others in turn."""

_SCAN_BATCH = 64

_MOST_UNREADABLE = 50


class Listener(Protocol):
    """Is told what changes. Called from several threads."""

    def job_changed(self, job: JobView) -> None:
        """A job is new, or has changed."""

    def job_removed(self, job: str) -> None:
        """A job is not in the store any more."""

    def index_grew(self, index: IndexView) -> None:
        """More of the old jobs are known."""


@dataclass(frozen=True)
class JobFilter:
    """Which jobs to show. Empty or None: any. name, submitter: a part of it, in any case."""

    states: tuple[State, ...] = ()
    name: str = ""
    submitter: str | None = None
    look: str | None = None
    kind: str | None = None

    def admits(self, job: JobView) -> bool:
        """Whether a job is to be shown."""
        return (
            (not self.states or job.state in self.states)
            and self.name.lower() in job.job
            and (self.submitter or "").lower() in (job.submitter or "").lower()
            and self.look in (None, job.look)
            and self.kind in (None, job.kind)
        )


class JobIndex:
    """The jobs of a store. Thread-safe; several callers of `refresh` share one.

    listener: is told what changes. clock: monotonic, in seconds.
    """

    def __init__(
        self, store: Store, listener: Listener, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store, self._listener, self._clock = store, listener, clock
        self._entries: dict[str, Entry] = {}
        self._reads = itertools.count()
        self._latest: dict[str, int] = {}
        self._lock = threading.Lock()
        self._refreshing = threading.Lock()
        self._refreshed: float | None = None
        self._listed = 0
        self._is_complete = False
        self._turn = 0
        self._listing_seconds: float | None = None

    def refresh(self, max_age: float = 0.0) -> None:
        """Read the open jobs again, unless that was done within `max_age` seconds.

        One listing; up to six reads for each open job. Raises StoreError.
        """
        with self._refreshing:
            is_fresh = self._refreshed is not None and self._clock() - self._refreshed < max_age
            if is_fresh:
                return
            began = self._clock()
            parsed = (parse_active_marker(one.key) for one in self._store.list_objects(ACTIVE))
            marked = {found[0] for found in parsed if found is not None}
            self._listing_seconds = self._clock() - began
            with self._lock:
                open_jobs = {job for job, one in self._entries.items() if one.is_open}
                new = marked - {*self._entries}
                # A marker of an ended job: somebody has asked for it again, or has just ended it.
                again = (marked & {*self._entries}) - open_jobs
            # Without a marker, an open job has just ended or was deleted: it is read as a whole.
            unmarked = open_jobs - marked
            self._read_all(sorted(unmarked), read_whole_entry)
            self._read_all([*new, *again, *self._due(open_jobs - unmarked)])
            self._refreshed = self._clock()

    def scan(self, is_stopped: Callable[[], bool] = lambda: False) -> None:
        """Read all jobs that are not known yet, and forget those that were deleted.

        is_stopped: ends it early. Raises StoreError.
        """
        with self._lock:
            before = {*self._entries}
        jobs = list(list_job_ids(self._store))
        listed = {*jobs}
        for job in before - listed:
            self._remove(job)
        self._listed = len(jobs)
        for batch in batches((job for job in jobs if job not in before), _SCAN_BATCH):
            if is_stopped():
                return
            self._read_all(batch, read_old_entry, is_news=False)
            self._listener.index_grew(self.progress())
        self._is_complete = True
        self._listener.index_grew(self.progress())

    def reload(self, job: str) -> JobView:
        """Read one job now. Raises JobNotFound, InvalidRecord and StoreError."""
        number = next(self._reads)
        try:
            entry = read_entry(self._store, job, self.known(job))
        except JobNotFound:
            self._remove(job)
            raise
        self._put(entry, number, is_news=True)
        return entry.current()

    def remove(self, job: str) -> None:
        """Forget a job that was deleted."""
        self._remove(job)

    def known(self, job: str) -> Entry | None:
        """What is known about a job, without a request."""
        with self._lock:
            return self._entries.get(job)

    def open_views(self) -> tuple[JobView, ...]:
        """The open jobs, the newest first."""
        return tuple(one.current() for one in self._sorted() if one.is_open)

    def views(self) -> tuple[JobView, ...]:
        """All jobs that are known, without their ages."""
        return tuple(one.view for one in self._sorted() if one.view is not None)

    @property
    def store_milliseconds(self) -> int | None:
        """How long the last listing of open jobs took; None before the first."""
        return None if self._listing_seconds is None else round(1000 * self._listing_seconds)

    def lease_age(self, job: str) -> float | None:
        """Seconds from the last sign of life of an open job's holder to the last look at it."""
        entry = self.known(job)
        lease = entry.loaded.current_lease if entry and entry.loaded else None
        return None if lease is None else round(lease.age, 1)

    def progress(self) -> IndexView:
        """How many jobs are known."""
        with self._lock:
            known = len(self._entries)
        return IndexView(known=known, of=max(known, self._listed), complete=self._is_complete)

    def page(self, chosen: JobFilter, after: str | None, limit: int) -> JobPage:
        """Some of the jobs that a filter admits, the newest first, from a cursor on."""
        entries = self._sorted()
        admitted = [one for one in entries if one.view is not None and chosen.admits(one.view)]
        rest = [one for one in admitted if after is None or _cursor(one) < after]
        shown = rest[:limit]
        unreadable = (one for one in entries if one.problem is not None and after is None)
        return JobPage(
            jobs=tuple(one.current() for one in shown),
            next=_cursor(shown[-1]) if len(rest) > limit else None,
            matching=len(admitted),
            index=self.progress(),
            unreadable=tuple(
                Unreadable(job=one.job, detail=one.problem or "")
                for one, _ in zip(unreadable, range(_MOST_UNREADABLE), strict=False)
            ),
        )

    def _sorted(self) -> list[Entry]:
        with self._lock:
            entries = list(self._entries.values())
        return sorted(entries, key=_cursor, reverse=True)

    def _due(self, jobs: Iterable[str]) -> list[str]:
        """The open jobs to read in this refresh: those that run, and of many others a part."""
        running: list[str] = []
        others: list[str] = []
        for job in sorted(jobs):
            entry = self.known(job)
            is_running = entry and entry.view and entry.view.state == "running"
            (running if is_running else others).append(job)
        left = max(_MOST_RELOADS - len(running), _THREADS)
        if len(others) > left:
            self._turn = (self._turn + left) % len(others)
            others = (others[self._turn :] + others[: self._turn])[:left]
        return running + others

    def _read_all(
        self,
        jobs: Sequence[str],
        read: Callable[[Store, str, Entry | None], Entry] = read_entry,
        *,
        is_news: bool = True,
    ) -> None:
        """Read jobs at the same time. read: gets what is known of a job."""

        def attempt(job: str) -> tuple[int, Entry | JobsError]:
            number, known = next(self._reads), self.known(job)
            return number, attempt_job(self._store, job, lambda: read(self._store, job, known))

        with ThreadPoolExecutor(_THREADS) as pool:
            for job, (number, found) in zip(jobs, pool.map(attempt, jobs), strict=True):
                if isinstance(found, Entry):
                    self._put(found, number, is_news=is_news)
                elif isinstance(found, JobNotFound):
                    self._remove(job)
                else:
                    problem = Entry(job, time.time(), problem=str(found))
                    self._put(problem, number, is_news=False)

    def _put(self, entry: Entry, number: int, *, is_news: bool) -> None:
        """Keep what a read found, unless a later read has ended before it. number: of the read."""
        with self._lock:
            before = self._entries.get(entry.job)
            if before is not None and number < self._latest[entry.job]:
                return
            self._entries[entry.job], self._latest[entry.job] = entry, number
        if is_news and entry.view is not None and (before is None or before.view != entry.view):
            self._listener.job_changed(entry.current())

    def _remove(self, job: str) -> None:
        with self._lock:
            was_known = self._entries.pop(job, None) is not None
            self._latest.pop(job, None)
        if was_known:
            self._listener.job_removed(job)


def _cursor(entry: Entry) -> str:
    """Where a job stands in the order of submission, as text that sorts like it."""
    return f"{entry.submitted:017.3f}~{entry.job}"
