"""One reader of the store for any number of browsers; it rests while nobody listens."""

import logging
import threading
from collections.abc import Callable

from jobs.store.errors import StoreError
from jobs.text.errors import JobsError
from jobs.web.job_index import JobIndex
from jobs.web.job_watch import Detail, JobWatch
from jobs.web.live import Hub

_SCAN_SECONDS = 300.0
"""Seconds between two listings of all jobs, which find those that were deleted elsewhere."""

_LOG = logging.getLogger(__name__)


class Poller:
    """Refreshes the index and the watched jobs in one thread, and scans for old jobs in another.

    watch: makes the watch of a job. seconds: between two looks at the store.
    """

    def __init__(
        self, index: JobIndex, hub: Hub, watch: Callable[[str], JobWatch], seconds: float
    ) -> None:
        self._index, self._hub, self._watch, self._seconds = index, hub, watch, seconds
        self._watches: dict[str, JobWatch] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._repeat, args=(self.poll, seconds), daemon=True),
            # The first scan starts at once, so that the first browser finds the old jobs.
            threading.Thread(target=self._repeat, args=(self._scan, _SCAN_SECONDS), daemon=True),
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop the threads, after the requests that they have begun."""
        self._stop.set()
        self._hub.somebody_listens.set()
        for thread in self._threads:
            thread.join()

    def poll(self) -> None:
        """Look at the store once, and tell all browsers what is new. Raises StoreError."""
        self._index.refresh(self._seconds / 2)
        wanted = self._hub.topics
        with self._lock:
            self._watches = {job: one for job, one in self._watches.items() if job in wanted}
            watches = list(self._watches.values())
        for watch in watches:
            entry = self._index.known(watch.job)
            if entry is not None and entry.view is not None:
                self._hub.tell_about(watch.job, watch.look(entry.view))

    def backlog(self, job: str) -> list[Detail]:
        """What a browser is told first about a job that it shows."""
        entry = self._index.known(job)
        if entry is None or entry.view is None:
            return []
        with self._lock:
            watch = self._watches.setdefault(job, self._watch(job))
        return watch.backlog(entry.view)

    def _scan(self) -> None:
        self._index.scan(self._stop.is_set)

    def _repeat(self, act: Callable[[], None], seconds: float) -> None:
        """Do something over and over, while somebody listens; once in any case."""
        while not self._stop.is_set():
            self._stop.wait(seconds if self._attempt(act) else self._seconds)
            self._hub.somebody_listens.wait()

    def _attempt(self, act: Callable[[], None]) -> bool:
        """Do something. Returns whether the store answered."""
        try:
            act()
        except StoreError as error:
            self._hub.store_answered(str(error))
            return False
        except JobsError as error:
            _LOG.warning("%s", error)
        except Exception:  # noqa: BLE001 - a defect must not leave all pages without news
            _LOG.exception("unexpected; looking at the store again soon")
        self._hub.store_answered(None)
        return True
