"""What a holder does with a job when things go another way than planned."""

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

from cluster.crew import Crew
from cluster.local import LocalCrew
from jobs.planning.poster import PosterPlan
from jobs.poster.worker import Worker
from jobs.records.job import load_job
from jobs.records.keys import ACTIVE, JobKeys
from jobs.records.request import cancel, pause, resume, retry
from jobs.runtime.backend import MemberFactory, StartCrew, crew_in_process
from jobs.runtime.checkpoints import valid_commits
from jobs.runtime.lease_renewer import EXIT_STOPPED
from jobs.services.scheduler.coordinator import DONE, UNFIT
from tests.support.coordinators import TTL, claim_job, submit_small_poster
from tests.support.job_states import lease_events, output_digests
from tests.support.memory_store import MemoryStore

LONG = "dream.steps=40"
"""So many that the holder looks at its intent meanwhile, which it does twice a second."""


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture(scope="module")
def calm(
    picture: Path, weights: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., list[str]]:
    """The checksums of a job that nothing disturbs."""

    @functools.cache
    def render(*settings: str) -> list[str]:
        store = MemoryStore()
        job = submit_small_poster(store, picture, weights, *settings)
        scratch = tmp_path_factory.mktemp("calm")
        assert claim_job(store, job, scratch, checkpoint_seconds=60).run() == DONE
        return output_digests(load_job(store, job))

    return render


def log(store: MemoryStore, job: str, number: int) -> str:
    return store.get(JobKeys(job).log(number)).decode()


def under_way(store: MemoryStore, job: str, hold: Callable[[], object]) -> threading.Thread:
    """Starts to hold the job; returns once some steps have been committed."""
    thread = threading.Thread(target=hold)
    thread.start()
    deadline = time.monotonic() + 60
    while not any(one.commit.step > 0 for one in valid_commits(store, JobKeys(job))):
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return thread


@pytest.mark.parametrize("ask", ["pause", "yield", "drain"])
def test_who_stops_in_the_midst_is_followed_with_the_same_bytes(
    store: MemoryStore,
    picture: Path,
    weights: Path,
    tmp_path: Path,
    calm: Callable[..., list[str]],
    ask: str,
) -> None:
    job = submit_small_poster(store, picture, weights, LONG)
    holder = claim_job(store, job, tmp_path)
    thread = under_way(store, job, holder.run)
    if ask == "pause":
        pause(store, job)
    else:
        holder.control.request("yield" if ask == "yield" else "drain")
    thread.join(30)
    assert not thread.is_alive()

    stopped = load_job(store, job)
    assert stopped.state == ("paused" if ask == "pause" else "queued")
    assert stopped.current_lease is not None
    assert stopped.current_lease.lease.released
    last = lease_events(store, job, 1)[-1]["event"]
    assert last == ask
    resume(store, job)
    assert claim_job(store, job, tmp_path).run() == DONE
    assert "goes on" in [one["event"] for one in lease_events(store, job, 2)]
    assert output_digests(load_job(store, job)) == calm(LONG)
    assert list(store.list_objects(ACTIVE)) == []


def test_a_cancelled_job_ends_soon_and_retry_goes_on_with_it(
    store: MemoryStore,
    picture: Path,
    weights: Path,
    tmp_path: Path,
    calm: Callable[..., list[str]],
) -> None:
    job = submit_small_poster(store, picture, weights, LONG)
    thread = under_way(store, job, claim_job(store, job, tmp_path).run)
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
    assert output_digests(load_job(store, job)) == calm(LONG)


class Poor(Worker):
    """Runs out of memory, unless it holds one tile at a time."""

    def compute_gradients(self, step: int, *halos: Any) -> dict[int, tuple[float, ...]]:
        if step == 1 and not self._setup.spill:
            raise MemoryError
        return super().compute_gradients(step, *halos)


class Broke(Worker):
    """Runs out of memory."""

    def compute_gradients(self, step: int, *halos: Any) -> dict[int, tuple[float, ...]]:
        if step == 1:
            raise MemoryError
        return super().compute_gradients(step, *halos)


class Faulty(Worker):
    """Has a bug at the second octave."""

    def compute_gradients(self, step: int, *halos: Any) -> dict[int, tuple[float, ...]]:
        if self._octave == 1:
            raise KeyError("a bug")
        return super().compute_gradients(step, *halos)


