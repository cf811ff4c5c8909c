"""A coordinator that is stopped, fails, or loses its lease."""

import functools
import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from cluster.crew import Crew
from cluster.local import LocalCrew
from jobs.planning.poster import PosterPlan
from jobs.poster.fetch.draft import fetch_draft, has_draft
from jobs.poster.worker import Worker
from jobs.records.job import load_job
from jobs.records.keys import ACTIVE, JobKeys
from jobs.records.request import cancel, finish, limit, pause, resume, retry
from jobs.runtime.backend import MemberFactory, StartCrew, crew_in_process
from jobs.runtime.checkpoints import valid_commits
from jobs.runtime.lease_renewer import EXIT_STOPPED
from jobs.runtime.publish import Target
from jobs.services.scheduler.coordinator import DONE, UNFIT
from tests.support.coordinators import TTL, claim_job, submit_small_poster
from tests.support.job_states import lease_events, output_digests
from tests.support.memory_store import MemoryStore

LONG = "dream.steps=40"
"""Enough steps for `SlowWorker`: the coordinator reads its intent only twice a second."""


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture(scope="module")
def undisturbed(
    picture: Path, weights: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., list[str]]:
    """Renders a job without faults; returns the checksums of its outputs."""

    @functools.cache
    def render(*settings: str) -> list[str]:
        store = MemoryStore()
        job = submit_small_poster(store, picture, weights, *settings)
        scratch = tmp_path_factory.mktemp("undisturbed")
        assert claim_job(store, job, scratch, checkpoint_seconds=60).run() == DONE
        return output_digests(load_job(store, job))

    return render


def log(store: MemoryStore, job: str, number: int) -> str:
    return store.get(JobKeys(job).log(number)).decode()


def run_until_commit(store: MemoryStore, job: str, run: Callable[[], object]) -> threading.Thread:
    """Run a coordinator in a thread; returns once it has committed some steps."""
    thread = threading.Thread(target=run)
    thread.start()
    deadline = time.monotonic() + 60
    while not any(one.commit.step > 0 for one in valid_commits(store, JobKeys(job))):
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return thread


@pytest.mark.parametrize("want", ["pause", "yield", "shutdown"])
def test_the_next_holder_of_a_stopped_job_makes_the_same_bytes(
    store: MemoryStore,
    picture: Path,
    weights: Path,
    tmp_path: Path,
    undisturbed: Callable[..., list[str]],
    want: str,
) -> None:
    job = submit_small_poster(store, picture, weights, LONG)
    holder = claim_job(store, job, tmp_path, start=crews_of(SlowWorker))
    thread = run_until_commit(store, job, holder.run)
    if want == "pause":
        pause(store, job)
    else:
        holder.control.request("yield" if want == "yield" else "shutdown")
    thread.join(30)
    assert not thread.is_alive()

    stopped = load_job(store, job)
    assert stopped.state == ("paused" if want == "pause" else "queued")
    assert stopped.current_lease is not None
    assert stopped.current_lease.lease.released
    last = lease_events(store, job, 1)[-1]["event"]
    assert last == ("drain" if want == "shutdown" else want)
    resume(store, job)
    assert claim_job(store, job, tmp_path).run() == DONE
    assert "goes on" in [one["event"] for one in lease_events(store, job, 2)]
    assert output_digests(load_job(store, job)) == undisturbed(LONG)
    assert list(store.list_objects(ACTIVE)) == []


def test_a_draft_pauses_and_the_next_holder_finishes_it_with_the_same_bytes(
    store: MemoryStore,
    picture: Path,
    weights: Path,
    tmp_path: Path,
    undisturbed: Callable[..., list[str]],
) -> None:
    job = submit_small_poster(store, picture, weights)
    limit(store, load_job(store, job), 1)
    assert claim_job(store, job, tmp_path).run() == DONE

    drafted = load_job(store, job)
    assert drafted.state == "paused"
    assert drafted.status is not None
    assert drafted.status.reason == (
        f"the draft is ready, octave 1 of 2; `dreamfarm finish {job}` goes on"
    )
    assert lease_events(store, job, 1)[-1]["event"] == "draft"
    assert any(f"{job}-octave-1.png" in one.key for one in store.list_objects(f"jobs/{job}/"))
    assert has_draft(drafted)
    with Image.open(fetch_draft(store, drafted, Target(tmp_path / "fetched"))) as image:
        assert image.size == (50, 36)
    assert finish(store, job) == "queued"
    assert claim_job(store, job, tmp_path).run() == DONE
    assert output_digests(load_job(store, job)) == undisturbed()


