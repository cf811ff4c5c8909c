"""What each objective asks of a tile's core: its slope, and the pulls that are cut from it."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from render.dream import Dream
from render.gradient import gradients, stacked_gradients
from render.networks.network import Network
from render.objective import Objective
from render.rect import Rect, Size
from render.smoothing import bands
from render.tone import toned
from render.units import Place


@dataclass(frozen=True)
class View:
    """A tile's window, as a step's network sees it.

    pixels: (window.height, window.width, 3), zeros where there is no picture. window, core: in
    pixels of the picture. place: where the window lies on the padded canvas.
    """

    pixels: Tensor
    window: Rect
    core: Rect
    place: Place

    def inside(self, dream: Dream) -> Rect:
        """The pixels whose gradients are needed, in pixels of the window."""
        needed = known(self.core, self.size, dream)
        return needed.shifted(-self.window.top, -self.window.left)

    @property
    def size(self) -> Size:
        """The picture's."""
        return self.place.size


def slopes(
    network: Network, objectives: Sequence[Objective], dream: Dream, view: View
) -> list[Tensor]:
    """Each objective's gradient on the pixels that are `known`: (h, w, 3), in the dream's tones."""
    if not objectives:
        return []
    found = gradients(network, objectives, view.pixels, view.inside(dream), view.place)
    return [toned(gradient, dream) for gradient in found]


def stacked_slopes(
    network: Network,
    objectives: Sequence[Objective],
    dream: Dream,
    views: Sequence[View],
    slots: int,
) -> list[list[Tensor]]:
    """The same for views whose windows have one shape, in one pass of `slots` windows."""
    if not objectives:
        return [[] for _ in views]
    found = stacked_gradients(
        network,
        objectives,
        [view.pixels for view in views],
        [view.inside(dream) for view in views],
        slots,
        [view.place for view in views],
    )
    return [[toned(gradient, dream) for gradient in one] for one in found]


def known(core: Rect, size: Size, dream: Dream) -> Rect:
    """The pixels of a picture whose gradients a core needs: smoothing looks round it."""
    return core.grown(dream.margin).intersect(Rect(0, 0, *size))


def pulls(found: Sequence[Tensor], core: Rect, size: Size, dream: Dream) -> list[Tensor]:
    """For each objective's slope on a core's `known` pixels each of its bands on the core.

    Bands are cut twice, for the sums and for the update, and slopes are what is kept in between:
    bands would be several times as large.
    """
    if dream.smooth is None:
        return list(found)
    there = known(core, size, dream)
    return [band for slope in found for band in bands(slope, there, core, size, dream.smooth)]
