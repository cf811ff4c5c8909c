"""The limits of output formats."""

import pytest

from render.errors import OutputError
from render.pictures.output_format import FORMATS, check_output

GOOD = [
    ("png", 1, 1, 8),
    ("png", 100_000, 100_000, 16),
    ("jpeg", 65_500, 65_500, 8),
    ("tiff", 200_000, 3, 16),
    ("deepzoom", 200_000, 200_000, 8),
    ("iiif-zip", 200_000, 200_000, 8),
    ("webp", 16_383, 3_000, 8),
    ("avif", 700, 16_384, 8),
]
BAD = [
    ("jpeg", 65_501, 10, 8, "use png, tiff, deepzoom, deepzoom-zip, iiif"),
    ("jpeg", 10, 65_501, 8, "1 to 65500"),
    ("jpeg", 10, 10, 16, "use png or tiff"),
    ("deepzoom", 10, 10, 16, "cannot hold 16 bits"),
    ("png", 0, 10, 8, "change the size"),
    ("png", 10, 0, 8, "change the size"),
    ("png", 10, 20_000_000, 8, "1 to 10000000: change the size"),
    ("tiff", 10, 10, 32, "use 8 or 16"),
    ("webp", 10, 16_384, 8, "1 to 16383: change the size, or use png"),
    ("webp", 10_000, 5_010, 8, "50 megapixels, and its encoder .* at most 50: .* or use jpeg"),
    ("avif", 4_000, 4_000, 8, "16 megapixels, .* at most 12: "),
    ("avif", 16_385, 10, 8, "1 to 16384"),
    ("webp", 10, 10, 16, "use png or tiff"),
    ("gif", 10, 10, 8, "no such format: use one of png, jpeg, tiff, deepzoom"),
]


@pytest.mark.parametrize(("name", "height", "width", "depth"), GOOD)
def test_valid_outputs_are_accepted(name: str, height: int, width: int, depth: int) -> None:
    check_output(name, height, width, depth)


@pytest.mark.parametrize(("name", "height", "width", "depth", "reason"), BAD)
def test_invalid_outputs_are_refused(
    name: str, height: int, width: int, depth: int, reason: str
) -> None:
    with pytest.raises(OutputError, match=reason) as caught:
        check_output(name, height, width, depth)
    assert str(caught.value).startswith(f"output {name}: ")


def test_formats_are_found_by_their_own_names() -> None:
    assert all(name == held.name for name, held in FORMATS.items())
    assert len({held.suffix for held in FORMATS.values()}) == len(FORMATS)
