"""The outputs of a poster and its manifest."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from jobs.planning.identity import file_digest
from jobs.poster.local import render_here
from jobs.runtime.backend import crew_in_process
from jobs.runtime.publish import Target
from jobs.spec.document import parse_poster_spec
from render.version import PIXEL_VERSION
from tests.support.small_poster import HEIGHT, WIDTH, plan_poster

FIELDS = {
    *("version", "job", "state", "spec", "identity", "plan", "input", "weights"),
    *("pixel_version", "software", "device", "workers", "started", "seconds"),
    *("megapixel_steps", "outputs", "spent"),
}


def test_the_manifest_is_complete(picture: Path, weights: Path, tmp_path: Path) -> None:
    plan = plan_poster(picture, weights, "outputs=[png, tiff]", "size=x1 @ 300dpi")
    before = datetime.now(UTC).replace(microsecond=0)
    render_here(plan, Target(tmp_path), lambda progress: None, crew_in_process)
    manifest = json.loads((tmp_path / "manifest.json").read_text())

    assert set(manifest) == FIELDS
    assert (manifest["version"], manifest["state"]) == (1, "succeeded")
    assert manifest["job"] == plan.identity.job_id
    assert parse_poster_spec(manifest["spec"]) == plan.spec
    assert manifest["identity"] == plan.identity.document
    assert manifest["plan"] == json.loads(json.dumps(plan.pixel_settings()))
    assert manifest["input"] == {
        "height": HEIGHT,
        "width": WIDTH,
        "depth": 8,
        "sha256": file_digest(picture),
    }
    assert manifest["weights"] == {"sha256": file_digest(weights)}
    assert manifest["pixel_version"] == PIXEL_VERSION
    assert {"python", "dreamfarm", "torch", "torchvision", "ray"} <= set(manifest["software"])
    assert manifest["device"]
    assert manifest["workers"] == plan.workers
    assert before <= datetime.fromisoformat(manifest["started"]) <= datetime.now(UTC)
    assert manifest["megapixel_steps"] == pytest.approx(plan.megapixel_steps, abs=1e-3)


def test_the_seconds_cover_all_phases(picture: Path, weights: Path, tmp_path: Path) -> None:
    plan = plan_poster(picture, weights)
    seconds = render_here(plan, Target(tmp_path), lambda progress: None, crew_in_process)["seconds"]

    assert set(seconds) == {"start", "decode", "dream", "encode", "total"}
    parts = [time for phase, time in seconds.items() if phase != "total"]
    assert 0 < sum(parts) <= seconds["total"] + 0.02


def test_outputs_have_their_sizes_and_checksums(
    picture: Path, weights: Path, tmp_path: Path
) -> None:
    plan = plan_poster(picture, weights, "outputs=[png, {format: tiff, depth: 16}]")
    manifest = render_here(plan, Target(tmp_path), lambda progress: None, crew_in_process)

    for output, name, depth in zip(
        manifest["outputs"], ("sky.png", "sky.tif"), (8, 16), strict=True
    ):
        path = tmp_path / name
        assert output == {
            "path": name,
            "format": {8: "png", 16: "tiff"}[depth],
            "width": WIDTH,
            "height": HEIGHT,
            "depth": depth,
            "dpi": None,
            "bytes": path.stat().st_size,
            "sha256": file_digest(path),
        }
