"""The contact sheet: the place and content of each cell."""

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from jobs.dataset.contact_sheet import Cell, draw_contact_sheet
from jobs.spec.dataset import MAX_SHEET

RED, GREEN = (255, 0, 0), (0, 255, 0)


def picture(colour: tuple[int, int, int]) -> bytes:
    content = BytesIO()
    Image.new("RGB", (200, 200), colour).save(content, "PNG")
    return content.getvalue()


def decode(sheet: bytes) -> Image.Image:
    with Image.open(BytesIO(sheet)) as image:
        assert image.format == "JPEG"
        return image.convert("RGB")


def columns_of(sheet: bytes, colour: tuple[int, int, int]) -> np.ndarray:
    """The left edges of the areas of a colour, in pixels, over all rows."""
    distance = np.abs(np.asarray(decode(sheet), int) - colour).sum(axis=2)
    found = (distance < 60).sum(axis=0) > 100
    return np.flatnonzero(np.diff(found.astype(int), prepend=0) == 1)


def area_of(sheet: bytes, colour: tuple[int, int, int]) -> float:
    """The area of a colour, in boxes of 200 x 200 pixels."""
    distance = np.abs(np.asarray(decode(sheet), int) - colour).sum(axis=2)
    return float((distance < 60).sum() / 200**2)


def test_a_pair_is_side_by_side_with_before_on_the_left() -> None:
    cells = [Cell(picture(RED), picture(GREEN), "a")] * 6
    sheet = draw_contact_sheet(cells, "six", columns=3)

    befores, afters = columns_of(sheet, RED), columns_of(sheet, GREEN)
    assert len(befores) == len(afters) == 3
    assert np.all((befores < afters) & (afters - befores < 220))
    assert area_of(sheet, RED) == pytest.approx(6, abs=0.2)


def test_without_inputs_only_results_are_drawn() -> None:
    cells = [Cell(None, picture(GREEN), str(n)) for n in range(4)]

    alone = decode(draw_contact_sheet(cells, "sweep", columns=4))
    pairs = decode(
        draw_contact_sheet([Cell(picture(RED), None, "a"), *cells[1:]], "mixed", columns=4)
    )

    assert alone.width < pairs.width * 0.6
    assert alone.height == pairs.height


def test_a_failure_is_drawn_in_place_of_its_result() -> None:
    fine = Cell(picture(RED), picture(GREEN), "fine")
    failed = Cell(picture(RED), picture(GREEN), "failed", failed="truncated at row 7")
    unexplained = Cell(picture(RED), picture(GREEN), "failed", failed="")
    sheet = draw_contact_sheet([fine, failed], "two", columns=2)

    assert area_of(sheet, RED) == pytest.approx(2, abs=0.1)
    assert area_of(sheet, GREEN) == pytest.approx(1, abs=0.1)
    assert sheet != draw_contact_sheet([fine, unexplained], "two", columns=2)


def test_an_unreadable_picture_is_an_empty_box() -> None:
    empty = draw_contact_sheet([Cell(None, None, "a")], "one")

    assert draw_contact_sheet([Cell(None, b"not a picture", "a")], "one") == empty


def test_by_default_a_sheet_is_a_little_wider_than_high() -> None:
    for count in (20, 100, MAX_SHEET):
        sheet = decode(draw_contact_sheet([Cell(b"", b"", "a")] * count, "many"))
        assert 1 < sheet.width / sheet.height < 2


texts = st.text(max_size=30) | st.text(st.sampled_from("aW …\n\t\0\u202eé日\udcff"), min_size=60)


@settings(max_examples=40)
@given(texts, texts, texts)
def test_any_text_fits_and_is_drawn_reproducibly(title: str, label: str, why: str) -> None:
    def sheet(title: str, label: str, why: str) -> bytes:
        cells = [Cell(None, None, label), Cell(None, None, "", failed=why)]
        return draw_contact_sheet(cells, title, columns=1)

    written, blank = sheet(title, label, why), sheet("", "", "")

    assert written == sheet(title, label, why)
    assert decode(written).size == decode(blank).size
    difference = np.abs(np.asarray(decode(written), int) - np.asarray(decode(blank), int))
    assert difference[:, :20].max() < 30
    assert difference[:, -20:].max() < 30


def test_long_labels_keep_both_ends() -> None:
    def sheet(label: str) -> bytes:
        return draw_contact_sheet([Cell(None, None, label)], "")

    middle = "m" * 300
    assert sheet(f"begin/{middle}/end") == sheet(f"begin/{middle}m/end")
    assert sheet(f"begin/{middle}/end") != sheet(f"begin/{middle}/eng")
    assert sheet(f"begin/{middle}/end") != sheet(f"bagin/{middle}/end")


def test_a_sheet_without_cells_has_a_title() -> None:
    assert draw_contact_sheet([], "nothing") != draw_contact_sheet([], "")


def test_too_many_cells_or_too_few_columns_are_refused() -> None:
    with pytest.raises(ValueError, match=f"at most {MAX_SHEET} cells"):
        draw_contact_sheet([Cell(None, None, "a")] * (MAX_SHEET + 1), "many")
    with pytest.raises(ValueError, match="at least 1 column, not 0"):
        draw_contact_sheet([], "none", columns=0)
