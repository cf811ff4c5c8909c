"""A rendered poster's PDF, panels and contract proof."""

from pathlib import Path

import numpy as np
import pytest

from jobs.poster.local import render_here
from jobs.runtime.backend import crew_in_process
from jobs.runtime.publish import Target
from jobs.text.errors import RequestError
from render.pictures.write import output_digest
from tests.support.pdf_files import box_in_mm, pdf_samples
from tests.support.picture_files import read_samples
from tests.support.small_poster import HEIGHT, WIDTH, plan_poster

OUTPUTS = (
    "outputs=[png, {format: pdf, bleed: 1mm, marks: true}, contract-proof, "
    "{format: tiff, panels: {width: 4cm, overlap: 5mm, bleed: 2mm}}]"
)
SIZE = "size=x1 @ 25.4dpi"
"""One pixel a millimetre."""


def test_all_files_are_the_poster(picture: Path, weights: Path, tmp_path: Path) -> None:
    plan = plan_poster(picture, weights, OUTPUTS, SIZE)
    manifest = render_here(plan, Target(tmp_path), lambda progress: None, crew_in_process)

    panels = ["sky-r1-c1.tif", "sky-r1-c2.tif", "sky-r1-c3.tif"]
    shapes = {
        one["path"]: (one["format"], one["height"], one["width"]) for one in manifest["outputs"]
    }
    assert shapes == {
        "sky.png": ("png", HEIGHT, WIDTH),
        "sky.pdf": ("pdf", HEIGHT, WIDTH),
        "sky-contract-proof.pdf": ("contract-proof", HEIGHT, WIDTH),
        "sky-panels.pdf": ("pdf", HEIGHT, WIDTH),
        panels[0]: ("tiff", HEIGHT + 4, 44),
        panels[1]: ("tiff", HEIGHT + 4, 44),
        panels[2]: ("tiff", HEIGHT + 4, 34),
    }
    for one in manifest["outputs"]:
        path = tmp_path / one["path"]
        assert (one["bytes"], one["sha256"]) == (path.stat().st_size, output_digest(path))

    poster = read_samples(tmp_path / "sky.png")
    np.testing.assert_array_equal(pdf_samples(tmp_path / "sky.pdf")[1:-1, 1:-1], poster)
    left, bottom, right, top = box_in_mm(tmp_path / "sky.pdf", "TrimBox")
    assert (right - left, top - bottom) == pytest.approx((WIDTH, HEIGHT), abs=1e-4)
    for number, name in enumerate(panels):
        part = read_samples(tmp_path / name)[2:-2, 2:-2]
        np.testing.assert_array_equal(part, poster[:, number * 35 : number * 35 + 40])
    np.testing.assert_array_equal(pdf_samples(tmp_path / "sky-contract-proof.pdf"), poster)


def test_panels_that_do_not_fit_are_refused_before_rendering(picture: Path, weights: Path) -> None:
    with pytest.raises(
        RequestError, match=r"panels.width: 11cm is more than the poster's 10\.0 cm"
    ):
        plan_poster(picture, weights, "outputs=[{panels: {width: 11cm}}]", SIZE)


def test_outputs_for_the_printer_are_part_of_the_identity(picture: Path, weights: Path) -> None:
    outputs = (
        "[png]",
        "[png, pdf]",
        "[png, {format: pdf, bleed: 1mm}]",
        "[png, {panels: {width: 4cm}}]",
        "[png, {panels: {width: 5cm}}]",
    )
    plans = [plan_poster(picture, weights, f"outputs={one}", SIZE) for one in outputs]
    assert len({plan.identity.job_id for plan in plans}) == len(outputs)
    one, other = (
        plan_poster(picture, weights, f"outputs={texts}", SIZE).identity.job_id
        for texts in ("[pdf, {panels: {width: 4cm}}]", "[{panels: {width: 4cm}}, pdf]")
    )
    assert one == other
