"""Outputs with settings: files, manifest, identity, and the profile on its way to a worker."""

import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import pyvips
import tifffile

from jobs.planning.identity import file_digest
from jobs.poster.local import render_here
from jobs.poster.staging import stage_spec
from jobs.poster.submit import submit_poster
from jobs.records.job import load_job
from jobs.records.keys import blob_key
from jobs.runtime.backend import crew_in_process
from jobs.runtime.publish import Target
from jobs.spec.document import parse_poster_spec
from jobs.text.errors import InvalidRecord, RequestError
from render.errors import OutputError
from render.pictures.ink import Press
from render.pictures.write import output_digest
from tests.support.memory_store import MemoryStore
from tests.support.small_poster import plan_poster, poster_document


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The profile of a shop."""
    path = tmp_path_factory.mktemp("shop") / "shop.icc"
    path.write_bytes(Press(None).content())
    return path


def test_outputs_have_their_settings_and_say_them(
    picture: Path, weights: Path, profile: Path, tmp_path: Path
) -> None:
    inks = f"format: tiff, profile: {profile}"
    outputs = (
        f"outputs=[png, {{format: tiff, compression: lzw}}, {{{inks}, intent: perceptual}}, "
        f"{{{inks}, proof: true}}, iiif, iiif-zip, deepzoom-zip, {{format: deepzoom, page: true}}, "
        "webp, {format: jpeg, quality: 60}]"
    )
    plan = plan_poster(picture, weights, outputs)
    manifest = render_here(plan, Target(tmp_path), lambda progress: None, crew_in_process)

    made = {one["path"]: one for one in manifest["outputs"]}
    assert made.keys() == {
        *("sky.png", "sky.tif", "sky-cmyk.tif", "sky-proof.tif", "sky-iiif.html", "sky-iiif.zip"),
        *("sky-deepzoom.zip", "sky.dzi", "sky.webp", "sky.jpg"),
    }
    for name, entry in made.items():
        assert entry["sha256"] == output_digest(tmp_path / name)
    assert "settings" not in made["sky.png"]
    assert made["sky.tif"]["settings"] == {"compression": "lzw"}
    digest = file_digest(profile)
    assert made["sky-cmyk.tif"]["settings"] == {"profile": digest, "intent": "perceptual"}
    assert made["sky-proof.tif"]["settings"] == {"profile": digest, "proof": True}

    samples = _pixels(tmp_path / "sky.png")
    np.testing.assert_array_equal(_pixels(tmp_path / "sky.tif"), samples)
    press = Press(profile, "perceptual")
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "sky-cmyk.tif"), press.inks(samples))
    shown = tifffile.imread(tmp_path / "sky-proof.tif")
    np.testing.assert_array_equal(shown, Press(profile).shown(samples))
    share = Press(profile).missed(samples) / (samples.shape[0] * samples.shape[1])
    assert made["sky-proof.tif"]["out_of_gamut"] == pytest.approx(share, abs=1e-6)
    assert 0 < share < 1
    _check_pages(tmp_path)


def _pixels(path: Path) -> np.ndarray:
    pixels: np.ndarray = pyvips.Image.new_from_file(str(path)).numpy()
    return pixels


def _check_pages(folder: Path) -> None:
    page = (folder / "sky-iiif.html").read_text()
    assert 'src="sky-iiif_files/openseadragon.min.js"' in page
    info = json.loads((folder / "sky-iiif_files" / "info.json").read_text())
    assert info["id"] == "http://localhost:8000/sky-iiif_files"
    assert (folder / "sky_files" / "index.html").is_file()
    assert (folder / "sky_files" / "openseadragon-licence.txt").is_file()
    for name in ("sky-iiif", "sky-deepzoom"):
        with zipfile.ZipFile(folder / f"{name}.zip") as archive:
            assert archive.testzip() is None
            names = set(archive.namelist())
        assert f"{name}/index.html" in names
        assert f"{name}/{name}_files/openseadragon.min.js" in names
        assert f"{name}/{name}_files/labels.json" in names


def test_the_id_counts_the_profile_and_not_its_path(
    picture: Path, weights: Path, profile: Path, tmp_path: Path
) -> None:
    def job_of(path: Path, more: str = "") -> str:
        outputs = f"outputs=[{{format: tiff, profile: {path}{more}}}]"
        return plan_poster(picture, weights, outputs).identity.job_id

    copy = tmp_path / "other.icc"
    shutil.copyfile(profile, copy)
    first = job_of(profile)
    assert job_of(copy) == first
    assert job_of(profile, ", intent: perceptual") != first
    copy.write_bytes(copy.read_bytes() + b"\0")
    assert job_of(copy) != first
    assert job_of(Path("cmyk")) != first


def test_the_order_of_outputs_does_not_count(picture: Path, weights: Path) -> None:
    inks, proof = "{format: tiff, profile: cmyk}", "{format: tiff, profile: cmyk, proof: true}"
    orders = (f"tiff, {inks}, {proof}", f"{proof}, {inks}, tiff")
    ids = {plan_poster(picture, weights, f"outputs=[{order}]").identity.job_id for order in orders}
    assert len(ids) == 1


def test_a_profile_is_uploaded_and_staged(
    picture: Path, weights: Path, profile: Path, store: MemoryStore, tmp_path: Path
) -> None:
    outputs = f"outputs=[{{format: tiff, profile: {profile}}}]"
    spec = parse_poster_spec(poster_document(picture, weights, outputs))
    job = load_job(store, submit_poster(store, spec).job)

    assert store.get(blob_key(file_digest(profile))) == profile.read_bytes()
    assert str(profile.parent) not in json.dumps(job.spec.spec)
    staged = stage_spec(store, job.spec, None, tmp_path)
    path = staged.outputs[0].profile_path
    assert path is not None
    assert path != profile
    assert path.read_bytes() == profile.read_bytes()


def test_a_stored_spec_names_no_profile_by_its_path(
    picture: Path, weights: Path, profile: Path, store: MemoryStore, tmp_path: Path
) -> None:
    spec = parse_poster_spec(poster_document(picture, weights, "outputs=[tiff]"))
    job = load_job(store, submit_poster(store, spec).job)
    document = {**job.spec.spec, "outputs": [{"format": "tiff", "profile": str(profile)}]}
    stranger = job.spec.model_copy(update={"spec": document})
    with pytest.raises(InvalidRecord, match=r"shop\.icc: is not an uploaded file"):
        stage_spec(store, stranger, None, tmp_path)


def test_bad_profiles_and_formats_are_refused_by_the_plan(
    picture: Path, weights: Path, tmp_path: Path
) -> None:
    path = tmp_path / "shop.icc"
    path.write_bytes(b"shop")
    for outputs, reason in {
        f"outputs=[{{format: tiff, profile: {path}}}]": "is not an ICC profile",
        "outputs=[jxl]": "libvips on this machine cannot write it",
        "outputs=[webp]": "a side has 1 to 16383",
    }.items():
        with pytest.raises((OutputError, RequestError), match=reason):
            plan_poster(picture, weights, outputs, "size=17000x32", "fit=stretch")
