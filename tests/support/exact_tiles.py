"""Checks that the tiles of a network have the gradient of the whole picture."""

from torch import nn

from render.geometry.grid import Grid
from render.geometry.sampling_grid import SamplingGrid
from tests.support.relu_flips import gradient_without_flips
from tests.support.seeded_networks import noise_picture, relative_error
from tests.support.tiled_step import Shift, TiledStep, mean_step

TILE = 12
JITTER = 13
SHIFT: Shift = (5, 3)


def check_exact(model: nn.Module, name: str, layer: str) -> None:
    check_tiles(mean_step(model, (layer,), JITTER, name=name))


def check_tiles(exact: TiledStep) -> None:
    """Three tiles of a picture, two of them at its border, in float64 and in float32."""
    single = exact.in_float32()
    grid, inner = picture_around(exact.sampling_grid)
    canvas = noise_picture((grid.height, grid.width))
    whole_exact, whole_single = (
        step.picture_gradients(canvas.to(step.network.dtype), SHIFT)[0] for step in (exact, single)
    )
    for index in (inner, 0, len(grid) - 1):
        core = grid.core(index).slices()
        assert float(whole_exact[core].abs().sum()) > 0
        assert relative_error(exact.tile(canvas, grid, index, SHIFT)[0], whole_exact[core]) <= 1e-12
        found, flips = single.tile(canvas.float(), grid, index, SHIFT)[0], ["none"]
        if relative_error(found, whole_single[core]) > 1e-5:
            found, flips = gradient_without_flips(single, canvas.float(), grid, index, SHIFT)
        error = relative_error(found, whole_single[core])
        assert flips, f"tile {index}: off in float32 by more than 1e-5, and no unit has flipped"
        assert error <= 1e-5, f"tile {index}: off by {error}; flipped units: {flips}"


def picture_around(sampling_grid: SamplingGrid) -> tuple[Grid, int]:
    """The smallest square picture and a tile, so that its window touches no border."""
    row = -(-(sampling_grid.halo + sampling_grid.stride) // TILE)
    side = row * TILE + TILE + sampling_grid.halo + sampling_grid.stride
    grid = Grid(side, side, TILE)
    inner = row * grid.columns + row
    window = sampling_grid.window(grid.core(inner), TILE, SHIFT, (side, side))
    canvas = sampling_grid.padded_canvas(SHIFT, (side, side))
    assert window.top > canvas.top
    assert window.left > canvas.left
    assert window.bottom < canvas.bottom
    assert window.right < canvas.right
    return grid, inner
