"""DeepDream on the whole picture: the algorithm on one page, and the definition for the tiles.

The method is that of Mordvintsev, Olah and Tyka, "DeepDreaming with TensorFlow / Caffe" (2015). The
canvas x is the picture in the normalised space of the network's training, (height, width, 3).

    for each octave, from the smallest size to the full one:
        base <- clip(resample(input))                   with a seed, plus noise in the first octave
        x <- base                                       in the first octave
        x <- clip(base + resample(x' - base'))          later; x', base' are of the octave before
        for each step:
            continue x beyond its edges                 zeros, its mirror image, or x again
            lay the units' grid at a random shift       jitter
            a_k  = activations of objective k's layer
            g_k  = P dO_k/dx                            O_k(x) = 1/2 sum a_k^2
            g_k  = sum_b g_kb                           frequency bands
            d    = eta m sum_kb (w_k / sum|w|) c_b m_k (g_kb / mean|g_kb|)
            x   <- clip(x + d)

Objectives    w_k is the weight, m_k the mask. `render.dream.gradient` has the other forms of O_k.
Colours       P projects each pixel on the colours that `palette` and `keep` allow.
Bands         `smooth` splits the gradient; c_b is the factor of band b. Else there is one band,
              with c_b = 1.
Length        eta is `step_size` times its schedule, m the mask `strength`. The means run over all
              pixels of the picture. With `limit: soft`, d is smaller near black and white.
Jitter        A hash of the seed gives the shift of the grid.
Search        With `ascent: search` an estimate takes the place of g_k (`render.dream.search`).
Edges         Zeros (the mean colour) surround x as far as the grid reaches. If `edges` mirror or
              wrap, copies of x fill the plane instead. O_k then sums over the plane, and dO_k/dx is
              the derivative by the pixels of one copy, while the other copies are context.
              Smoothing blurs this gradient of the plane. An axis that wraps is also resampled round
              its edge, and the means are rounded to 24 bits (`Step.rounds_means`).

Why tiles are exact: a unit of a layer sees a square of `field` pixels. A tile's window is its core
with field - 1 pixels around it, aligned to the sampling grid, so it contains every unit that sees a
core pixel, with all that this unit sees. O_k is a sum over units, so the window gives g_k on the
core exactly. Only mean|g_kb| is global: tiles contribute sums of |g_kb|, added in tile order.
`render.engine.shard` and `render.engine.in_memory` follow this page line by line, tile by tile.
"""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor
from torch.nn.functional import pad

from render.dream.attachments import gradient_masks, resample_mask
from render.dream.band_gradient import TileView, band_gradients, tile_gradients
from render.dream.canvas import abs_sums, add_detail, ascend, octave_base
from render.dream.config import Dream, Moment
from render.dream.objective import Mix, Objective
from render.dream.octaves import octave_sizes, picture_shape
from render.dream.plane import Read, endless
from render.dream.start_noise import first_base
from render.dream.step import step_at, step_scales
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
    """Dream a picture without tiles.

    Args:
        network: The prepared network. Guides and neurons need one from `prepare_objectives`.
        layers: The grid of the mix's layers.
        mix: The objectives.
        dream: The parameters of the gradient ascent.
        read: Returns pixels of the input, in normalised space.
        source: The height and width of the input.
        size: The height and width of the result.
        masks: The ingested masks of the mix and the dream.

    Returns:
        The canvas after the last step, (height, width, 3), in the dtype that `read` returns.

    Raises:
        RenderError: Gradients are not finite.
    """
    sampling_grid = dream.sampling_grid(layers.stride, layers.field)
    sizes = octave_sizes(size, dream, picture_shape(source, size), layers.stride)
    whole = Rect(0, 0, *sizes[0])
    base = octave_base(read, source, sizes[0], whole, dream.edges)
    canvas = base = first_base(base, dream, dream.seed, len(sizes), sizes[0], whole)
    for octave, octave_size in enumerate(sizes):
        whole = Rect(0, 0, *octave_size)
        if octave:
            detail = canvas - base
            base = octave_base(read, source, octave_size, whole, dream.edges)
            canvas = add_detail(base, _reader(detail), sizes[octave - 1], octave_size, whole, dream)
        octave_masks = {
            path: resample_mask(mask, octave_size, whole, base.dtype, dream.edges)
            for path, mask in masks.items()
        }
        strength = octave_masks[dream.strength] if dream.strength else None
        for number in range(dream.steps):
            moment = Moment(octave, len(sizes), number, dream.steps)
            step = step_at(mix, dream, sampling_grid, moment, dream.seed)
            bands = picture_gradients(
                network, step.objectives, dream, canvas, sampling_grid, step.shift, step.draw
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
    draw: int = 0,
) -> list[Tensor]:
    """The band gradients of each objective on the whole canvas (height, width, 3) at a shift.

    draw: which changes a search tries.
    """
    height, width, _ = canvas.shape
    size = (height, width)
    window = sampling_grid.padded_canvas(shift, size)
    position = sampling_grid.window_position(window, shift, size)
    pixels = endless(_reader(canvas), size, dream.edges)(window)
    view = TileView(pixels, window, Rect(0, 0, *size), position, draw)
    return band_gradients(tile_gradients(network, objectives, dream, view), view.core, size, dream)


def _reader(picture: Tensor) -> Read:
    """Reads a picture (height, width, C), with zeros beyond its edges."""
    whole = Rect(0, 0, picture.shape[0], picture.shape[1])

    def read(rect: Rect) -> Tensor:
        inside = rect.intersect(whole)
        left, right = inside.left - rect.left, rect.right - inside.right
        top, bottom = inside.top - rect.top, rect.bottom - inside.bottom
        return pad(picture[inside.slices()], (0, 0, left, right, top, bottom))

    return read
