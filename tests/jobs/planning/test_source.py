"""The input of a poster."""

from pathlib import Path

import numpy as np
import pytest

from jobs.planning.source import open_input
from jobs.spec.document import parse_poster_spec
from render.errors import PictureError
from tests.support.small_poster import HEIGHT, WIDTH


def test_a_picture_has_its_own_size(picture: Path) -> None:
    source, extent = open_input(parse_poster_spec({"input": str(picture), "size": "x2 @ 200dpi"}))

    assert (source.height, source.width, source.depth) == (HEIGHT, WIDTH, 8)
    assert extent == (2 * HEIGHT, 2 * WIDTH, 200)


def test_a_picture_above_the_limit_fails(picture: Path) -> None:
    with pytest.raises(PictureError, match="limit of 50"):
        open_input(parse_poster_spec({"input": str(picture), "limits": {"max_pixels": 50}}))


def test_noise_and_colours_have_the_output_size() -> None:
    noise, extent = open_input(
        parse_poster_spec({"input": {"noise": {"seed": 3}}, "size": "30x20"})
    )
    plain, _ = open_input(parse_poster_spec({"input": {"colour": "#102030"}, "size": "30x20"}))

    assert extent == (20, 30, None)
    assert (noise.height, noise.width) == (plain.height, plain.width) == (20, 30)
    assert {len(np.unique(band)) > 100 for band in noise.bands(64)} == {True}
    (band,) = plain.bands(64)
    assert np.unique(band.reshape(-1, 3), axis=0).tolist() == [[16, 32, 48]]
