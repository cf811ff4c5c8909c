"""The estimated rate and remaining time of a render."""

import tracemalloc
from itertools import count

import pytest

from jobs.runtime.metrics.progress import Progress, RateEstimator


def item(number: int, items: int) -> Progress:
    return Progress(
        phase="items",
        octave=0,
        octaves=0,
        step=0,
        steps=0,
        done=float(number),
        total=float(items),
        fraction=number / items,
    )


@pytest.mark.parametrize("items", [4, 100, 50_000])
def test_the_rate_is_that_of_the_second_half(items: int) -> None:
    # An item takes two ticks in the first half, and one in the second.
    clock = count()
    estimator = RateEstimator(lambda: float(next(clock)))
    for number in range(1, items + 1):
        if number <= items // 2:
            next(clock)
        estimator.add(item(number, 2 * items))

    estimate = estimator.estimate()

    assert estimate.rate == pytest.approx(1, rel=0.3)
    assert estimate.eta_seconds == pytest.approx(items, rel=0.3)


def test_memory_does_not_grow_with_the_samples() -> None:
    estimator = RateEstimator()
    tracemalloc.start()
    try:
        for number in range(20_000):
            estimator.add(item(number, 20_000))
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 1 << 20
