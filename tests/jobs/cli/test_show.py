"""`dreamfarm show` and `logs`: the state of a job, and its history."""

import json
import time

import pytest

from jobs.records.keys import JobKeys
from jobs.records.request import pause, retry
from jobs.records.state import State
from jobs.records.status import encode_events, make_event
from jobs.store.folder import FolderStore
from tests.support.job_states import (
    JOB,
    claim_next_lease,
    fail_job,
    job_in_state,
    sample_status,
    write_job,
)
from tests.support.rendered_poster import RenderedPoster
from tests.support.shell import EVERY, PAUSE, Shell, in_background

STATES: tuple[State, ...] = ("queued", "running", "paused", "succeeded", "failed", "cancelled")


@pytest.mark.parametrize("state", STATES)
def test_every_state_is_described(shell: Shell, store: FolderStore, state: State) -> None:
    job_in_state(store, state)
    printed = json.loads(shell("show", "sky", "--json").out)
    ended = shell("show", JOB)

    assert (printed["job"], printed["state"]) == (JOB, state)
    assert 0 <= printed["progress"] <= 1
    assert {"eta_seconds", "reason"} <= printed.keys()
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines()[0].split() == ["job", JOB]
    assert ended.out.splitlines()[1].startswith(f"state      {state}")


def test_a_running_job_shows_its_progress(shell: Shell, store: FolderStore) -> None:
    keys = write_job(store)
    held = claim_next_lease(store, keys)
    store.put(keys.status(held.number), sample_status().encode())
    printed = json.loads(shell("show", JOB, "--json").out)

    assert (printed["progress"], printed["eta_seconds"], printed["reason"]) == (0.25, 6.0, None)
    assert (printed["phase"], printed["octave"], printed["octaves"]) == ("octave 1", 1, 2)
    assert (printed["step"], printed["steps"], printed["workers"]) == (3, 10, 2)
    assert (printed["megapixel_steps"], printed["rate"]) == ({"done": 1.0, "total": 4.0}, 0.5)
    assert (printed["holder"], printed["lease"]) == ("here:1", 1)
    words = shell("show", JOB).out
    assert "running, octave 1 of 2, step 3 of 10, 25%, about 6 s left" in words
    assert "1 of 4 megapixel-steps, 0.50 a second" in words


def test_a_pending_request_is_shown(shell: Shell, store: FolderStore) -> None:
    job_in_state(store, "running")
    pause(store, JOB)
    assert "running, starting, will pause at its next step" in shell("show", JOB).out


def test_a_failure_shows_one_line_with_its_class(shell: Shell, store: FolderStore) -> None:
    keys = write_job(store)
    held = claim_next_lease(store, keys)
    broken = sample_status(failure="memory").model_copy(update={"reason": "no\nmemory\nat all"})
    store.put(keys.status(held.number), broken.encode())
    held.release()

    assert "state      failed (memory): no memory at all\n" in shell("show", JOB).out
    printed = json.loads(shell("show", JOB, "--json").out)
    assert (printed["failure"], printed["reason"]) == ("memory", "no\nmemory\nat all")


def test_a_retry_clears_the_reason(shell: Shell, store: FolderStore) -> None:
    job_in_state(store, "failed")
    retry(store, JOB)
    printed = json.loads(shell("show", JOB, "--json").out)
    assert (printed["state"], printed["failure"], printed["reason"]) == ("queued", None, None)


def test_results_are_shown_with_their_keys(shell: Shell, job: RenderedPoster) -> None:
    printed = json.loads(shell("show", job.job, "--json").out)
    words = shell("show", job.job).out

    assert printed["progress"] == 1
    assert [one["sha256"] for one in printed["outputs"]] == [
        one["sha256"] for one in job.manifest["outputs"]
    ]
    for key in (*printed["previews"], *(one["key"] for one in printed["outputs"])):
        assert (job.store / key).is_file()
    assert len(printed["previews"]) == 2
    assert all(one["sha256"] in words for one in printed["outputs"])
    assert f"dreamfarm fetch {job.job}" in words


