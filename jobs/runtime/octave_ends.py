"""The canvases at the ends of octaves that jobs keep, and how those of a redo lie over older ones.

A redo dreams a region, so its checkpoints hold that region only. What shows around it is the canvas
of the older picture: of the job that made it, or made again within the redo's own checkpoints.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from jobs.records.keys import JobKeys, is_job_id
from jobs.runtime.checkpoints import Commit, valid_commits
from jobs.runtime.environment import PinnedPlan
from jobs.store.store import Store
from jobs.text.errors import InvalidRecord
from render.geometry.grid import Grid
from render.geometry.rect import Rect, Size
from render.pictures.tiled_image import ByteSource, TiledImage, TileSet

_Side = Annotated[int, Field(ge=1, le=10**8)]

_Start = Annotated[int, Field(ge=0, le=10**8)]


class _Partial(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Redo(_Partial):
    first: _Start
    regions: tuple[tuple[_Start, _Start, _Side, _Side] | None, ...]


class PinnedOctaves(_Partial):
    """What a pinned plan says of the octaves: their sizes, their tiles, and what is dreamed again.

    Anybody with write access to the store may have written it.
    """

    octaves: tuple[tuple[_Side, _Side], ...]
    tiles: tuple[_Side, ...]
    redo: _Redo | None = None

    @model_validator(mode="after")
    def _are_as_many(self) -> Self:
        regions = self.octaves if self.redo is None else self.redo.regions
        if not len(self.octaves) == len(self.tiles) == len(regions):
            raise ValueError("each octave needs its tiles and its region")
        return self

    @property
    def first(self) -> int:
        """The first octave that the job dreamed, counted from 0."""
        return 0 if self.redo is None else self.redo.first

    def grid(self, octave: int) -> Grid:
        """The tiles of an octave's commits. Raises IndexError if there is no such octave."""
        region = None if self.redo is None else self.redo.regions[octave]
        return Grid(*self.octaves[octave], self.tiles[octave], region and Rect(*region))


def parse_octaves(plan: object) -> PinnedOctaves | None:
    """The octaves of a pinned plan, or of the plan in a manifest; None if it has none."""
    try:
        return PinnedOctaves.model_validate(plan)
    except ValidationError:
        return None


@dataclass(frozen=True)
class Ancestor:
    """One picture of a chain of redos: the job that made it, and the steps of its octaves."""

    job: str
    steps: int


def ancestry(job: str, document: Mapping[str, Any]) -> tuple[Ancestor, ...]:
    """A job and the older pictures that it dreams again, the newest first.

    document: its spec. Whatever has another form ends the chain.
    """
    found, redo = [Ancestor(job, _steps(document))], document.get("redo")
    while isinstance(redo, Mapping) and isinstance(before := redo.get("before"), Mapping):
        parent = redo.get("parent")
        if not isinstance(parent, str) or not is_job_id(parent):
            break
        found.append(Ancestor(parent, _steps(before)))
        redo = before.get("redo")
    return tuple(found)


def _steps(document: Mapping[str, Any]) -> int:
    dream = document.get("dream")
    steps = dream.get("steps") if isinstance(dream, Mapping) else None
    return steps if type(steps) is int else -1


@dataclass(frozen=True)
class Layer:
    """The tiles of one commit: of a whole picture, or of a region over the next layer."""

    commit: Commit
    grid: Grid

    def image(self, open_source: "OpenSource", below: TiledImage | None) -> TiledImage:
        """The tiles for reading."""
        return TiledImage(
            tuple(
                TileSet(open_source(part.key), part.layout(self.grid)) for part in self.commit.parts
            ),
            below,
        )


OpenSource = Callable[[str], ByteSource]
"""Opens the bytes of the object at a key."""


def layered_image(layers: tuple[Layer, ...], open_source: OpenSource) -> TiledImage:
    """The picture that layers make, the uppermost first."""
    image: TiledImage | None = None
    for layer in reversed(layers):
        image = layer.image(open_source, image)
    if image is None:
        raise ValueError("a picture has at least one layer")
    return image


