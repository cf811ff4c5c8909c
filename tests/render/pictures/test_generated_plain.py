"""A plain colour, in bands."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from render.pictures.generated import PlainColour

parts = st.integers(0, 255)


@given(st.integers(1, 90), st.integers(1, 90), st.tuples(parts, parts, parts), st.integers(1, 99))
def test_every_pixel_has_the_colour(
    height: int, width: int, colour: tuple[int, int, int], rows: int
) -> None:
    bands = list(PlainColour(height, width, colour).bands(rows))

    assert all(len(band) <= rows for band in bands)
    found = np.concatenate(bands)
    assert found.shape == (height, width, 3)
    assert found.dtype == np.uint8
    assert (found == colour).all()
