"""Where the bytes of an item's input lie."""

from typing import Annotated

from pydantic import BaseModel, Field

from jobs.lifecycle.record import Record

BLOB = "blob:"
"""What begins the address of a file that its submitter has sent along, before its digest."""

NOISE = "noise:"
"""What begins the address of seeded noise, which lies nowhere, before its seed."""

_Count = Annotated[int, Field(ge=0)]


class Place(BaseModel):
    """A file, or a part of one.

    address: a path as the workers see it, `s3://bucket/key` with whatever key it has, or
        `blob:sha256:HEX`, an object of the job's own store, or `noise:SEED`.
    start, length: the bytes of it, as of a member of a tar; length None: to the end.
    """

    model_config = Record.model_config

    address: str
    start: _Count = 0
    length: _Count | None = None

    @property
    def is_noise(self) -> bool:
        """Whether it is noise, which is made where it is needed."""
        return self.address.startswith(NOISE)
