"""What the workers of one holder cost, and whether the job may spend more.

A crew or pool costs money from the request for it until it ends; decoding the input is part of
that, writing the files of a poster is not. So `plan` counts, too.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from jobs.records.keys import JobKeys
from jobs.records.request import raise_command
from jobs.records.spending import ReachedLimit, SpendingUnit, Spent, format_amount, limit_of
from jobs.records.status import Status
from jobs.runtime.metrics.progress import Progress
from jobs.spec.base import Limits
from jobs.store.store import Store
from jobs.text.errors import InvalidRecord, PriceUnknown

_UNITS: tuple[SpendingUnit, ...] = ("usd", "hours")

_NO_LIMITS = Limits()


@dataclass(frozen=True)
class WorkerShape:
    """What one worker has: GPUs, or CPUs without any."""

    gpus: int
    cpus: int


@dataclass(frozen=True)
class Pricing:
    """How a `work` prices workers.

    price: US dollars for one worker and hour; None: by the list of `plan`. is_needed: whether the
    operator has a budget in US dollars, so that no worker without a price may run.
    """

    price: float | None = None
    is_needed: bool = False

    def of(self, shape: WorkerShape, device: str | None) -> float | None:
        """The price of a worker; None if it has none. device: its full name; None: not known."""
        if self.price is not None:
            return self.price
        # Commands that only read jobs do without what the estimates need.
        from jobs.planning.estimate.speed import CPU, gpu_in_name, hourly_price

        if not shape.gpus:
            return hourly_price(CPU, 0, shape.cpus)
        specs = None if device is None else gpu_in_name(device)
        return None if specs is None else hourly_price(specs, shape.gpus, shape.cpus)


@dataclass(frozen=True)
class Earlier:
    """What the earlier holders of a job have spent, and the limit that made the last one stop."""

    spent: Spent = field(default_factory=Spent)
    limit: ReachedLimit | None = None


class Spending:
    """Counts what one holder's workers cost. Thread-safe.

    earlier: the holders before. pricing: None counts time only, and heeds no limits, for a render
    without a store.
    """

    def __init__(
        self,
        earlier: Earlier | None = None,
        pricing: Pricing | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._earlier, self._pricing, self._clock = earlier or Earlier(), pricing, clock
        self._own = Spent()
        self._workers, self._since = 0, clock()
        self._shape = WorkerShape(0, 1)
        self._price: float | None = None
        self._seen: tuple[Progress, Spent] | None = None
        self._step = Spent()
        self._lock = threading.Lock()
        self.limits = _NO_LIMITS

    @property
    def own(self) -> Spent:
        """What this holder's workers have cost."""
        with self._lock:
            return self._own.plus(self._running())

    @property
    def total(self) -> Spent:
        """What the workers of all holders have cost."""
        return self._earlier.spent.plus(self.own)

    @property
    def is_running(self) -> bool:
        """Whether there are workers now."""
        return self._workers > 0

    @contextmanager
    def workers(self, count: int, shape: WorkerShape, limits: Limits) -> Iterator[None]:
        """Count workers until the block ends. limits: of the job, as far as they are known."""
        with self._lock:
            if self._pricing is not None:
                self.limits = limits
                # Of a GPU, the price of the crew before; the first crew has to say what it has.
                price = self._pricing.of(shape, None)
                self._price = self._price if price is None else price
            self._shape, self._workers, self._since = shape, count, self._clock()
            self._seen = None
        try:
            yield
        finally:
            with self._lock:
                self._own, self._workers = self._own.plus(self._running()), 0

    def know_device(self, name: str) -> None:
        """Price the present workers by their device. Raises PriceUnknown if that must be known."""
        if self._pricing is None:
            return
        price = self._pricing.of(self._shape, name)
        with self._lock:
            self._price = price
        if price is None and (self._pricing.is_needed or self.limits.usd is not None):
            raise PriceUnknown(
                f"no price is known for {name}, so nobody can heed a budget in US dollars; "
                "start `work` with --price, or use hours"
            )

    def add_progress(self, progress: Progress) -> None:
        """Learn what a step costs, from the progress after each."""
        now = self.total
        if self._seen is not None:
            before, spent = self._seen
            if (before.phase, before.octave) == (progress.phase, progress.octave):
                self._step = now.minus(spent)
        self._seen = progress, now

    def reached(self) -> ReachedLimit | None:
        """The limit that is reached, or that another step would pass."""
        if self._pricing is None:
            return None
        last = self._earlier.limit
        if last is not None and not last.is_raised(self.limits):
            return last
        spent, step = self.total, self._step
        for unit in _UNITS:
            limit = limit_of(self.limits, unit)
            if limit is not None and _passes(spent.of(unit), step.of(unit), limit):
                return ReachedLimit(unit=unit, limit=limit)
        return None

    def describe(self, job: str, reached: ReachedLimit) -> str:
        """Why a job is paused, and what to do, in one line."""
        unit = reached.unit
        spent, limit = (format_amount(unit, one) for one in (self.total.of(unit), reached.limit))
        return f"spent {spent}, and limits.{unit} is {limit}; `{raise_command(job, unit)}` goes on"

    def _running(self) -> Spent:
        """What the present workers have cost so far."""
        if not self._workers:
            return Spent()
        seconds = self._clock() - self._since
        together = self._workers * seconds
        usd = None if self._price is None else self._price * together / 3600
        return Spent(seconds=seconds, worker_seconds=together, usd=usd)


def _passes(spent: float, step: float, limit: float) -> bool:
    return spent >= limit or spent + step > limit


def earlier_holders(store: Store, keys: JobKeys, lease: int) -> Earlier:
    """What the holders of earlier leases have spent: the newest status that can be read says it.

    Takes one listing, and one read if there were earlier holders. Raises StoreError.
    """
    found = (keys.status_number(entry.key) for entry in store.list_objects(keys.statuses))
    numbers = sorted((one for one in found if one is not None and one < lease), reverse=True)
    for number in numbers:
        try:
            status = Status.read_or_none(store, keys.status(number))
        except InvalidRecord:
            continue
        if status is not None:
            return Earlier(status.spent or Spent(), status.limit)
    return Earlier()