def test_an_unknown_job_gets_suggestions(shell: Shell, store: FolderStore) -> None:
    write_job(store)
    ended = shell("show", "skye-0123456789ab")
    assert ended.code == 2
    assert ended.err == (
        f"dreamfarm: no job skye-0123456789ab in {store.address}; did you mean {JOB}? "
        "`dreamfarm list` shows all\n"
    )


def test_an_ambiguous_prefix_fails(shell: Shell, store: FolderStore) -> None:
    write_job(store)
    write_job(store, "sky-aaaaaaaaaaaa")
    assert shell("show", "sky").code == 2
    assert shell("show", "sky-0").code == 0


def test_logs_cover_all_leases_in_order(shell: Shell, store: FolderStore) -> None:
    keys = write_job(store)
    for number, log in ((1, b"first\nsecond\n"), (2, b""), (3, b"third\n")):
        fail_job(store, claim_next_lease(store, keys))
        store.put(keys.events(number), encode_events([make_event("dream", octave=number)]))
        store.put(keys.log(number), log)
    printed = [json.loads(line) for line in shell("logs", JOB, "--json").out.splitlines()]
    lines = shell("logs", JOB).out.splitlines()

    assert [(one["lease"], one["octave"]) for one in printed[:3]] == [(1, 1), (2, 2), (3, 3)]
    assert [(one["lease"], one["line"]) for one in printed[3:]] == [
        (1, "first"),
        (1, "second"),
        (3, "third"),
    ]
    assert lines[1].endswith("lease 2  dream  (octave: 2)")
    assert lines[3:] == ["first", "second", "third"]
    assert shell("logs", JOB, "--log").out.splitlines() == lines[3:]
    assert shell("logs", JOB, "--events").out.splitlines() == lines[:3]


def test_logs_are_followed_until_the_job_ends(shell: Shell, store: FolderStore) -> None:
    keys = write_job(store)
    held = claim_next_lease(store, keys)
    store.put(keys.log(1), b"first\n")
    events = [make_event("claimed"), make_event("dream", octave=1), make_event("succeeded")]
    with in_background(
        lambda: store.put(keys.events(1), encode_events(events[:2])),
        lambda: store.put(keys.log(1), b"first\nsecond\n"),
        # The oldest line is dropped.
        lambda: store.put(keys.log(1), b"second\nthird\n"),
        lambda: store.put(keys.manifest, b'{"version": 1}'),
        lambda: store.put(keys.events(1), encode_events(events)),
        held.release,
    ):
        ended = shell("logs", JOB, "--follow", *EVERY)
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert [line for line in lines if "lease 1" not in line] == ["first", "second", "third"]
    assert [line.split("lease 1  ")[1] for line in lines if "lease 1" in line] == [
        *("claimed", "dream  (octave: 1)", "succeeded")
    ]


def test_a_queued_job_is_followed_from_its_first_lease_on(shell: Shell, store: FolderStore) -> None:
    keys = write_job(store)

    def take() -> None:
        store.put(keys.log(1), b"line\n")
        held = claim_next_lease(store, keys)
        time.sleep(PAUSE)
        fail_job(store, held)

    with in_background(take):
        ended = shell("logs", JOB, "--follow", "--log", "--json", *EVERY)
    assert ended.code == 0
    assert [json.loads(line) for line in ended.out.splitlines()] == [
        {"version": 1, "lease": 1, "line": "line"}
    ]
    assert ended.err.startswith(f"{JOB}: no `work` has taken this job yet")


def test_an_unclaimed_job_has_no_logs(shell: Shell, store: FolderStore) -> None:
    store.put(JobKeys("new-0123456789ab").folder + "x", b"")
    write_job(store)
    ended = shell("logs", JOB)
    assert (ended.code, ended.out) == (0, "")


def test_logs_of_a_job_that_no_work_has_taken_say_so(shell: Shell, store: FolderStore) -> None:
    write_job(store)
    ended = shell("logs", JOB)
    assert (ended.code, ended.out) == (0, "")
    assert ended.err.startswith(f"{JOB}: no `work` has taken this job yet")
