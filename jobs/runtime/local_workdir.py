"""The working folder of a local render: its store, its lease, and its removal at the end."""

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

WORKDIR_NAME = ".rendering"
"""The name of the hidden folder beside the results. An interrupted render resumes from there."""


_TTL = 30.0
"""Lifetime of a lease in seconds. For so long, a dead render on another machine blocks its folder.
"""


@dataclass(frozen=True)
class LocalWorkdir:
    """The working folder of one job.

    out: the folder for the results.
    """

    out: Path
    job: str

    @property
    def path(self) -> Path:
        """The working folder itself."""
        return self.out / WORKDIR_NAME / self.job

    @property
    def store(self) -> Path:
        """The folder that is the job's store."""
        return self.path / "store"

    @property
    def keys(self) -> JobKeys:
        """The keys of the job's objects."""
        return JobKeys(self.job)


@contextmanager
def open_workdir(workdir: LocalWorkdir) -> Iterator[Store]:
    """Create the working folder, and open its store. At the end, remove the folders left empty.

    Raises:
        RequestError: the folder cannot be written.
    """
    created: list[Path] = []
    try:
        out = workdir.out
        created += (folder for folder in (out, *out.parents) if not folder.exists())
        workdir.store.mkdir(parents=True, exist_ok=True)
    except OSError as why:
        _remove_if_empty(created)
        raise RequestError(
            f"{workdir.out}: cannot be written ({why.strerror}); choose another --out"
        ) from why
    try:
        yield retrying_store(str(workdir.store))
    finally:
        _remove_if_empty([workdir.store, workdir.path, workdir.path.parent, *created])


def _remove_if_empty(folders: list[Path]) -> None:
    """Remove folders until one is not empty. folders: the innermost first."""
    for folder in folders:
        if not folder.is_dir():
            continue
        if any(folder.iterdir()):
            return
        folder.rmdir()


@contextmanager
def claim_workdir(
    workdir: LocalWorkdir, store: Store, can_resume: Callable[[], bool], *, is_permanent: bool
) -> Iterator[tuple[JobContext, HeldLease]]:
    """Claim the job's next lease until the block ends. Then remove the working folder, or keep it.

    Args:
        can_resume: after an error, says whether another render can resume from the folder. If not,
            the folder is removed.
        is_permanent: whether the folder stays after success.

    Raises:
        RequestError: another process renders into the folder.
    """
    before = current_lease(store, workdir.keys)
    if before is not None and before.is_live and not _has_exited(before):
        raise RequestError(
            f"{workdir.out}: is being rendered into by {before.lease.holder}; wait for it, or "
            "choose another --out"
        )
    number, holder = before.number if before else 0, f"{socket.gethostname()}:{os.getpid()}"
    lease = claim_lease(store, workdir.keys, number, holder, _TTL)
    if lease is None:
        raise RequestError(f"{workdir.out}: another render into it was faster; wait for it")
    opener = functools.partial(retrying_store, str(workdir.store))
    scratch = workdir.path / "scratch"
    must_stay = True
    try:
        yield JobContext(opener, workdir.job, lease.number, scratch, access=ALLOW_ALL), lease
        must_stay = is_permanent
    except LeaseLost:
        # The folder belongs to another render now.
        raise
    except BaseException:
        must_stay = can_resume()
        raise
    finally:
        lease.release()
        if not must_stay:
            shutil.rmtree(workdir.path, ignore_errors=True)


def _has_exited(lease: CurrentLease) -> bool:
    """Whether the holder was a process of this machine that no longer exists."""
    host, _, process = lease.lease.holder.rpartition(":")
    return host == socket.gethostname() and not Path(f"/proc/{process}").exists()


class WatchedReporter(Reporter):
    """A reporter that also passes the progress to a function, such as a progress bar."""

    def __init__(self, context: JobContext, watch: WatchProgress, generation: int = 0) -> None:
        super().__init__(context, generation)
        self._watch = watch

    def set_progress(self, progress: Progress) -> None:
        """Report the progress, and pass it on."""
        super().set_progress(progress)
        self._watch(progress)
