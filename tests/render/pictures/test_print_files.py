"""Files for a printer: panels that are the poster, bleed from the poster, a plan and a proof."""

from pathlib import Path

import numpy as np
import pikepdf
import pytest

from render.errors import OutputError
from render.geometry.rect import Rect
from render.pictures.encoding import Encoding
from render.pictures.hanging_plan import HangingPlan
from render.pictures.ink import Press
from render.pictures.output_format import Labels
from render.pictures.panels import PanelGrid
from render.pictures.pdf_page import A4
from render.pictures.print_files import PartFile, PlanFile, PrintFile, ProofFile
from render.pictures.print_writing import Writing
from tests.support.pdf_files import MM, box_in_mm, pdf_samples, tiled_canvas, tool_says
from tests.support.picture_files import gradient_samples, noise_samples, read_samples

WRITING = Writing(Labels(254.0, "{}"))
POSTER = noise_samples(150, 230)
GRID = PanelGrid((150, 230), (81, 100), 12)
BLEED = 5
SUFFIXES = {"pdf": ".pdf", "tiff": ".tif", "png": ".png"}


def samples_of(path: Path) -> np.ndarray:
    return pdf_samples(path) if path.suffix == ".pdf" else read_samples(path)


@pytest.mark.parametrize("form", SUFFIXES)
def test_panels_put_together_equal_the_poster(tmp_path: Path, form: str) -> None:
    canvas = tiled_canvas(tmp_path, POSTER, 64)
    # What is beyond the poster is its mirror image.
    around = np.pad(POSTER, ((BLEED, BLEED), (BLEED, BLEED), (0, 0)), "symmetric")
    together = np.zeros_like(POSTER)
    for panel in GRID.panels():
        part = panel.pixels.grown(BLEED)
        file = PartFile(f"{GRID.name(panel)}{SUFFIXES[form]}", form, 8, part, BLEED, 254)
        file.write(canvas, tmp_path / file.name, WRITING)
        samples = samples_of(tmp_path / file.name)
        np.testing.assert_array_equal(samples, around[part.slices((-BLEED, -BLEED))])
        together[panel.pixels.slices()] = samples[BLEED:-BLEED, BLEED:-BLEED]
    assert len(list(tmp_path.glob("r*-c*"))) == GRID.rows * GRID.columns == 6
    np.testing.assert_array_equal(together, POSTER)


def test_a_bleed_wider_than_the_poster_mirrors_again(tmp_path: Path) -> None:
    small = noise_samples(3, 5)
    file = PartFile("a.png", "png", 8, Rect(-7, -7, 10, 12), 7, 254)
    file.write(tiled_canvas(tmp_path, small, 64), tmp_path / "a.png", WRITING)
    expected = np.pad(small, ((7, 7), (7, 7), (0, 0)), "symmetric")
    np.testing.assert_array_equal(read_samples(tmp_path / "a.png"), expected)


def test_a_part_in_the_colours_of_a_press_has_its_inks(tmp_path: Path) -> None:
    press, picture = Press(None), gradient_samples(50, 60)
    writing = Writing(Labels(254.0, "{}"), press, Encoding(profile=press.content()))
    file = PartFile("a.pdf", "pdf", 8, Rect(0, 0, 50, 60), 0, 254)
    file.write(tiled_canvas(tmp_path, picture, 64), tmp_path / "a.pdf", writing)
    np.testing.assert_array_equal(pdf_samples(tmp_path / "a.pdf"), press.inks(picture))


def test_writing_stops_when_it_is_told_to(tmp_path: Path) -> None:
    class Stopped(Exception):  # noqa: N818 - not an error
        pass

    def stop() -> None:
        raise Stopped

    canvas = tiled_canvas(tmp_path, POSTER, 64)
    writing = Writing(Labels(254.0, "{}"), check_stop=stop)
    plan = PlanFile("plan.pdf", HangingPlan("sky", GRID, 0, 254))
    files: list[PrintFile] = [
        PartFile("a.pdf", "pdf", 8, Rect(0, 0, 150, 230), 0, 254),
        PartFile("a.png", "png", 8, Rect(0, 0, 150, 230), 0, 254),
        ProofFile("proof.pdf", (150, 230), 254),
        plan,
    ]
    for file in files:
        with pytest.raises(Stopped):
            file.write(canvas, tmp_path / file.name, writing)
    assert [one.name for one in tmp_path.iterdir()] == ["canvas"]


def test_a_part_that_a_format_cannot_hold_is_refused_at_once() -> None:
    with pytest.raises(OutputError, match="a side has 1 to 65500"):
        PartFile("a.jpg", "jpeg", 8, Rect(0, 0, 10, 70_000), 0, 254)
    with pytest.raises(OutputError, match=r"a page of a PDF has at most 5\.08 m"):
        PartFile("a.pdf", "pdf", 8, Rect(0, 0, 10, 60_000), 0, 254)


