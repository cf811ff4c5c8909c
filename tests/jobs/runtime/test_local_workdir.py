"""The working folder of a local render: one holder at a time, and no traces of a late one."""

import errno
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from jobs.records.lease import HeldLease, claim_lease
from jobs.runtime.context import JobContext
from jobs.runtime.liveness import process_mark
from jobs.runtime.local_workdir import (
    LocalWorkdir,
    claim_workdir,
    keep_renewed,
    open_local_store,
    open_workdir,
    store_option,
)
from jobs.store.errors import NotAnObject, StoreRefused
from jobs.store.folder import FolderStore
from jobs.store.folder_files import copy_if_absent
from jobs.text.errors import InvalidRecord, LeaseLost, RequestError
from tests.support.failing_files import FailingFiles, failing

JOB, OTHER = "sky-0123456789ab", "sea-0123456789ab"


@pytest.fixture
def workdir(tmp_path: Path) -> LocalWorkdir:
    return LocalWorkdir(tmp_path / "out", JOB)


@contextmanager
def held(workdir: LocalWorkdir, *, stays: bool = False) -> Iterator[tuple[JobContext, HeldLease]]:
    with (
        open_workdir(workdir) as store,
        claim_workdir(workdir, store, lambda: True, is_permanent=stays) as claimed,
    ):
        yield claimed


def expire(workdir: LocalWorkdir) -> None:
    """Let the lease look an hour old."""
    for path in workdir.store.glob("jobs/*/leases/*.json"):
        os.utime(path, (time.time() - 3600,) * 2)


def all_files(folder: Path) -> list[str]:
    return sorted(str(one.relative_to(folder)) for one in folder.rglob("*"))


def test_a_late_holder_writes_nothing_into_the_folder_of_another(workdir: LocalWorkdir) -> None:
    with (
        pytest.raises(LeaseLost, match="goes on with this job; this one changes nothing"),
        held(workdir) as (context, late),
    ):
        expire(workdir)
        with held(workdir, stays=True) as (_, lease):
            lease.check()
        before = all_files(workdir.out)
        for act in (late.renew, late.check, context.check_lease):
            with pytest.raises(LeaseLost):
                act()
        late.check()
    assert all_files(workdir.out) == before


def test_a_late_holder_does_not_bring_back_a_removed_folder(workdir: LocalWorkdir) -> None:
    with pytest.raises(LeaseLost), held(workdir) as (context, late):
        expire(workdir)
        with held(workdir):
            pass
        with pytest.raises(StoreRefused, match="was removed"):
            context.store.put("jobs/x", b"late")
        with pytest.raises(LeaseLost, match="the job was deleted"):
            late.renew()
        late.release()
        late.check()
    assert not workdir.out.exists()


def test_a_late_holder_does_not_renew_the_lease_of_a_new_folder(workdir: LocalWorkdir) -> None:
    with pytest.raises(LeaseLost), held(workdir) as (_, late):
        expire(workdir)
        with held(workdir):
            pass
        # Again lease number 1, but of another holder.
        with held(workdir, stays=True) as (_, lease):
            with pytest.raises(LeaseLost):
                late.renew()
            late.release()
            lease.renew()
        late.renew()


@pytest.mark.parametrize("other", [JOB, OTHER])
def test_a_second_live_job_in_a_folder_is_refused(workdir: LocalWorkdir, other: str) -> None:
    with (
        held(workdir),
        pytest.raises(RequestError, match="is being rendered into by"),
        held(LocalWorkdir(workdir.out, other)),
    ):
        pytest.fail("two jobs render into one folder")


def test_leftovers_of_killed_processes_are_removed(workdir: LocalWorkdir) -> None:
    left = [workdir.path / "scratch-1", workdir.path.with_name(f".{JOB}-0123abcd")]
    for folder in left:
        folder.mkdir(parents=True)
        (folder / "junk").write_bytes(b"junk")
    with held(workdir, stays=True):
        assert not any(folder.exists() for folder in left)


def test_a_damaged_lease_is_named_with_the_way_out(workdir: LocalWorkdir) -> None:
    path = workdir.store / workdir.keys.lease(1)
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"token": 5}))
    with (
        pytest.raises(InvalidRecord, match=f"remove {workdir.path}, and run the same command"),
        held(workdir),
    ):
        pytest.fail("the lease is damaged")


