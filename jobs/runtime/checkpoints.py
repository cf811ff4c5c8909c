"""The checkpoints of a job: the holder of its lease finds, commits and deletes them."""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from jobs.planning.octave import MIN_CHECKPOINT_SECONDS, WORK_PER_CHECKPOINT
from jobs.records.keys import JobKeys
from jobs.records.record import Count, Record
from jobs.runtime.context import JobContext
from jobs.store.errors import ObjectNotFound
from jobs.store.store import Store
from jobs.text.errors import InvalidRecord
from render.errors import DamagedTiles
from render.geometry.grid import Grid
from render.pictures.tiled_image import TiledImage, TileLayout, TileSet


class CommitPart(Record):
    """The saved tiles of one shard.

    key: of the object. size: of the object, in bytes. dtype: of the canvas. tiles: the numbers of
    the tiles, in the order in which they lie in the object.
    """

    key: str
    size: Count
    dtype: str
    tiles: tuple[Count, ...]

    def layout(self, grid: Grid) -> TileLayout:
        """The layout of the object. grid: of the commit's octave."""
        layout = TileLayout(grid, self.dtype, self.tiles)
        # Running jobs may have checkpoints of an earlier version, which wrote no checksums.
        plain = replace(layout, has_checksums=False)
        return plain if plain.size_bytes == self.size else layout


class Commit(Record):
    """The canvas of an octave, counted from 0, after `step` of its steps."""

    octave: Count
    step: Count
    parts: Annotated[tuple[CommitPart, ...], Field(min_length=1)]


_KEPT_CHECKPOINTS = 2
"""How many checkpoints stay in the store. If the newest is damaged, the other one is used."""


@dataclass(frozen=True)
class FoundCommit:
    """A valid commit, its lease number, and its sequence number under that lease."""

    lease_number: int
    sequence: int
    commit: Commit

    @property
    def order(self) -> tuple[int, int]:
        """Sorts commits by age: the newest commit of the highest lease counts."""
        return self.lease_number, self.sequence


def valid_commits(store: Store, keys: JobKeys) -> list[FoundCommit]:
    """The commits without missing objects, the newest first.

    Takes one listing and one read for each commit.
    """
    return _read_commits(store, keys)[0]


def _read_commits(store: Store, keys: JobKeys) -> tuple[list[FoundCommit], list["Damage"]]:
    """The valid commits, and those newer than any valid one that are not; the newest first."""
    sizes = {entry.key: entry.size for entry in store.list_objects(keys.checkpoints)}
    pattern = re.compile(rf"{re.escape(keys.checkpoints)}(\d+)/(\d+)/commit\.json")
    commits, damages = [], []
    for match in filter(None, map(pattern.fullmatch, sizes)):
        order = int(match[1]), int(match[2])
        try:
            commit = Commit.read(store, match[0])
        except ObjectNotFound:
            continue
        except InvalidRecord as error:
            damages.append((order, Damage(match[0], str(error))))
            continue
        damage = _size_damage(commit, sizes)
        if damage is None:
            commits.append(FoundCommit(*order, commit))
        else:
            damages.append((order, damage))
    commits.sort(key=lambda one: one.order, reverse=True)
    newest = commits[0].order if commits else (0, 0)
    damages.sort(key=lambda one: one[0], reverse=True)
    # An older one is what a deletion that was interrupted has left.
    return commits, [damage for order, damage in damages if order > newest]


def _size_damage(commit: Commit, sizes: Mapping[str, int]) -> "Damage | None":
    """The first object of a commit that is missing or has another size. sizes: of all objects."""
    for part in commit.parts:
        size = sizes.get(part.key)
        if size is None:
            return Damage(part.key, f"{part.key}: is missing")
        if size != part.size:
            return Damage(part.key, f"{part.key}: has {size} bytes instead of {part.size}")
    return None


@dataclass(frozen=True)
class Damage:
    """A commit, shard, input or mask that is damaged or missing, and the reason in words."""

    key: str
    reason: str


def find_damage(error: Exception, keys: JobKeys) -> Damage | None:
    """The damage in a job's `checkpoints/` that raised an error; None for other errors."""
    match error:
        case DamagedTiles(name=key):
            damage = Damage(key, str(error))
        case ObjectNotFound(key=key):
            damage = Damage(key, f"{key}: is missing")
        case _:
            return None
    return damage if damage.key.startswith(keys.checkpoints) else None


