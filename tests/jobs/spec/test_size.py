"""Sizes: valid texts and their pixels, and invalid texts."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.spec.size import InputMultiple, Length, PixelSize, SideLengths, Size, parse_size

HEIGHT, WIDTH = 1000, 1500
ALLOWED = "write 60cm x 34cm @ 300dpi, 7087x4016, 60cm x auto, or x4"

numbers = st.decimals("0.01", "99999", places=2)
lengths = st.builds(Length, numbers, st.sampled_from(["px", "mm", "cm", "in"]))
inputs = st.integers(1, 20_000)


@st.composite
def sizes(draw: st.DrawFn) -> Size:
    dpi = draw(st.none() | numbers)
    if draw(st.booleans()):
        return InputMultiple(draw(numbers), dpi)
    width = draw(st.none() | lengths)
    height = draw(
        lengths if width is None else st.none() | st.builds(Length, numbers, st.just(width.unit))
    )
    return SideLengths(width, height, dpi)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("60cm x 34cm @ 300dpi", PixelSize(4016, 7087, 300)),
        ("60cm x 34cm", PixelSize(4016, 7087, 300)),
        ("600mm x 34cm @ 150", PixelSize(2008, 3543, 150)),
        ("7087x4016", PixelSize(4016, 7087, None)),
        ("7087px × 4016 PX", PixelSize(4016, 7087, None)),
        ("7087x4016 @ 300dpi", PixelSize(4016, 7087, 300)),
        ("60cm x auto @ 300dpi", PixelSize(4725, 7087, 300)),
        ("auto x 16in @ 300 dpi", PixelSize(4800, 7200, 300)),
        ('10" x 8" @ 72.5dpi', PixelSize(580, 725, 72.5)),
        ("2400 x auto", PixelSize(1600, 2400, None)),
        ("x4", PixelSize(4000, 6000, None)),
        ("4x", PixelSize(4000, 6000, None)),
        ("x0.5 @ 300dpi", PixelSize(500, 750, 300)),
        ("x.0001", PixelSize(1, 1, None)),
        ("0.5 x 1.5", PixelSize(2, 1, None)),
        ("3 x 0.01", PixelSize(1, 3, None)),
    ],
)
def test_sizes_for_an_input_of_1500_by_1000(text: str, expected: PixelSize) -> None:
    assert parse_size(text).resolve(HEIGHT, WIDTH) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "60",
        "60cm",
        "A4",
        "big",
        "nan x 3",
        "infx4",
        "-4 x 3",
        "x-4",
        "1e3 x 5",
        "4x5x6",
        "4 x 5 @ many",
        "4 x 5 dpi",
        "4ft x 5ft",
        "٣x٣",
        "4,5x3",
        "1111111111111 x 1",
        "4 by 5",
    ],
)
def test_invalid_texts(text: str) -> None:
    with pytest.raises(ValueError) as error:
        parse_size(text)
    assert str(error.value) == f"'{text}' is not a size; {ALLOWED}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0x5", f"a side must be above 0; {ALLOWED}"),
        ("5cm x 0.00cm", f"a side must be above 0; {ALLOWED}"),
        ("x0", f"the factor must be above 0; {ALLOWED}"),
        ("4 x 5 @ 0dpi", f"dpi must be above 0; {ALLOWED}"),
        ("x4 @ 0", f"dpi must be above 0; {ALLOWED}"),
        ("auto x auto", f"only one side may be auto; {ALLOWED}"),
        ("60 x 34cm", f"one side is physical, the other in pixels; {ALLOWED}"),
    ],
)
def test_impossible_sizes(text: str, message: str) -> None:
    with pytest.raises(ValueError) as error:
        parse_size(text)
    assert str(error.value) == message


@given(sizes())
def test_text_parses_back_to_an_equal_size(size: Size) -> None:
    assert parse_size(str(size)) == size


@given(size=sizes(), height=inputs, width=inputs)
def test_result_has_pixels_and_needs_input_is_right(size: Size, height: int, width: int) -> None:
    extent = size.resolve(height, width)

    assert extent.height >= 1
    assert extent.width >= 1
    if not size.needs_input:
        assert extent == size.resolve(1, 1)


@given(side=lengths, height=inputs, width=inputs)
def test_auto_keeps_the_aspect_within_half_a_pixel(side: Length, height: int, width: int) -> None:
    wide, high = (
        SideLengths(side, None).resolve(height, width),
        SideLengths(None, side).resolve(height, width),
    )

    assert abs(wide.height - Fraction(wide.width * height, width)) <= Fraction(1, 2) or (
        wide.height == 1
    )
    assert abs(high.width - Fraction(high.height * width, height)) <= Fraction(1, 2) or (
        high.width == 1
    )


@given(factor=numbers, height=inputs, width=inputs)
def test_multiples_round_half_up(factor: Decimal, height: int, width: int) -> None:
    extent = InputMultiple(factor).resolve(height, width)

    for whole, exact in ((extent.height, height * factor), (extent.width, width * factor)):
        assert whole == 1 or -0.5 < whole - exact <= 0.5


@given(value=numbers, dpi=numbers)
def test_units_agree_with_each_other(value: Decimal, dpi: Decimal) -> None:
    assert Length(value, "cm").pixels(dpi) == Length(value * 10, "mm").pixels(dpi)
    assert Length(value, "in").pixels(dpi) == Length(value * Decimal("2.54"), "cm").pixels(dpi)
    assert Length(value, "px").pixels(dpi) == Fraction(value)
