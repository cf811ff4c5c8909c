"""Parameters of a dream outside their ranges are refused."""

import pytest

from render.dream.config import Dream


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"octaves": 0}, "octaves must be from 1 to 64, or auto; not 0"),
        ({"octave_scale": 1.0}, "octave_scale must be from 1.05 to 4; not 1.0"),
        ({"octave_scale": 4.01}, "octave_scale must be from 1.05 to 4; not 4.01"),
        ({"octave_scale": float("nan")}, "octave_scale must be from 1.05 to 4; not nan"),
        ({"steps": -1}, "steps must be from 0 to 100000; not -1"),
        ({"step_size": 0.0}, "step_size must be above 0; not 0.0"),
        ({"step_size": float("inf")}, "step_size must be above 0; not inf"),
        ({"jitter": -1}, "jitter must be from 0 to 100000; not -1"),
        ({"seed": -1}, "seed must be from 0 to 2**63 - 1; not -1"),
        ({"edges": "both"}, "edges must be one of zero, mirror, wrap, wrap-x, wrap-y; not both"),
        ({"seed": 2**63}, "seed must be from 0 to 2**63 - 1; not 9223372036854775808"),
    ],
)
def test_values_out_of_range_are_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError) as error:
        Dream(**fields)  # type: ignore[arg-type]
    assert str(error.value) == message


def test_the_ends_of_the_ranges_are_allowed() -> None:
    Dream(octaves=1, octave_scale=4, steps=0, step_size=1e-9, jitter=0, seed=2**63 - 1)
