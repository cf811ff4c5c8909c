"""All octaves of a poster, dreamed by a crew from the newest checkpoint on."""

from typing import NoReturn

from cluster.crew import Crew, Parcel, Takers
from cluster.errors import Interrupted
from jobs.planning.poster import Plan
from jobs.poster.load_balancer import Shares
from jobs.runtime.checkpoints import Checkpoints, Commit
from jobs.runtime.control import Control
from jobs.runtime.metrics.progress import Phase, Progress, Watch
from render.dream.step import scales
from render.engine.setup import Recipe
from render.geometry.halo import fragments
from render.geometry.partition import Block
from render.pictures.tiled_image import Mosaic


def progress(plan: Plan, phase: Phase, octave: int, step: int) -> Progress:
    """The progress of a plan after `step` steps of octave `octave`, counted from 0."""
    behind = plan.octaves[:octave]
    steps = plan.spec.dream.steps
    part = step / steps if steps else 0.0
    here = plan.octaves[octave] if octave < len(plan.octaves) else None
    done = sum(one.megapixel_steps for one in behind)
    effort = float(sum(one.effort for one in behind))
    if here is not None:
        done += part * here.megapixel_steps
        effort += part * here.effort
    whole = sum(one.effort for one in plan.octaves)
    return Progress(
        phase=phase,
        octave=min(octave + 1, len(plan.octaves)) if phase != "decode" else 0,
        octaves=len(plan.octaves),
        step=step if here is not None else steps,
        steps=steps,
        done=done,
        total=plan.megapixel_steps,
        share=effort / whole if whole else 1.0,
    )


_Parcels = dict[int, list[Parcel]]


_FITS = 12.0
"""Seconds that a checkpoint may take when the machine is being taken away."""


class Climb:
    """One crew's way through the octaves; of pixels it sees only sums.

    Raises what the members raise, MemberLost where one dies, Stopped where `control` says so, and
    Interrupted where it says so in the midst of anything but a step.
    """

    def __init__(
        self,
        plan: Plan,
        known: Recipe,
        crew: Crew,
        checkpoints: Checkpoints,
        control: Control,
        watch: Watch,
    ) -> None:
        self._plan, self._known, self._crew = plan, known, crew
        self._checkpoints, self._control, self._watch = checkpoints, control, watch
        self._everyone = range(crew.size)
        self._steps = known.dream.steps
        self._shares = Shares(plan, crew.size)
        self._blocks: tuple[Block, ...] = ()
        self._neighbours: Takers = {}

    def run(self) -> None:
        """Dream what is left, until the last octave's canvas is committed."""
        newest = self._checkpoints.newest
        if newest is None:
            self._octave(0, 0, None)
        elif newest.step < self._steps:
            self._octave(newest.octave, newest.step, self._canvas())
        for octave in range(self._committed.octave + 1, len(self._plan.octaves)):
            self._octave(octave, 0, self._canvas())

    def _octave(self, octave: int, first: int, canvas: Mosaic | None) -> None:
        """From step `first` on, where `canvas` is this octave's; with 0 it is the last one's."""
        self._watch(progress(self._plan, "dream", octave, first))
        parcels = self._load(octave, first, canvas)
        for step in range(first, self._steps):
            if self._rest(octave, step, is_fresh=step == first) and self._shares.should_change():
                parcels = self._load(octave, step, self._canvas())
            parcels = self._step(octave, step, parcels)
            self._watch(progress(self._plan, "dream", octave, step + 1))
        self._commit(octave, self._steps)
        if octave + 1 < len(self._plan.octaves):
            # The last one is shown by whoever encodes it, when the crew has gone.
            self._crew.call("show", {0: (self._canvas(), octave + 1)})

    def _load(self, octave: int, step: int, canvas: Mosaic | None) -> _Parcels:
        """Give each member its tiles, as they are after `step` steps of the octave."""
        blocks = self._blocks = self._shares.deal(octave, step)
        gives = fragments(self._known.grid(octave), self._known.lattice, blocks)
        self._neighbours = dict(enumerate(gives))
        return self._crew.deal(
            "resume" if step else "begin",
            {m: (octave, blocks[m], gives[m], canvas) for m in self._everyone},
            self._neighbours,
        )

    def _step(self, octave: int, step: int, parcels: _Parcels) -> _Parcels:
        """Two light barriers: the sums of all tiles, in tile order, then one scale for all."""
        everyone = self._everyone
        try:
            found = self._crew.call("climb", {m: (step, *parcels[m]) for m in everyone})
        except Interrupted:
            self._leave(octave, step)
        sums = {tile: total for part in found.values() for tile, total in part.items()}
        ordered = [sums[tile] for tile in sorted(sums)]
        known = self._known
        scale = scales(known.step(octave, step), ordered, known.sizes[octave], known.units)
        return self._crew.deal("update", dict.fromkeys(everyone, (scale,)), self._neighbours)

    def _rest(self, octave: int, step: int, *, is_fresh: bool) -> bool:
        """Between two steps, of which `step` are done: stop, or commit, where it is time.

        Returns whether it has committed, and goes on.
        """
        if self._control.wanted:
            self._leave(octave, step)
        is_time = self._checkpoints.is_due and not is_fresh
        if is_time:
            self._commit(octave, step)
        if is_time and self._control.wanted:
            self._leave(octave, step)
        return is_time

    def _leave(self, octave: int, step: int) -> NoReturn:
        """Stop after `step` steps of an octave, having written its canvas where that is of use."""
        stopped = self._control.stopped()
        fits = stopped.want != "drain" or self._checkpoints.cost <= _FITS
        newest = self._checkpoints.newest
        is_new = newest is None or (newest.octave, newest.step) != (octave, step)
        if stopped.keeps and fits and step and is_new:
            self._commit(octave, step)
        raise stopped

    def _commit(self, octave: int, step: int) -> None:
        grid, sequence = self._known.grid(octave), self._checkpoints.begin()
        busy = {m: (sequence,) for m in self._everyone if self._blocks[m].tiles(grid)}
        with self._control.shielded():
            parts = self._crew.call("save", busy)
        self._checkpoints.finish(octave, step, tuple(parts[m] for m in busy))
        with self._control.shielded():
            found = self._crew.call("measured", dict.fromkeys(self._everyone, ()))
        self._shares.learn(step, found)

    @property
    def _committed(self) -> Commit:
        newest = self._checkpoints.newest
        if newest is None:
            raise ValueError("an octave ends with a commit")
        return newest

    def _canvas(self) -> Mosaic:
        """What was committed last, to be read by any member."""
        return self._checkpoints.canvas(self._committed, self._known.grid(self._committed.octave))
