"""Which files an output for the printer has, and what does not fit a poster."""

from typing import Any

import pytest

from jobs.planning.disk import disk_use
from jobs.planning.print_files import print_files
from jobs.spec.poster import Output
from jobs.text.errors import RequestError
from render.errors import OutputError
from render.geometry.rect import Rect
from render.pictures.print_files import PartFile, PrintFile

SIZE = 2000, 3000
"""20 x 30 cm at 254 dpi, which is ten pixels a millimetre."""


def files(output: dict[str, Any], dpi: float | None = 254.0) -> tuple[PrintFile, ...]:
    return print_files(Output.model_validate(output), "sky", SIZE, dpi)


def test_a_pdf_has_the_poster_and_its_bleed() -> None:
    (pdf,) = files({"format": "pdf", "bleed": "3mm", "marks": True})
    assert pdf == PartFile("sky.pdf", "pdf", 8, Rect(-30, -30, 2030, 3030), 30, 254.0, True)
    assert pdf.size == SIZE
    assert pdf.written == 2060 * 3060


def test_a_poster_without_a_resolution_is_printed_at_300_dpi() -> None:
    (pdf,) = files({"format": "pdf", "bleed": "1in"}, dpi=None)
    assert isinstance(pdf, PartFile)
    assert (pdf.dpi, pdf.bleed) == (300.0, 300)


def test_a_contract_proof_is_one_file() -> None:
    (proof,) = files({"format": "contract-proof"})
    assert (proof.name, proof.format, proof.size) == (
        "sky-contract-proof.pdf",
        "contract-proof",
        SIZE,
    )


def test_panels_come_with_a_plan_of_the_whole() -> None:
    panels = {"width": "13cm", "overlap": "2cm", "bleed": "3mm"}
    plan, *parts = files({"format": "tiff", "depth": 16, "panels": panels})
    assert (plan.name, plan.format, plan.size) == ("sky-panels.pdf", "pdf", SIZE)
    assert [part.name for part in parts] == ["sky-r1-c1.tif", "sky-r1-c2.tif", "sky-r1-c3.tif"]
    assert parts[1] == PartFile(
        "sky-r1-c2.tif", "tiff", 16, Rect(-30, 1070, 2030, 2430), 30, 254.0, label="r1-c2"
    )
    # A file without a page has its bleed among its pixels.
    assert parts[1].size == (2060, 1360)


def test_panels_of_a_height_are_rows() -> None:
    _, *parts = files({"format": "png", "panels": {"height": "100mm"}})
    assert [part.name for part in parts] == ["sky-r1-c1.png", "sky-r2-c1.png"]


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (
            {"panels": {"width": "31cm"}},
            "panels.width: 31cm is more than the poster's 30.0 cm; choose less, or leave it out",
        ),
        (
            {"panels": {"height": "21cm"}},
            "panels.height: 21cm is more than the poster's 20.0 cm; choose less, or leave it out",
        ),
        (
            {"panels": {"width": "5cm", "overlap": "5cm"}},
            "panels.overlap: 5cm is not less than a side of a panel, 5.0 cm x 20.0 cm; choose less",
        ),
        (
            {"panels": {"width": "1mm", "height": "1mm"}},
            "panels: 60000 of them, and at most 1000 are allowed; choose larger ones",
        ),
        (
            {"format": "pdf", "bleed": "1ft"},
            "bleed: 1ft is more than the poster's 20.0 cm; choose less",
        ),
    ],
)
def test_what_does_not_fit_the_poster_is_refused(output: dict[str, Any], message: str) -> None:
    with pytest.raises(RequestError) as caught:
        files(output)
    assert str(caught.value) == message


def test_a_page_of_more_than_five_metres_is_refused_and_its_panels_are_not() -> None:
    with pytest.raises(OutputError, match=r"its page would be 5\.44 x 3\.63 m"):
        files({"format": "pdf"}, dpi=14.0)
    assert len(files({"panels": {"width": "2m"}}, dpi=14.0)) == 4


@pytest.mark.parametrize(
    "output",
    [
        {"format": "pdf", "bleed": "3mm"},
        {"format": "contract-proof"},
        {"panels": {"width": "13cm", "overlap": "2cm"}},
        {"format": "tiff", "panels": {"width": "13cm", "overlap": "2cm"}},
    ],
)
def test_the_disk_has_room_for_all_pixels(output: dict[str, Any]) -> None:
    made = files(output)
    use = disk_use(
        source=(0, 0),
        source_depth=8,
        size=SIZE,
        value_bytes=0,
        stored=0,
        spills=False,
        outputs=(Output.model_validate(output),),
        dpi=254.0,
    )
    pixels = sum(file.written for file in made)
    assert 3 * pixels < use.outputs < 6 * pixels + len(made) * (1 << 20)
