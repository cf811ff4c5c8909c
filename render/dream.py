"""How a dream is driven: octaves, steps, their size and their jitter."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from render.schedule import Schedule
from render.smooth import Smooth

Keep = Literal["colours"]
Palette = Literal["natural", "free"]
Limit = Literal["soft", "hard"]

_SHAPES_FIRST = Schedule(octaves=(1.3, 0.7))
_ALL_SCALES = Smooth(laplacian=(0.7, 1.0, 1.0, 0.6))


@dataclass(frozen=True)
class Dream:
    """The parameters of gradient ascent, the same for every tile of every octave.

    The names, and the defaults of octaves, steps and jitter, are those of Google's notebook
    (Mordvintsev, Olah, Tyka 2015, "DeepDreaming with TensorFlow / Caffe"). The others were chosen
    by eye, side by side: coarse shapes rise with fine ones, in natural colours, and nothing burns.

    octaves: how many sizes of the picture are rendered, from 1 to 64; `auto` adds octaves with the
        output's size, so that the largest motif keeps its share of the picture.
    octave_scale: each octave's size over that of the one before, from 1.05 to 4.
    steps: gradient steps in each octave, from 0 to 100000; none makes a plain resize.
    step_size: how far a step goes, above 0, in the canvas's normalised space: the gradient is
        divided by its mean |g| over the whole picture, so the mean |change| of a step is step_size.
    jitter: the sampling grid's largest offset in pixels of the octave, 0 to 100000; it is
        rounded up to a multiple of the network's stride, and 0 means none.
    seed: decides every step's jitter, from 0 to 2**63 - 1.
    schedule: factors of step_size over octaves and steps.
    smooth: how gradients are smoothed; None for not at all.
    keep: `colours` changes only how light a pixel is.
    palette: `natural` climbs among colours as they occur in pictures, mostly lighter and darker;
        `free` has red, green and blue climb each for itself.
    limit: `soft` has changes slow down before black and white, so that nothing burns out; `hard`
        cuts them off there.
    strength: a picture, grey, of any size: where it is black nothing changes.

    Raises ValueError for a value out of its range.
    """

    # Read by pydantic where a spec embeds this class, so that nothing is declared twice.
    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid", "strict": True}

    octaves: int | Literal["auto"] = "auto"
    octave_scale: float = 1.4
    steps: int = 10
    step_size: float = 0.04
    jitter: int = 32
    seed: int = 0
    schedule: Schedule = _SHAPES_FIRST
    smooth: Smooth | None = _ALL_SCALES
    keep: Keep | None = None
    palette: Palette = "natural"
    limit: Limit = "soft"
    strength: Path | None = None

    def __post_init__(self) -> None:
        if self.octaves != "auto" and not 1 <= self.octaves <= 64:
            raise ValueError(f"octaves must be from 1 to 64, or auto; not {self.octaves}")
        if not 1.05 <= self.octave_scale <= 4:
            raise ValueError(f"octave_scale must be from 1.05 to 4; not {self.octave_scale}")
        if not 0 <= self.steps <= 100_000:
            raise ValueError(f"steps must be from 0 to 100000; not {self.steps}")
        if not (self.step_size > 0 and math.isfinite(self.step_size)):
            raise ValueError(f"step_size must be above 0; not {self.step_size}")
        if not 0 <= self.jitter <= 100_000:
            raise ValueError(f"jitter must be from 0 to 100000; not {self.jitter}")
        if not 0 <= self.seed < 2**63:
            raise ValueError(f"seed must be from 0 to 2**63 - 1; not {self.seed}")

    @property
    def margin(self) -> int:
        """How far beyond a core its gradient must be known, in pixels."""
        return 0 if self.smooth is None else self.smooth.margin

    @property
    def bands(self) -> tuple[float, ...]:
        """What the bands of each objective's gradient are multiplied by."""
        return (1.0,) if self.smooth is None else self.smooth.bands
