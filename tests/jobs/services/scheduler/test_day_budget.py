"""The operator's budget of a day: jobs wait for the next day, and say why."""

import signal
from datetime import UTC, datetime
from pathlib import Path

import pytest

from jobs.records.job import load_job
from jobs.records.job_summary import load_summary
from jobs.records.keys import JobKeys
from jobs.records.lease import Lease, claim_lease
from jobs.records.spending import SPENDING, DaySpending, Spent
from jobs.records.state import Intent
from jobs.services.scheduler.day_budget import DayBudget, Spendings, parse_budget
from jobs.store.errors import NotAnObject
from jobs.store.folder import FolderStore
from jobs.text.errors import RequestError
from tests.support.job_states import sample_status
from tests.support.memory_store import MemoryStore
from tests.support.scheduler_harness import CountingStore, SchedulerHarness

DAY = 86_400.0

REASON = "the budget of this day, USD 200.00, is spent; goes on after midnight UTC"


@pytest.fixture
def harness() -> SchedulerHarness:
    return SchedulerHarness(budget=DayBudget(usd=200))


def records(store: MemoryStore) -> dict[str, Spent]:
    """What each `work` has written, by day and name."""
    entries = [entry.key for entry in store.list_objects(SPENDING)]
    return {key.removeprefix(SPENDING): DaySpending.read(store, key).spent for key in entries}


def test_budgets_are_parsed() -> None:
    assert parse_budget([]) == DayBudget()
    assert parse_budget(["usd-per-day=200"]) == DayBudget(usd=200)
    both = parse_budget(["hours-per-day=8", "usd-per-day=1.5"])
    assert both == DayBudget(usd=1.5, hours=8)
    assert "USD 1.50 and 8 hours" in str(both.reason)
    assert DayBudget().reason is None


@pytest.mark.parametrize(
    "texts",
    [
        *(["eur-per-day=1"], ["usd-per-day=-1"], ["usd-per-day=nan"], ["usd-per-day=inf"]),
        *(["usd-per-day=0"], ["usd-per-day=1e99"], ["usd-per-day="], ["usd=1"], ["200"], [""]),
        ["usd-per-day=1", "usd-per-day=2"],
    ],
)
def test_wrong_budgets_are_one_line(texts: list[str]) -> None:
    with pytest.raises(RequestError, match="--budget "):
        parse_budget(texts)


def test_a_spent_budget_holds_all_jobs_until_the_next_day(harness: SchedulerHarness) -> None:
    first, second = harness.submit("a"), harness.submit("b", workers=2)
    harness.scan()
    assert harness.started == [first]
    assert harness.configs[first].budget == REASON
    assert harness.configs[first].is_priced
    harness.spend(first, seconds=100, worker_seconds=100, usd=150)
    harness.scan()
    assert harness.processes[first].signals == []

    harness.spend(first, seconds=200, worker_seconds=200, usd=200)
    harness.scan()
    assert harness.processes[first].signals == [signal.SIGUSR2]
    assert harness.messages.count(REASON) == 1
    harness.end(first, manifest=False)
    # Nothing that may run is left, so `--until-idle` ends.
    assert harness.scan()
    for job in (first, second):
        summary = load_summary(harness.store, job)
        assert (summary.state, summary.reason, summary.paused_by) == ("queued", REASON, None)
    assert harness.started == [first]

    leases = list(harness.store.list_objects(JobKeys(second).leases))
    harness.now += 600
    harness.scan()
    assert list(harness.store.list_objects(JobKeys(second).leases)) == leases

    harness.now += DAY
    harness.store.now += DAY
    harness.scan()
    assert harness.started == [first, first]
    assert "a new day has begun, with a new budget" in harness.messages


def test_the_budget_is_that_of_the_store() -> None:
    store = CountingStore()
    harness = SchedulerHarness(store=store, budget=DayBudget(hours=2))
    other = SchedulerHarness(cores=1, store=store)
    mine, theirs = harness.submit("a", workers=2), harness.submit("b")
    other.scan()
    other.spend(mine if mine in other.started else theirs, seconds=5400, worker_seconds=5400)
    other.scan()
    assert [spent.seconds for spent in records(store).values()] == [5400]
    harness.scan()
    assert len(harness.started) == 1
    harness.spend(harness.started[0], seconds=1900, worker_seconds=1900)
    harness.scan()
    assert harness.processes[harness.started[0]].signals == [signal.SIGUSR2]


