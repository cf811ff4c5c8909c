"""Crews of several sizes side by side."""

from collections.abc import Sequence
from dataclasses import dataclass

from jobs.plan import Plan
from jobs.scale.prediction import Conditions, Prediction, predict
from jobs.scale.useful import useful_workers


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
