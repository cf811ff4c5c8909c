"""The checkpoints of one job, as the holder of a lease finds, writes and prunes them."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from jobs.planning.octave import LEAST_SECONDS, WORTH
from jobs.records.keys import JobKeys
from jobs.records.record import Record
from jobs.runtime.context import Site
from jobs.store.errors import Missing
from jobs.store.store import Store
from jobs.text.errors import BadRecord
from render.geometry.grid import Grid
from render.pictures.tiled_image import Mosaic, Slots, TileSet

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


KEPT = 2
"""Checkpoints of which the sets are kept: should the newest turn out unreadable, one is left."""


@dataclass(frozen=True)
class Found:
    """A valid commit and its place: the lease's number, and the sequence under that lease."""

    number: int
    sequence: int
    commit: Commit

    @property
    def place(self) -> tuple[int, int]:
        """Newer is greater: the highest lease's newest commit counts."""
        return self.number, self.sequence


def valid_commits(store: Store, keys: JobKeys) -> list[Found]:
    """The commits whose sets are all there, the newest first, by one listing and a read of each."""
    sizes = {entry.key: entry.size for entry in store.entries(keys.checkpoints)}
    pattern = re.compile(rf"{re.escape(keys.checkpoints)}(\d+)/(\d+)/commit\.json")
    found = []
    for match in filter(None, map(pattern.fullmatch, sizes)):
        try:
            commit = Commit.read(store, match[0])
        except (Missing, BadRecord):
            continue
        if all(sizes.get(part.key) == part.size for part in commit.parts):
            found.append(Found(int(match[1]), int(match[2]), commit))
    return sorted(found, key=lambda one: one.place, reverse=True)


class Checkpoints:
    """Those of one job, in the hands of the holder of a lease.

    fence: raises LeaseLost where the lease does not count any more; asked before each commit.
    least_seconds: between two within an octave; see LEAST_SECONDS.
    """

    def __init__(
        self,
        site: Site,
        fence: Callable[[], None],
        least_seconds: float = LEAST_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._site, self._fence, self._clock = site, fence, clock
        self._least = least_seconds
        self._cost = self._spent = 0.0
        self._count = 0
        self._since = clock()
        self._kept: list[Found] = []
        self._sequence = 0

    @property
    def newest(self) -> Commit | None:
        """What a crew goes on from; None where nothing has been committed yet."""
        return self._kept[-1].commit if self._kept else None

    @property
    def cost(self) -> float:
        """Seconds that the last one took."""
        return self._cost

    @property
    def spent(self) -> float:
        """Seconds that all of this holder's took."""
        return self._spent

    @property
    def count(self) -> int:
        """How many this holder's crews have written."""
        return self._count

    def take_over(self) -> None:
        """Find what earlier holders left, and name it in a first commit of this lease's own.

        From then on nothing that they may still write counts.
        """
        self._kept = []
        found = valid_commits(self._site.store, self._site.keys)
        if found:
            self._kept = found[1:KEPT]
            self._add(found[0].commit)
        self._since = self._clock()

    def find_again(self) -> None:
        """After a crew was lost: keep only what is still there."""
        mine = [
            one
            for one in valid_commits(self._site.store, self._site.keys)
            if one.number == self._site.number
        ]
        self._kept = mine[::-1][-KEPT:]

    @property
    def is_due(self) -> bool:
        """Whether so much has been computed since the last one that it is worth another."""
        return self._clock() - self._since >= max(self._least, WORTH * self._cost)

    def begin(self) -> int:
        """The sequence number under which the members save their shards; none has it twice.

        What members of a lost crew may still write then lies where nobody looks.
        """
        self._began = self._clock()
        self._sequence += 1
        return self._sequence

    def finish(self, octave: int, step: int, parts: tuple[Part, ...]) -> None:
        """Make the saved shards valid, and delete what is older than the one before."""
        self._add(Commit(octave=octave, step=step, parts=parts))
        self._since = self._clock()
        self._cost = self._since - self._began
        self._spent += self._cost
        self._count += 1

    def canvas(self, commit: Commit, grid: Grid) -> Mosaic:
        """The canvas of a commit, to be read by any worker. `grid` is that of its octave."""
        return Mosaic(
            tuple(
                TileSet(self._site.stored(part.key), Slots(grid, part.dtype, part.tiles))
                for part in commit.parts
            )
        )

    def _add(self, commit: Commit) -> None:
        number, keys, store = self._site.number, self._site.keys, self._site.store
        self._fence()
        store.put(keys.commit(number, self._sequence), commit.encoded())
        self._kept.append(Found(number, self._sequence, commit))
        self._kept = self._kept[-KEPT:]
        self._prune()

    def _prune(self) -> None:
        """Delete every checkpoint older than those kept, whoever's, but what they are made of."""
        keys, store = self._site.keys, self._site.store
        needed = {part.key for one in self._kept for part in one.commit.parts}
        oldest = self._kept[0].place
        pattern = re.compile(rf"{re.escape(keys.checkpoints)}(\d+)/(\d+)/.+")
        old = [
            match[0]
            for match in (pattern.fullmatch(entry.key) for entry in store.entries(keys.checkpoints))
            if match and (int(match[1]), int(match[2])) < oldest and match[0] not in needed
        ]
        store.delete(old)