def test_requests_are_few(harness: SchedulerHarness) -> None:
    harness.scan()
    idle = harness.store.requests.copy()
    harness.scan()
    # One listing of open jobs, as without a budget.
    assert harness.store.requests["list"] == idle["list"] * 2
    assert harness.store.requests["get"] == idle["get"] == 0
    job = harness.submit("a")
    harness.scan()
    for second in range(1, 60):
        harness.now += 1
        harness.spend(job, seconds=second, worker_seconds=second, usd=1)
        harness.scan()
    assert len(records(harness.store)) == 1
    harness.store.requests.clear()
    for _ in range(29):
        harness.now += 1
        harness.scan()
    assert harness.store.requests["list"] <= 29 + 1


def test_a_holder_counts_from_zero_and_the_day_goes_on(store: MemoryStore) -> None:
    now, told = [0.0], list[str]()
    budget = DayBudget(usd=10)
    spendings = Spendings(store, budget, lambda _, line, *__: told.append(line), lambda: now[0])
    spendings.add("a", Spent(usd=4))
    spendings.add("a", Spent(usd=6))
    spendings.end("a")
    spendings.add("a", Spent(usd=3))
    assert spendings.check(is_busy=True) is None
    assert [spent.usd for spent in records(store).values()] == [9]
    spendings.add("b", Spent(usd=1))
    assert spendings.check(is_busy=True) == budget.reason
    # Half a minute has not passed, so this is written at the end.
    spendings.flush()
    assert [spent.usd for spent in records(store).values()] == [10]

    now[0] = DAY
    store.now += DAY
    spendings.add("b", Spent(usd=1.5))
    assert spendings.check(is_busy=True) is None
    spendings.add("b", Spent(usd=3.5))
    spendings.flush()
    assert sorted((key[:10], spent.usd) for key, spent in records(store).items()) == [
        ("1970-01-01", 10.5),
        ("1970-01-02", 2),
    ]
    assert told == [budget.reason, "a new day has begun, with a new budget"]


def test_junk_among_the_records_counts_nothing(store: MemoryStore) -> None:
    store.put(f"{SPENDING}1970-01-01/junk.json", b"{")
    store.put(f"{SPENDING}1970-01-01/huge.json", b'{"version": 1, "spent": {"usd": 1e400}}')
    record = DaySpending(spent=Spent(usd=3))
    store.put(f"{SPENDING}1970-01-01/other.json", record.encode())
    spendings = Spendings(store, DayBudget(usd=3), lambda *_: None, lambda: 0.0)
    assert spendings.check(is_busy=True) is not None


def test_the_largest_amounts_have_a_sum(store: MemoryStore) -> None:
    for name in ("a", "b"):
        record = DaySpending(spent=Spent(usd=1e30, seconds=1e30, worker_seconds=1e30))
        store.put(f"{SPENDING}1970-01-01/{name}.json", record.encode())
    spendings = Spendings(store, DayBudget(usd=3), lambda *_: None, lambda: 0.0)
    assert spendings.check(is_busy=True) is not None


@pytest.mark.parametrize("place", ["spending", "spending/DAY"])
def test_a_file_in_place_of_the_records_stops_no_job(tmp_path: Path, place: str) -> None:
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    path = tmp_path / place.replace("DAY", day)
    path.parent.mkdir(exist_ok=True)
    path.touch()
    now, told = [0.0], list[str]()
    budget = DayBudget(usd=10)
    store = FolderStore(tmp_path)
    spendings = Spendings(store, budget, lambda _, line, *__: told.append(line), lambda: now[0])
    spendings.add("a", Spent(usd=4))
    assert spendings.check(is_busy=True) is None
    now[0] = 60.0
    spendings.add("a", Spent(usd=10))
    # What this process spends counts, as far as it knows.
    assert spendings.check(is_busy=True) == budget.reason
    (line,) = told[:-1]
    assert line.endswith("; other `work`s do not know what is spent here")


