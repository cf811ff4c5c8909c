"""DeepDream on the whole picture: the algorithm on one page, and the definition for the tiles.

The method is that of Mordvintsev, Olah and Tyka, "DeepDreaming with TensorFlow / Caffe" (2015). The
canvas x is the picture in the normalised space of the network's training, (height, width, 3).

Objectives    O_k(x) = 1/2 sum a^2 over a layer's activations a (others: `render.dream.gradient`);
              w_k is its weight.
Gradient      g_k = dO_k/dx, projected on the allowed colours and split into frequency bands.
Step          x <- clip(x + eta * sum_k w_k / sum|w| * g_k / mean|g_k|). The mean runs over all
              pixels of the picture, and eta is `step_size` times its schedule.
Jitter        Before each step a hash of the seed shifts the network's sampling grid. The canvas is
              padded with zeros (the mean colour), and nothing wraps round.
Octaves       From the smallest size to the full one, x starts as a fresh base (the input at the
              octave's size) plus the detail so far (canvas minus base), upsampled.

Why tiles are exact: a unit of a layer sees a square of `field` pixels. A tile's window is its core
with field - 1 pixels around it, aligned to the sampling grid, so it contains every unit that sees a
core pixel, with all that this unit sees. O_k is a sum over units, so the window gives g_k on the
core exactly. Only mean|g_k| is global: tiles contribute sums of |g_k|, added in tile order.
`render.engine.shard` and `render.engine.in_memory` follow this page line by line, tile by tile.
"""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor
from torch.nn.functional import pad

from render.dream.band_gradient import TileView, band_gradients, tile_gradients
from render.dream.config import Dream, Moment
from render.dream.mask import gradient_masks, resample_mask
from render.dream.objective import Mix, Objective
from render.dream.octave_start import add_detail, octave_base
from render.dream.octaves import octave_sizes
from render.dream.resample import Read
from render.dream.step import step_at, step_scales
from render.dream.update import abs_sums, ascend
from render.geometry.rect import Rect, Size
from render.geometry.sampling_grid import SamplingGrid, Shift
from render.networks.network import Network
from render.networks.receptive_field import LayerGrid
from render.pictures.tiled_image import TiledImage

_NO_MASKS: Mapping[Path, TiledImage] = {}


def dream_reference(
    network: Network,
    layers: LayerGrid,
    mix: Mix,
    dream: Dream,
    read: Read,
    source: Size,
    size: Size,
    masks: Mapping[Path, TiledImage] = _NO_MASKS,
) -> Tensor:
    """The picture that `read` returns (of size `source`) dreamed at `size`: (height, width, 3).

    The canvas has the dtype that `read` returns. `layers` are the grid of the mix's layers. Guides
    and neurons need a network from `with_guides`; `masks` are ingested.
    """
    sampling_grid = SamplingGrid(layers.stride, layers.field, dream.jitter, dream.margin)
    sizes = octave_sizes(size, dream)
    canvas = base = octave_base(read, source, sizes[0], Rect(0, 0, *sizes[0]))
    for octave, octave_size in enumerate(sizes):
        whole = Rect(0, 0, *octave_size)
        if octave:
            detail = canvas - base
            base = octave_base(read, source, octave_size, whole)
            canvas = add_detail(
                base, _reader(detail), sizes[octave - 1], octave_size, whole, dream.keep
            )
        octave_masks = {
            path: resample_mask(mask, octave_size, whole, base.dtype)
            for path, mask in masks.items()
        }
        strength = octave_masks[dream.strength] if dream.strength else None
        for number in range(dream.steps):
            moment = Moment(octave, len(sizes), number, dream.steps)
            step = step_at(mix, dream, sampling_grid, moment, dream.seed)
            bands = picture_gradients(
                network, step.objectives, dream, canvas, sampling_grid, step.shift
            )
            sums = tuple(abs_sums(bands).tolist())
            scales = step_scales(step, [sums], octave_size, network.units)
            band_masks = gradient_masks(step, octave_masks)
            canvas = ascend(canvas, bands, scales, band_masks, strength, dream)
    return canvas


def picture_gradients(
    network: Network,
    objectives: tuple[Objective, ...],
    dream: Dream,
    canvas: Tensor,
    sampling_grid: SamplingGrid,
    shift: Shift,
) -> list[Tensor]:
    """The band gradients of each objective on the whole canvas (height, width, 3) at a shift."""
    height, width, _ = canvas.shape
    size = (height, width)
    window = sampling_grid.padded_canvas(shift, size)
    borders = (0, 0, -window.left, window.right - width, -window.top, window.bottom - height)
    position = sampling_grid.window_position(window, shift, size)
    view = TileView(pad(canvas, borders), window, Rect(0, 0, *size), position)
    return band_gradients(tile_gradients(network, objectives, dream, view), view.core, size, dream)


def _reader(picture: Tensor) -> Read:
    return lambda rect: picture[rect.slices()]
