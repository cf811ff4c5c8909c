"""The octave loop: a crew dreams a poster, octave by octave and step by step.

It is the loop of `render.dream.reference`, with the canvas cut into tiles that the workers hold.
Pixels stay with the workers. This process sees only sums, and references to halos.

    for each octave, from the smallest size to the full one:
        load        Each worker reads its tiles, and sends halos to its neighbours.
        for each step:
            gradients   Each worker computes its gradients. It returns sums of |g_kb| by tile.
            scales      This process adds the sums of all tiles: the mean of |g_kb|.
            update      Each worker adds its scaled gradients, and sends halos to its neighbours.
        commit      Each worker saves its tiles. From this canvas, the next octave starts.

Between two steps the loop obeys requests to stop, writes checkpoints and balances the load. None of
this changes a pixel.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NoReturn

from cluster.crew import Crew, ObjectRef, Receivers
from cluster.errors import CallCancelled
from jobs.planning.poster import PosterPlan
from jobs.poster.load_balancer import LoadBalancer
from jobs.runtime.checkpoints import Checkpoints
from jobs.runtime.control import Control
from jobs.runtime.metrics.progress import Progress, RenderPhase, WatchProgress
from render.dream.step import step_scales
from render.engine.setup import ShardSetup
from render.geometry.partition import Block, halo_exchange
from render.pictures.tiled_image import TiledImage

_Halos = dict[int, list[ObjectRef]]
"""References to the halos that each member receives."""


_Sums = Mapping[int, tuple[float, ...]]
"""The sums of |g_kb| of each tile, for each objective k and band b."""


_MAX_SHUTDOWN_SECONDS = 12.0
"""Longest checkpoint in seconds that is still written when the machine is about to go away."""


class OctaveLoop:
    """Runs one crew through the octaves, from the newest checkpoint to the final commit."""

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

    def run(self, until: Callable[[], int | None] = lambda: None) -> None:
        """Dream the remaining steps of all octaves, and commit the final canvas.

        until: asked before each octave; after so many octaves the loop ends. None: after the last.

        Raises:
            Stopped: `control` requested it.
            CallCancelled: `control` requested it during a call that computes no gradients.
            MemberLost: a worker died. Errors of workers are raised as well.
        """
        first_octave, first_step = self._next_step()
        for octave in range(first_octave, len(self._plan.octaves)):
            limit = until()
            if limit is not None and octave >= limit:
                return
            self._run_octave(octave, first_step if octave == first_octave else 0)

    def _next_step(self) -> tuple[int, int]:
        """The octave and the step that follow the newest checkpoint."""
        newest = self._checkpoints.newest
        if newest is None:
            return self._plan.first, 0
        is_complete = newest.step == self._steps
        return (newest.octave + 1, 0) if is_complete else (newest.octave, newest.step)

    def _run_octave(self, octave: int, first: int) -> None:
        """Dream the steps of one octave from `first` on, and commit its canvas."""
        self._report(octave, first)
        halos = self._load(octave, first)
        for step in range(first, self._steps):
            self._stop_if_requested(octave, step)
            if step > first and self._checkpoints.is_due:
                self._commit(octave, step)
                self._stop_if_requested(octave, step)
                if self._balancer.should_rebalance():
                    halos = self._load(octave, step)
            sums = self._compute_gradients(octave, step, halos)
            halos = self._update(self._scales(octave, step, sums))
            self._report(octave, step + 1)
        self._commit(octave, self._steps)
        if octave + 1 < len(self._plan.octaves):
            # The preview of the last octave is written with the outputs, without a crew.
            self._crew.call("write_preview", {0: (self._canvas(), octave + 1)})

    def _load(self, octave: int, step: int) -> _Halos:
        """Give each member its tiles after `step` steps of the octave. Returns the first halos.

        The tiles come from the last commit. For step 0 that is the canvas of the previous octave,
        and the first octave starts from the input.
        """
        blocks = self._blocks = self._balancer.assign(octave, step)
        sends = halo_exchange(self._setup.grids[octave], self._setup.sampling_grid, blocks)
        self._neighbours = dict(enumerate(sends))
        canvas = self._canvas()
        return self._crew.exchange(
            "resume" if step else "start",
            {m: (octave, blocks[m], sends[m], canvas) for m in self._members},
            self._neighbours,
        )

    def _compute_gradients(self, octave: int, step: int, halos: _Halos) -> _Sums:
        """Let all members compute their gradients. Returns the sums of all tiles."""
        try:
            sums_of_members = self._crew.call(
                "compute_gradients", {m: (step, *halos[m]) for m in self._members}
            )
        except CallCancelled:
            # The canvas is still that before this step.
            self._stop(octave, step)
        return {tile: sums for part in sums_of_members.values() for tile, sums in part.items()}

    def _scales(self, octave: int, step: int, sums: _Sums) -> tuple[float, ...]:
        """The scale of each objective and band: eta w_k / sum|w| c_b / mean|g_kb|.

        The symbols are those of `render.dream.reference`. The sums are added in tile order, so that
        the scales do not depend on the crew. The mean of a region is that over its pixels alone.
        """
        setup, covered = self._setup, self._setup.grids[octave].covered
        size = covered.height, covered.width
        ordered = [sums[tile] for tile in sorted(sums)]
        return step_scales(setup.step(octave, step), ordered, size, setup.units)

    def _update(self, scales: tuple[float, ...]) -> _Halos:
        """Let all members add their scaled gradients. Returns the halos for the next step."""
        return self._crew.exchange(
            "update", dict.fromkeys(self._members, (scales,)), self._neighbours
        )

    def _stop_if_requested(self, octave: int, step: int) -> None:
        if self._control.requested:
            self._stop(octave, step)

    def _stop(self, octave: int, step: int) -> NoReturn:
        """Raise Stopped. Before that, commit the canvas if the job will continue from it."""
        stopped = self._control.acknowledge()
        has_time = (
            stopped.request != "shutdown" or self._checkpoints.last_seconds <= _MAX_SHUTDOWN_SECONDS
        )
        newest = self._checkpoints.newest
        is_new = newest is None or (newest.octave, newest.step) != (octave, step)
        if stopped.saves_canvas and has_time and step and is_new:
            self._commit(octave, step)
        raise stopped

    def _commit(self, octave: int, step: int) -> None:
        """Save the canvas after `step` steps of the octave, and collect the members' timings."""
        grid, sequence = self._setup.grids[octave], self._checkpoints.begin()
        busy = {m: (sequence,) for m in self._members if self._blocks[m].tiles(grid)}
        with self._control.shielded():
            parts = self._crew.call("save", busy)
        self._checkpoints.finish(octave, step, tuple(parts[m] for m in busy))
        with self._control.shielded():
            timings = self._crew.call("timings", dict.fromkeys(self._members, ()))
        self._balancer.add_timings(step, timings)

    def _canvas(self) -> TiledImage | None:
        """The last committed canvas, which any member can read.

        Before the first commit: that of the older picture from which a redo starts, or None.
        """
        newest, older = self._checkpoints.newest, self._setup.older
        if newest is None:
            return older.get(self._plan.first - 1)
        canvas = self._checkpoints.canvas(newest, self._setup.grids[newest.octave])
        return canvas if self._setup.region is None else replace(canvas, below=older[newest.octave])

    def _report(self, octave: int, step: int) -> None:
        self._watch(poster_progress(self._plan, "dream", octave, step))


def poster_progress(plan: PosterPlan, phase: RenderPhase, octave: int, step: int) -> Progress:
    """The progress of a plan after `step` steps of an octave.

    octave: counted from 0; the number of octaves once all are dreamed.
    """
    steps, octaves = plan.spec.dream.steps, len(plan.octaves)
    finished, is_dreamed = plan.octaves[:octave], octave == octaves
    done = sum(one.megapixel_steps for one in finished)
    effort = float(sum(one.effort for one in finished))
    if not is_dreamed and steps:
        current, fraction = plan.octaves[octave], step / steps
        done += fraction * current.megapixel_steps
        effort += fraction * current.effort
    total_effort = sum(one.effort for one in plan.octaves)
    return Progress(
        phase=phase,
        octave=0 if phase == "decode" else min(octave + 1, octaves),
        octaves=octaves,
        step=steps if is_dreamed else step,
        steps=steps,
        done=done,
        total=plan.megapixel_steps,
        fraction=effort / total_effort if total_effort else 1.0,
    )
