"""A commit: the small object that makes a set of shards valid."""

from typing import Annotated

from pydantic import Field

from jobs.lifecycle.record import Record

Count = Annotated[int, Field(ge=0)]


class Part(Record):
    """One shard's object: its key, its bytes, and the tiles in it, in their order.

    dtype: of a channel of the canvas, its own type.
    """

    key: str
    size: Count
    dtype: str
    tiles: tuple[Count, ...]


class Commit(Record):
    """The canvas of octave `octave` (from 0) after `step` of its steps, as its shards wrote it."""

    octave: Count
    step: Count
    parts: Annotated[tuple[Part, ...], Field(min_length=1)]
