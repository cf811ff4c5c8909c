"""The working folder of a local render: its store, its lease, and its removal at the end."""

import functools
import os
import shlex
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from jobs.records.keys import JobKeys, is_job_id
from jobs.records.lease import HeldLease, claim_lease, current_lease
from jobs.records.manifest import MANIFEST
from jobs.runtime.access import ALLOW_ALL
from jobs.runtime.context import RETRY_SECONDS, JobContext
from jobs.runtime.liveness import has_exited, hold, let_go, process_mark
from jobs.runtime.logs import NOTICES
from jobs.runtime.metrics.progress import Progress, WatchProgress
from jobs.runtime.reporter import Reporter
from jobs.runtime.spending import Spending, earlier_holders
from jobs.store.errors import ObjectError, StoreError, StoreRefused
from jobs.store.folder import FolderStore
from jobs.store.folder_files import MoveFile, copy_if_absent
from jobs.store.retrying import RetryingStore
from jobs.store.store import Store
from jobs.text.errors import InvalidRecord, LeaseLost, RequestError

WORKDIR_NAME = ".rendering"
"""The name of the hidden folder beside the results. An interrupted render resumes from there."""

TRAINING_NAME = ".training"
"""The same for a training."""

_DONE_THERE = {WORKDIR_NAME: "rendered", TRAINING_NAME: "trained"}


_TTL = 30.0
"""Lifetime of a lease in seconds. For so long, a dead render on another machine blocks its folder.
"""

_RENEWALS_PER_TTL = 3


@dataclass(frozen=True)
class LocalWorkdir:
    """The working folder of one job.

    out: the folder for the results. name: of the hidden folder in it.
    """

    out: Path
    job: str
    name: str = WORKDIR_NAME

    @property
    def path(self) -> Path:
        """The working folder itself."""
        return self.out / self.name / self.job

    @property
    def store(self) -> Path:
        """The folder that is the job's store."""
        return self.path / "store"

    @property
    def keys(self) -> JobKeys:
        """The keys of the job's objects."""
        return JobKeys(self.job)


class _WorkdirStore(FolderStore):
    """The store in a working folder. It writes nothing once that folder was removed.

    A process that was stopped for longer than its lease must not bring back a folder that another
    process has finished with. It needs no hard links: results may go to a memory card or a share.
    """

    _move_if_absent: MoveFile = staticmethod(copy_if_absent)

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self._folder = root

    def put(self, key: str, content: bytes) -> None:
        self._check_exists()
        super().put(key, content)

    def put_if_absent(self, key: str, content: bytes) -> bool:
        self._check_exists()
        return super().put_if_absent(key, content)

    def upload(self, path: Path, key: str) -> None:
        self._check_exists()
        super().upload(path, key)

    def move_file(self, path: Path, key: str) -> None:
        self._check_exists()
        super().move_file(path, key)

    def _check_exists(self) -> None:
        if not self._folder.is_dir():
            raise StoreRefused(f"{self.address}: was removed; run the same command again")


@functools.cache
def open_local_store(folder: Path) -> Store:
    """This process's only connection to the store in a working folder."""
    return RetryingStore(_WorkdirStore(folder), RETRY_SECONDS)


def store_option(store: Store) -> str:
    """What a suggested command needs to find a job: ` --store PATH` for a local render, else ``."""
    folder = Path(store.address)
    return f" --store {shlex.quote(store.address)}" if WORKDIR_NAME in folder.parts else ""


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
        yield open_local_store(workdir.store.absolute())
    finally:
        _remove_if_empty([workdir.store, workdir.path, workdir.path.parent, *created])


