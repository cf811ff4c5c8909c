"""`dreamfarm pause`, `resume`, `cancel` and `retry`: a line for each job."""

import json

import pytest

from jobs.records.keys import ACTIVE
from jobs.records.spending import Spent
from jobs.records.state import State
from jobs.store.folder import FolderStore
from tests.support.job_states import (
    JOB,
    claim_next_lease,
    job_in_state,
    pause_at_limit,
    sample_status,
    write_job,
)
from tests.support.shell import Shell, check_error_line


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


def test_a_job_at_its_limit_says_what_it_spent_and_goes_on_with_a_higher_one(
    shell: Shell, store: FolderStore
) -> None:
    pause_at_limit(store, usd=40.0)
    shown = shell("show", "sky").out
    assert "paused, 25% done: spent USD 39.90, and limits.usd is USD 40.00; `dreamfarm" in shown
    assert "spent      USD 39.90, 4.0 h of workers in 2.0 h, limit USD 40.00\n" in shown
    assert "next" not in shown
    (row,) = [line for line in shell("list").out.splitlines() if JOB in line]
    assert "USD 39.90" in row
    (told,) = json.loads(shell("list", "--json").out)
    assert told["paused_by"] == "limit"
    assert told["spent"] == {"seconds": 7200.0, "worker_seconds": 14400.0, "usd": 39.9}
    assert told["limits"] == {"usd": 40.0}

    refused = shell("resume", "sky")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err == (
        f"dreamfarm: {JOB}: has reached limits.usd, USD 40.00; "
        f"`dreamfarm resume {JOB} --raise usd=20` raises it\n"
    )
    resumed = shell("resume", "sky", "--raise", "20", "--raise", "usd=5")
    assert (resumed.code, resumed.out) == (0, f"{JOB}: queued\n")
    assert "limit USD 65.00" in shell("show", "sky").out


@pytest.mark.parametrize("amount", ["-1", "0", "nan", "1e99", "eur=5", "x", ""])
def test_a_wrong_amount_to_raise_fails(shell: Shell, store: FolderStore, amount: str) -> None:
    keys = pause_at_limit(store, usd=40.0)
    before = store.get(keys.run_settings)
    check_error_line(shell("resume", "sky", f"--raise={amount}"), f"--raise {amount}: write a ")
    assert store.get(keys.run_settings) == before


def test_a_limit_that_is_not_there_cannot_be_raised(shell: Shell, store: FolderStore) -> None:
    pause_at_limit(store, usd=40.0)
    check_error_line(shell("resume", "sky", "--raise", "hours=1"), f"{JOB}: has no limits.hours")


def test_a_job_without_a_price_shows_time_only(shell: Shell, store: FolderStore) -> None:
    held = claim_next_lease(store, write_job(store))
    spent = Spent(seconds=60, worker_seconds=60)
    status = sample_status().model_copy(update={"spent": spent})
    store.put(held.keys.status(1), status.encode())
    assert "spent      60 s of workers in 60 s\n" in shell("show", "sky").out
    assert "USD" not in shell("list").out
