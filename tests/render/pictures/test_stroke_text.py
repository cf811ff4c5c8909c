"""Names of panels in lines: every letter is another one, and stays in its place."""

import re

import pytest

from render.pictures.pdf_page import trimmed_page
from render.pictures.stroke_text import stroke_text

LINE = re.compile(r"(\S+) (\S+) m (\S+) (\S+) l S\n")


def points(text: str) -> list[tuple[float, float]]:
    """The ends of all lines of a text of height 10 at (100, 50)."""
    lines = [
        tuple(map(float, found.groups())) for found in LINE.finditer(stroke_text(text, 100, 50, 10))
    ]
    return [point for line in lines for point in (line[:2], line[2:])]  # type: ignore[misc]


def test_every_letter_has_another_shape() -> None:
    letters = "0123456789rc-"
    assert len({stroke_text(one, 0, 0, 10) for one in letters}) == len(letters)
    assert len(points("8")) == 14, "all seven lines"
    assert points("1") == [(105, 55), (105, 60), (105, 50), (105, 55)]


def test_letters_follow_each_other_between_their_lines() -> None:
    found = points("r12-c3")
    assert min(x for x, _ in found) == 100
    assert max(x for x, _ in found) == 100 + 5 * 8 + 5
    assert {y for _, y in found} == {50, 55, 60}


def test_other_letters_are_a_mistake() -> None:
    with pytest.raises(KeyError):
        stroke_text("x", 0, 0, 10)


def test_a_page_with_marks_shows_the_name_of_its_panel() -> None:
    def lines(*, marks: bool, label: str) -> int:
        page = trimmed_page((300, 500), 20, 300, marks=marks, label=label)
        return page.content("Im0", "CS0").count(b" l S\n")

    assert lines(marks=True, label="") == 8
    assert lines(marks=True, label="r1-c1") == 8 + 2 + 2 + 1 + 3 + 2
    assert lines(marks=False, label="r1-c1") == 0
