"""What jobs spend: the time and money of their workers, and the limits that pause a job."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from jobs.records.record import MAX_AMOUNT, SMALL_RECORD, Amount, Record
from jobs.spec.base import Limits

SpendingUnit = Literal["usd", "hours"]
"""US dollars, or hours with workers."""


SPENDING = "spending/"
"""The prefix of what each `work` spent, by day in UTC."""


class Spent(BaseModel):
    """What the workers of a job have cost, under all its leases.

    seconds: in which the job had workers. worker_seconds: of all workers together. usd: US dollars
        for the workers whose price is known; None if none has one.
    """

    model_config = Record.model_config

    seconds: Amount = 0.0
    worker_seconds: Amount = 0.0
    usd: Amount | None = None

    def of(self, unit: SpendingUnit) -> float:
        """The sum in a unit; 0 without a price."""
        return (self.usd or 0.0) if unit == "usd" else self.seconds / 3600

    def plus(self, other: "Spent") -> "Spent":
        """Both together."""
        known = [one for one in (self.usd, other.usd) if one is not None]
        return Spent(
            seconds=_sum(self.seconds, other.seconds),
            worker_seconds=_sum(self.worker_seconds, other.worker_seconds),
            usd=_sum(*known) if known else None,
        )

    def minus(self, other: "Spent") -> "Spent":
        """The increase since an earlier sum of the same counter."""
        return Spent(
            seconds=max(0.0, self.seconds - other.seconds),
            worker_seconds=max(0.0, self.worker_seconds - other.worker_seconds),
            usd=None if self.usd is None else max(0.0, self.usd - (other.usd or 0.0)),
        )

    def rounded(self) -> "Spent":
        """To a tenth of a second, and to a millionth of a dollar."""
        return Spent(
            seconds=round(self.seconds, 1),
            worker_seconds=round(self.worker_seconds, 1),
            usd=None if self.usd is None else round(self.usd, 6),
        )


def _sum(*amounts: float) -> float:
    """The sum, as an amount: anybody may have written records of the largest ones."""
    return min(sum(amounts), MAX_AMOUNT)


class ReachedLimit(BaseModel):
    """The limit at which a holder stopped, and its value at that time."""

    model_config = Record.model_config

    unit: SpendingUnit
    limit: Annotated[float, Field(gt=0, le=1e30)]

    def is_raised(self, limits: Limits | None) -> bool:
        """Whether the limits of now let the job go on. None: they are not known."""
        if limits is None:
            return False
        now = limit_of(limits, self.unit)
        return now is None or now > self.limit


def limit_of(limits: Limits, unit: SpendingUnit) -> float | None:
    """The limit in a unit, if there is one."""
    return limits.usd if unit == "usd" else limits.hours


class DaySpending(Record):
    """What one `work` has spent on a day in UTC. Only that `work` writes it."""

    max_bytes = SMALL_RECORD

    spent: Spent


def day_folder(day: str) -> str:
    """The prefix of the records of a day, `2026-11-29`."""
    return f"{SPENDING}{day}/"


def format_amount(unit: SpendingUnit, amount: float) -> str:
    """An amount as text: `USD 0.41`, `2.5 hours`."""
    if unit == "hours":
        number = f"{amount:.3g}" if amount < 100 else f"{amount:.0f}"
        return f"{number} hour{'' if number == '1' else 's'}"
    return "under USD 0.01" if 0 < amount < 0.01 else f"USD {amount:.2f}"
