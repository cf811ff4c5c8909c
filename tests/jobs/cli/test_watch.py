"""`dreamfarm watch`: every change, until the job ends, and how it ended."""

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from jobs.records.keys import JobKeys
from jobs.records.request import cancel, pause, resume
from jobs.records.state import State
from jobs.store.folder import FolderStore
from tests.jobs.cli.shell import Shell
from tests.jobs.lifecycle.scene import JOB, brought_to, claimed, fail, lay, status

EVERY = ("--every", "0.1")
PAUSE = 0.35


@contextmanager
def meanwhile(*deeds: Callable[[], object]) -> Iterator[None]:
    """Deeds of another process, one after the other, so that each is seen."""

    def run() -> None:
        for deed in deeds:
            time.sleep(PAUSE)
            deed()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        thread.join()


@pytest.mark.parametrize(
    ("state", "code", "last"),
    [
        ("succeeded", 0, f"{JOB}: succeeded"),
        ("failed", 1, f"dreamfarm: {JOB}: failed (memory): no memory"),
        ("cancelled", 1, f"dreamfarm: {JOB}: cancelled"),
    ],
)
def test_what_has_ended_ends_it_at_once(
    shell: Shell, store: FolderStore, state: State, code: int, last: str
) -> None:
    brought_to(store, state)
    ended = shell("watch", "sky")
    assert (ended.code, ended.out, ended.err) == (code, "", f"{last}\n")


def test_lines_come_with_changes_alone(shell: Shell, store: FolderStore) -> None:
    keys = lay(store)
    with meanwhile(
        lambda: pause(store, JOB),
        lambda: resume(store, JOB),
        lambda: store.put(keys.manifest, b'{"version": 1}'),
    ):
        ended = shell("watch", JOB, *EVERY)

    assert ended.code == 0
    assert ended.err.splitlines() == [
        f"{JOB}: {word}" for word in ("queued", "paused", "queued", "succeeded")
    ]


def test_programs_get_an_object_for_each_change(shell: Shell, store: FolderStore) -> None:
    keys = lay(store)
    held = claimed(store, keys)
    with meanwhile(
        lambda: store.put(keys.status(1), status(progress=0.5).encoded()),
        lambda: cancel(store, JOB),
        held.release,
    ):
        ended = shell("watch", JOB, *EVERY, "--json")

    told = [json.loads(line) for line in ended.out.splitlines()]
    assert [(one["state"], one["progress"], one["want"]) for one in told] == [
        ("running", 0.0, "run"),
        ("running", 0.5, "run"),
        ("running", 0.5, "cancel"),
        ("cancelled", 0.5, "cancel"),
    ]
    assert (ended.code, ended.err) == (1, f"dreamfarm: {JOB}: cancelled\n")


def test_a_failure_says_why(shell: Shell, store: FolderStore) -> None:
    held = claimed(store, lay(store))
    with meanwhile(lambda: fail(store, held)):
        ended = shell("watch", JOB, *EVERY)
    assert ended.code == 1
    assert ended.err.splitlines()[-1] == f"dreamfarm: {JOB}: failed (memory): no memory"


def test_a_job_that_is_deleted_meanwhile_is_no_job_any_more(
    shell: Shell, store: FolderStore
) -> None:
    lay(store)
    with meanwhile(lambda: store.delete([JobKeys(JOB).spec])):
        ended = shell("watch", JOB, *EVERY)
    assert ended.code == 2
    assert ended.err.splitlines()[-1].startswith(f"dreamfarm: no job {JOB} in ")


def test_nobody_looks_more_often_than_makes_sense(shell: Shell, store: FolderStore) -> None:
    assert shell("watch", JOB, "--every", "0").code == 2


def test_a_terminal_gets_one_line_that_changes(
    shell: Shell, store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    held = claimed(store, lay(store))
    store.put(held.keys.status(1), status().encoded())
    with meanwhile(lambda: store.put(held.keys.manifest, b'{"version": 1}')):
        ended = shell("watch", JOB, *EVERY)

    assert ended.code == 0
    assert "step 3 of 10, 25%" in ended.err
    assert ended.err.count("\n") == 1
    assert ended.err.partition("\n")[0].endswith("succeeded")