def test_a_cancelled_job_ends_soon_and_a_retry_resumes_it(
    store: MemoryStore,
    picture: Path,
    weights: Path,
    tmp_path: Path,
    undisturbed: Callable[..., list[str]],
) -> None:
    job = submit_small_poster(store, picture, weights, LONG)
    holder = claim_job(store, job, tmp_path, start=crews_of(SlowWorker))
    thread = run_until_commit(store, job, holder.run)
    begun = time.monotonic()
    cancel(store, job)
    thread.join(30)
    assert time.monotonic() - begun < 10
    assert load_job(store, job).state == "cancelled"
    assert list(store.list_objects(ACTIVE)) == []

    assert retry(store, job) == "queued"
    assert [entry.key for entry in store.list_objects(ACTIVE)] == [f"{ACTIVE}{job}@1"]
    assert claim_job(store, job, tmp_path).run() == DONE
    assert lease_events(store, job, 2)[1]["event"] == "goes on"
    assert output_digests(load_job(store, job)) == undisturbed(LONG)


class SlowWorker(Worker):
    """Takes some time for each step, however fast the machine is."""

    def compute_gradients(self, step: int, *halos: Any) -> dict[int, tuple[float, ...]]:
        time.sleep(0.02)
        return super().compute_gradients(step, *halos)


class WorkerShortOfMemory(Worker):
    """Runs out of memory, unless it holds one tile at a time."""

    def compute_gradients(self, step: int, *halos: Any) -> dict[int, tuple[float, ...]]:
        if step == 1 and not self._setup.spill:
            raise MemoryError
        return super().compute_gradients(step, *halos)


class WorkerOutOfMemory(Worker):
    """Runs out of memory."""

    def compute_gradients(self, step: int, *halos: Any) -> dict[int, tuple[float, ...]]:
        if step == 1:
            raise MemoryError
        return super().compute_gradients(step, *halos)


class FaultyWorker(Worker):
    """Has a bug at the second octave."""

    def compute_gradients(self, step: int, *halos: Any) -> dict[int, tuple[float, ...]]:
        if self._octave == 1:
            raise KeyError("a bug")
        return super().compute_gradients(step, *halos)


def crews_of(worker: type[Worker]) -> StartCrew:
    @contextmanager
    def start(
        plan: PosterPlan, _: object, arguments: Sequence[tuple[object, ...]]
    ) -> Iterator[Crew]:
        with LocalCrew(worker, arguments) as crew:
            yield crew

    return start


def test_a_crew_out_of_memory_is_replaced_by_a_frugal_one(
    store: MemoryStore,
    picture: Path,
    weights: Path,
    tmp_path: Path,
    undisturbed: Callable[..., list[str]],
) -> None:
    job = submit_small_poster(store, picture, weights)
    assert claim_job(store, job, tmp_path, start=crews_of(WorkerShortOfMemory)).run() == DONE

    (lost,) = (one for one in lease_events(store, job, 1) if one["event"] == "crew lost")
    assert lost["then"] == "frugally"
    assert output_digests(load_job(store, job)) == undisturbed()


def test_a_frugal_crew_out_of_memory_fails_with_advice(
    store: MemoryStore, picture: Path, weights: Path, tmp_path: Path
) -> None:
    job = submit_small_poster(store, picture, weights)
    assert claim_job(store, job, tmp_path, start=crews_of(WorkerOutOfMemory)).run() == DONE

    found = load_job(store, job)
    assert found.state == "failed"
    assert found.status is not None
    assert found.status.failure == "memory"
    assert "smaller tiles.size" in str(found.status.reason)
    assert len(str(found.status.reason).splitlines()) == 1


