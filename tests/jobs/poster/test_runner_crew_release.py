"""The crew is released at the final commit. Then any holder can encode the files from it."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from cluster.crew import Crew
from cluster.local import LocalCrew
from cluster.resources import Reservation, Resources
from jobs.planning.encoding import encoding_plan
from jobs.planning.memory import encoding_memory
from jobs.planning.poster import PosterPlan
from jobs.records.job import load_job
from jobs.records.keys import JobKeys
from jobs.runtime.backend import MemberFactory
from jobs.runtime.lease_renewer import EXIT_STOPPED
from jobs.runtime.metrics.progress import Progress
from jobs.services.scheduler.coordinator import DONE, UNFIT
from tests.support.coordinators import ClaimedJob, claim_job, submit_small_poster
from tests.support.job_states import lease_events, output_digests
from tests.support.memory_store import MemoryStore
from tests.support.small_poster import claim_poster, plan_poster

if TYPE_CHECKING:
    from cluster.ray_crew import RayCrew

FILES = "outputs=[png, tiff, deepzoom]"


class WatchingStore(MemoryStore):
    """A store that records the number of running crews at each upload.

    shut_down: a job that gets a request to shut down when its first output is uploaded.
    """

    def __init__(self) -> None:
        super().__init__()
        self.crews: list[Crew] = []
        self.crews_at_upload: dict[str, int] = {}
        self.shut_down: ClaimedJob | None = None

    def upload(self, path: Path, key: str) -> None:
        self.crews_at_upload[key] = len(self.crews)
        if self.shut_down is not None and "/outputs/" in key:
            self.shut_down.control.request("shutdown")
        super().upload(path, key)

    @contextmanager
    def start(
        self, _: PosterPlan, kind: MemberFactory, arguments: Sequence[tuple[object, ...]]
    ) -> Iterator[Crew]:
        with LocalCrew(kind, arguments) as crew:
            self.crews.append(crew)
            yield crew
        self.crews.remove(crew)


@contextmanager
def no_crew(
    _: PosterPlan, kind: MemberFactory, arguments: Sequence[tuple[object, ...]]
) -> Iterator[NoReturn]:
    pytest.fail(f"a crew of {len(arguments)} was started")
    yield


def no_reservation(resources: Resources, wanted: int) -> Reservation:
    pytest.fail(f"{wanted} times {resources} were reserved")


@pytest.fixture
def store() -> WatchingStore:
    return WatchingStore()


@pytest.fixture
def succeeded_job(store: WatchingStore, picture: Path, weights: Path, tmp_path: Path) -> str:
    """The id of a job that has succeeded."""
    job = submit_small_poster(store, picture, weights, FILES)
    assert claim_job(store, job, tmp_path / "first", start=store.start).run() == DONE
    return job


def undo_outputs(store: WatchingStore, job: str) -> list[str]:
    """Delete the outputs and the manifest. Returns the checksums of the outputs."""
    keys, found = JobKeys(job), output_digests(load_job(store, job))
    deleted = [keys.manifest, *(one.key for one in store.list_objects(f"{keys.folder}outputs/"))]
    store.delete(deleted)
    return found


def test_the_crew_is_released_before_files_are_written(
    store: WatchingStore, succeeded_job: str
) -> None:
    during = {key: crews for key, crews in store.crews_at_upload.items() if "/checkpoints/" in key}
    assert set(during.values()) == {1}
    after = {key: crews for key, crews in store.crews_at_upload.items() if "/outputs/" in key}
    assert len(after) > 3
    assert set(after.values()) == {0}
    assert store.crews_at_upload[JobKeys(succeeded_job).preview(1)] == 1
    assert store.crews_at_upload[JobKeys(succeeded_job).preview(2)] == 0


def test_a_holder_after_the_final_commit_needs_no_crew(
    store: WatchingStore, succeeded_job: str, tmp_path: Path
) -> None:
    before = undo_outputs(store, succeeded_job)
    last = JobKeys(succeeded_job).preview(2)
    store.delete([last])
    follower = claim_job(store, succeeded_job, tmp_path, start=no_crew, reserve=no_reservation)
    assert follower.run() == DONE

    assert output_digests(load_job(store, succeeded_job)) == before
    assert [one.key for one in store.list_objects(last)] == [last]
    (resumed,) = (one for one in lease_events(store, succeeded_job, 2) if one["event"] == "goes on")
    assert (resumed["octave"], resumed["step"]) == (2, 2)


def test_a_holder_that_shuts_down_is_followed_by_one_without_a_crew(
    store: WatchingStore, picture: Path, weights: Path, tmp_path: Path
) -> None:
    # With one worker, files are written one after the other.
    job = submit_small_poster(store, picture, weights, FILES, "crew.workers=1")
    holder = store.shut_down = claim_job(store, job, tmp_path, start=store.start)
    assert holder.run() == EXIT_STOPPED
    assert load_job(store, job).state == "queued"

    store.shut_down = None
    assert claim_job(store, job, tmp_path, start=no_crew).run() == DONE
    assert [one["event"] for one in lease_events(store, job, 1)][-1] == "drain"
    assert len(output_digests(load_job(store, job))) == 3


def test_files_are_written_on_any_machine_with_the_same_encoders(
    store: WatchingStore, succeeded_job: str, tmp_path: Path
) -> None:
    before, keys = undo_outputs(store, succeeded_job), JobKeys(succeeded_job)
    pinned = json.loads(store.get(keys.plan))
    other = {**pinned["software"], "pyvips-binary": "0.0.1"}
    store.put(keys.plan, json.dumps({**pinned, "software": other}).encode())
    assert (
        claim_job(store, succeeded_job, tmp_path / "another encoder", start=no_crew).run() == UNFIT
    )
    found = load_job(store, succeeded_job)
    assert found.state == "queued"
    assert found.status is not None
    assert "0.0.1" in str(found.status.reason)
    assert len(str(found.status.reason).splitlines()) == 1

    store.put(keys.plan, json.dumps({**pinned, "device": "a kind of GPU"}).encode())
    follower = claim_job(store, succeeded_job, tmp_path / "without a GPU", start=no_crew, gpus=2)
    assert follower.run() == DONE
    succeeded = load_job(store, succeeded_job)
    assert output_digests(succeeded) == before
    assert succeeded.manifest is not None
    assert succeeded.manifest["device"] == "a kind of GPU"


def test_the_cluster_is_free_while_files_are_written(
    picture: Path, weights: Path, tmp_path: Path, ray_crew: "type[RayCrew]"
) -> None:
    import ray

    cpus_in_use: dict[str, float] = {}

    def watch(progress: Progress) -> None:
        deadline = time.monotonic() + 10
        while True:
            free = ray.available_resources().get("CPU", 0)
            cpus_in_use[progress.phase] = ray.cluster_resources()["CPU"] - free
            # Ray updates its count a moment later.
            is_late = cpus_in_use[progress.phase] != (0 if progress.phase == "encode" else 2)
            if not is_late or time.monotonic() > deadline:
                return
            time.sleep(0.1)

    @contextmanager
    def start(
        _: PosterPlan, kind: MemberFactory, arguments: Sequence[tuple[object, ...]]
    ) -> Iterator[Crew]:
        with ray_crew(kind, arguments, Resources()) as crew:
            yield crew

    claim_poster(plan_poster(picture, weights, "crew.workers=2"), tmp_path, start, watch).run()
    assert cpus_in_use == {"decode": 2, "dream": 2, "encode": 0}


def test_encoding_needs_no_more_memory_than_a_worker_may_use(picture: Path, weights: Path) -> None:
    usual = (
        "crew.workers=3",
        "size=4000x3000",
        "fit=stretch",
        "outputs=[png, tiff, jpeg, deepzoom]",
    )
    plan = plan_poster(picture, weights, *usual)
    outputs = plan.spec.outputs
    assert encoding_plan(plan)[:2] == (3, 1)
    for together in (3, 2, 1):
        limit = encoding_memory((3000, 4000), outputs, together, 1)
        short = replace(plan, memory=replace(plan.memory, limit=limit))
        assert encoding_plan(short) == (together, 1, limit)
    smallest = replace(plan, memory=replace(plan.memory, limit=1))
    assert encoding_plan(smallest)[:2] == (1, 1)


def test_every_core_of_the_crew_encodes(picture: Path, weights: Path) -> None:
    settings = ("crew.workers=2", "crew.cpus_per_worker=4", "outputs=[png]")
    assert encoding_plan(plan_poster(picture, weights, *settings))[:2] == (1, 8)
