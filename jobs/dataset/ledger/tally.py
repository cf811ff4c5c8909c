"""How many items a dataset has, and what became of them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import get_args

from jobs.dataset.row import Row
from jobs.lifecycle.status import Failure


@dataclass(frozen=True)
class Tally:
    """Counts that add and subtract: as a row replaces another, `tally + new - old`.

    items: those known, of which some have no row yet. failed: by class.
    """

    items: int = 0
    done: int = 0
    failed: Counter[Failure] = field(default_factory=Counter)

    @classmethod
    def of(cls, rows: Iterable[Row]) -> "Tally":
        """The count of rows alone: the items are counted where they are listed."""
        done = 0
        failed: Counter[Failure] = Counter()
        for row in rows:
            if row.state == "done":
                done += 1
            else:
                # What nobody could class is a defect of this code.
                failed[row.failure or "bug"] += 1
        return cls(done=done, failed=failed)

    @property
    def ended(self) -> int:
        """Items that have a row."""
        return self.done + self.failed.total()

    @property
    def left(self) -> int:
        """Items that have none yet."""
        return self.items - self.ended

    def __add__(self, other: "Tally") -> "Tally":
        failed = self.failed.copy()
        failed.update(other.failed)
        return Tally(self.items + other.items, self.done + other.done, failed)

    def __sub__(self, other: "Tally") -> "Tally":
        failed = self.failed.copy()
        failed.subtract(other.failed)
        return Tally(self.items - other.items, self.done - other.done, failed)

    def document(self) -> dict[str, int | dict[str, int]]:
        """As JSON values, with every class of failure."""
        failed = {kind: self.failed[kind] for kind in get_args(Failure)}
        return {"items": self.items, "done": self.done, "failed": failed}
