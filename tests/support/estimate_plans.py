"""Plans without a network. Estimates need only a geometry and a cost."""

from pathlib import Path

from jobs.planning.estimate.network import ONE_MACHINE, NetworkModel
from jobs.planning.estimate.prediction import Conditions
from jobs.planning.estimate.speed import Speed
from jobs.planning.identity import Identity
from jobs.planning.memory import WorkerMemory
from jobs.planning.octave import octave_work
from jobs.planning.poster import PosterPlan
from jobs.planning.source import PictureInfo
from jobs.spec.document import parse_poster_spec
from jobs.spec.length import PixelSize
from render.dream.objective import Mix, Objective
from render.dream.octaves import octave_sizes
from render.engine.memory import Cost
from render.engine.network_profile import NetworkProfile
from render.geometry.grid import Grid
from render.geometry.sampling_grid import SamplingGrid

STRIDE, FIELD = 8, 91
COST = Cost(fixed=0.0, bytes_per_pixel=1500.0, flops_per_pixel=89_000.0, weights=6_000_000)

SLOW = Speed(window=0.01, window_pixel=2e-6, pixel=1e-7, origin="of a test")
"""Roughly the speed of a core."""


def noise_plan(height: int, width: int, tile: int = 512, steps: int = 10) -> PosterPlan:
    """A poster of noise, planned for one worker with unlimited memory."""
    spec = parse_poster_spec(
        {"input": {"noise": {}}, "size": f"{width}x{height}", "dream": {"steps": steps}}
    )
    sampling_grid = SamplingGrid(STRIDE, FIELD, spec.dream.jitter, spec.dream.margin)
    grids = [Grid(*size, tile) for size in octave_sizes((height, width), spec.dream)]
    return PosterPlan(
        spec=spec,
        identity=Identity("noise-0", {}),
        source=PictureInfo(height, width, 8, None),
        extent=PixelSize(height, width, None),
        weights=Path("none"),
        weights_digest="none",
        attachments={},
        mix=Mix((Objective("deep"),)),
        precision="float32",
        profile=NetworkProfile(STRIDE, FIELD, COST),
        octaves=tuple(octave_work(grid, sampling_grid, steps, 1) for grid in grids),
        workers=1,
        cores_per_worker=1,
        gpus_per_worker=0,
        memory=WorkerMemory(0, 0, 1 << 60, 0, is_limited=False),
    )


def make_conditions(
    speed: Speed = SLOW, network: NetworkModel = ONE_MACHINE, parallel_workers: int | None = None
) -> Conditions:
    """Conditions at one US dollar for a worker and hour."""
    return Conditions(speed, network, 1.0, parallel_workers=parallel_workers)
