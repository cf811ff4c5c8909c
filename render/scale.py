"""The one scale of each objective that a step has, from the sums of all tiles; needs no torch."""

import math
from collections.abc import Iterable

from render.errors import RenderError
from render.objective import Mix
from render.rect import Size

_DEAD = 2.0**-126  # mean |g| whose reciprocal float32 could not hold


def scales(mix: Mix, sums: Iterable[tuple[float, ...]], size: Size) -> tuple[float, ...]:
    """What each objective's gradient is multiplied by, from the tiles' magnitudes in tile order.

    An objective without any gradient (a layer that is dead all over the picture) gets 0. Raises
    RenderError where gradients are not finite: weights are broken, or the precision too narrow.
    """
    totals = [0.0] * len(mix)
    for tile in sums:
        totals = [total + part for total, part in zip(totals, tile, strict=True)]
    if not all(map(math.isfinite, totals)):
        raise RenderError(
            "gradients are not finite: the weights are damaged, or the precision is too narrow; "
            "check the weights file, or use precision: float32"
        )
    shares = sum(abs(objective.weight) for objective in mix)
    means = [total / (size[0] * size[1] * 3) for total in totals]
    return tuple(
        objective.weight / shares / mean if mean > _DEAD else 0.0
        for objective, mean in zip(mix, means, strict=True)
    )