@dataclass(frozen=True)
class _JobEnds:
    octaves: PinnedOctaves
    ends: Mapping[int, Commit]


class OctaveEnds:
    """Finds the canvases of a job and of its older pictures in a store. Reads each job once.

    may_use: whether to use the checkpoints of a job; its own are always used.
    """

    def __init__(
        self,
        store: Store,
        chain: tuple[Ancestor, ...],
        may_use: Callable[[str], bool] = lambda _job: True,
    ) -> None:
        self._store, self._chain, self._may_use = store, chain, may_use
        self._read: dict[JobKeys, _JobEnds | None] = {}
        self._layers: dict[tuple[int, int], tuple[Layer, ...] | None] = {}
        self._damaged: set[str] = set()

    def layers(self, octave: int, older: int = 0) -> tuple[Layer, ...] | None:
        """The layers of the canvas at the end of an octave, counted from 0; None if one is missing.

        older: 0 for the job's own picture, 1 for the newest that it dreams again, and so on.
        """
        place = octave, older
        # Each picture may lie in many places, each over all those of the next: too many ways.
        if place not in self._layers:
            self._layers[place] = self._find_layers(octave, older)
        return self._layers[place]

    def _find_layers(self, octave: int, older: int) -> tuple[Layer, ...] | None:
        if older == len(self._chain):
            return None
        for keys in self._places(older):
            kept = self._kept(keys, self._chain[older].steps)
            if kept is None or octave >= len(kept.octaves.octaves):
                continue
            if octave < kept.octaves.first:
                return self.layers(octave, older + 1)
            commit = kept.ends.get(octave)
            if commit is None:
                continue
            layer = Layer(commit, kept.octaves.grid(octave))
            if layer.grid.region is None:
                return (layer,)
            below = self.layers(octave, older + 1)
            if below is not None and below[0].grid.whole == layer.grid.whole:
                return (layer, *below)
        return None

    def remaining(self, older: int = 0) -> list[int]:
        """The octaves whose canvases are complete, counted from 0."""
        sizes: list[Size] = []
        for keys in self._places(older):
            kept = self._kept(keys, self._chain[older].steps)
            sizes = list(kept.octaves.octaves) if kept is not None else sizes
        return [octave for octave in range(len(sizes)) if self.layers(octave, older) is not None]

    def ends(self, keys: JobKeys) -> Mapping[int, Commit]:
        """The last commits of the octaves at these keys, which are of one job of the chain."""
        older = keys.older + [one.job for one in self._chain].index(keys.job)
        kept = self._kept(keys, self._chain[older].steps)
        return {} if kept is None else kept.ends

    def avoid(self, key: str) -> None:
        """Use no commit that needs this damaged object, and read all others again."""
        self._damaged.add(key)
        self.forget()

    def forget(self) -> None:
        """Read everything again when it is needed."""
        self._read.clear()
        self._layers.clear()

    def _places(self, older: int) -> Iterator[JobKeys]:
        """Where a picture's checkpoints may lie: in its own job, or in that of a redo of it."""
        for nearer in range(older, -1, -1):
            job = self._chain[nearer].job
            if nearer == 0 or self._may_use(job):
                yield JobKeys(job, older - nearer)

    def _kept(self, keys: JobKeys, steps: int) -> _JobEnds | None:
        if keys not in self._read:
            self._read[keys] = self._read_kept(keys, steps)
        return self._read[keys]

    def _read_kept(self, keys: JobKeys, steps: int) -> _JobEnds | None:
        try:
            pinned = PinnedPlan.read_or_none(self._store, keys.plan)
        except InvalidRecord:
            return None
        octaves = None if pinned is None else parse_octaves(pinned.plan)
        if octaves is None:
            return None
        ends: dict[int, Commit] = {}
        for found in valid_commits(self._store, keys):
            parts = {part.key for part in found.commit.parts}
            is_own = all(key.startswith(keys.checkpoints) for key in parts)
            if found.commit.step == steps and is_own and not parts & self._damaged:
                ends.setdefault(found.commit.octave, found.commit)
        return _JobEnds(octaves, ends)
