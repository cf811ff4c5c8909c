"""`dreamfarm fetch --format` with settings, and `--proof`: made here from the final canvas."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
import tifffile

from render.pictures.ink import Press
from render.pictures.write import output_digest
from tests.support.rendered_poster import RenderedPoster
from tests.support.shell import Shell


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    """The profile of a shop."""
    path = tmp_path / "shop.icc"
    path.write_bytes(Press(None).content())
    return path


def _fetched(shell: Shell, out: Path, *options: str) -> dict[str, dict[str, Any]]:
    """The entries of the manifest in a folder after a fetch, by the names of their files."""
    ended = shell("fetch", "sky", "--out", out, *options)
    assert ended.code == 0, ended.err
    entries = json.loads((out / "manifest.json").read_text())["outputs"]
    for entry in entries:
        assert entry["sha256"] == output_digest(out / entry["path"])
    return {entry["path"]: entry for entry in entries}


def test_formats_that_the_job_did_not_make_are_made_here(
    shell: Shell, job: RenderedPoster, profile: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    formats = [
        "{format: tiff, compression: lzw}",
        f"{{format: tiff, profile: {profile}, intent: perceptual}}",
        *("iiif", "iiif-zip", "webp", "{format: jpeg, quality: 50, chroma: '4:2:0'}"),
    ]
    options = [part for one in ["png", *formats] for part in ("--format", one)]
    made = _fetched(shell, out, *options)

    assert set(made) == {
        *("sky.png", "sky.tif", "sky-cmyk.tif", "sky-iiif.html", "sky-iiif.zip", "sky.webp"),
        "sky.jpg",
    }
    samples = pyvips.Image.new_from_file(str(out / "sky.png")).numpy()
    lzw = pyvips.Image.new_from_file(str(out / "sky.tif")).numpy()
    np.testing.assert_array_equal(lzw, samples)
    inks = Press(profile, "perceptual").inks(samples)
    np.testing.assert_array_equal(tifffile.imread(out / "sky-cmyk.tif"), inks)
    assert made["sky.jpg"]["settings"] == {"quality": 50, "chroma": "4:2:0"}

    times = {path: path.stat().st_mtime_ns for path in out.iterdir() if path.is_file()}
    assert _fetched(shell, out, *options) == made
    kept = {path: path.stat().st_mtime_ns for path in times if path.name != "manifest.json"}
    assert kept.items() <= times.items(), "nothing is made again"


def test_other_settings_make_another_file(
    shell: Shell, job: RenderedPoster, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    first = _fetched(shell, out, "--format", "{format: jpeg, quality: 95}")["sky.jpg"]
    second = _fetched(shell, out, "--format", "{format: jpeg, quality: 10}", "--overwrite")
    assert second["sky.jpg"]["bytes"] < first["bytes"]


def test_a_proof_says_what_cannot_be_printed(
    shell: Shell, job: RenderedPoster, profile: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    ended = shell("fetch", "sky", "--out", out, "--format", "png", "--proof", profile)
    assert ended.code == 0, ended.err
    assert ended.out == f"{out}/sky.png\n{out}/sky-proof.png\n"
    samples = pyvips.Image.new_from_file(str(out / "sky.png")).numpy()
    shown = pyvips.Image.new_from_file(str(out / "sky-proof.png")).numpy()
    np.testing.assert_array_equal(shown, Press(profile).shown(samples))
    share = Press(profile).missed(samples) / (samples.shape[0] * samples.shape[1])
    assert f"sky-proof.png: {share:.1%} of the pixels are out of the gamut" in ended.err
    document = json.loads(shell("fetch", "sky", "--out", out, "--proof", profile, "--json").out)
    assert document["outputs"][0]["out_of_gamut"] == pytest.approx(share, abs=1e-6)


BAD = {
    "no profile": (["--proof", "nowhere.icc"], "nowhere.icc: cannot be read"),
    "no mapping": (["--format", "{format: tiff"], "format: "),
    "no such field": (["--format", "{format: tiff, zip: lzw}"], "zip: no such"),
    "no such format": (["--format", "jxll"], "nearest: jxl"),
    "not in libvips": (["--format", "jxl"], "libvips on this machine cannot write it"),
    "an RGB picture": (["--format", "{format: png, profile: cmyk}"], "profile is for"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_requests_are_one_line(
    shell: Shell, job: RenderedPoster, tmp_path: Path, case: str
) -> None:
    options, reason = BAD[case]
    ended = shell("fetch", "sky", "--out", tmp_path / "out", *options)
    assert ended.code == 2
    assert reason in ended.err
    assert ended.err.count("\n") == 1
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").glob("sky*"))
