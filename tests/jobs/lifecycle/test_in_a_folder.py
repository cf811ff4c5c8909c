"""The whole life of a job in a store that is real: a folder, its own clock, several at once."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from jobs.planning.poster import make_plan
from jobs.poster.staging import spec_here
from jobs.poster.submit import submit
from jobs.records.job import find, look
from jobs.records.keys import JobKeys
from jobs.records.lease import claim, standing
from jobs.records.request import cancel, pause, resume, retry
from jobs.spec.document import spec_of
from jobs.store.folder import FolderStore
from tests.jobs.lifecycle.scene import JOB, claimed, fail, status
from tests.jobs.small import MACHINE, document

CROWD, ROUNDS = 4, 25


def test_of_many_at_once_one_wins_each_number(tmp_path: Path) -> None:
    def claims(_: int) -> list[bool]:
        store = FolderStore(tmp_path)
        return [claim(store, JobKeys(JOB), n, "me", 60) is not None for n in range(ROUNDS)]

    with ThreadPoolExecutor(CROWD) as pool:
        won = list(pool.map(claims, range(CROWD)))
    assert [sum(column) for column in zip(*won, strict=True)] == [1] * ROUNDS


def test_a_lease_runs_out_by_the_folder_s_clock(tmp_path: Path) -> None:
    store, keys = FolderStore(tmp_path), JobKeys(JOB)
    assert claim(store, keys, 0, "me", 0.2)
    first = standing(store, keys)
    time.sleep(0.3)
    second = standing(store, keys)

    assert first is not None
    assert first.is_live
    assert second is not None
    assert not second.is_live


def test_from_submit_to_success_with_every_detour(
    picture: Path, weights: Path, tmp_path: Path
) -> None:
    store = FolderStore(tmp_path / "store")
    assert submit(store, spec_of(document(picture, weights))).new
    again = submit(store, spec_of(document(picture, weights, "crew.workers=2")))
    assert (again.new, again.state) == (False, "queued")
    job = find(store, "sky")
    keys = JobKeys(job)

    assert (pause(store, job), resume(store, job)) == ("paused", "queued")
    assert (cancel(store, job), retry(store, job)) == ("cancelled", "queued")
    seen = look(store, job)
    assert seen.terms is not None
    spec = spec_here(store, seen.spec, seen.terms, tmp_path / "cache")
    assert make_plan(spec, MACHINE).identity.job_id == job
    assert spec.crew.workers == 2

    fail(store, claimed(store, keys), generation=1)
    assert look(store, job).state == "failed"
    assert retry(store, job) == "queued"
    held = claimed(store, keys)
    store.put(keys.status(held.number), status(generation=2).encoded())
    held.renew()
    assert look(store, job).state == "running"
    assert store.put_if_absent(keys.manifest, b"{}")
    held.release()
    assert look(store, job).state == "succeeded"
    assert submit(store, spec_of(document(picture, weights))).state == "succeeded"
