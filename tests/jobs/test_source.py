"""What a poster starts from."""

from pathlib import Path

import numpy as np
import pytest

from jobs.planning.source import opened
from jobs.spec.document import spec_of
from render.errors import PictureError
from tests.jobs.small import HEIGHT, WIDTH


def test_a_picture_has_its_own_size(picture: Path) -> None:
    source, extent = opened(spec_of({"input": str(picture), "size": "x2 @ 200dpi"}))

    assert (source.height, source.width, source.depth) == (HEIGHT, WIDTH, 8)
    assert extent == (2 * HEIGHT, 2 * WIDTH, 200)


def test_a_picture_above_the_limit_is_refused(picture: Path) -> None:
    with pytest.raises(PictureError, match="limit of 50"):
        opened(spec_of({"input": str(picture), "limits": {"max_pixels": 50}}))


def test_noise_and_colours_are_made_at_the_output_s_size() -> None:
    noise, extent = opened(spec_of({"input": {"noise": {"seed": 3}}, "size": "30x20"}))
    plain, _ = opened(spec_of({"input": {"colour": "#102030"}, "size": "30x20"}))

    assert extent == (20, 30, None)
    assert (noise.height, noise.width) == (plain.height, plain.width) == (20, 30)
    assert {len(np.unique(band)) > 100 for band in noise.bands(64)} == {True}
    (band,) = plain.bands(64)
    assert np.unique(band.reshape(-1, 3), axis=0).tolist() == [[16, 32, 48]]
