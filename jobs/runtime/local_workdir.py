"""The folder in which a render here works, and the right to work there."""

import functools
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from jobs.records.keys import JobKeys
from jobs.records.lease import CurrentLease, HeldLease, claim_lease, current_lease
from jobs.runtime.access import ALLOW_ALL
from jobs.runtime.context import JobContext, retrying_store
from jobs.runtime.metrics.progress import Progress, WatchProgress
from jobs.runtime.reporter import Reporter
from jobs.store.store import Store
from jobs.text.errors import LeaseLost, RequestError

WORKING = ".rendering"
"""The hidden folder beside the results in which a render works, and from which it can go on."""


_TTL = 30.0
"""Seconds of a lease: how long a render on another machine keeps its folder after it has died."""


@dataclass(frozen=True)
class LocalWorkdir:
    """A folder for results, and the job that is rendered into it."""

    out: Path
    job: str

    @property
    def working(self) -> Path:
        return self.out / WORKING / self.job

    @property
    def store(self) -> Path:
        return self.working / "store"

    @property
    def keys(self) -> JobKeys:
        return JobKeys(self.job)


@contextmanager
def working_folder(place: LocalWorkdir) -> Iterator[Store]:
    """The store of a render; empty folders that were made for it go again. Raises RequestError."""
    made: list[Path] = []
    try:
        made += (folder for folder in (place.out, *place.out.parents) if not folder.exists())
        place.store.mkdir(parents=True, exist_ok=True)
    except OSError as why:
        _remove_if_empty(made)
        raise RequestError(
            f"{place.out}: cannot be written ({why.strerror}); choose another --out"
        ) from why
    try:
        yield retrying_store(str(place.store))
    finally:
        _remove_if_empty([place.store, place.working, place.working.parent, *made])


def _remove_if_empty(folders: list[Path]) -> None:
    """Take back folders made for a render that left nothing in them, the innermost first."""
    for folder in folders:
        if not folder.is_dir():
            continue
        if any(folder.iterdir()):
            return
        folder.rmdir()


@contextmanager
def claimed(
    place: LocalWorkdir, store: Store, is_of_use: Callable[[], bool], *, stays: bool
) -> Iterator[tuple[JobContext, HeldLease]]:
    """The next lease, unless somebody is at work here; then RequestError.

    is_of_use: whether one that failed has left what another can go on from; else the folder goes.
    stays: whether the folder stays after all is done.
    """
    before = current_lease(store, place.keys)
    if before is not None and before.is_live and not _is_dead(before):
        raise RequestError(
            f"{place.out}: is being rendered into by {before.lease.holder}; wait for it, or choose "
            "another --out"
        )
    held = claim_lease(store, place.keys, before.number if before else 0, _me(), _TTL)
    if held is None:
        raise RequestError(f"{place.out}: another render into it was faster; wait for it")
    opener = functools.partial(retrying_store, str(place.store))
    is_worth_keeping = True
    try:
        context = JobContext(
            opener, place.job, held.number, place.working / "scratch", access=ALLOW_ALL
        )
        yield context, held
        is_worth_keeping = stays
    except LeaseLost:
        raise
    except BaseException:
        is_worth_keeping = is_of_use()
        raise
    finally:
        held.release()
        if not is_worth_keeping:
            shutil.rmtree(place.working, ignore_errors=True)


def _me() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def _is_dead(before: CurrentLease) -> bool:
    """Whether the holder was a process of this machine that is gone."""
    host, _, process = before.lease.holder.rpartition(":")
    return host == socket.gethostname() and not Path(f"/proc/{process}").exists()


class WatchedReporter(Reporter):
    """Tells who waits here as well."""

    def __init__(self, context: JobContext, watch: WatchProgress, generation: int = 0) -> None:
        super().__init__(context, generation)
        self._watch = watch

    def set_progress(self, progress: Progress) -> None:
        """Note it, and show it."""
        super().set_progress(progress)
        self._watch(progress)
