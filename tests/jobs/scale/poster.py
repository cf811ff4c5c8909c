"""Plans without a network: a geometry and a cost are all that the model of scale looks at."""

from pathlib import Path

from jobs.planning.estimate.network import ONE_MACHINE, Link
from jobs.planning.estimate.prediction import Conditions
from jobs.planning.estimate.speed import Speed
from jobs.planning.identity import Identity
from jobs.planning.memory import Memory
from jobs.planning.octave import octave_work
from jobs.planning.poster import Plan
from jobs.planning.source import Source
from jobs.spec.document import spec_of
from jobs.spec.size import Extent
from render.dream.objective import Mix, Objective
from render.dream.octaves import octave_sizes
from render.engine.memory import Cost
from render.engine.network_profile import Survey
from render.geometry.grid import Grid
from render.geometry.sampling_grid import Lattice

STRIDE, FIELD = 8, 91
COST = Cost(fixed=0.0, pixel=1500.0, flops=89_000.0, weights=6_000_000)

SLOW = Speed(window=0.01, window_pixel=2e-6, pixel=1e-7, origin="of a test")
"""About what a core does."""


def poster(height: int, width: int, tile: int = 512, steps: int = 10) -> Plan:
    """A poster of noise, planned for one worker with all the memory there is."""
    spec = spec_of({"input": {"noise": {}}, "size": f"{width}x{height}", "dream": {"steps": steps}})
    lattice = Lattice(STRIDE, FIELD, spec.dream.jitter, spec.dream.margin)
    grids = [Grid(*size, tile) for size in octave_sizes((height, width), spec.dream)]
    return Plan(
        spec=spec,
        identity=Identity("noise-0", {}),
        source=Source(height, width, 8, None),
        extent=Extent(height, width, None),
        weights=Path("none"),
        weights_digest="none",
        companions={},
        mix=Mix((Objective("deep"),)),
        precision="float32",
        survey=Survey(STRIDE, FIELD, COST),
        tile=tile,
        octaves=tuple(octave_work(grid, lattice, steps, 1) for grid in grids),
        workers=1,
        gpus_per_worker=0,
        memory=Memory(0, 0, 1 << 60, 0, is_limited=False),
    )


def conditions(
    speed: Speed = SLOW, link: Link = ONE_MACHINE, at_once: int | None = None
) -> Conditions:
    """A dollar an hour."""
    return Conditions(speed, link, 1.0, at_once=at_once)
