"""A crew that grows, or leaves a machine in time, makes the same bytes and loses no step."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cluster.crew import Arguments, Crew
from cluster.errors import MemberLost
from cluster.local import LocalCrew
from cluster.resources import Reservation, Resources
from jobs.planning.poster import PosterPlan
from jobs.records.job import load_job
from jobs.runtime import elastic_sizing
from jobs.runtime.backend import MemberFactory, StartCrew
from jobs.services.scheduler.coordinator import DONE
from tests.support.coordinators import claim_job, submit_small_poster
from tests.support.job_states import lease_events, output_digests
from tests.support.memory_store import MemoryStore


class FakeReservation(Reservation):
    """A reservation with a fixed number of granted workers."""

    def __init__(self, granted: int) -> None:
        self._granted = granted

    @property
    def granted(self) -> int:
        return self._granted

    def close(self) -> None:
        self._granted = 0


def growing_cluster(*sizes: int) -> Callable[[Resources, int], Reservation]:
    """Return a function that grants these numbers of workers, one for each reservation."""
    left = list(sizes)
    return lambda _, wanted: FakeReservation(min(wanted, left.pop(0) if left else wanted))


class DrainingCrew(LocalCrew):
    """A crew on a machine that will shut down soon, if it has more than one member."""

    def _is_draining(self) -> bool:
        return self.size > 1


class BreakingCrew(LocalCrew):
    """A crew that loses a member at its second step, if it has more than one."""

    _steps = 0

    def _call(self, method: str, arguments: Arguments) -> dict[int, Any]:
        self._steps += method == "compute_gradients"
        if self.size > 1 and self._steps > 1:
            raise MemberLost(1, "its machine is gone")
        return super()._call(method, arguments)


def recording_start(kind: type[LocalCrew], sizes: list[int]) -> StartCrew:
    """Return a function that starts crews of a class, and appends their sizes to the list."""

    @contextmanager
    def start(
        _: PosterPlan, member: MemberFactory, arguments: Sequence[tuple[object, ...]]
    ) -> Iterator[Crew]:
        sizes.append(len(arguments))
        with kind(member, arguments) as crew:
            yield crew

    return start


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture(scope="module")
def undisturbed(
    picture: Path, weights: Path, tmp_path_factory: pytest.TempPathFactory
) -> list[str]:
    """The checksums of the job, rendered by one crew."""
    store, scratch = MemoryStore(), tmp_path_factory.mktemp("undisturbed")
    job = submit_small_poster(store, picture, weights)
    assert claim_job(store, job, scratch).run() == DONE
    return output_digests(load_job(store, job))


@pytest.fixture
def _without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elastic_sizing, "_CHECK_INTERVAL", 0.0)
    monkeypatch.setattr(elastic_sizing, "_GRACE", 0.0)


@pytest.mark.usefixtures("_without_waiting")
def test_a_crew_grows_as_machines_come(
    store: MemoryStore,
    picture: Path,
    weights: Path,
    tmp_path: Path,
    undisturbed: list[str],
) -> None:
    job, sizes = submit_small_poster(store, picture, weights), list[int]()
    holder = claim_job(
        store,
        job,
        tmp_path,
        start=recording_start(LocalCrew, sizes),
        reserve=growing_cluster(1, 1, 2, 0),
        min_gain=0,
    )
    assert holder.run() == DONE

    assert sizes == [1, 2]
    assert output_digests(load_job(store, job)) == undisturbed


@pytest.mark.usefixtures("_without_waiting")
def test_a_crew_leaves_a_machine_before_it_shuts_down(
    store: MemoryStore,
    picture: Path,
    weights: Path,
    tmp_path: Path,
    undisturbed: list[str],
) -> None:
    job, sizes = submit_small_poster(store, picture, weights), list[int]()
    holder = claim_job(
        store,
        job,
        tmp_path,
        start=recording_start(DrainingCrew, sizes),
        reserve=growing_cluster(2, 0, 1, 0),
    )
    assert holder.run() == DONE

    assert sizes == [2, 1]
    assert not [one for one in lease_events(store, job, 1) if one["event"] == "crew lost"]
    assert output_digests(load_job(store, job)) == undisturbed


def test_after_a_loss_a_smaller_crew_continues(
    store: MemoryStore,
    picture: Path,
    weights: Path,
    tmp_path: Path,
    undisturbed: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(elastic_sizing, "_GRACE", 0.0)
    job, sizes = submit_small_poster(store, picture, weights), list[int]()
    holder = claim_job(
        store,
        job,
        tmp_path,
        start=recording_start(BreakingCrew, sizes),
        reserve=growing_cluster(2, 0, 1, 0),
    )
    assert holder.run() == DONE

    assert sizes == [2, 1]
    assert [one for one in lease_events(store, job, 1) if one["event"] == "crew lost"]
    assert output_digests(load_job(store, job)) == undisturbed


def test_an_automatic_crew_size_reserves_only_useful_workers(
    store: MemoryStore, picture: Path, weights: Path, tmp_path: Path, undisturbed: list[str]
) -> None:
    reserved = list[int]()

    def reserve(_: Resources, wanted: int) -> Reservation:
        reserved.append(wanted)
        return FakeReservation(wanted)

    job = submit_small_poster(store, picture, weights, "crew.workers=auto")
    assert claim_job(store, job, tmp_path, reserve=reserve, cores=6).run() == DONE

    # The poster is finished before a second worker could start.
    assert reserved == [1, 0]
    assert output_digests(load_job(store, job)) == undisturbed