def test_a_bug_fails_fast_and_a_retry_resumes_from_the_last_checkpoint(
    store: MemoryStore,
    picture: Path,
    weights: Path,
    tmp_path: Path,
    undisturbed: Callable[..., list[str]],
) -> None:
    job = submit_small_poster(store, picture, weights)
    assert claim_job(store, job, tmp_path, start=crews_of(FaultyWorker)).run() == DONE

    found = load_job(store, job)
    assert found.state == "failed"
    assert found.status is not None
    assert found.status.failure == "bug"
    assert len(str(found.status.reason).splitlines()) == 1
    assert "Traceback" in log(store, job, 1)
    assert "KeyError: 'a bug'" in log(store, job, 1)
    assert list(store.list_objects(ACTIVE)) == []

    retry(store, job)
    assert claim_job(store, job, tmp_path).run() == DONE
    resumed = lease_events(store, job, 2)[1]
    assert (resumed["event"], resumed["octave"]) == ("goes on", 1)
    assert output_digests(load_job(store, job)) == undisturbed()


def test_a_truncated_input_fails_as_input(
    store: MemoryStore, picture: Path, weights: Path, tmp_path: Path
) -> None:
    cut = tmp_path / "cut.png"
    cut.write_bytes(picture.read_bytes()[:9000])
    job = submit_small_poster(store, cut, weights)
    assert claim_job(store, job, tmp_path / "here").run() == DONE

    found = load_job(store, job)
    assert found.status is not None
    assert (found.state, found.status.failure) == ("failed", "input")
    assert "truncated or damaged" in str(found.status.reason)


def test_another_kind_of_machine_releases_the_job_with_a_reason(
    store: MemoryStore, picture: Path, weights: Path, tmp_path: Path
) -> None:
    job = submit_small_poster(store, picture, weights)
    assert claim_job(store, job, tmp_path).run() == DONE
    keys = JobKeys(job)
    # From the final commit, any machine could write the files.
    store.delete([keys.manifest, *(one.key for one in store.list_objects(keys.checkpoints))])
    pinned = json.loads(store.get(keys.plan))
    store.put(keys.plan, json.dumps({**pinned, "device": "another kind"}).encode())

    assert claim_job(store, job, tmp_path).run() == UNFIT
    found = load_job(store, job)
    assert found.state == "queued"
    assert found.status is not None
    assert "another kind, not" in str(found.status.reason)


def test_a_coordinator_without_its_lease_writes_no_more(
    store: MemoryStore, picture: Path, weights: Path, tmp_path: Path
) -> None:
    job = submit_small_poster(store, picture, weights, LONG)
    holder = claim_job(store, job, tmp_path, start=crews_of(SlowWorker))
    codes: list[int] = []
    thread = run_until_commit(store, job, lambda: codes.append(holder.run()))
    store.now += TTL + 1
    follower = claim_job(store, job, tmp_path)
    thread.join(30)
    assert codes == [EXIT_STOPPED]
    assert follower.run() == DONE
    assert load_job(store, job).state == "succeeded"
    lease = json.loads(store.get(JobKeys(job).lease(1)))
    assert not lease["released"]


def remote_crew(blobs: Path) -> StartCrew:
    """A crew on another machine: its members do not see the blobs that this machine has staged."""

    @contextmanager
    def start(
        plan: PosterPlan, kind: MemberFactory, arguments: Sequence[tuple[object, ...]]
    ) -> Iterator[Crew]:
        assert plan.weights.is_relative_to(blobs)
        blobs.rename(blobs.with_name("hidden"))
        try:
            with crew_in_process(plan, kind, arguments) as crew:
                yield crew
        finally:
            shutil.rmtree(blobs.with_name("hidden"))

    return start


def test_workers_on_other_machines_download_their_blobs(
    store: MemoryStore,
    picture: Path,
    weights: Path,
    tmp_path: Path,
    undisturbed: Callable[..., list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    job = submit_small_poster(store, picture, weights)
    crews = remote_crew(tmp_path / "cache" / "dreamfarm" / "blobs")
    assert claim_job(store, job, tmp_path, start=crews).run() == DONE
    assert output_digests(load_job(store, job)) == undisturbed()
