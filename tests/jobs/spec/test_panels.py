"""Outputs for the printer in a spec: bleed, marks and panels."""

from pathlib import Path
from typing import Any

import pytest

from jobs.spec.document import parse_poster_spec
from jobs.spec.panels import parse_length
from jobs.spec.poster import Output, PosterSpec
from jobs.text.errors import RequestError


def spec(outputs: list[Any]) -> PosterSpec:
    return parse_poster_spec({"input": "sky.jpg", "outputs": outputs})


def test_lengths_have_a_unit() -> None:
    assert [str(parse_length(text)) for text in ("3mm", "1.30 m", '2"', "35px", "35")] == [
        "3mm",
        "1.3m",
        "2in",
        "35",
        "35",
    ]


@pytest.mark.parametrize("text", ["", "-3mm", "0mm", "3 mm @ 300dpi", "3mm x 2mm", "A4", "x2"])
def test_other_texts_are_no_lengths(text: str) -> None:
    with pytest.raises(ValueError, match="is not a length; write 3mm, 2cm"):
        parse_length(text)


def test_an_output_for_the_printer_keeps_what_was_written() -> None:
    (output,) = spec([{"format": "pdf", "bleed": "3mm", "marks": True}]).outputs
    assert output.for_printer
    assert output.model_dump(mode="json") == {
        "format": "pdf",
        "depth": 8,
        "bleed": "3mm",
        "marks": True,
    }


def test_panels_are_pdfs_unless_a_format_is_given() -> None:
    panels = {"width": "130cm", "overlap": "2cm", "bleed": "3mm", "marks": True}
    assert spec([{"panels": panels}]).outputs[0].model_dump(mode="json") == {
        "format": "pdf",
        "depth": 8,
        "panels": panels,
    }
    tiff = spec([{"format": "tiff", "depth": 16, "panels": {"height": "1m"}}]).outputs[0]
    assert (tiff.format, tiff.depth) == ("tiff", 16)


def test_other_outputs_have_no_fields_for_the_printer() -> None:
    assert Output(format="png").model_dump(mode="json") == {"format": "png", "depth": 8}
    assert not Output(format="png").for_printer


def test_a_spec_parses_back_to_an_equal_spec() -> None:
    written = spec(["png", "contract-proof", {"panels": {"width": "1.3m"}}, "pdf"])
    document = written.document() | {"input": {"path": str(Path("sky.jpg").absolute())}}
    assert parse_poster_spec(document) == written


WIDE = {"width": "1m"}


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ([{"format": "png", "bleed": "3mm"}], "bleed and marks are for pdf, not png"),
        (
            [{"format": "contract-proof", "marks": True}],
            "bleed and marks are for pdf, not contract",
        ),
        ([{"format": "pdf", "bleed": "3 feet"}], "outputs.0.bleed: '3 feet' is not a length"),
        ([{"format": "pdf", "depth": 16}], "depth 16 is for png and tiff, not pdf"),
        ([{"format": "deepzoom", "panels": WIDE}], "panels are pdf, tiff, png, jpeg, not deepzoom"),
        ([{"panels": {}}], "outputs.0.panels: needs a width or a height"),
        ([{"panels": WIDE, "bleed": "3mm"}], "write bleed and marks inside panels"),
        (
            [{"format": "tiff", "panels": WIDE | {"marks": True}}],
            "marks of panels are for pdf, not",
        ),
        ([{"panels": WIDE}, {"format": "png", "panels": WIDE}], "must not contain panels twice"),
        (["pdf", {"format": "pdf", "bleed": "3mm"}], "must not contain a format twice"),
        ([{"panels": {"widht": "1m"}}], "outputs.0.panels.widht: no such key; nearest: width"),
    ],
)
def test_what_makes_no_sense_is_one_line(outputs: list[Any], message: str) -> None:
    with pytest.raises(RequestError) as caught:
        spec(outputs)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
