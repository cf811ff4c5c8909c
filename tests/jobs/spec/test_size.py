"""Sizes: valid texts and their pixels, and invalid texts."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.spec.length import ALLOWED_SIZES, Length, PixelSize
from jobs.spec.size import SideLengths, Size, parse_size
from jobs.spec.size_of_input import InputMultiple, LongerSide, Megapixels, Paper

HEIGHT, WIDTH = 1000, 1500
ALLOWED = ALLOWED_SIZES

numbers = st.decimals("0.01", "99999", places=2)
lengths = st.builds(Length, numbers, st.sampled_from(["px", "mm", "cm", "m", "in", "ft"]))
inputs = st.integers(1, 20_000)


@st.composite
def sizes(draw: st.DrawFn) -> Size:
    dpi = draw(st.none() | numbers)
    others = (
        st.builds(InputMultiple, numbers, st.just(dpi)),
        st.builds(LongerSide, lengths, st.just(dpi)),
        st.builds(Megapixels, numbers, st.just(dpi)),
        st.builds(
            Paper,
            st.integers(0, 10),
            st.sampled_from([None, "portrait", "landscape"]),
            st.just(dpi),
        ),
    )
    if draw(st.booleans()):
        return draw(st.one_of(*others))
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
        ("24x36in", PixelSize(10800, 7200, 300)),
        ("60 x 34cm", PixelSize(4016, 7087, 300)),
        ("1.5m x 3ft @ 100dpi", PixelSize(3600, 5906, 100)),
        ("60", PixelSize(40, 60, None)),
        ("300px", PixelSize(200, 300, None)),
        ("60cm @ 150dpi", PixelSize(2362, 3543, 150)),
        ("50%", PixelSize(500, 750, None)),
        ("33.3%", PixelSize(333, 500, None)),
        ("6MP", PixelSize(2000, 3000, None)),
        ("20mp @ 150dpi", PixelSize(3651, 5477, 150)),
        ("A4", PixelSize(2480, 3508, 300)),
        ("A4 portrait", PixelSize(3508, 2480, 300)),
        ("a0 landscape @ 150dpi", PixelSize(4967, 7022, 150)),
        # One arc minute at three metres is 0.87 mm.
        ("A2 seen from 3m", PixelSize(496, 702, 30)),
        ("A2 @ seen from 300 cm", PixelSize(496, 702, 30)),
        ("24in seen from 1ft", PixelSize(4592, 6888, 287)),
    ],
)
def test_sizes_for_an_input_of_1500_by_1000(text: str, expected: PixelSize) -> None:
    assert parse_size(text).resolve(HEIGHT, WIDTH) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "A11",
        "A4 sideways",
        "B2",
        "50 %%",
        "20 M P",
        "A4 seen from 3",
        "A4 seen from 3px",
        "big",
        "nan x 3",
        "infx4",
        "-4 x 3",
        "x-4",
        "1e3 x 5",
        "4x5x6",
        "4 x 5 @ many",
        "4 x 5 dpi",
        "4yd x 5yd",
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
        ("A4 seen from 0m", f"a distance must be above 0; {ALLOWED}"),
        ("0%", f"the factor must be above 0; {ALLOWED}"),
        ("0MP", f"megapixels must be above 0; {ALLOWED}"),
        ("0px", f"a side must be above 0; {ALLOWED}"),
        ("auto x auto", f"only one side may be auto; {ALLOWED}"),
        ("60px x 34cm", f"one side is physical, the other in pixels; {ALLOWED}"),
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


@given(millions=st.decimals("0.0001", "2000", places=4), height=inputs, width=inputs)
def test_megapixels_are_not_exceeded(millions: Decimal, height: int, width: int) -> None:
    extent = Megapixels(millions).resolve(height, width)

    pixels = Fraction(millions) * 1_000_000
    assert extent.height * extent.width <= pixels
    # A picture one column wider has more.
    assert (extent.width + 1) ** 2 * Fraction(height, width) > pixels


def test_all_papers_have_one_shape() -> None:
    shapes = {Paper(number).shape(HEIGHT, WIDTH) for number in range(11)}
    assert shapes == {(10_000, 14_142)}
    assert Paper(3).shape(WIDTH, HEIGHT) == (14_142, 10_000)
    assert Paper(3, "landscape").shape(WIDTH, HEIGHT) == (10_000, 14_142)


def test_given_sides_have_their_exact_shape() -> None:
    assert parse_size("60cm x 34cm").shape(1, 1) == (17, 30)
    assert parse_size("60cm x auto").shape(1000, 1501) == (1000, 1501)