def _remove_if_empty(folders: list[Path]) -> None:
    """Remove folders until one is not empty. folders: the innermost first."""
    for folder in folders:
        try:
            folder.rmdir()
        except FileNotFoundError:
            continue
        except OSError:
            return


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
        LeaseLost: another process has taken over; what it does stays as it is.
    """
    lease = _claim(workdir, store)
    opener = functools.partial(open_local_store, workdir.store.absolute())
    # Of this holder only: a late one must not write into the folder of another.
    scratch = workdir.path / f"{_SCRATCH}{lease.token[:8]}"
    _sweep(workdir)
    must_stay = True
    try:
        yield JobContext(opener, workdir.job, lease.number, scratch, access=ALLOW_ALL), lease
        must_stay = is_permanent
    except BaseException as error:
        if isinstance(error, Exception) and _is_lost(lease):
            raise _lease_lost(workdir) from error
        must_stay = can_resume()
        if isinstance(error, InvalidRecord):
            raise _way_out(error, workdir) from error
        raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        if not must_stay:
            _remove(workdir, lease)
        # On a disk that is full or read-only, this fails too. The lease then ends by itself.
        with suppress(StoreError, ObjectError):
            lease.release()
        let_go(lease.token)


_SCRATCH = "scratch-"


def _lease_lost(workdir: LocalWorkdir) -> LeaseLost:
    if (workdir.store / workdir.keys.leases).is_dir():
        does = "goes on with"
    elif (workdir.out / MANIFEST).is_file():
        does = "has finished"
    else:
        return LeaseLost(f"{workdir.path}: was removed meanwhile; run the same command again")
    return LeaseLost(f"{workdir.out}: another process {does} this job; this one changes nothing")


def _claim(workdir: LocalWorkdir, store: Store) -> HeldLease:
    does = _DONE_THERE.get(workdir.name, "fetched")
    for job in sorted({workdir.job, *_other_jobs(workdir)}):
        holder = _live_holder(replace(workdir, job=job))
        if holder is not None:
            raise RequestError(
                f"{workdir.out}: is being {does} into by {holder}; wait for it, or choose another "
                "--out"
            )
    try:
        before = current_lease(store, workdir.keys)
    except InvalidRecord as error:
        raise _way_out(error, workdir) from error
    number, holder = before.number if before else 0, f"{socket.gethostname()}:{os.getpid()}"
    lease = claim_lease(store, workdir.keys, number, holder, _TTL, process_mark())
    if lease is None:
        raise RequestError(f"{workdir.out}: another render into it was faster; wait for it")
    hold(lease.token)
    return lease


def _way_out(error: InvalidRecord, workdir: LocalWorkdir) -> InvalidRecord:
    return InvalidRecord(f"{error}; remove {workdir.path}, and run the same command again")


def _other_jobs(workdir: LocalWorkdir) -> list[str]:
    return [one.name for one in workdir.path.parent.iterdir() if is_job_id(one.name)]


def _live_holder(workdir: LocalWorkdir) -> str | None:
    """The process that works in a working folder now; None if there is none."""
    try:
        lease = current_lease(open_local_store(workdir.store.absolute()), workdir.keys)
    except InvalidRecord:
        return None
    if lease is None or not lease.is_live or has_exited(lease.lease):
        return None
    return lease.lease.holder


def _is_lost(lease: HeldLease) -> bool:
    try:
        lease.check()
    except LeaseLost:
        return True
    except (StoreError, ObjectError, InvalidRecord):
        return False
    return False


def _remove(workdir: LocalWorkdir, lease: HeldLease) -> None:
    """Remove the working folder. First it gets another name, so that no other process claims it."""
    removed = _removed_folder(workdir, lease.token[:8])
    try:
        lease.check()
        workdir.path.rename(removed)
    except (LeaseLost, StoreError, ObjectError, InvalidRecord, OSError):
        return
    shutil.rmtree(removed, ignore_errors=True)


def _removed_folder(workdir: LocalWorkdir, suffix: str) -> Path:
    return workdir.path.with_name(f".{workdir.job}-{suffix}")


def _sweep(workdir: LocalWorkdir) -> None:
    """Remove what killed processes left. The caller has the lease, so nobody else works here."""
    left = [
        *workdir.path.glob(f"{_SCRATCH}*"),
        *workdir.path.parent.glob(_removed_folder(workdir, "*").name),
    ]
    for folder in left:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def keep_renewed(lease: HeldLease) -> Iterator[None]:
    """Renew a lease in a thread until the block ends. `lease.check` tells whether it was lost."""
    ended = threading.Event()

    def renew() -> None:
        while not ended.wait(lease.ttl / _RENEWALS_PER_TTL):
            try:
                lease.renew()
            except LeaseLost:
                return
            except (StoreError, ObjectError, InvalidRecord):
                continue

    thread = threading.Thread(target=renew, name="lease renewer", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


class WatchedReporter(Reporter):
    """A reporter that also passes the progress to a function, such as a progress bar."""

    def __init__(self, context: JobContext, watch: WatchProgress, generation: int = 0) -> None:
        earlier = earlier_holders(context.store, context.keys, context.lease_number)
        super().__init__(context, generation, spending=Spending(earlier))
        self._watch = watch

    def set_progress(self, progress: Progress) -> None:
        """Report the progress, and pass it on."""
        super().set_progress(progress)
        self._watch(progress)

    def warn(self, line: str) -> None:
        """Add a warning to the log, and tell the user at once."""
        super().warn(line)
        NOTICES.warning("%s", line)
