"""`dreamfarm delete`: everything of a job, of no other, and only with a yes."""

import json
import os
import sys
import threading
import time
from pathlib import Path

import pytest

from jobs.records.keys import JobKeys
from jobs.records.state import State
from jobs.store.folder import FolderStore
from tests.jobs.cli.farm import Rendered, spec_file
from tests.jobs.cli.shell import Shell
from tests.jobs.lifecycle.scene import JOB, brought_to, claimed, lay

OTHER = "other-0123456789ab"
DAY = 24 * 3600


def keys_in(store: FolderStore) -> set[str]:
    return {entry.key for entry in store.entries("")}


def age_blobs(store: FolderStore, seconds: float) -> None:
    then = time.time() - seconds
    for entry in store.entries("blobs/"):
        os.utime(Path(store.address) / entry.key, (then, then))


@pytest.mark.parametrize("state", ["succeeded", "failed", "cancelled"])
def test_an_ended_job_goes_with_all_it_has_and_no_other(
    shell: Shell, store: FolderStore, state: State
) -> None:
    lay(store, OTHER)
    others = keys_in(store)
    brought_to(store, state)
    for key in ("previews/octave-01.jpg", "outputs/000001/a_files/0/0_0.jpg", "what/ever"):
        store.put(JobKeys(JOB).folder + key, b"x")
    store.put(f"active/{JOB}", b"")
    ended = shell("delete", "sky", "--yes")

    assert ended.code == 0
    assert ended.out.startswith(f"{JOB}: deleted (")
    assert keys_in(store) == others


@pytest.mark.parametrize(
    ("state", "why"),
    [
        ("queued", "is queued; cancel it first"),
        ("paused", "is paused; cancel it first"),
        ("running", "is running; cancel it first, and wait until it has stopped"),
    ],
)
def test_a_job_that_may_go_on_is_refused(
    shell: Shell, store: FolderStore, state: State, why: str
) -> None:
    brought_to(store, state)
    lay(store, OTHER)
    shell("cancel", OTHER)
    before = keys_in(store)
    ended = shell("delete", OTHER, JOB, "--yes")

    assert (ended.code, ended.err) == (2, f"dreamfarm: {JOB}: {why}\n")
    assert keys_in(store) == before


def test_without_a_terminal_yes_must_be_said(shell: Shell, store: FolderStore) -> None:
    brought_to(store, "succeeded")
    before = keys_in(store)
    ended = shell("delete", JOB)
    assert ended.code == 2
    assert ended.err.endswith("There is no terminal to answer on; add --yes\n")
    assert keys_in(store) == before


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 1), ("", 1)])
def test_on_a_terminal_it_asks(
    shell: Shell,
    store: FolderStore,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    answer: str,
    code: int,
) -> None:
    brought_to(store, "succeeded")
    (tmp_path / "answer").write_text(answer)
    with (tmp_path / "answer").open() as typed:
        monkeypatch.setattr(typed, "isatty", lambda: True)
        monkeypatch.setattr(sys, "stdin", typed)
        ended = shell("delete", JOB)

    assert ended.code == code
    assert f"Delete {JOB} and all results in the store?" in ended.err
    assert bool(keys_in(store)) == (code == 1)


def test_blobs_go_with_the_last_job_that_names_them_once_they_are_old(
    shell: Shell, store: FolderStore, tmp_path: Path, picture: Path, weights: Path
) -> None:
    def submitted(*settings: str) -> str:
        spec = spec_file(tmp_path, picture, weights, *settings)
        job: str = json.loads(shell("submit", spec, "--json").out)["job"]
        shell("cancel", job)
        return job

    first, second, third = (submitted(f"dream.steps={steps}") for steps in (1, 2, 3))
    blobs = {key for key in keys_in(store) if key.startswith("blobs/")}
    assert len(blobs) == 2
    age_blobs(store, 2 * DAY)
    assert shell("delete", first, "--yes").code == 0
    assert keys_in(store) >= blobs

    age_blobs(store, DAY / 2)
    assert shell("delete", second, third, "--yes").code == 0
    assert keys_in(store) == blobs

    fourth = submitted()
    age_blobs(store, 2 * DAY)
    told = json.loads(shell("delete", fourth, "--yes", "--json").out)
    assert told["job"] == fourth
    assert told["objects"] == 5
    assert not keys_in(store)


def test_a_blob_that_something_unreadable_names_stays(
    shell: Shell, store: FolderStore, tmp_path: Path, picture: Path, weights: Path
) -> None:
    job = json.loads(shell("submit", spec_file(tmp_path, picture, weights), "--json").out)["job"]
    shell("cancel", job)
    store.put(JobKeys(OTHER).spec, store.get(JobKeys(job).spec)[:-20])
    age_blobs(store, 2 * DAY)
    assert shell("delete", job, "--yes").code == 0
    assert sum(key.startswith("blobs/") for key in keys_in(store)) == 2


def test_what_never_was_a_job_can_be_deleted(shell: Shell, store: FolderStore) -> None:
    store.put(JobKeys(JOB).spec, b"no spec")
    assert shell("delete", JOB, "--yes").code == 0
    assert not keys_in(store)


def test_a_rendered_job_leaves_nothing(shell: Shell, job: Rendered, store: FolderStore) -> None:
    age_blobs(store, 2 * DAY)
    ended = shell("delete", "sky", "--yes")
    assert (ended.code, ended.err) == (0, "")
    assert not keys_in(store)


def test_a_holder_that_has_just_succeeded_is_waited_for(shell: Shell, store: FolderStore) -> None:
    held = claimed(store, lay(store))
    store.put(held.keys.manifest, b'{"version": 1}')

    def last_words() -> None:
        store.put(held.keys.log(1), b"done")
        held.release()

    parting = threading.Timer(0.5, last_words)
    parting.start()
    assert shell("delete", "sky", "--yes").code == 0
    parting.join()
    assert not keys_in(store)
