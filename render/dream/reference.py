"""The definition: the whole picture, untiled, in one place. Whatever is tiled must match it."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor
from torch.nn.functional import pad

from render.dream.band_gradient import View, pulls, slopes
from render.dream.config import Dream, Moment
from render.dream.mask import mask_at, masks_of
from render.dream.objective import Mix, Objective
from render.dream.octaves import octave_sizes
from render.dream.resample import Read, resample
from render.dream.step import scales, step_at
from render.dream.update import ascend, clamped, magnitudes, settled
from render.geometry.rect import Rect, Size
from render.geometry.sampling_grid import Lattice
from render.networks.network import Network
from render.networks.receptive_field import LayerGrid
from render.pictures.tiled_image import Mosaic

_NO_MASKS: Mapping[Path, Mosaic] = {}


def dreamed(
    network: Network,
    grid: LayerGrid,
    mix: Mix,
    dream: Dream,
    read: Read,
    source: Size,
    size: Size,
    masks: Mapping[Path, Mosaic] = _NO_MASKS,
) -> Tensor:
    """The picture that `read` gives (of size `source`) dreamed at `size`: (height, width, 3).

    Everything is in the canvas's normalised space and in the type that `read` gives. A network that
    is to see guides or neurons is `attentive`; `masks` are taken in.
    """
    lattice = Lattice(grid.stride, grid.field, dream.jitter, dream.margin)
    sizes = octave_sizes(size, dream)
    canvas = before = None
    for octave, current in enumerate(sizes):
        whole = Rect(0, 0, *current)
        base = clamped(resample(read, source, current, whole))
        if canvas is None or before is None:
            canvas = base
        else:
            canvas = settled(base, _resized(canvas - before, current), dream.keep)
        seen = {path: mask_at(mask, current, whole, base.dtype) for path, mask in masks.items()}
        for number in range(dream.steps):
            moment = Moment(octave, len(sizes), number, dream.steps)
            step = step_at(mix, dream, lattice, moment, dream.seed)
            found = whole_pulls(network, step.objectives, dream, canvas, lattice, step.shift)
            sums = [tuple(magnitudes(found).tolist())]
            canvas = ascend(
                canvas,
                found,
                scales(step, sums, current, network.units),
                masks_of(step, seen),
                seen[dream.strength] if dream.strength else None,
                dream,
            )
        before = base
    if canvas is None:
        raise ValueError("a dream has at least one octave")
    return canvas


def _resized(picture: Tensor, size: Size) -> Tensor:
    height, width, _ = picture.shape
    return resample(lambda rect: picture[rect.slices()], (height, width), size, Rect(0, 0, *size))


def whole_pulls(
    network: Network,
    objectives: tuple[Objective, ...],
    dream: Dream,
    canvas: Tensor,
    lattice: Lattice,
    shift: tuple[int, int],
) -> list[Tensor]:
    """Each objective's bands on the whole canvas (height, width, 3) at a step's jitter."""
    height, width, _ = canvas.shape
    size = (height, width)
    frame = lattice.canvas(shift, size)
    padded = pad(
        canvas, (0, 0, -frame.left, frame.right - width, -frame.top, frame.bottom - height)
    )
    view = View(padded, frame, Rect(0, 0, *size), lattice.place(frame, shift, size))
    return pulls(slopes(network, objectives, dream, view), view.core, size, dream)
