"""The input of a poster."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jobs.planning.source import check_aspect, describe_input, input_shape, open_input
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


def test_noise_and_colours_do_not_depend_on_the_output_size() -> None:
    noise, extent = open_input(
        parse_poster_spec({"input": {"noise": {"seed": 3}}, "size": "30x20"})
    )
    plain, _ = open_input(parse_poster_spec({"input": {"colour": "#102030"}, "size": "30x20"}))

    assert extent == (20, 30, None)
    assert (noise.height, noise.width) == (512, 768)
    assert (plain.height, plain.width) == (1, 1)
    assert {len(np.unique(band)) > 100 for band in noise.bands(64)} == {True}
    (band,) = plain.bands(64)
    assert np.unique(band.reshape(-1, 3), axis=0).tolist() == [[16, 32, 48]]


def test_a_page_of_several_is_chosen_or_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "scan.tif"
    first, second = Image.new("RGB", (8, 9)), Image.new("RGB", (5, 4))
    first.save(path, save_all=True, append_images=[second])
    described, _ = describe_input(parse_poster_spec({"input": str(path)}))
    note = "scan.tif: holds 2 pictures, and number 1 is used; choose another with input.page"
    assert (described.height, described.width, described.notes) == (9, 8, (note,))
    assert [record.getMessage() for record in caplog.records] == [note]

    chosen, size = describe_input(parse_poster_spec({"input": {"path": str(path), "page": 2}}))
    assert (chosen.height, chosen.width, chosen.notes) == (4, 5, ())
    assert (size.height, size.width) == (4, 5)


@pytest.mark.parametrize(
    ("fit", "size", "seen"),
    [
        ({"fit": "crop"}, "40x40", (68, 68)),
        ({"fit": "crop", "focus": "100%,50%"}, "x2", (68, 100)),
        ({"fit": "pad"}, "40x40", (100, 100)),
        ({"fit": "crop"}, "A4", (68, 96)),
        ({"fit": "stretch"}, "40x40", (68, 100)),
    ],
)
def test_a_fit_gives_the_picture_the_shape_of_the_size(
    picture: Path, fit: dict[str, str], size: str, seen: tuple[int, int]
) -> None:
    spec = parse_poster_spec({"input": str(picture), "size": size, **fit})
    info, extent = describe_input(spec)
    assert (info.height, info.width) == seen
    check_aspect(spec, info, extent)
    shape = input_shape(spec, info, extent)
    assert shape[0] / shape[1] == pytest.approx(extent.height / extent.width, rel=0.02)


def test_a_crop_looks_where_its_focus_is(picture: Path) -> None:
    def band(focus: str) -> np.ndarray:
        document = {"input": str(picture), "size": "9x9", "fit": "crop", "focus": focus}
        opened, _ = open_input(parse_poster_spec(document))
        return np.concatenate(list(opened.bands(64)))

    whole, _ = open_input(parse_poster_spec({"input": str(picture)}))
    pixels = np.concatenate(list(whole.bands(64)))
    np.testing.assert_array_equal(band("0%,0%"), pixels[:, :68])
    np.testing.assert_array_equal(band("100%,0%"), pixels[:, -68:])
