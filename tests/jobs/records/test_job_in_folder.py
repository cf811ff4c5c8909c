"""The whole life of a job in a folder, with the real clock and several claimers."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from jobs.planning.poster import make_plan
from jobs.poster.staging import stage_spec
from jobs.poster.submit import submit_poster
from jobs.records.job import find_job_id, load_job
from jobs.records.keys import JobKeys
from jobs.records.lease import claim_lease, current_lease
from jobs.records.request import cancel, pause, resume, retry
from jobs.spec.document import parse_poster_spec
from jobs.store.folder import FolderStore
from tests.support.job_states import JOB, claim_next_lease, fail_job, sample_status
from tests.support.small_poster import MACHINE, poster_document

CLAIMERS, ROUNDS = 4, 25


def test_one_of_several_claimers_wins_each_number(tmp_path: Path) -> None:
    def claim_all(_: int) -> list[bool]:
        store = FolderStore(tmp_path)
        return [claim_lease(store, JobKeys(JOB), n, "me", 60) is not None for n in range(ROUNDS)]

    with ThreadPoolExecutor(CLAIMERS) as pool:
        won = list(pool.map(claim_all, range(CLAIMERS)))
    assert [sum(column) for column in zip(*won, strict=True)] == [1] * ROUNDS


def test_lease_expires_by_the_clock_of_the_folder(tmp_path: Path) -> None:
    store, keys = FolderStore(tmp_path), JobKeys(JOB)
    assert claim_lease(store, keys, 0, "me", 0.2)
    first = current_lease(store, keys)
    time.sleep(0.3)
    second = current_lease(store, keys)

    assert first is not None
    assert first.is_live
    assert second is not None
    assert not second.is_live


def test_whole_life_of_a_job(picture: Path, weights: Path, tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    assert submit_poster(store, parse_poster_spec(poster_document(picture, weights))).new
    again = submit_poster(
        store, parse_poster_spec(poster_document(picture, weights, "crew.workers=2"))
    )
    assert (again.new, again.state) == (False, "queued")
    job = find_job_id(store, "sky")
    keys = JobKeys(job)

    assert (pause(store, job), resume(store, job)) == ("paused", "queued")
    assert (cancel(store, job), retry(store, job)) == ("cancelled", "queued")
    seen = load_job(store, job)
    assert seen.run_settings is not None
    spec = stage_spec(store, seen.spec, seen.run_settings, tmp_path / "cache")
    assert make_plan(spec, MACHINE).identity.job_id == job
    assert spec.crew.workers == 2

    fail_job(store, claim_next_lease(store, keys), generation=1)
    assert load_job(store, job).state == "failed"
    assert retry(store, job) == "queued"
    held = claim_next_lease(store, keys)
    store.put(keys.status(held.number), sample_status(generation=2).encode())
    held.renew()
    assert load_job(store, job).state == "running"
    assert store.put_if_absent(keys.manifest, b"{}")
    held.release()
    assert load_job(store, job).state == "succeeded"
    assert (
        submit_poster(store, parse_poster_spec(poster_document(picture, weights))).state
        == "succeeded"
    )
