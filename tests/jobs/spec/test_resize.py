"""Sizes of results: they keep the aspect and the bounds, and each rule parses back from text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.spec.resize import Resize, parse_resize

SIDES = st.integers(1, 99_999_999)
PICTURES = st.tuples(st.integers(1, 100_000), st.integers(1, 100_000))
RULES = st.one_of(
    st.just(Resize()),
    st.builds(Resize, st.just("longest"), SIDES),
    st.builds(Resize, st.sampled_from(["fit", "exact"]), SIDES, SIDES),
)


@given(RULES)
def test_text_parses_back_to_an_equal_value(rule: Resize) -> None:
    assert parse_resize(str(rule)) == rule


@given(RULES, PICTURES)
def test_results_have_at_least_one_pixel(rule: Resize, picture: tuple[int, int]) -> None:
    assert min(rule.size(*picture)) >= 1


@given(PICTURES)
def test_none_keeps_the_size(picture: tuple[int, int]) -> None:
    assert Resize().size(*picture) == picture


@given(st.integers(1, 10_000), st.integers(1, 10_000), PICTURES)
def test_exact_ignores_the_aspect(width: int, height: int, picture: tuple[int, int]) -> None:
    assert Resize("exact", width, height).size(*picture) == (height, width)


@given(st.integers(1, 10_000), PICTURES)
def test_longest_keeps_the_aspect(side: int, picture: tuple[int, int]) -> None:
    result = Resize("longest", side).size(*picture)

    assert max(result) == side
    assert keeps_aspect(picture, result)


@given(st.integers(1, 10_000), st.integers(1, 10_000), PICTURES)
def test_fit_touches_the_box_and_keeps_the_aspect(
    width: int, height: int, picture: tuple[int, int]
) -> None:
    result = Resize("fit", width, height).size(*picture)

    assert result[0] <= height
    assert result[1] <= width
    assert result[0] == height or result[1] == width
    assert keeps_aspect(picture, result)


def keeps_aspect(picture: tuple[int, int], result: tuple[int, int]) -> bool:
    """Whether the aspect is the same, except for the rounding of a side to a pixel."""
    longer = picture.index(max(picture))
    exact = picture[1 - longer] * result[longer] / picture[longer]
    other = result[1 - longer]
    # If the shorter side touches the box exactly, the longer side was rounded.
    longer_exact = picture[longer] * other / picture[1 - longer]
    return (
        other == 1
        or abs(other - exact) <= 0.5 + 1e-6
        or abs(result[longer] - longer_exact) <= 0.5001
    )


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("none", Resize()),
        (" None ", Resize()),
        ("1024", Resize("longest", 1024)),
        ("1024 px", Resize("longest", 1024)),
        ("1024px", Resize("longest", 1024)),
        ("fit 800x600", Resize("fit", 800, 600)),
        ("FIT  800 × 600", Resize("fit", 800, 600)),
        ("512x384", Resize("exact", 512, 384)),
    ],
)
def test_valid_texts(text: str, rule: Resize) -> None:
    assert parse_resize(text) == rule


@pytest.mark.parametrize(
    ("rule", "picture", "size"),
    [
        ("1024", (600, 800), (768, 1024)),
        ("1024", (800, 600), (1024, 768)),
        ("1024", (1, 5000), (1, 1024)),
        ("fit 800x600", (100, 400), (200, 800)),
        ("fit 800x600", (400, 100), (600, 150)),
        ("3", (2, 4), (2, 3)),
    ],
)
def test_known_sizes(rule: str, picture: tuple[int, int], size: tuple[int, int]) -> None:
    assert parse_resize(rule).size(*picture) == size


@pytest.mark.parametrize(
    "text",
    ["", "0", "-5", "1.5", "0x4", "4x0", "fit", "fit 800", "x2", "800x600 @ 300dpi", "९", "1e3"],
)
def test_invalid_texts_say_what_is_allowed(text: str) -> None:
    with pytest.raises(ValueError, match="is not a valid resize; write none, 1024") as error:
        parse_resize(text)
    assert "\n" not in str(error.value)
