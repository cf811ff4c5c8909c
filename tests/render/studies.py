"""Small studies: what is dreamed, at what size, of what pictures."""

import numpy as np

from render.dream.config import Dream
from render.dream.objective import Objective
from render.geometry.rect import Size

MIX = Objective("branches") + Objective("third", channels=(1, 4)) * -0.4
DREAM = Dream(octaves=2, steps=2, jitter=13, step_size=0.05, smooth=None)
SIZE = (40, 30)


def picture(size: Size, seed: int, dtype: type = np.uint8) -> np.ndarray:
    """Seeded samples of a size."""
    most = np.iinfo(dtype).max
    return np.random.default_rng(seed).integers(0, most, (*size, 3), dtype, endpoint=True)
