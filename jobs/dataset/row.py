"""What became of one item: a row of the ledger."""

from typing import Annotated, Literal

from pydantic import Field

from jobs.lifecycle.record import Record
from jobs.lifecycle.status import Failure

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