def test_a_machine_that_slept_begins_the_new_day(store: MemoryStore) -> None:
    now = [0.0]
    spendings = Spendings(store, DayBudget(usd=10), lambda *_: None, lambda: now[0])
    spendings.add("a", Spent(usd=10))
    assert spendings.check(is_busy=True) is not None
    # Its clock stands still meanwhile.
    store.now += DAY
    now[0] = 600.0
    assert spendings.check(is_busy=True) is None
    # A clock that is set back counts no day twice.
    spendings.add("a", Spent(usd=11))
    spendings.flush()
    store.now -= DAY
    now[0] = 1200.0
    spendings.add("a", Spent(usd=12))
    spendings.check(is_busy=True)
    assert sorted((key[:10], spent.usd) for key, spent in records(store).items()) == [
        ("1970-01-01", 10),
        ("1970-01-02", 2),
    ]


def test_what_the_last_holder_left_stays_in_the_status_of_a_waiting_job(
    harness: SchedulerHarness,
) -> None:
    job, store = harness.submit("a"), harness.store
    keys = JobKeys(job)
    held = claim_lease(store, keys, 0, "here:1", 60)
    assert held is not None
    left = sample_status(failure="infra").model_copy(
        update={"spent": Spent(seconds=9), "drafted": 2, "failure": None}
    )
    store.put(keys.status(1), left.encode())
    store.put(keys.intent, Intent(generation=1).encode())
    held.release()
    running = harness.submit("b", priority=90)
    harness.scan()
    harness.spend(running, usd=200.0)
    harness.scan()

    status = load_job(store, job).status
    assert status is not None
    assert (status.spent, status.done, status.phase) == (left.spent, left.done, left.phase)
    assert (status.generation, status.reason, status.drafted) == (1, REASON, 0)


def spend_all(harness: SchedulerHarness) -> None:
    """Let another job spend the budget of the day."""
    running = harness.submit("b", priority=90, workers=2)
    harness.scan()
    harness.spend(running, usd=200.0)


def test_a_holder_that_died_before_its_first_word_hides_no_spending(
    harness: SchedulerHarness,
) -> None:
    job, store = harness.submit("a", priority=10), harness.store
    keys = JobKeys(job)
    for number in (1, 2):
        held = claim_lease(store, keys, number - 1, "here:1", 60)
        assert held is not None
        held.release()
    status = sample_status(failure="infra").model_copy(
        update={"spent": Spent(seconds=9), "failure": None}
    )
    store.put(keys.status(1), status.encode())
    spend_all(harness)
    harness.scan()
    told = load_job(store, job).status
    assert told is not None
    assert (told.reason, told.spent) == (REASON, Spent(seconds=9))


def test_another_budget_is_reason_enough(harness: SchedulerHarness) -> None:
    job, store = harness.submit("a", priority=10), harness.store
    spend_all(harness)
    for harness.now in (1.0, 60.0):
        harness.scan()
    leases = list(store.list_objects(JobKeys(job).leases))
    other = SchedulerHarness(store=store, budget=DayBudget(usd=100))
    other.scan()
    assert (other.started, len(leases)) == ([], 1)
    assert list(store.list_objects(JobKeys(job).leases)) == leases


def test_a_job_that_cannot_be_told_delays_no_other() -> None:
    class Blocked(CountingStore):
        """Has a folder in place of a status of one job."""

        def put(self, key: str, content: bytes) -> None:
            if key.startswith(f"{blocked}status"):
                raise NotAnObject(f"{key}: is a folder")
            super().put(key, content)

    blocked = "-"
    harness = SchedulerHarness(store=Blocked(), budget=DayBudget(usd=200))
    first, second = harness.submit("a", priority=20), harness.submit("c", priority=10)
    blocked = JobKeys(first).folder
    spend_all(harness)
    harness.scan()
    harness.scan()
    assert load_summary(harness.store, second).reason == REASON
    leases = [lease for job in (first, second) for lease in leases_of(harness, job)]
    assert [lease.released for lease in leases] == [True, True]
    assert [line for line in harness.messages if "is a folder" in line] != []


def leases_of(harness: SchedulerHarness, job: str) -> list[Lease]:
    keys = [entry.key for entry in harness.store.list_objects(JobKeys(job).leases)]
    return [Lease.read(harness.store, key) for key in keys]


def test_a_work_without_a_budget_holds_nothing() -> None:
    harness = SchedulerHarness()
    job = harness.submit("a")
    harness.scan()
    harness.spend(job, usd=1e6, seconds=1e6)
    harness.scan()
    assert harness.processes[job].signals == []
    assert harness.configs[job].budget is None
    assert [spent.usd for spent in records(harness.store).values()] == [1e6]