class Checkpoints:
    """The checkpoints of one job under one lease.

    fence: called before each commit; raises LeaseLost if the lease is lost. min_seconds: the
    shortest time between two checkpoints of one octave; see MIN_CHECKPOINT_SECONDS. kept_step: the
    step after which the last checkpoint of each octave stays, for a redo; None: only the newest.
    """

    def __init__(
        self,
        context: JobContext,
        fence: Callable[[], None],
        min_seconds: float = MIN_CHECKPOINT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        kept_step: int | None = None,
    ) -> None:
        self._context, self._fence, self._clock = context, fence, clock
        self._min_seconds, self._kept_step = min_seconds, kept_step
        self._last_seconds = self._total_seconds = 0.0
        self._count = 0
        self._since = clock()
        self._kept: list[FoundCommit] = []  # the newest first, like `valid_commits`
        self._ends: dict[int, FoundCommit] = {}  # the last commit of each octave, if they stay
        self._damaged: set[str] = set()  # keys of shards
        self._sequence = 0

    @property
    def newest(self) -> Commit | None:
        """The commit that a crew resumes from; None if there is none yet."""
        return self._kept[0].commit if self._kept else None

    @property
    def last_seconds(self) -> float:
        """Seconds that the last checkpoint took."""
        return self._last_seconds

    @property
    def total_seconds(self) -> float:
        """Seconds that all checkpoints of this holder took."""
        return self._total_seconds

    @property
    def count(self) -> int:
        """How many checkpoints the crews of this holder wrote."""
        return self._count

    def take_over(self) -> list[Damage]:
        """Find the newest checkpoint of earlier holders, and commit it again under this lease.

        After that, late writes of earlier holders have no effect. Returns why newer checkpoints
        cannot be used. Raises LeaseLost, StoreError.
        """
        damages = self._find()
        self._since = self._clock()
        return damages

    def reload(self) -> None:
        """Read again which checkpoints are complete. Raises LeaseLost, StoreError.

        The store decides: a commit may have succeeded although its answer was lost.
        """
        self._sequence += 1
        self._find()

    def discard(self, key: str) -> str:
        """Do without a damaged object from now on. Returns what happens then.

        Deletes a decoded input or mask. Skips the commits that need a shard, and deletes none: the
        memory of the worker that read it may be at fault. A later holder tries them again.

        key: of a `Damage`. Raises LeaseLost, StoreError.
        """
        keys = self._context.keys
        self._fence()
        if "/" not in key.removeprefix(keys.checkpoints):
            self._context.store.delete([key])
            self.reload()
            return "it is decoded again"
        self._damaged.add(key)
        self.reload()
        return self.goes_on()

    def goes_on(self) -> str:
        """Where the render goes on, in words."""
        if self.newest is None:
            return "the render begins again"
        return f"the render goes on from octave {self.newest.octave + 1}, step {self.newest.step}"

    def _find(self) -> list[Damage]:
        """Find the newest different commits without known damage. Returns that of newer ones.

        If this lease has no commit, the newest becomes its own.
        """
        commits, damages = _read_commits(self._context.store, self._context.keys)
        good: list[FoundCommit] = []
        for one in commits:
            is_damaged = any(part.key in self._damaged for part in one.commit.parts)
            # Each holder commits the newest again. Such copies must not displace an older commit.
            if not is_damaged and all(one.commit != other.commit for other in good):
                good.append(one)
        self._kept, self._ends = good[:_KEPT_CHECKPOINTS], {}
        for one in good:
            if one.commit.step == self._kept_step:
                self._ends.setdefault(one.commit.octave, one)
        if self._kept and commits[0].lease_number != self._context.lease_number:
            newest, *self._kept = self._kept
            self._add(newest.commit)
        return damages

    @property
    def is_due(self) -> bool:
        """Whether enough work was done since the last checkpoint to write another."""
        return self._clock() - self._since >= max(
            self._min_seconds, WORK_PER_CHECKPOINT * self._last_seconds
        )

    def begin(self) -> int:
        """Begin a checkpoint. Returns its sequence number, for the shards that members save.

        No number is used twice, so late writes of a lost crew do no harm.
        """
        self._began = self._clock()
        self._sequence += 1
        return self._sequence

    def finish(self, octave: int, step: int, parts: tuple[CommitPart, ...]) -> None:
        """Commit the saved shards, and delete old checkpoints. Raises LeaseLost, StoreError."""
        self._add(Commit(octave=octave, step=step, parts=parts))
        self._since = self._clock()
        self._last_seconds = self._since - self._began
        self._total_seconds += self._last_seconds
        self._count += 1

    def canvas(self, commit: Commit, grid: Grid) -> TiledImage:
        """The canvas of a commit, which any worker can read. grid: of the commit's octave."""
        return TiledImage(
            tuple(
                TileSet(self._context.stored_object(part.key), part.layout(grid))
                for part in commit.parts
            )
        )

    def _add(self, commit: Commit) -> None:
        number, keys, store = self._context.lease_number, self._context.keys, self._context.store
        self._fence()
        store.put(keys.commit(number, self._sequence), commit.encode())
        newest = FoundCommit(number, self._sequence, commit)
        self._kept = [newest, *self._kept][:_KEPT_CHECKPOINTS]
        if commit.step == self._kept_step:
            self._ends[commit.octave] = newest
        self._prune()

    def _prune(self) -> None:
        """Delete all older checkpoints, of any holder, except objects that a kept one needs."""
        keys, store = self._context.keys, self._context.store
        stays = [*self._kept, *self._ends.values()]
        needed = {part.key for one in stays for part in one.commit.parts}
        needed |= {keys.commit(*one.order) for one in stays}
        oldest = self._kept[-1].order
        pattern = re.compile(rf"{re.escape(keys.checkpoints)}(\d+)/(\d+)/.+")
        old = [
            match[0]
            for match in (
                pattern.fullmatch(entry.key) for entry in store.list_objects(keys.checkpoints)
            )
            if match and (int(match[1]), int(match[2])) < oldest and match[0] not in needed
        ]
        store.delete(old)
