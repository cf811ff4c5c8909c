"""What decides the pictures of features: all but the seeds."""

from dataclasses import dataclass

from render.device import Device
from render.feature.fourier import Fourier, check_size
from render.objective import Mix
from render.precision import Resolved
from render.rect import Size


@dataclass(frozen=True)
class FeatureRecipe:
    """The plan of a feature's picture; with a seed it gives the pixels.

    `precision` is resolved; `device` is where it is computed; `size` is the picture's; `stride`
    and `field` are the network's, in pixels. Raises ValueError for a size that is too large.
    """

    mix: Mix
    fourier: Fourier
    precision: Resolved
    device: Device
    size: Size
    stride: int
    field: int

    def __post_init__(self) -> None:
        check_size(self.size)

    @property
    def slots(self) -> int:
        """How many share a pass of the network: each its own."""
        return 1

    @property
    def least(self) -> int:
        """The side that the network is shown at least, zeros around a smaller picture.

        Some networks have no unit at all for less than a few strides.
        """
        return min(self.field, 3 * self.stride)
