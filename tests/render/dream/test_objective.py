"""Objectives add and scale."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from render.dream.objective import Mix, Objective

objectives = st.builds(
    Objective,
    layer=st.sampled_from(["a", "b", "c"]),
    channels=st.none() | st.lists(st.integers(0, 9), min_size=1, unique=True).map(tuple),
    weight=st.integers(1, 9).map(float) | st.integers(-9, -1).map(float),
)


def test_objectives_read_like_the_maths() -> None:
    mix = Objective("a") * 2 + -1 * Objective("b", channels=(3,))

    assert mix == Mix((Objective("a", weight=2.0), Objective("b", channels=(3,), weight=-1.0)))


@given(a=objectives, b=objectives, c=objectives, factor=st.integers(1, 9))
def test_adding_keeps_order_and_scaling_reaches_every_term(
    a: Objective, b: Objective, c: Objective, factor: int
) -> None:
    assert tuple((a + b) + c) == tuple(a + (b + c)) == (a, b, c)
    assert factor * (a + b) == a * factor + b * factor
    assert len(a + b + c) == 3


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"layer": ""}, "layer must not be empty"),
        ({"channels": ()}, "channels must not be empty; leave it out for all channels"),
        ({"channels": (0, -1)}, "channels must be at least 0; not -1"),
        ({"channels": (1, 1)}, "channels must not name one twice"),
        ({"weight": 0.0}, "weight must be a finite number other than 0; not 0.0"),
        ({"weight": float("nan")}, "weight must be a finite number other than 0; not nan"),
    ],
)
def test_an_objective_of_nothing_is_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message) as error:
        Objective(**({"layer": "a"} | fields))  # type: ignore[arg-type]
    assert str(error.value) == message


def test_nothing_can_be_scaled_away() -> None:
    with pytest.raises(ValueError, match="weight must be a finite number other than 0"):
        (Objective("a") + Objective("b")) * 0
    with pytest.raises(ValueError, match="at least one objective"):
        Mix(())
