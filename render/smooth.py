"""How gradients are smoothed before they change the picture."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

_REACH = 3.0  # deviations at which a Gaussian is cut off: what is left is 0.3%
_WIDEST = 64.0
_MOST_BANDS = 7


@dataclass(frozen=True)
class Smooth:
    """Gradients smoothed over several scales, exactly, as if the picture had no tiles.

    gaussian: deviations in pixels, from 0.3 to 64; the mean of these blurs is taken
        (gordicaleksa/pytorch-deepdream takes three).
    laplacian: weights of bands of frequency, from fine to coarse, 2 to 7 of them, at least 0; each
        band is an octave wide, the last is all that is coarser, and each is divided by its own mean
        over the whole picture, so that coarse shapes rise as fast as fine ones (the Laplacian
        pyramid of Mordvintsev et al. 2015; Burt and Adelson 1983). Here it is not decimated, so
        that it does not depend on where a grid of pixels begins.

    Raises ValueError for a value out of its range, and unless there is one of the two.
    """

    # Read by pydantic where a spec embeds this class, so that nothing is declared twice.
    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid", "strict": True}

    gaussian: tuple[float, ...] | None = None
    laplacian: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if (self.gaussian is None) == (self.laplacian is None):
            raise ValueError("must be one of gaussian: [1, 2] and laplacian: [1, 1, 1]")
        if self.gaussian is not None and not self.gaussian:
            raise ValueError("gaussian needs at least one deviation")
        for sigma in self.gaussian or ():
            if not 0.3 <= sigma <= _WIDEST:
                raise ValueError(f"gaussian must be from 0.3 to {_WIDEST:g} pixels; not {sigma:g}")
        if self.laplacian is not None:
            if not 2 <= len(self.laplacian) <= _MOST_BANDS:
                raise ValueError(f"laplacian needs 2 to {_MOST_BANDS} weights")
            if not all(w >= 0 and math.isfinite(w) for w in self.laplacian):
                raise ValueError("laplacian must be finite numbers, at least 0")
            if not any(self.laplacian):
                raise ValueError("laplacian must not be all 0")

    @property
    def margin(self) -> int:
        """How far a smoothed gradient looks round, in pixels on each side."""
        if self.laplacian is not None:
            # Two taps on each side, twice as far apart at each level (Burt and Adelson 1983).
            return 2 * ((1 << (len(self.laplacian) - 1)) - 1)
        return max(map(reach, self.gaussian or ()))

    @property
    def bands(self) -> tuple[float, ...]:
        """What each band's gradient of mean 1 is multiplied by.

        Bands hardly depend on each other, so their squares add up; these are 1 together.
        """
        if self.laplacian is None:
            return (1.0,)
        whole = math.sqrt(sum(weight * weight for weight in self.laplacian))
        return tuple(weight / whole for weight in self.laplacian)


def reach(sigma: float) -> int:
    """The taps of a Gaussian of that deviation on each side of its middle."""
    return math.ceil(_REACH * sigma)