def crews_of(kind: type[Worker]) -> StartCrew:
    @contextmanager
    def start(
        plan: PosterPlan, _: object, arguments: Sequence[tuple[object, ...]]
    ) -> Iterator[Crew]:
        with LocalCrew(kind, arguments) as crew:
            yield crew

    return start


def test_out_of_memory_means_one_tile_at_a_time(
    store: MemoryStore,
    picture: Path,
    weights: Path,
    tmp_path: Path,
    calm: Callable[..., list[str]],
) -> None:
    job = submit_small_poster(store, picture, weights)
    assert claim_job(store, job, tmp_path, start=crews_of(Poor)).run() == DONE

    (lost,) = (one for one in lease_events(store, job, 1) if one["event"] == "crew lost")
    assert lost["then"] == "frugally"
    assert output_digests(load_job(store, job)) == calm()


def test_out_of_memory_even_so_fails_with_what_to_change(
    store: MemoryStore, picture: Path, weights: Path, tmp_path: Path
) -> None:
    job = submit_small_poster(store, picture, weights)
    assert claim_job(store, job, tmp_path, start=crews_of(Broke)).run() == DONE

    found = load_job(store, job)
    assert found.state == "failed"
    assert found.status is not None
    assert found.status.failure == "memory"
    assert "smaller tiles.size" in str(found.status.reason)
    assert len(str(found.status.reason).splitlines()) == 1


def test_a_bug_fails_fast_and_a_retry_goes_on_from_the_last_checkpoint(
    store: MemoryStore,
    picture: Path,
    weights: Path,
    tmp_path: Path,
    calm: Callable[..., list[str]],
) -> None:
    job = submit_small_poster(store, picture, weights)
    assert claim_job(store, job, tmp_path, start=crews_of(Faulty)).run() == DONE

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
    gone_on = lease_events(store, job, 2)[1]
    assert (gone_on["event"], gone_on["octave"]) == ("goes on", 1)
    assert output_digests(load_job(store, job)) == calm()


def test_an_input_that_ends_too_soon_fails_as_input(
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


def test_another_kind_of_machine_leaves_the_job_and_says_why(
    store: MemoryStore, picture: Path, weights: Path, tmp_path: Path
) -> None:
    job = submit_small_poster(store, picture, weights)
    assert claim_job(store, job, tmp_path).run() == DONE
    keys = JobKeys(job)
    # From the final commit files could be made on any machine.
    store.delete([keys.manifest, *(one.key for one in store.list_objects(keys.checkpoints))])
    fixed = json.loads(store.get(keys.plan))
    store.put(keys.plan, json.dumps({**fixed, "device": "another kind"}).encode())

    assert claim_job(store, job, tmp_path).run() == UNFIT
    found = load_job(store, job)
    assert found.state == "queued"
    assert found.status is not None
    assert "another kind, not" in str(found.status.reason)


def test_who_has_lost_the_lease_says_nothing_more(
    store: MemoryStore, picture: Path, weights: Path, tmp_path: Path
) -> None:
    job = submit_small_poster(store, picture, weights, LONG)
    holder = claim_job(store, job, tmp_path)
    codes: list[int] = []
    thread = under_way(store, job, lambda: codes.append(holder.run()))
    store.now += TTL + 1
    follower = claim_job(store, job, tmp_path)
    thread.join(30)
    assert codes == [EXIT_STOPPED]
    assert follower.run() == DONE
    assert load_job(store, job).state == "succeeded"
    lease = json.loads(store.get(JobKeys(job).lease(1)))
    assert not lease["released"]


def elsewhere(kept: Path) -> StartCrew:
    """A crew whose members are on another machine: nothing lies there but what they fetch."""

    @contextmanager
    def start(
        plan: PosterPlan, kind: MemberFactory, arguments: Sequence[tuple[object, ...]]
    ) -> Iterator[Crew]:
        assert plan.weights.is_relative_to(kept)
        kept.rename(kept.with_name("out of reach"))
        try:
            with crew_in_process(plan, kind, arguments) as crew:
                yield crew
        finally:
            shutil.rmtree(kept.with_name("out of reach"))

    return start


def test_workers_elsewhere_fetch_what_they_need(
    store: MemoryStore,
    picture: Path,
    weights: Path,
    tmp_path: Path,
    calm: Callable[..., list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    job = submit_small_poster(store, picture, weights)
    crews = elsewhere(tmp_path / "cache" / "dreamfarm" / "blobs")
    assert claim_job(store, job, tmp_path, start=crews).run() == DONE
    assert output_digests(load_job(store, job)) == calm()
