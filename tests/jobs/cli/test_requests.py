"""`dreamfarm pause`, `resume`, `cancel` and `retry`: a line for each job."""

import json

import pytest

from jobs.records.keys import ACTIVE
from jobs.records.state import State
from jobs.store.folder import FolderStore
from tests.support.job_states import JOB, job_in_state, write_job
from tests.support.shell import Shell


@pytest.mark.parametrize(
    ("before", "verb", "after", "words"),
    [
        ("queued", "pause", "paused", "paused"),
        ("running", "pause", "running", "will pause at its next step"),
        ("paused", "resume", "queued", "queued"),
        ("running", "resume", "running", "continues"),
        ("queued", "cancel", "cancelled", "cancelled"),
        ("running", "cancel", "running", "will stop soon"),
        ("failed", "retry", "queued", "queued again"),
        ("queued", "retry", "queued", "is queued already"),
        ("cancelled", "retry", "queued", "queued again"),
    ],
)
def test_the_new_state_is_printed(
    shell: Shell, store: FolderStore, before: State, verb: str, after: State, words: str
) -> None:
    job_in_state(store, before)
    ended = shell(verb, "sky")

    assert (ended.code, ended.out, ended.err) == (0, f"{JOB}: {words}\n", "")
    assert json.loads(shell("show", JOB, "--json").out)["state"] == after


def test_with_json_there_is_a_line_per_job(shell: Shell, store: FolderStore) -> None:
    write_job(store, "a-0123456789ab")
    write_job(store, "b-0123456789ab")
    ended = shell("pause", "a", "b", "--json")
    assert [json.loads(line) for line in ended.out.splitlines()] == [
        {"job": "a-0123456789ab", "state": "paused"},
        {"job": "b-0123456789ab", "state": "paused"},
    ]


def test_a_refused_request_does_not_stop_the_others(shell: Shell, store: FolderStore) -> None:
    job_in_state(store, "succeeded")
    write_job(store, "a-0123456789ab")
    ended = shell("cancel", "nothing", "sky", "a")

    assert ended.code == 2
    assert ended.out == "a-0123456789ab: cancelled\n"
    assert ended.err.splitlines() == [
        f"dreamfarm: no job nothing in {store.address}; `dreamfarm list` shows all",
        f"dreamfarm: {JOB}: is succeeded; only queued, running or paused jobs can be cancelled",
    ]


def test_resumed_jobs_are_found_by_schedulers(shell: Shell, store: FolderStore) -> None:
    job_in_state(store, "failed")
    shell("retry", JOB)
    assert [entry.key for entry in store.list_objects(ACTIVE)] == [f"active/{JOB}@1"]
