"""The rows of the ledger: the result of each item, and the counts of many."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated, Literal, get_args

from pydantic import Field

from jobs.records.record import Amount, Count, Number, Record
from jobs.records.status import FailureClass


class LedgerRow(Record):
    """The row of one item. None means unknown.

    number, key, variant, name: those of the item. input: its address. Digests are `sha256:HEX`.
    output: the path of the result below the job's `outputs/`, as the store spells it. In the
    name of a tar, `.lease2` is the lease of the holder that has packed it.
    member: the name of the result inside the tar, if the output is a tar; it has nothing to do with
    the members of a crew or pool. width, height: of the result, in pixels. failure: the class of
    a failed item. message: one line for people: why the item failed, or which picture of its file
    was dreamed.
    attempts: how often it was started. seconds: the duration of the last attempt. worker: its name.
    seed: of the dream; with it `render` makes the same picture.
    lease, generation: those under which the row was made.
    """

    number: Count
    key: str
    variant: Count
    name: str
    state: Literal["done", "failed"]
    input: str
    input_sha256: str | None = None
    output: str | None = None
    member: str | None = None
    output_sha256: str | None = None
    bytes: Count | None = None
    width: Count | None = None
    height: Count | None = None
    failure: FailureClass | None = None
    message: str | None = None
    attempts: Count = 1
    seconds: Amount = 0.0
    worker: str | None = None
    seed: Annotated[int, Field(ge=0, lt=2**63)] | None = None
    lease: Number
    generation: Number


@dataclass(frozen=True)
class LedgerCounts:
    """Counts of items by their rows. They add and subtract: a new row is `counts + new - old`.

    items: all items, with or without a row. done: without the failed ones. failed: by class.
    """

    items: int = 0
    done: int = 0
    failed: Counter[FailureClass] = field(default_factory=Counter)

    @classmethod
    def of_rows(cls, rows: Iterable[LedgerRow]) -> "LedgerCounts":
        """Count rows. `items` stays 0: items are counted from the index."""
        done = 0
        failed: Counter[FailureClass] = Counter()
        for row in rows:
            if row.state == "done":
                done += 1
            else:
                # A failure without a class is a defect of this code.
                failed[row.failure or "bug"] += 1
        return cls(done=done, failed=failed)

    @property
    def recorded(self) -> int:
        """Items with a row."""
        return self.done + self.failed.total()

    @property
    def remaining(self) -> int:
        """Items without a row."""
        return self.items - self.recorded

    def __add__(self, other: "LedgerCounts") -> "LedgerCounts":
        failed = self.failed.copy()
        failed.update(other.failed)
        return LedgerCounts(self.items + other.items, self.done + other.done, failed)

    def __sub__(self, other: "LedgerCounts") -> "LedgerCounts":
        failed = self.failed.copy()
        failed.subtract(other.failed)
        return LedgerCounts(self.items - other.items, self.done - other.done, failed)

    def document(self) -> dict[str, int | dict[str, int]]:
        """The counts as JSON values, with every class of failure."""
        failed = {failure: self.failed[failure] for failure in get_args(FailureClass)}
        return {"items": self.items, "done": self.done, "failed": failed}