def test_a_suggested_command_names_the_store_of_a_local_render(
    workdir: LocalWorkdir, tmp_path: Path
) -> None:
    assert store_option(FolderStore(tmp_path)) == ""
    assert store_option(open_local_store(workdir.store)) == f" --store {workdir.store}"


def test_a_lease_that_cannot_be_read_for_a_moment_is_renewed_later(
    workdir: LocalWorkdir, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed, renewed = threading.Event(), threading.Event()

    def renew(_lease: HeldLease) -> None:
        if not failed.is_set():
            failed.set()
            raise NotAnObject("a folder lies there")
        renewed.set()

    monkeypatch.setattr(HeldLease, "renew", renew)
    with held(workdir) as (_, lease):
        lease.ttl = 0.03
        with keep_renewed(lease):
            assert renewed.wait(20)


def test_an_error_is_not_hidden_by_a_lease_that_cannot_be_read(
    workdir: LocalWorkdir, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(_lease: HeldLease) -> None:
        raise NotAnObject("a folder lies there")

    with pytest.raises(ValueError, match="the cause"), held(workdir):
        monkeypatch.setattr(HeldLease, "check", check)
        raise ValueError("the cause")


@pytest.mark.parametrize("number", [errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EXDEV])
def test_a_working_folder_needs_no_hard_links(
    workdir: LocalWorkdir, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", refuse)
    with held(workdir, stays=True) as (context, lease):
        lease.renew()
        assert context.store.put_if_absent("once", b"first")
        assert not context.store.put_if_absent("once", b"second")
        assert context.store.get("once") == b"first"
        with pytest.raises(RequestError, match="is being rendered into"), held(workdir):
            pass
    # Several machines may write into another folder store at once, so that one needs links.
    with pytest.raises(StoreRefused):
        FolderStore(workdir.out / "store").put_if_absent("once", b"first")


def test_a_lease_of_an_earlier_program_with_the_same_process_id_does_not_block(
    workdir: LocalWorkdir,
) -> None:
    """A program may execute itself."""
    with open_workdir(workdir) as store:
        holder = f"{socket.gethostname()}:{os.getpid()}"
        assert claim_lease(store, workdir.keys, 0, holder, 3600, process_mark())
        with held(workdir) as (_, lease):
            assert lease.number == 2
            with pytest.raises(RequestError, match="is being rendered into by"), held(workdir):
                pass


@pytest.mark.parametrize("is_also_here", [True, False])
def test_a_process_of_another_container_with_the_same_host_name_is_not_taken_for_dead(
    workdir: LocalWorkdir, is_also_here: bool
) -> None:
    with open_workdir(workdir) as store:
        holder = f"{socket.gethostname()}:{os.getpid() if is_also_here else 2**22 + 1}"
        assert claim_lease(store, workdir.keys, 0, holder, 3600, "@another")
        with pytest.raises(RequestError, match=f"rendered into by {holder}"), held(workdir):
            pass


def test_a_lease_that_cannot_be_released_hides_no_error_and_blocks_nobody(
    workdir: LocalWorkdir, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise StoreRefused("read-only")

    with (
        monkeypatch.context() as patch,
        pytest.raises(ValueError, match="the first"),
        held(workdir),
    ):
        patch.setattr(FolderStore, "put", refuse)
        raise ValueError("the first")
    with held(workdir) as (_, lease):
        assert lease.number == 2


def test_without_hard_links_a_full_disk_leaves_no_half_of_an_object(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(b"whole")

    def no_links(*_: object) -> bool:
        raise OSError(errno.EPERM, "no hard links")

    monkeypatch.setattr("jobs.store.folder_files.link_if_absent", no_links)
    files = FailingFiles(tmp_path, at=2)
    with failing(files, monkeypatch), pytest.raises(OSError, match="No space left"):
        copy_if_absent(source, target)
    assert files.failed == [f"fsync {target}"]
    assert not target.exists()
    assert copy_if_absent(source, target)
    assert not copy_if_absent(source, target)
    assert target.read_bytes() == b"whole"
