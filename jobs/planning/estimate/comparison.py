"""Crews of several sizes compared, and the largest one that is worth its cost."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from jobs.planning.estimate.prediction import Conditions, Prediction, predict
from jobs.planning.poster import PosterPlan
from jobs.spec.base import MAX_WORKERS

MIN_MARGINAL_EFFICIENCY = 0.5
"""The least speedup that each further worker must add; the first worker's is 1."""


_TRY_EACH_UP_TO = 8
"""Every size up to this one is tried."""


_GROWTH_DIVISOR = 4
"""Beyond that, each size that is tried is a quarter larger than the previous one."""


def useful_workers(plan: PosterPlan, conditions: Conditions) -> int:
    """The size of the largest crew without useless members, from 1 to the number of tiles."""
    tiles = len(plan.grids[-1])
    single = predict(plan, 1, conditions)
    return largest_useful_crew(
        cache(lambda workers: predict(plan, workers, conditions).seconds),
        min(tiles, MAX_WORKERS),
        single.start + single.decode,
    )


def largest_useful_crew(
    seconds: Callable[[int], float], max_workers: int, fixed_seconds: float = 0.0
) -> int:
    """The largest crew with a speedup that grows by MIN_MARGINAL_EFFICIENCY for each member.

    The growth counts from the last useful crew. Sometimes only several further members together
    save a row of tiles; they are useful once the row is saved.

    seconds: the time of a crew by its size, above 0. fixed_seconds: the time that every crew takes.
    """
    alone = seconds(1)
    useful, useful_speedup = 1, 1.0
    for workers in candidate_sizes(max_workers):
        wanted = useful_speedup + MIN_MARGINAL_EFFICIENCY * (workers - useful)
        if fixed_seconds * wanted > alone:
            break
        speedup = alone / seconds(workers)
        if workers > useful and speedup >= wanted:
            useful, useful_speedup = workers, speedup
    return useful


def candidate_sizes(max_workers: int) -> Iterator[int]:
    """The crew sizes to try, from 1 to `max_workers`."""
    workers = 1
    while workers < max_workers:
        yield workers
        workers += 1 if workers < _TRY_EACH_UP_TO else workers // _GROWTH_DIVISOR
    yield max_workers


@dataclass(frozen=True)
class Comparison:
    """Predictions for several crews.

    crews: the smallest first; that is a single worker. useful_workers: the size of the largest crew
    without useless members.
    """

    conditions: Conditions
    crews: tuple[Prediction, ...]
    useful_workers: int

    def efficiency(self, crew: Prediction) -> float:
        """The speedup per member; 1 for a single worker."""
        return self.crews[0].seconds / (crew.workers * crew.seconds)


def compare_crews(plan: PosterPlan, conditions: Conditions, sizes: Sequence[int]) -> Comparison:
    """Compare crews of these sizes with one worker and with the largest useful crew.

    If at most one size is given, the comparison includes all powers of two up to the largest size.
    """
    useful = useful_workers(plan, conditions)
    compared = {1, useful, *sizes}
    if len(sizes) < 2:
        compared |= {1 << power for power in range(max(compared).bit_length())}
    crews = tuple(predict(plan, workers, conditions) for workers in sorted(compared))
    return Comparison(conditions, crews, useful)
