"""What one holder's workers cost, and what earlier holders' did."""

import pytest

from jobs.planning.estimate.speed import CPU, GPUS
from jobs.records.spending import ReachedLimit, Spent
from jobs.runtime.metrics.progress import Progress, RenderPhase
from jobs.runtime.spending import Earlier, Pricing, Spending, WorkerShape, earlier_holders
from jobs.spec.base import Limits
from jobs.text.errors import PriceUnknown
from tests.support.job_states import sample_status, write_job
from tests.support.memory_store import MemoryStore

TWO_CORES, ONE_GPU = WorkerShape(0, 2), WorkerShape(1, 1)

H200 = "NVIDIA H200"


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def after_step(octave: int, step: int, phase: RenderPhase = "dream") -> Progress:
    return Progress(phase, octave, 2, step, 10, float(step), 20.0, step / 20)


def test_workers_cost_from_their_start_to_their_end(clock: Clock) -> None:
    spending = Spending(Earlier(Spent(seconds=10, worker_seconds=20, usd=1)), Pricing(), clock)
    clock.now = 100
    with spending.workers(4, TWO_CORES, Limits()):
        clock.now = 3700
        assert spending.own == Spent(seconds=3600, worker_seconds=14400, usd=4 * 2 * CPU.price)
    clock.now = 9999
    assert spending.total == Spent(seconds=3610, worker_seconds=14420, usd=1 + 8 * CPU.price)


def test_workers_cost_also_when_they_fail(clock: Clock) -> None:
    spending = Spending(None, Pricing(), clock)
    with pytest.raises(KeyError), spending.workers(1, TWO_CORES, Limits()):
        clock.now = 60
        raise KeyError
    assert spending.own.worker_seconds == 60
    assert not spending.is_running


def test_a_gpu_is_priced_once_its_name_is_known(clock: Clock) -> None:
    spending = Spending(None, Pricing(), clock)
    with spending.workers(2, ONE_GPU, Limits(usd=100)):
        clock.now = 1800
        assert spending.own.usd is None
        spending.know_device(H200)
        clock.now = 3600
    assert spending.own.usd == pytest.approx(2 * GPUS["h200"].price)


@pytest.mark.parametrize("pricing", [Pricing(), Pricing(is_needed=True)])
def test_a_budget_in_dollars_needs_a_price(clock: Clock, pricing: Pricing) -> None:
    limits = Limits() if pricing.is_needed else Limits(usd=5)
    spending = Spending(None, pricing, clock)
    with (
        pytest.raises(PriceUnknown, match=r"no price is known for NVIDIA Unheard Of.*--price"),
        spending.workers(1, ONE_GPU, limits),
    ):
        spending.know_device("NVIDIA Unheard Of")


def test_without_a_budget_a_machine_without_a_price_counts_time(clock: Clock) -> None:
    spending = Spending(None, Pricing(), clock)
    with spending.workers(1, ONE_GPU, Limits(hours=1)):
        spending.know_device("NVIDIA Unheard Of")
        clock.now = 3600
    assert spending.own == Spent(seconds=3600, worker_seconds=3600)
    assert spending.reached() == ReachedLimit(unit="hours", limit=1)


def test_the_operator_says_what_a_worker_costs(clock: Clock) -> None:
    dear, free = (Spending(None, Pricing(price), clock) for price in (3.0, 0.0))
    with dear.workers(1, ONE_GPU, Limits(usd=5)), free.workers(1, ONE_GPU, Limits(usd=5)):
        free.know_device("NVIDIA Unheard Of")
        clock.now = 7200
    assert dear.own.usd == 6
    assert free.own.usd == 0
    assert dear.reached() == ReachedLimit(unit="usd", limit=5)
    assert free.reached() is None


def test_a_render_here_heeds_no_limit(clock: Clock) -> None:
    spending = Spending(None, None, clock)
    with spending.workers(1, TWO_CORES, Limits(usd=0.01, hours=0.01)):
        clock.now = 9e9
        assert spending.reached() is None
    assert spending.own.usd is None


def test_a_step_that_would_pass_a_limit_is_not_begun(clock: Clock) -> None:
    spending = Spending(None, Pricing(), clock)
    with spending.workers(2, TWO_CORES, Limits(hours=1)):
        clock.now = 1000  # the start of a crew is no step
        spending.add_progress(after_step(1, 0))
        assert spending.reached() is None
        for step, now in ((1, 1500), (2, 2500), (3, 3500)):
            clock.now = now
            spending.add_progress(after_step(1, step))
            assert (spending.reached() is None) == (step < 3)
    # 3500 s are spent, and the last step took 1000 s of 3600: also for the next crew.
    assert spending.reached() == ReachedLimit(unit="hours", limit=1)
    spending.limits = Limits(hours=1.3)
    assert spending.reached() is None
    assert spending.describe("sky-0123456789ab", ReachedLimit(unit="hours", limit=1)) == (
        "spent 0.972 hours, and limits.hours is 1 hour; "
        "`dreamfarm resume sky-0123456789ab --raise hours=1` goes on"
    )


def test_earlier_holders_are_found_by_the_newest_status(store: MemoryStore) -> None:
    keys = write_job(store)
    assert earlier_holders(store, keys, 5) == Earlier()
    for number in (1, 2, 5):
        spent = Spent(seconds=number, worker_seconds=number)
        status = sample_status().model_copy(update={"spent": spent})
        store.put(keys.status(number), status.encode())
    # Holders 3 and 4 died before they wrote anything.
    assert earlier_holders(store, keys, 5).spent.seconds == 2
    store.put(keys.status(2), b"junk")
    assert earlier_holders(store, keys, 5).spent.seconds == 1
    store.put(keys.status(1), sample_status().encode())
    assert earlier_holders(store, keys, 5) == Earlier()


def test_a_limit_of_an_earlier_holder_stands_until_it_is_raised(clock: Clock) -> None:
    reached = ReachedLimit(unit="hours", limit=1)
    spending = Spending(Earlier(Spent(seconds=3000), reached), Pricing(), clock)
    assert spending.reached() is None
    with spending.workers(1, TWO_CORES, Limits(hours=1)):
        assert spending.reached() == reached
        spending.limits = Limits(hours=1.1)
        assert spending.reached() is None
