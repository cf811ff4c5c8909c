"""Schedules interpolate linearly between their values."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from render.dream.config import Moment, Schedule
from render.dream.objective import Objective


@pytest.mark.parametrize(
    ("schedule", "moment", "factor"),
    [
        (Schedule(), Moment(3, 5, 2, 10), 1.0),
        (Schedule(octaves=(1.0, 0.0)), Moment(0, 5, 0, 10), 1.0),
        (Schedule(octaves=(1.0, 0.0)), Moment(4, 5, 0, 10), 0.0),
        (Schedule(octaves=(1.0, 0.0)), Moment(1, 5, 9, 10), 0.75),
        (Schedule(octaves=(0.5,)), Moment(4, 5, 0, 10), 0.5),
        (Schedule(octaves=(3.0, 0.0)), Moment(0, 1, 0, 1), 3.0),
        (Schedule(steps=(0.0, 1.0, 0.0)), Moment(0, 1, 5, 11), 1.0),
        (Schedule(steps=(0.0, 1.0, 0.0)), Moment(0, 1, 9, 11), 0.2),
        (Schedule(octaves=(2.0,), steps=(1.0, 3.0)), Moment(0, 1, 1, 3), 4.0),
    ],
)
def test_values_are_spread_evenly(schedule: Schedule, moment: Moment, factor: float) -> None:
    assert schedule.factor_at(moment) == pytest.approx(factor)


values = st.lists(st.floats(-5, 5), min_size=1, max_size=5).map(tuple)


@given(values, values, st.integers(1, 9), st.integers(1, 9), st.data())
def test_factors_stay_between_their_values(
    octaves: tuple[float, ...],
    steps: tuple[float, ...],
    octave_count: int,
    step_count: int,
    data: st.DataObject,
) -> None:
    octave = data.draw(st.integers(0, octave_count - 1))
    step = data.draw(st.integers(0, step_count - 1))
    found = Schedule(octaves, steps).factor_at(Moment(octave, octave_count, step, step_count))
    corners = [a * b for a in (min(octaves), max(octaves)) for b in (min(steps), max(steps))]
    assert min(corners) - 1e-9 <= found <= max(corners) + 1e-9


@pytest.mark.parametrize("bad", [{"octaves": ()}, {"steps": (float("inf"),)}, {"over": 0}])
def test_invalid_schedules_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"value|finite|over must be"):
        Schedule(**bad)


@pytest.mark.parametrize("octaves", [3, 4, 9])
def test_over_spreads_values_over_the_first_octaves_however_many_follow(octaves: int) -> None:
    schedule = Schedule(octaves=(1.0, 0.0), over=3)
    found = [schedule.factor_at(Moment(octave, octaves, 0, 1)) for octave in range(octaves)]
    assert found == [1.0, 0.5, *[0.0] * (octaves - 2)]


def test_an_objective_with_factor_0_is_left_out() -> None:
    fading = Objective("a", weight=2.0, schedule=Schedule(octaves=(1.0, 0.0)))
    mix = fading + Objective("b")
    assert [one.weight for one in mix.at_moment(Moment(0, 2, 0, 1))] == [2.0, 1.0]
    assert [one.target_layer for one in mix.at_moment(Moment(1, 2, 0, 1))] == ["b"]
    assert (mix.terms[0] + fading).at_moment(Moment(1, 2, 0, 1)) == ()
