"""Jobs with limits of their own: they pause in time, and go on with the same bytes."""

import functools
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs.dataset.worker import Worker as DatasetWorker
from jobs.planning.estimate.speed import CPU
from jobs.poster.worker import Worker
from jobs.records.job import StoredJob, load_job
from jobs.records.job_summary import load_summary
from jobs.records.keys import JobKeys
from jobs.records.request import cancel, resume, retry
from jobs.records.spending import Spent
from jobs.runtime.checkpoints import valid_commits
from jobs.runtime.spending import Spending
from jobs.services.scheduler import coordinator
from jobs.services.scheduler.coordinator import DONE, UNFIT
from jobs.text.errors import InvalidRecord, RequestError
from tests.jobs.services.scheduler.test_coordinator import crews_of
from tests.support.bad_pictures import mixed_pictures
from tests.support.coordinators import TTL, ClaimedJob, claim_job, submit_small_poster
from tests.support.job_states import lease_events, output_digests
from tests.support.memory_store import MemoryStore
from tests.support.small_dataset import pool_of, read_finished_dataset, submit_small_dataset

STEP = 10.0
"""Seconds of one step of a crew of two, or of one item of a dataset, on the tests' clock."""

STEPS = ("dream.steps=5",)
"""Ten steps in two octaves: 100 seconds with workers, and 200 of workers."""


