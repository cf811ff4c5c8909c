"""`dreamfarm delete`: all of one job, nothing of others, and only after confirmation."""

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
from tests.support.job_states import JOB, claim_next_lease, job_in_state, write_job
from tests.support.rendered_poster import RenderedPoster, write_poster_spec
from tests.support.shell import Shell

OTHER = "other-0123456789ab"
DAY = 24 * 3600


def keys_in(store: FolderStore) -> set[str]:
    return {entry.key for entry in store.list_objects("")}


def age_blobs(store: FolderStore, seconds: float) -> None:
    then = time.time() - seconds
    for entry in store.list_objects("blobs/"):
        os.utime(Path(store.address) / entry.key, (then, then))


@pytest.mark.parametrize("state", ["succeeded", "failed", "cancelled"])
def test_deletion_removes_one_ended_job_completely(
    shell: Shell, store: FolderStore, state: State
) -> None:
    write_job(store, OTHER)
    others = keys_in(store)
    job_in_state(store, state)
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
def test_an_active_job_is_not_deleted(
    shell: Shell, store: FolderStore, state: State, why: str
) -> None:
    job_in_state(store, state)
    write_job(store, OTHER)
    shell("cancel", OTHER)
    before = keys_in(store)
    ended = shell("delete", OTHER, JOB, "--yes")

    assert (ended.code, ended.err) == (2, f"dreamfarm: {JOB}: {why}\n")
    assert keys_in(store) == before


def test_without_a_terminal_yes_is_required(shell: Shell, store: FolderStore) -> None:
    job_in_state(store, "succeeded")
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
    job_in_state(store, "succeeded")
    (tmp_path / "answer").write_text(answer)
    with (tmp_path / "answer").open() as typed:
        monkeypatch.setattr(typed, "isatty", lambda: True)
        monkeypatch.setattr(sys, "stdin", typed)
        ended = shell("delete", JOB)

    assert ended.code == code
    assert f"Delete {JOB} and all results in the store?" in ended.err
    assert bool(keys_in(store)) == (code == 1)


def test_old_blobs_go_with_their_last_job(
    shell: Shell, store: FolderStore, tmp_path: Path, picture: Path, weights: Path
) -> None:
    def submitted(*settings: str) -> str:
        spec = write_poster_spec(tmp_path, picture, weights, *settings)
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
    printed = json.loads(shell("delete", fourth, "--yes", "--json").out)
    assert printed["job"] == fourth
    assert printed["objects"] == 5
    assert not keys_in(store)


def test_a_blob_named_in_an_unreadable_spec_stays(
    shell: Shell, store: FolderStore, tmp_path: Path, picture: Path, weights: Path
) -> None:
    job = json.loads(shell("submit", write_poster_spec(tmp_path, picture, weights), "--json").out)[
        "job"
    ]
    shell("cancel", job)
    store.put(JobKeys(OTHER).spec, store.get(JobKeys(job).spec)[:-20])
    age_blobs(store, 2 * DAY)
    assert shell("delete", job, "--yes").code == 0
    assert sum(key.startswith("blobs/") for key in keys_in(store)) == 2


def test_remains_without_a_spec_can_be_deleted(shell: Shell, store: FolderStore) -> None:
    store.put(JobKeys(JOB).spec, b"no spec")
    assert shell("delete", JOB, "--yes").code == 0
    assert not keys_in(store)


def test_a_rendered_job_leaves_nothing(
    shell: Shell, job: RenderedPoster, store: FolderStore
) -> None:
    age_blobs(store, 2 * DAY)
    ended = shell("delete", "sky", "--yes")
    assert (ended.code, ended.err) == (0, "")
    assert not keys_in(store)


def test_deletion_waits_for_a_holder_that_has_just_succeeded(
    shell: Shell, store: FolderStore
) -> None:
    held = claim_next_lease(store, write_job(store))
    store.put(held.keys.manifest, b'{"version": 1}')

    def last_words() -> None:
        store.put(held.keys.log(1), b"done")
        held.release()

    parting = threading.Timer(0.5, last_words)
    parting.start()
    assert shell("delete", "sky", "--yes").code == 0
    parting.join()
    assert not keys_in(store)