def words(path: Path) -> str:
    return " ".join(tool_says("pdftotext", "poppler-utils", str(path), "-").split())


def test_the_plan_names_every_panel_and_says_its_size(tmp_path: Path) -> None:
    plan = HangingPlan("sky (2)", GRID, BLEED, 25.4)
    file = PlanFile("plan.pdf", plan)
    file.write(tiled_canvas(tmp_path, POSTER, 64), tmp_path / "plan.pdf", WRITING)
    np.testing.assert_array_equal(pdf_samples(tmp_path / "plan.pdf"), POSTER)
    assert box_in_mm(tmp_path / "plan.pdf", "MediaBox")[2:] == pytest.approx((297, 210), abs=1e-4)
    assert plan.lines() == [
        "230 x 150 mm: 6 panels in 2 rows and 3 columns, named by row and column from the top "
        "left.",
        "Columns: 100 mm wide, the last 54 mm. Rows: 81 mm high.",
        "Sizes are after trimming: 5 mm of bleed go on each side. Neighbours share 12 mm.",
    ]
    text = words(tmp_path / "plan.pdf")
    assert text.startswith("sky (2) 230 x 150 mm: 6 panels in 2 rows and 3 columns")
    for panel in GRID.panels():
        assert GRID.name(panel) in text
    assert "54 x 81 mm" in text
    assert "WARNING" not in tool_says("qpdf", "qpdf", "--check", str(tmp_path / "plan.pdf"))


def test_the_plan_of_many_panels_is_still_a_page(tmp_path: Path) -> None:
    grid = PanelGrid((150, 230), (10, 10))
    file = PlanFile("plan.pdf", HangingPlan("sky", grid, 0, 254))
    file.write(tiled_canvas(tmp_path, POSTER, 64), tmp_path / "plan.pdf", WRITING)
    options = ("-q", "-dBATCH", "-dNOPAUSE", "-dPDFSTOPONWARNING", "-sDEVICE=nullpage")
    assert tool_says("gs", "ghostscript", *options, str(tmp_path / "plan.pdf")) == ""
    assert "r15-c23" in words(tmp_path / "plan.pdf")


def test_the_proof_shows_the_whole_and_a_part_in_its_true_size(tmp_path: Path) -> None:
    poster = noise_samples(4000, 300)
    file = ProofFile("proof.pdf", (4000, 300), 254)
    file.write(tiled_canvas(tmp_path, poster, 512), tmp_path / "proof.pdf", WRITING)
    path = tmp_path / "proof.pdf"
    with pikepdf.open(path) as pdf:
        assert [tuple(map(float, page.mediabox))[2:] for page in pdf.pages] == [
            pytest.approx(A4, abs=1e-5)
        ] * 2
        whole, part = (page.Contents.read_bytes().split() for page in pdf.pages)
    # 4000 x 300 pixels on 277 mm, from top to bottom.
    assert float(whole[4]) * MM == pytest.approx(277, abs=1e-4)
    assert float(whole[1]) * MM == pytest.approx(277 * 300 / 4000, abs=1e-4)
    # 277 mm of the middle, with ten pixels a millimetre.
    assert float(part[4]) * MM == pytest.approx(277, abs=0.1)
    assert float(part[1]) * MM == pytest.approx(30, abs=1e-4)
    assert pdf_samples(path, 0).shape == (2000, 150, 3)
    rows = len(pdf_samples(path, 1))
    assert rows in {2769, 2770}
    np.testing.assert_array_equal(
        pdf_samples(path, 1), poster[(4000 - rows) // 2 : (4000 - rows) // 2 + rows]
    )


def test_the_proof_for_a_press_keeps_its_colours_and_names_the_press(tmp_path: Path) -> None:
    press, picture = Press(None), gradient_samples(50, 60)
    writing = Writing(Labels(254.0, "{}"), press, Encoding(profile=press.content()))
    file = ProofFile("proof.pdf", (50, 60), 254)
    file.write(tiled_canvas(tmp_path, picture, 64), tmp_path / "proof.pdf", writing)
    for page in (0, 1):
        np.testing.assert_array_equal(pdf_samples(tmp_path / "proof.pdf", page), picture)
    with pikepdf.open(tmp_path / "proof.pdf") as pdf:
        assert pdf.Root.OutputIntents[0].DestOutputProfile.read_bytes() == press.content()
        assert pdf.pages[0].get_images()["/Im0"].ColorSpace[0] == "/ICCBased"
    assert "WARNING" not in tool_says("qpdf", "qpdf", "--check", str(tmp_path / "proof.pdf"))
