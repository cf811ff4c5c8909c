"""The operator's budget of a day: what all jobs of a store may spend between two midnights in UTC.

Every `work` writes what its own jobs spent to one object a day, whether or not it has a budget. One
with a budget adds them all up. So the count is that of the store, late by about a minute.
"""

import math
import re
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from jobs.records.job import StoredJob, attempt_job
from jobs.records.lease import HeldLease
from jobs.records.spending import DaySpending, SpendingUnit, Spent, day_folder, format_amount
from jobs.records.status import Status
from jobs.runtime.logs import Notify
from jobs.runtime.spending import earlier_holders
from jobs.spec.base import MAX_SPENT
from jobs.store.errors import ObjectError, ObjectNotFound, StoreError
from jobs.store.store import Store, store_time
from jobs.text.errors import InvalidRecord, JobsError, RequestError

_SYNC_SECONDS = 30.0
"""Shortest time between two writes of what this `work` spent, and between two reads of others."""

_CLOCK_SECONDS = 600.0
"""Time between two looks at the store's clock: the own one stands still while a machine sleeps."""

_SPENT = "the budget of this day, "
"""The beginning of the reason, whatever the budget of a `work` is."""

_MOST_TOLD = 8
"""Queued jobs that are told in one scan why they wait for the next day."""

_NEW_DAY = "a new day has begun, with a new budget"

_OPTION = re.compile(r"(usd|hours)-per-day=(.+)")


@dataclass(frozen=True)
class DayBudget:
    """What the jobs of a store may spend a day. None: any amount. hours: with workers."""

    usd: float | None = None
    hours: float | None = None

    def is_passed_by(self, spent: Spent) -> bool:
        """Whether nothing more may be spent today."""
        return any(spent.of(unit) >= limit for unit, limit in self._limits())

    @property
    def reason(self) -> str | None:
        """Why jobs wait once it is spent, in one line; None without any limit."""
        amounts = " and ".join(format_amount(unit, limit) for unit, limit in self._limits())
        if not amounts:
            return None
        return f"{_SPENT}{amounts}, is spent; goes on after midnight UTC"

    def _limits(self) -> list[tuple[SpendingUnit, float]]:
        limits: tuple[tuple[SpendingUnit, float | None], ...] = (
            ("usd", self.usd),
            ("hours", self.hours),
        )
        return [(unit, limit) for unit, limit in limits if limit is not None]


def parse_budget(texts: Iterable[str]) -> DayBudget:
    """Parse `usd-per-day=200` and `hours-per-day=8`, each at most once. Raises RequestError."""
    found: dict[str, float] = {}
    for text in texts:
        match = _OPTION.fullmatch(text)
        try:
            amount = float(match[2]) if match else math.nan
        except ValueError:
            amount = math.nan
        if match is None or not 0 < amount <= MAX_SPENT:
            raise RequestError(
                f"--budget {text}: write usd-per-day=200 or hours-per-day=8, with a number above 0"
            )
        if match[1] in found:
            raise RequestError(f"--budget {text}: give {match[1]}-per-day only once")
        found[match[1]] = amount
    return DayBudget(**found)


