"""What became of one item: a row of the ledger."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated, Literal, get_args

from pydantic import Field

from jobs.records.record import Record
from jobs.records.state import Failure

_Count = Annotated[int, Field(ge=0)]

_Amount = Annotated[float, Field(ge=0)]


class Row(Record):
    """One item's row; what nobody got to know is None.

    number, key, variant, name: the item's. input: its address. Digests are `sha256:HEX`.
    output: where the result lies below the job's `outputs/`, as the store spells it.
    member: of a tar, where the output is one. width, height: of the result, in pixels.
    failure, message: of a failed item, its class and one line for people.
    attempts: how often it was begun. seconds: of the last attempt. worker: who did it.
    seed: of the dream, from which `render` makes the same picture.
    lease, generation: under which it was made.
    """

    number: _Count
    key: str
    variant: _Count
    name: str
    state: Literal["done", "failed"]
    input: str
    input_sha256: str | None = None
    output: str | None = None
    member: str | None = None
    output_sha256: str | None = None
    bytes: _Count | None = None
    width: _Count | None = None
    height: _Count | None = None
    failure: Failure | None = None
    message: str | None = None
    attempts: _Count = 1
    seconds: _Amount = 0.0
    worker: str | None = None
    seed: _Count | None = None
    lease: _Count
    generation: _Count


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