class Clock:
    """The clock of what workers cost. Only their work moves it."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    clock = Clock()
    spending = functools.partial(Spending, clock=clock)
    monkeypatch.setattr(coordinator, "Spending", spending)
    monkeypatch.setattr(CountedWorker, "clock", clock)
    monkeypatch.setattr(CountedDatasetWorker, "clock", clock)
    yield clock


class Killed(BaseException):
    """Ends a holder as SIGKILL does: it reports nothing more, and keeps its lease."""


class CountedWorker(Worker):
    """Moves the clock with each step; `act` is called before."""

    clock = Clock()

    def act(self) -> object:
        """Nothing; tests replace it."""

    def compute_gradients(self, step: int, *halos: Any) -> dict[int, tuple[float, ...]]:
        self.act()
        self.clock.now += STEP / 2
        return super().compute_gradients(step, *halos)


class CountedDatasetWorker(DatasetWorker):
    """Moves the clock with each item."""

    clock = Clock()

    def dream(self, line: bytes, file: int) -> bytes:
        self.clock.now += STEP
        return super().dream(line, file)


class Farm:
    """A store with a poster, and holders that take it one after the other."""

    def __init__(self, store: MemoryStore, job: str, scratch: Path) -> None:
        self.store, self.job, self._scratch = store, job, scratch

    def load(self) -> StoredJob:
        return load_job(self.store, self.job)

    def claim(self, worker: type[Worker] = CountedWorker) -> ClaimedJob:
        # Far apart, so that only ends of octaves are checkpoints.
        start = crews_of(worker)
        return claim_job(self.store, self.job, self._scratch, start=start, checkpoint_seconds=1e6)

    def spent(self) -> Spent:
        spent = load_summary(self.store, self.job).spent
        assert spent is not None
        return spent

    def committed(self) -> tuple[int, int]:
        newest = valid_commits(self.store, JobKeys(self.job))[0].commit
        return newest.octave, newest.step


NewFarm = Callable[..., Farm]


@pytest.fixture
def farm(store: MemoryStore, picture: Path, weights: Path, tmp_path: Path) -> NewFarm:
    def submit(*settings: str) -> Farm:
        job = submit_small_poster(store, picture, weights, *STEPS, *settings)
        return Farm(store, job, tmp_path)

    return submit


@pytest.fixture(scope="module")
def undisturbed(
    picture: Path, weights: Path, tmp_path_factory: pytest.TempPathFactory
) -> list[str]:
    """The checksums of the poster without any limit."""
    store = MemoryStore()
    job = submit_small_poster(store, picture, weights, *STEPS)
    assert claim_job(store, job, tmp_path_factory.mktemp("undisturbed")).run() == DONE
    return output_digests(load_job(store, job))


WHOLE = Spent(seconds=100, worker_seconds=200, usd=round(200 * CPU.price / 3600, 6))
"""What the poster costs."""


@pytest.mark.parametrize(
    ("share", "committed", "steps"),
    [(0.5, (0, 5), 5), (0.37, (0, 3), 3), (0.68, (1, 1), 6), (0.01, (0, 1), 1)],
)
@pytest.mark.parametrize("unit", ["usd", "hours"])
def test_a_poster_pauses_before_it_passes_its_limit_and_goes_on_with_the_same_bytes(
    farm: NewFarm,
    undisturbed: list[str],
    unit: str,
    share: float,
    committed: tuple[int, int],
    steps: int,
) -> None:
    cost = WHOLE.of("usd" if unit == "usd" else "hours")
    mine = farm(f"limits.{unit}={share * cost * 1.0001!r}")
    assert mine.claim().run() == DONE

    job = mine.load()
    assert (job.state, job.paused_by) == ("paused", "limit")
    assert mine.committed() == committed
    assert mine.spent().seconds == steps * STEP
    assert job.status is not None
    assert job.status.reason is not None
    assert f"--raise {unit}=" in job.status.reason
    assert load_summary(mine.store, mine.job).reason == job.status.reason
    last = lease_events(mine.store, mine.job, 1)[-1]
    assert (last["event"], last["reason"]) == ("limit", job.status.reason)
    with pytest.raises(RequestError, match=f"has reached limits.{unit}"):
        resume(mine.store, mine.job)

    assert resume(mine.store, mine.job, {"usd" if unit == "usd" else "hours": cost}) == "queued"
    assert load_summary(mine.store, mine.job).reason is None
    assert mine.claim().run() == DONE
    assert output_digests(mine.load()) == undisturbed
    assert mine.spent() == WHOLE


def test_a_limit_that_suffices_disturbs_nothing(farm: NewFarm, undisturbed: list[str]) -> None:
    mine = farm(f"limits.hours={1.0001 * WHOLE.of('hours')!r}")
    assert mine.claim().run() == DONE
    assert output_digests(mine.load()) == undisturbed
    manifest = mine.load().manifest
    assert manifest is not None
    assert manifest["spent"] == WHOLE.model_dump()


def test_a_limit_that_is_raised_while_it_runs_stops_nothing(
    farm: NewFarm, undisturbed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = farm("limits.hours=0.01")
    waiting = [lambda: resume(mine.store, mine.job, {"hours": 1})]
    monkeypatch.setattr(CountedWorker, "act", lambda _: waiting and waiting.pop()())
    assert mine.claim().run() == DONE
    assert output_digests(mine.load()) == undisturbed


def test_junk_in_place_of_the_settings_raises_no_limit(
    farm: NewFarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = farm("limits.hours=0.01")
    key = JobKeys(mine.job).run_settings
    good = mine.store.get(key)
    monkeypatch.setattr(CountedWorker, "act", lambda _: mine.store.put(key, b"{"))
    with pytest.raises(InvalidRecord):
        mine.claim().run()
    mine.store.put(key, good)
    mine.store.now += 2 * TTL
    assert mine.load().paused_by == "limit"


def test_a_job_that_has_spent_too_much_does_not_begin(farm: NewFarm) -> None:
    mine = farm("limits.hours=0.01")
    assert mine.claim().run() == DONE
    before = mine.spent()
    # A retry begins a new generation, in which the limit is still reached.
    cancel(mine.store, mine.job)
    assert retry(mine.store, mine.job) == "queued"
    assert mine.claim().run() == DONE
    assert mine.load().paused_by == "limit"
    assert mine.spent() == before


def test_killed_holders_lose_little_of_the_count(
    farm: NewFarm, undisturbed: list[str], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = farm()
    for holder in (1, 2, 3):
        monkeypatch.setattr(CountedWorker, "act", lambda _: kill(mine, holder, clock))  # noqa: B023
        with pytest.raises(Killed):
            mine.claim().run()
        mine.store.now += 2 * TTL
    assert mine.load().state == "queued"
    assert mine.spent().seconds == 3 * STEP
    monkeypatch.undo()
    monkeypatch.setattr(coordinator, "Spending", functools.partial(Spending, clock=clock))
    monkeypatch.setattr(CountedWorker, "clock", clock)
    assert mine.claim().run() == DONE
    assert output_digests(mine.load()) == undisturbed
    # No step was committed, so each holder began again, and all of them count.
    assert mine.spent().seconds == 13 * STEP


def kill(mine: Farm, holder: int, clock: Clock) -> None:
    """Kill a holder after so many steps of all holders, once the last of them is reported."""
    if clock.now < holder * STEP:
        return
    deadline = time.monotonic() + 20
    while mine.spent().seconds < holder * STEP:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    raise Killed


def test_a_machine_without_a_price_leaves_a_budget_in_dollars_alone(
    farm: NewFarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = farm("limits.usd=1")
    monkeypatch.setattr("jobs.runtime.spending.Pricing.of", lambda *_: None)
    assert mine.claim().run() == UNFIT
    job = mine.load()
    assert job.state == "queued"
    assert job.status is not None
    assert "no price is known for" in (job.status.reason or "")


def test_a_dataset_pauses_between_items_and_goes_on_with_the_same_rows(
    store: MemoryStore, weights: Path, tmp_path: Path
) -> None:
    folder = mixed_pictures(4, bad=0).write_to(tmp_path / "inputs")
    pool = pool_of(CountedDatasetWorker)
    whole = MemoryStore()
    plain = submit_small_dataset(whole, folder, weights)
    assert claim_job(whole, plain, tmp_path / "whole", pool=pool).run() == DONE

    job = submit_small_dataset(store, folder, weights, "limits.hours=0.007")  # 25 s
    assert claim_job(store, job, tmp_path, pool=pool).run() == DONE
    summary = load_summary(store, job)
    assert (job, summary.state, summary.paused_by) == (plain, "paused", "limit")
    assert summary.items is not None
    assert summary.items["done"] in (1, 2)
    assert summary.spent is not None
    assert summary.spent.seconds <= 25.2

    assert resume(store, job, {"hours": 1}) == "queued"
    assert claim_job(store, job, tmp_path, pool=pool).run() == DONE
    found, expected = (read_finished_dataset(one, job) for one in (store, whole))
    assert found.reproducible_rows == expected.reproducible_rows
    assert found.published == expected.published
    spent = load_summary(store, job).spent
    assert spent is not None
    assert (spent.seconds, spent.usd) == (40, round(40 * CPU.price / 3600, 6))
    # Another generation goes on counting.
    assert retry(store, job) == "queued"
    assert claim_job(store, job, tmp_path, pool=pool).run() == DONE
    again = load_summary(store, job).spent
    assert again is not None
    assert again.seconds >= 40
