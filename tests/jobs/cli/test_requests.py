"""`dreamfarm pause`, `resume`, `cancel`, `retry`: a line each, and one that is wrong stops none."""

import json

import pytest

from jobs.records.keys import ACTIVE
from jobs.records.state import State
from jobs.store.folder import FolderStore
from tests.jobs.cli.shell import Shell
from tests.jobs.lifecycle.scene import JOB, brought_to, lay


@pytest.mark.parametrize(
    ("before", "verb", "after", "words"),
    [
        ("queued", "pause", "paused", "paused"),
        ("running", "pause", "running", "will pause at its next step"),
        ("paused", "resume", "queued", "queued"),
        ("running", "resume", "running", "goes on"),
        ("queued", "cancel", "cancelled", "cancelled"),
        ("running", "cancel", "running", "will stop soon"),
        ("failed", "retry", "queued", "queued again"),
        ("cancelled", "retry", "queued", "queued again"),
    ],
)
def test_what_follows_is_said(
    shell: Shell, store: FolderStore, before: State, verb: str, after: State, words: str
) -> None:
    brought_to(store, before)
    ended = shell(verb, "sky")

    assert (ended.code, ended.out, ended.err) == (0, f"{JOB}: {words}\n", "")
    assert json.loads(shell("show", JOB, "--json").out)["state"] == after


def test_programs_get_a_line_for_each_job(shell: Shell, store: FolderStore) -> None:
    lay(store, "a-0123456789ab")
    lay(store, "b-0123456789ab")
    ended = shell("pause", "a", "b", "--json")
    assert [json.loads(line) for line in ended.out.splitlines()] == [
        {"job": "a-0123456789ab", "state": "paused"},
        {"job": "b-0123456789ab", "state": "paused"},
    ]


def test_what_one_job_does_not_allow_stops_no_other(shell: Shell, store: FolderStore) -> None:
    brought_to(store, "succeeded")
    lay(store, "a-0123456789ab")
    ended = shell("cancel", "nothing", "sky", "a")

    assert ended.code == 2
    assert ended.out == "a-0123456789ab: cancelled\n"
    assert ended.err.splitlines() == [
        f"dreamfarm: no job nothing in {store.address}; `dreamfarm list` shows all",
        f"dreamfarm: {JOB}: is succeeded; only queued, running or paused jobs can be cancelled",
    ]


def test_what_waits_again_is_found_by_schedulers(shell: Shell, store: FolderStore) -> None:
    brought_to(store, "failed")
    shell("retry", JOB)
    assert [entry.key for entry in store.entries(ACTIVE)] == [f"active/{JOB}@1"]
