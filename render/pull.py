"""What each objective asks of a tile's core: its gradient, made ready for the step."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from render.ascent import of_light
from render.dream import Dream
from render.gradient import gradients, stacked_gradients
from render.networks.network import Network
from render.objective import Objective
from render.rect import Rect, Size
from render.smoothing import bands
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

    def known(self, dream: Dream) -> Rect:
        """The pixels of the picture whose gradients are needed: smoothing looks round the core."""
        return self.core.grown(dream.margin).intersect(Rect(0, 0, *self.size))

    def inside(self, dream: Dream) -> Rect:
        """The same, in pixels of the window."""
        return self.known(dream).shifted(-self.window.top, -self.window.left)

    @property
    def size(self) -> Size:
        """The picture's."""
        return self.place.size


def pulls(
    network: Network, objectives: Sequence[Objective], dream: Dream, view: View
) -> list[Tensor]:
    """For each objective each band of its gradient on the view's core: (h, w, 3)."""
    if not objectives:
        return []
    found = gradients(network, objectives, view.pixels, view.inside(dream), view.place)
    return _ready(found, dream, view)


def stacked_pulls(
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
    return [_ready(one, dream, view) for one, view in zip(found, views, strict=True)]


def _ready(found: list[Tensor], dream: Dream, view: View) -> list[Tensor]:
    if dream.keep is not None:
        found = [of_light(gradient) for gradient in found]
    if dream.smooth is None:
        return found
    known = view.known(dream)
    return [
        band
        for gradient in found
        for band in bands(gradient, known, view.core, view.size, dream.smooth)
    ]
