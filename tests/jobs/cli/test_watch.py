"""`dreamfarm watch`: every change until the job ends, and the exit code."""

import json
import sys

import pytest

from jobs.records.keys import JobKeys
from jobs.records.request import cancel, pause, resume
from jobs.records.state import State
from jobs.store.folder import FolderStore
from tests.support.job_states import (
    JOB,
    claim_next_lease,
    fail_job,
    job_in_state,
    sample_status,
    write_job,
)
from tests.support.shell import EVERY, Shell, in_background


@pytest.mark.parametrize(
    ("state", "code", "last"),
    [
        ("succeeded", 0, f"{JOB}: succeeded"),
        ("failed", 1, f"dreamfarm: {JOB}: failed (memory): no memory"),
        ("cancelled", 1, f"dreamfarm: {JOB}: cancelled"),
    ],
)
def test_an_ended_job_ends_the_watch_at_once(
    shell: Shell, store: FolderStore, state: State, code: int, last: str
) -> None:
    job_in_state(store, state)
    ended = shell("watch", "sky")
    assert (ended.code, ended.out, ended.err) == (code, "", f"{last}\n")


def test_each_change_is_one_line(shell: Shell, store: FolderStore) -> None:
    keys = write_job(store)
    with in_background(
        lambda: pause(store, JOB),
        lambda: resume(store, JOB),
        lambda: store.put(keys.manifest, b'{"version": 1}'),
    ):
        ended = shell("watch", JOB, *EVERY)

    assert ended.code == 0
    assert ended.err.splitlines() == [
        f"{JOB}: {word}" for word in ("queued", "paused", "queued", "succeeded")
    ]


def test_with_json_each_change_is_an_object(shell: Shell, store: FolderStore) -> None:
    keys = write_job(store)
    held = claim_next_lease(store, keys)
    with in_background(
        lambda: store.put(keys.status(1), sample_status(progress=0.5).encode()),
        lambda: cancel(store, JOB),
        held.release,
    ):
        ended = shell("watch", JOB, *EVERY, "--json")

    printed = [json.loads(line) for line in ended.out.splitlines()]
    assert [(one["state"], one["progress"], one["want"]) for one in printed] == [
        ("running", 0.0, "run"),
        ("running", 0.5, "run"),
        ("running", 0.5, "cancel"),
        ("cancelled", 0.5, "cancel"),
    ]
    assert (ended.code, ended.err) == (1, f"dreamfarm: {JOB}: cancelled\n")


def test_a_failure_shows_its_reason(shell: Shell, store: FolderStore) -> None:
    held = claim_next_lease(store, write_job(store))
    with in_background(lambda: fail_job(store, held)):
        ended = shell("watch", JOB, *EVERY)
    assert ended.code == 1
    assert ended.err.splitlines()[-1] == f"dreamfarm: {JOB}: failed (memory): no memory"


def test_a_deleted_job_ends_the_watch(shell: Shell, store: FolderStore) -> None:
    write_job(store)
    with in_background(lambda: store.delete([JobKeys(JOB).spec])):
        ended = shell("watch", JOB, *EVERY)
    assert ended.code == 2
    assert ended.err.splitlines()[-1].startswith(f"dreamfarm: no job {JOB} in ")


def test_the_interval_has_a_minimum(shell: Shell, store: FolderStore) -> None:
    assert shell("watch", JOB, "--every", "0").code == 2


def test_a_terminal_gets_one_line_that_changes(
    shell: Shell, store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    held = claim_next_lease(store, write_job(store))
    store.put(held.keys.status(1), sample_status().encode())
    with in_background(lambda: store.put(held.keys.manifest, b'{"version": 1}')):
        ended = shell("watch", JOB, *EVERY)

    assert ended.code == 0
    assert "step 3 of 10, 25%" in ended.err
    assert ended.err.count("\n") == 1
    assert ended.err.partition("\n")[0].endswith("succeeded")


def test_an_interrupted_watch_says_that_the_job_goes_on(
    shell: Shell, store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    write_job(store)
    monkeypatch.setattr("jobs.services.job_handle.Job.watch", interrupt)
    ended = shell("watch", JOB)
    assert ended.code == 130
    assert ended.err.startswith("dreamfarm: interrupted; the job goes on: ")
    assert "resume" not in ended.err
    assert len(ended.err.splitlines()) == 1


OTHER = "sea-0123456789ab"


def test_several_jobs_are_watched_until_all_have_ended(shell: Shell, store: FolderStore) -> None:
    sky, sea = write_job(store), write_job(store, OTHER)
    with in_background(
        lambda: store.put(sky.manifest, b'{"version": 1}'),
        lambda: pause(store, OTHER),
        lambda: store.put(sea.manifest, b'{"version": 1}'),
    ):
        ended = shell("watch", "sky", "sea", JOB, *EVERY)
    assert (ended.code, ended.out) == (0, "")
    assert ended.err.splitlines() == [
        *(f"{JOB}: queued", f"{OTHER}: queued", f"{JOB}: succeeded"),
        *(f"{OTHER}: paused", f"{OTHER}: succeeded"),
    ]


def test_the_exit_code_is_that_of_the_worst_job(shell: Shell, store: FolderStore) -> None:
    write_job(store, OTHER)
    store.put(JobKeys(OTHER).manifest, b'{"version": 1}')
    job_in_state(store, "failed")
    ended = shell("watch", OTHER, JOB)
    assert ended.code == 1
    assert ended.err.splitlines() == [
        f"{OTHER}: succeeded",
        f"dreamfarm: {JOB}: failed (memory): no memory",
    ]
    printed = shell("watch", OTHER, JOB, "--json").out.splitlines()
    assert [json.loads(line)["state"] for line in printed] == ["succeeded", "failed"]


def test_a_job_that_is_deleted_ends_and_the_others_go_on(shell: Shell, store: FolderStore) -> None:
    sky, _ = write_job(store), write_job(store, OTHER)
    with in_background(
        lambda: store.delete([JobKeys(OTHER).spec]),
        lambda: store.put(sky.manifest, b'{"version": 1}'),
    ):
        ended = shell("watch", JOB, OTHER, *EVERY)
    assert ended.code == 2
    assert ended.err.splitlines()[-2] == f"{JOB}: succeeded"
    assert ended.err.splitlines()[-1].startswith(f"dreamfarm: no job {OTHER} in ")


def test_a_terminal_gets_a_line_for_each_job(
    shell: Shell, store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    for job in (JOB, OTHER):
        store.put(write_job(store, job).manifest, b'{"version": 1}')
    ended = shell("watch", JOB, OTHER, *EVERY)
    assert ended.code == 0
    last = ended.err.rpartition("\x1b[2K")[2].splitlines()[:2]
    assert [(line.split()[0], line.split()[-1]) for line in last] == [
        (JOB, "succeeded"),
        (OTHER, "succeeded"),
    ]


def test_an_interrupted_watch_of_several_names_them(
    shell: Shell, store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    for job in (JOB, OTHER):
        write_job(store, job)
    monkeypatch.setattr("jobs.services.watching.watch_jobs", interrupt)
    ended = shell("watch", JOB, OTHER)
    assert ended.code == 130
    assert f"`dreamfarm watch {JOB} {OTHER}` follows them again" in ended.err
