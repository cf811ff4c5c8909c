"""`dreamfarm fetch` of PDFs, panels and contract proofs, which a job has made or not."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from jobs.store.folder import FolderStore
from render.pictures.ink import Press
from tests.support.pdf_files import box_in_mm, pdf_samples
from tests.support.picture_files import read_samples
from tests.support.rendered_poster import RenderedPoster, render_poster
from tests.support.shell import CommandResult, Shell
from tests.support.small_poster import HEIGHT, WIDTH


def names(ended: CommandResult) -> list[str]:
    """The names of the files that a fetch reports."""
    assert ended.code == 0, ended.err
    return [Path(one["path"]).name for one in json.loads(ended.out)["outputs"]]


def entries(out: Path) -> dict[str, dict[str, Any]]:
    outputs = json.loads((out / "manifest.json").read_text())["outputs"]
    return {one["path"]: one for one in outputs}


def test_a_pdf_is_made_from_the_canvas(shell: Shell, job: RenderedPoster, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert names(shell("fetch", "sky", "--out", out, "--format", "png", "--json")) == ["sky.png"]
    assert names(shell("fetch", "sky", "--out", out, "--format", "pdf", "--json")) == ["sky.pdf"]
    poster = read_samples(out / "sky.png")
    np.testing.assert_array_equal(pdf_samples(out / "sky.pdf"), poster)
    # A poster without a resolution is printed at 300 dpi.
    left, bottom, right, top = box_in_mm(out / "sky.pdf", "TrimBox")
    expected = WIDTH / 300 * 25.4, HEIGHT / 300 * 25.4
    assert (right - left, top - bottom) == pytest.approx(expected, abs=1e-4)

    bled = "{format: pdf, bleed: 5px, marks: true}"
    assert names(shell("fetch", "sky", "--out", out, "--format", bled, "--json")) == ["sky.pdf"]
    assert pdf_samples(out / "sky.pdf").shape == (HEIGHT + 10, WIDTH + 10, 3)
    assert entries(out).keys() == {"sky.png", "sky.pdf"}


def test_panels_are_cut_from_the_canvas(shell: Shell, job: RenderedPoster, tmp_path: Path) -> None:
    out = tmp_path / "out"
    panels = "{width: 60px, overlap: 8px}"
    options = ("--panels", panels, "--format", "png", "--json")
    made = ["sky-panels.pdf", "sky-r1-c1.png", "sky-r1-c2.png"]
    assert names(shell("fetch", "sky", "--out", out, *options)) == made
    shell("fetch", "sky", "--out", out, "--format", "png")
    poster = read_samples(out / "sky.png")
    np.testing.assert_array_equal(read_samples(out / made[1]), poster[:, :60])
    np.testing.assert_array_equal(read_samples(out / made[2]), poster[:, 52:])

    before = {name: (out / name).stat().st_mtime_ns for name in made}
    assert names(shell("fetch", "sky", "--out", out, *options)) == made
    assert {name: (out / name).stat().st_mtime_ns for name in made} == before, "made once"
    pdfs = names(shell("fetch", "sky", "--out", out, "--panels", "60px", "--json"))
    assert pdfs == ["sky-panels.pdf", "sky-r1-c1.pdf", "sky-r1-c2.pdf"]
    np.testing.assert_array_equal(pdf_samples(out / "sky-r1-c2.pdf"), poster[:, 60:])


def test_files_for_a_press_have_its_inks(shell: Shell, job: RenderedPoster, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shell("fetch", "sky", "--out", out, "--format", "png")
    inks = Press(None).inks(read_samples(out / "sky.png"))
    pdf = "{format: pdf, profile: cmyk, bleed: 4px}"
    assert names(shell("fetch", "sky", "--out", out, "--format", pdf, "--json")) == ["sky-cmyk.pdf"]
    np.testing.assert_array_equal(pdf_samples(out / "sky-cmyk.pdf")[4:-4, 4:-4], inks)
    tiffs = "{format: tiff, profile: cmyk, panels: {width: 60px}}"
    made = names(shell("fetch", "sky", "--out", out, "--format", tiffs, "--json"))
    assert made == ["sky-cmyk-panels.pdf", "sky-cmyk-r1-c1.tif", "sky-cmyk-r1-c2.tif"]
    np.testing.assert_array_equal(tifffile.imread(out / made[1]), inks[:, :60])


def test_a_contract_proof_is_made_from_the_canvas(
    shell: Shell, job: RenderedPoster, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    ended = shell("fetch", "sky", "--out", out, "--format", "contract-proof", "--json")
    assert names(ended) == ["sky-contract-proof.pdf"]
    assert entries(out)["sky-contract-proof.pdf"]["format"] == "contract-proof"


def test_what_the_job_has_made_is_downloaded(
    shell: Shell, store: FolderStore, tmp_path: Path, picture: Path, weights: Path
) -> None:
    panels = "{format: png, panels: {width: 60px}}"
    job = render_poster(picture, weights, tmp_path, f"outputs=[{panels}, pdf]")
    own = {Path(one["path"]).name: one["sha256"] for one in job.manifest["outputs"]}
    made = ["sky-panels.pdf", "sky-r1-c1.png", "sky-r1-c2.png", "sky.pdf"]
    assert list(own) == made
    assert shell("clean", "--yes").code == 0

    out = tmp_path / "out"
    assert names(shell("fetch", "sky", "--out", out, "--json")) == made
    again = tmp_path / "again"
    options = ("--format", "pdf", "--format", panels, "--json")
    assert names(shell("fetch", "sky", "--out", again, *options)) == [made[3], *made[:3]]
    assert {name: one["sha256"] for name, one in entries(again).items()} == own
    ended = shell("fetch", "sky", "--out", out, "--format", "{format: pdf, bleed: 1px}")
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "the canvas for other formats has been cleaned; fetch pdf, png, or" in ended.err
    # A panel is not the poster.
    assert shell("fetch", "sky", "--out", again, "--format", "png").code == 2


@pytest.mark.parametrize("size", [[0, 5], [5, 10**30], "large", [5]])
def test_a_manifest_with_another_size_is_one_line(
    shell: Shell, job: RenderedPoster, tmp_path: Path, size: object
) -> None:
    manifest = job.manifest
    manifest["plan"]["size"] = size
    (job.store / job.keys.manifest).write_text(json.dumps(manifest))
    ended = shell("fetch", "sky", "--out", tmp_path / "out", "--panels", "60px")
    assert (ended.code, ended.err.count("\n")) == (1, 1)
    assert "plan.size" in ended.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--format", "pdff"], "format pdff: no such format; nearest: pdf"),
        (["--format", "{format: pdf, bleed: 3furlongs}"], "format: bleed: '3furlongs' is not a"),
        (["--format", "{format: pdf"], "format: line 1"),
        (["--panels", "1km"], "format: panels.width: '1km' is not a length"),
        (["--panels", "130"], "panels 130: needs a unit, such as 130cm or 130px"),
        (["--panels", "{width: 4cm, gap: 3mm}"], "format: panels.gap: no such key"),
        (["--panels", "101px"], "panels.width: 101 is more than the poster's 0.8 cm; choose less"),
        (["--panels", "9px", "--format", "deepzoom"], "panels are pdf, tiff, png, jpeg, not deep"),
        (
            ["--panels", "9px", "--format", "{format: pdf}"],
            "write its panels inside, and leave out",
        ),
    ],
)
def test_bad_requests_are_one_line(
    shell: Shell, job: RenderedPoster, tmp_path: Path, options: list[str], message: str
) -> None:
    ended = shell("fetch", "sky", "--out", tmp_path / "out", *options)
    assert ended.code == 2
    assert message in ended.err
    assert ended.err.count("\n") == 1
    assert not (tmp_path / "out").exists()
