"""Parameters of a Fourier picture outside their ranges are refused."""

import pytest

from render.dream.objective import Mix, Objective
from render.fourier.setup import MAX_PIXELS, FeatureSetup, Fourier, check_size
from render.geometry.rect import Size


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"steps": -1}, "steps must be from 0 to 100000; not -1"),
        ({"steps": 100_001}, "steps must be from 0 to 100000; not 100001"),
        ({"rate": 0.0}, "rate must be above 0 and at most 10; not 0.0"),
        ({"rate": 10.5}, "rate must be above 0 and at most 10; not 10.5"),
        ({"rate": float("nan")}, "rate must be above 0 and at most 10; not nan"),
        ({"decay": -0.1}, "decay must be from 0 to 4; not -0.1"),
        ({"decay": 4.1}, "decay must be from 0 to 4; not 4.1"),
        ({"turn": 180.5}, "turn must be from 0 to 180; not 180.5"),
    ],
)
def test_values_out_of_range_are_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError) as error:
        Fourier(**fields)  # type: ignore[arg-type]
    assert str(error.value) == message


def test_the_ends_of_the_ranges_are_allowed() -> None:
    Fourier(steps=0, rate=1e-9, decay=0, turn=0)
    Fourier(steps=100_000, rate=10, decay=4, turn=180)


def setup(size: Size) -> FeatureSetup:
    """The setup of a picture of this size."""
    mix = Mix((Objective("features.3"),))
    return FeatureSetup(mix, Fourier(), "float32", "cpu", size, stride=8, field=91)


def test_a_picture_too_large_is_refused_in_one_line() -> None:
    check_size((2048, 2048))
    setup((1, MAX_PIXELS))
    with pytest.raises(ValueError, match=r"^2049 x 2048 pixels are too many .* 4\.2 megapixels"):
        setup((2048, 2049))


def test_a_view_has_at_least_a_few_strides() -> None:
    assert setup((8, 8)).min_side == 24
