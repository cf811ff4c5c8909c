"""The definition: the whole picture, untiled, in one place. Whatever is tiled must match it."""

from torch import Tensor
from torch.nn.functional import pad

from render.dream import Dream
from render.gradient import gradients
from render.lattice import Lattice, offset
from render.networks.layers import LayerGrid
from render.networks.network import Network
from render.objective import Mix
from render.octaves import octave_sizes
from render.rect import Rect, Size
from render.resample import Read, resample
from render.scale import scales
from render.step import ascend, clamped, magnitudes


def dreamed(
    network: Network, grid: LayerGrid, mix: Mix, dream: Dream, read: Read, source: Size, size: Size
) -> Tensor:
    """The picture that `read` gives (of size `source`) dreamed at `size`: (height, width, 3).

    Everything is in the canvas's normalised space and in the type that `read` gives.
    """
    lattice = Lattice(grid.stride, grid.field, dream.jitter)
    canvas = before = None
    for octave, current in enumerate(octave_sizes(size, dream)):
        whole = Rect(0, 0, *current)
        base = clamped(resample(read, source, current, whole))
        if canvas is None or before is None:
            canvas = base
        else:
            canvas = clamped(base + _resized(canvas - before, current))
        for step in range(dream.steps):
            found = whole_gradients(
                network, mix, canvas, lattice, offset(dream.seed, octave, step, lattice.span)
            )
            scale = scales(mix, [tuple(magnitudes(found).tolist())], current)
            canvas = ascend(canvas, found, scale, dream.step_size)
        before = base
    if canvas is None:
        raise ValueError("a dream has at least one octave")
    return canvas


def _resized(picture: Tensor, size: Size) -> Tensor:
    height, width, _ = picture.shape
    return resample(lambda rect: picture[rect.slices()], (height, width), size, Rect(0, 0, *size))


def whole_gradients(
    network: Network, mix: Mix, canvas: Tensor, lattice: Lattice, shift: tuple[int, int]
) -> list[Tensor]:
    """Each objective's gradient on the whole canvas (height, width, 3) at a step's jitter."""
    height, width, _ = canvas.shape
    frame = lattice.canvas(shift, (height, width))
    padded = pad(
        canvas, (0, 0, -frame.left, frame.right - width, -frame.top, frame.bottom - height)
    )
    return gradients(network, mix, padded, Rect(0, 0, height, width).shifted(*shift))
