"""The octave loop: a crew dreams all octaves of a poster, from the newest checkpoint on."""

from typing import NoReturn

from cluster.crew import Crew, ObjectRef, Receivers
from cluster.errors import CallCancelled
from jobs.planning.poster import PosterPlan
from jobs.poster.load_balancer import LoadBalancer
from jobs.runtime.checkpoints import Checkpoints, Commit
from jobs.runtime.control import Control
from jobs.runtime.metrics.progress import Phase, Progress, WatchProgress
from render.dream.step import step_scales
from render.engine.setup import ShardSetup
from render.geometry.halo import halo_exchange
from render.geometry.partition import Block
from render.pictures.tiled_image import TiledImage


def progress(plan: PosterPlan, phase: Phase, octave: int, step: int) -> Progress:
    """The progress of a plan after `step` steps of an octave, which is counted from 0."""
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
        fraction=effort / whole if whole else 1.0,
    )


_Refs = dict[int, list[ObjectRef]]
"""References to the halos that each member receives."""


_MAX_DRAIN_SECONDS = 12.0
"""Longest checkpoint in seconds that is still written when the machine is about to go away."""


class OctaveLoop:
    """Runs one crew through the octaves. The pixels stay with the workers; it sees only sums.

    Raises:
        Stopped: `control` requested it.
        CallCancelled: `control` requested it during a call other than a step.
        MemberLost: a worker died. Also whatever a worker raises.
    """

    def __init__(
        self,
        plan: PosterPlan,
        setup: ShardSetup,
        crew: Crew,
        checkpoints: Checkpoints,
        control: Control,
        watch: WatchProgress,
    ) -> None:
        self._plan, self._setup, self._crew = plan, setup, crew
        self._checkpoints, self._control, self._watch = checkpoints, control, watch
        self._members = range(crew.size)
        self._steps = setup.dream.steps
        self._balancer = LoadBalancer(plan, crew.size)
        self._blocks: tuple[Block, ...] = ()
        self._neighbours: Receivers = {}

    def run(self) -> None:
        """Dream the remaining steps of all octaves, and commit the final canvas."""
        newest = self._checkpoints.newest
        if newest is None:
            self._run_octave(0, 0, None)
        elif newest.step < self._steps:
            self._run_octave(newest.octave, newest.step, self._canvas())
        for octave in range(self._committed.octave + 1, len(self._plan.octaves)):
            self._run_octave(octave, 0, self._canvas())

    def _run_octave(self, octave: int, first: int, canvas: TiledImage | None) -> None:
        """Dream one octave from step `first` on.

        canvas: of this octave. If `first` is 0, it is that of the previous octave, if any.
        """
        self._watch(progress(self._plan, "dream", octave, first))
        refs = self._load(octave, first, canvas)
        for step in range(first, self._steps):
            has_committed = self._between_steps(octave, step, is_fresh=step == first)
            if has_committed and self._balancer.should_rebalance():
                refs = self._load(octave, step, self._canvas())
            refs = self._step(octave, step, refs)
            self._watch(progress(self._plan, "dream", octave, step + 1))
        self._commit(octave, self._steps)
        if octave + 1 < len(self._plan.octaves):
            # The preview of the last octave is written with the outputs, without a crew.
            self._crew.call("write_preview", {0: (self._canvas(), octave + 1)})

    def _load(self, octave: int, step: int, canvas: TiledImage | None) -> _Refs:
        """Give each member its tiles after `step` steps of the octave. Returns the halos."""
        blocks = self._blocks = self._balancer.assign(octave, step)
        sends = halo_exchange(self._setup.grid(octave), self._setup.sampling_grid, blocks)
        self._neighbours = dict(enumerate(sends))
        return self._crew.scatter(
            "resume" if step else "start",
            {m: (octave, blocks[m], sends[m], canvas) for m in self._members},
            self._neighbours,
        )

    def _step(self, octave: int, step: int, refs: _Refs) -> _Refs:
        """Do one step, in two barriers: all gradients, then all updates.

        The sums of the tiles are added in tile order, so that the scales do not depend on the crew.
        """
        everyone = self._members
        try:
            found = self._crew.call("compute_gradients", {m: (step, *refs[m]) for m in everyone})
        except CallCancelled:
            self._stop(octave, step)
        sums = {tile: total for part in found.values() for tile, total in part.items()}
        ordered = [sums[tile] for tile in sorted(sums)]
        setup = self._setup
        scale = step_scales(setup.step(octave, step), ordered, setup.sizes[octave], setup.units)
        return self._crew.scatter("update", dict.fromkeys(everyone, (scale,)), self._neighbours)

    def _between_steps(self, octave: int, step: int, *, is_fresh: bool) -> bool:
        """After `step` steps: stop if requested, and commit if a checkpoint is due.

        Returns whether it has committed.
        """
        if self._control.requested:
            self._stop(octave, step)
        is_time = self._checkpoints.is_due and not is_fresh
        if is_time:
            self._commit(octave, step)
        if is_time and self._control.requested:
            self._stop(octave, step)
        return is_time

    def _stop(self, octave: int, step: int) -> NoReturn:
        """Stop after `step` steps of the octave. Commit before if somebody will continue."""
        stopped = self._control.stopped()
        fits = stopped.want != "drain" or self._checkpoints.cost <= _MAX_DRAIN_SECONDS
        newest = self._checkpoints.newest
        is_new = newest is None or (newest.octave, newest.step) != (octave, step)
        if stopped.saves_canvas and fits and step and is_new:
            self._commit(octave, step)
        raise stopped

    def _commit(self, octave: int, step: int) -> None:
        grid, sequence = self._setup.grid(octave), self._checkpoints.begin()
        busy = {m: (sequence,) for m in self._members if self._blocks[m].tiles(grid)}
        with self._control.shielded():
            parts = self._crew.call("save", busy)
        self._checkpoints.finish(octave, step, tuple(parts[m] for m in busy))
        with self._control.shielded():
            found = self._crew.call("timings", dict.fromkeys(self._members, ()))
        self._balancer.add_timings(step, found)

    @property
    def _committed(self) -> Commit:
        newest = self._checkpoints.newest
        if newest is None:
            raise ValueError("no octave has been committed")
        return newest

    def _canvas(self) -> TiledImage:
        """The last committed canvas, which any member can read."""
        return self._checkpoints.canvas(self._committed, self._setup.grid(self._committed.octave))
