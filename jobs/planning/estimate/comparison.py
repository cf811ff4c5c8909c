"""Crews of several sizes side by side."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from jobs.planning.estimate.prediction import Conditions, Prediction, predict
from jobs.planning.poster import Plan

PAYS = 0.5
"""What each further worker must add at the least, of what the first one does by itself."""


LARGEST = 512
"""Members of a crew that are thought of, at the most."""


_FINE, _COARSE = 8, 4
"""Crews up to 8 are all tried, of larger ones those a quarter larger than the one before."""


def useful_workers(plan: Plan, conditions: Conditions) -> int:
    """The largest crew for a poster whose members all pay, at least 1 and none without a tile.

    Of the crews that are tried: it is faster than each of those that are smaller.
    """
    last = plan.grids[-1]
    by_one = predict(plan, 1, conditions)
    return stop(
        cache(lambda workers: predict(plan, workers, conditions).seconds),
        min(len(last), LARGEST),
        by_one.start + by_one.decode,
    )


def stop(seconds: Callable[[int], float], most: int, least: float = 0.0) -> int:
    """The largest crew, up to `most`, each step towards which adds PAYS of a worker a member.

    `seconds` is what a crew takes, above 0; no crew takes less than `least`. What is gained is
    counted from the last crew that paid, so that one more row of tiles counts when it is reached.
    """
    alone = seconds(1)
    found, speedup = 1, 1.0
    for crew in crews(most):
        wanted = speedup + PAYS * (crew - found)
        if least * wanted > alone:
            break
        reached = alone / seconds(crew)
        if crew > found and reached >= wanted:
            found, speedup = crew, reached
    return found


def crews(most: int) -> Iterator[int]:
    """The sizes that are tried, from 1 to `most`."""
    crew = 1
    while crew < most:
        yield crew
        crew += 1 if crew < _FINE else crew // _COARSE
    yield most


@dataclass(frozen=True)
class Outlook:
    """Predictions for some crews, the smallest, of one worker, first; `useful` is the size of the
    largest one whose members all pay."""

    conditions: Conditions
    crews: tuple[Prediction, ...]
    useful: int

    def efficiency(self, crew: Prediction) -> float:
        """How much of its time a member makes good: 1 for one that works alone."""
        return self.crews[0].seconds / (crew.workers * crew.seconds)


def outlook(plan: Plan, conditions: Conditions, asked: Sequence[int]) -> Outlook:
    """For the crews that were asked for; for one, or none, also for all doublings up to there."""
    useful = useful_workers(plan, conditions)
    sizes = {1, useful, *asked}
    if len(asked) < 2:
        sizes |= set(_doublings(max(sizes)))
    return Outlook(
        conditions, tuple(predict(plan, size, conditions) for size in sorted(sizes)), useful
    )


def _doublings(most: int) -> list[int]:
    return [1 << power for power in range(most.bit_length())]