class Spendings:
    """What the jobs of a store spend today, as one `work` knows it.

    budget: of the operator, who is told by `notify` when it is spent. clock: monotonic, in seconds.
    """

    def __init__(
        self, store: Store, budget: DayBudget, notify: Notify, clock: Callable[[], float]
    ) -> None:
        self._store, self._budget, self._clock = store, budget, clock
        self._notify, self._is_spent = notify, False
        # Two processes on two machines may have the same name and number.
        self._name = secrets.token_hex(8)
        self._offset, self._measured = 0.0, -math.inf
        self._day = ""
        self._trouble: str | None = None
        self._seen: dict[str, Spent] = {}
        self._own = self._written = Spent()
        self._others: dict[str, tuple[float, Spent]] = {}
        self._synced = -math.inf

    def add(self, job: str, spent: Spent) -> None:
        """Count the newest sum of a job that this `work` runs."""
        self._own = self._own.plus(spent.minus(self._seen.get(job, Spent())))
        self._seen[job] = spent

    def end(self, job: str) -> None:
        """Forget a job whose holder has ended: the next holder counts from zero again."""
        self._seen.pop(job, None)

    def has_counted(self, job: str) -> bool:
        """Whether a job that runs here has reported anything."""
        return job in self._seen

    def check(self, *, is_busy: bool) -> str | None:
        """Why no job may run until tomorrow; None if the budget has some left. StoreError.

        It also writes what is new and reads what others wrote, if that is due. is_busy: whether
        there are jobs to run.
        """
        if is_busy:
            self._sync_or_report()
        total = self._own
        for _, spent in self._others.values():
            total = total.plus(spent)
        is_spent = self._budget.is_passed_by(total)
        if is_spent != self._is_spent:
            self._notify("budget", (self._budget.reason or "") if is_spent else _NEW_DAY)
        self._is_spent = is_spent
        return self._budget.reason if is_spent else None

    def flush(self) -> None:
        """Write what is new, whenever the last write was. Raises StoreError."""
        if self._own != self._written:
            self._begin_day()
            self._write()

    def _sync_or_report(self) -> None:
        """Sync, unless only these records are at fault: then go on with what is known here."""
        try:
            self._sync()
        except (StoreError, ObjectError) as error:
            store_time(self._store)  # raises if the whole store is at fault
            self._synced = self._clock()
            if str(error) != self._trouble:
                self._notify("left alone", f"{error}; other `work`s do not know what is spent here")
            self._trouble = str(error)

    def _sync(self) -> None:
        if self._own == self._written and self._budget.reason is None:
            return
        self._begin_day()
        if self._clock() - self._synced < _SYNC_SECONDS:
            return
        self._write()
        if self._budget.reason is not None:
            self._read_others()
        self._synced, self._trouble = self._clock(), None

    @property
    def _key(self) -> str:
        return f"{day_folder(self._day)}{self._name}.json"

    def _begin_day(self) -> None:
        """Begin to count from zero if the day has changed, by the store's clock."""
        now = self._clock()
        if now - self._measured >= _CLOCK_SECONDS:
            self._offset, self._measured = store_time(self._store) - now, now
        day = f"{datetime.fromtimestamp(self._offset + now, UTC):%Y-%m-%d}"
        # A clock that is set back begins no day again.
        if day <= self._day:
            return
        before, self._others = self._day, {}
        try:
            if before:
                self._write()
        finally:
            # The day begins even if the last sum of the one before cannot be written.
            if before:
                self._own = self._written = Spent()
            self._day, self._synced = day, -math.inf

    def _write(self) -> None:
        if self._own != self._written:
            self._store.put(self._key, DaySpending(spent=self._own.rounded()).encode())
            self._written = self._own

    def _read_others(self) -> None:
        """Read the records of other `work`s that have changed."""
        for entry in self._store.list_objects(day_folder(self._day)):
            known = self._others.get(entry.key)
            if entry.key == self._key or (known and known[0] == entry.modified):
                continue
            try:
                spent = DaySpending.read(self._store, entry.key).spent
            except (ObjectNotFound, InvalidRecord):
                continue
            self._others[entry.key] = entry.modified, spent


Claim = Callable[[StoredJob], HeldLease | None]
"""Claims the next lease of a job; None if that is not possible now."""

LeaveAlone = Callable[[StoredJob, JobsError], object]
"""Leaves a job alone whose records cannot be written, and says why."""


def tell_why_they_wait(
    store: Store, queued: Sequence[StoredJob], reason: str, claim: Claim, leave: LeaveAlone
) -> None:
    """Let the first queued jobs say why they wait: three writes for each, once a day. StoreError.

    The jobs behind them would wait in any case.
    """
    for job in queued[:_MOST_TOLD]:
        lease = None if _knows_why(job) else claim(job)
        if lease is not None:
            error = _tell(store, job, lease, reason)
            if error is not None:
                leave(job, error)


def _tell(store: Store, job: StoredJob, lease: HeldLease, reason: str) -> JobsError | None:
    """Write the reason under a lease, and release it. Returns the error if that is the job's."""

    def write() -> None:
        try:
            status = _waiting(job, _last_status(store, job, lease), reason)
            store.put(lease.keys.status(lease.number), status.encode())
        finally:
            lease.release()

    return attempt_job(store, job.id, write, store_time)


def _knows_why(job: StoredJob) -> bool:
    """Whether a queued job says already that it waits for a day, whoever's budget that is.

    Two `work`s with other budgets would otherwise write their own reasons in turn.
    """
    status = job.status
    is_of_now = status is not None and status.generation == job.intent.generation
    return status is not None and is_of_now and (status.reason or "").startswith(_SPENT)


def _last_status(store: Store, job: StoredJob, lease: HeldLease) -> Status:
    """The status that the last holder left. If it left none, what those before it have spent."""
    if job.status is not None:
        return job.status
    spent = earlier_holders(store, lease.keys, lease.number).spent
    return _NOTHING_DONE.model_copy(update={"spent": spent})


def _waiting(job: StoredJob, before: Status, reason: str) -> Status:
    """The status of a queued job with a reason; the rest stays as the last holder left it."""
    is_of_now = before.generation == job.intent.generation
    changes = {
        "generation": job.intent.generation,
        "reason": reason,
        "failure": None,
        "limit": None,
        "drafted": before.drafted if is_of_now else 0,
    }
    return before.model_copy(update=changes)


_NOTHING_DONE = Status(
    generation=0,
    phase="waiting",
    octave=0,
    octaves=0,
    step=0,
    steps=0,
    done=0.0,
    total=0.0,
    progress=0.0,
    workers=0,
)
"""The status of a job that nobody has begun."""
