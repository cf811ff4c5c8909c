"""`dreamfarm plan`: a table or JSON, without rendering."""

import json
from pathlib import Path

import pytest
import yaml

from tests.support.shell import Shell
from tests.support.small_poster import FIELD, NETWORK, STRIDE, poster_document

FIELDS = {
    *("version", "job", "width", "height", "dpi", "network", "objectives", "precision"),
    *("stride", "field", "halo", "tile", "window", "halo_overhead", "octaves"),
    *("megapixel_steps", "workers", "gpus_per_worker", "memory_per_worker", "memory_limit"),
    "memory_for_files",
    *("tiles_on_disk", "bytes_in", "bytes_scratch", "bytes_out", "seconds"),
    "scale",
}


@pytest.fixture
def spec(picture: Path, weights: Path, tmp_path: Path) -> Path:
    """A spec file of a postcard."""
    path = tmp_path / "spec.yaml"
    settings = ("size=50.8mm x auto @ 150dpi", "crew.workers=2", "precision=float32")
    path.write_text(yaml.safe_dump(poster_document(picture, weights, *settings)))
    return path


def test_plan_json_is_complete(shell: Shell, spec: Path) -> None:
    ended = shell("plan", spec, "--no-probe", "--json")
    plan = json.loads(ended.out)

    assert (ended.code, ended.err) == (0, "")
    assert set(plan) == FIELDS
    assert (plan["width"], plan["height"], plan["dpi"]) == (300, 204, 150)
    assert (plan["network"], plan["precision"], plan["workers"]) == (NETWORK, "float32", 2)
    assert (plan["stride"], plan["field"], plan["halo"]) == (STRIDE, FIELD, FIELD - 1)
    assert plan["tile"] == 32
    assert [(o["columns"], o["rows"]) for o in plan["octaves"]] == [(7, 5), (10, 7)]
    assert plan["megapixel_steps"] == pytest.approx(
        sum(octave["megapixel_steps"] for octave in plan["octaves"]), abs=2e-3
    )
    assert plan["halo_overhead"] > 1
    assert plan["seconds"] is None
    assert plan["scale"] is None
    assert [path.name for path in spec.parent.iterdir()] == ["spec.yaml"]


def test_plan_text_agrees_with_its_json(shell: Shell, spec: Path) -> None:
    plan = json.loads(shell("plan", spec, "--no-probe", "--json").out)
    table = shell("plan", spec, "--no-probe").out

    assert f"job                {plan['job']}" in table
    assert "300 x 204 pixels at 150 dpi" in table
    assert "10 x 7" in table
    assert f"{plan['tile']} px, windows of {plan['window']} px" in table
    assert "2, tiles in memory" in table
    assert f"{plan['memory_per_worker'] / 2**30:.2f} GiB" in table
    assert f"memory for files   {plan['memory_for_files'] / 2**30:.2f} GiB" in table
    assert f"at most {plan['bytes_out'] / 1e6:.1f} MB" in table
    assert "not probed" in table


def test_wide_posters_need_more_memory_for_files_of_tiles_only(shell: Shell, spec: Path) -> None:
    def needed(size: str, output: str) -> int:
        settings = ("--set", f"size={size}", "--set", f"outputs=[{output}]", "--fit", "stretch")
        printed = shell("plan", spec, "--no-probe", "--json", *settings).out
        found: int = json.loads(printed)["memory_for_files"]
        return found

    assert needed("40000x300", "deepzoom") > needed("4000x3000", "deepzoom") + (200 << 20)
    assert needed("40000x300", "png") == needed("4000x3000", "png")


def test_a_probe_estimates_the_time(shell: Shell, spec: Path) -> None:
    assert json.loads(shell("plan", spec, "--json").out)["seconds"] > 0
    assert "about " in shell("plan", spec).out


def test_the_crew_does_not_change_the_job(shell: Shell, spec: Path) -> None:
    arguments = ("plan", spec, "--no-probe", "--json")
    one, many = (json.loads(shell(*arguments, "--workers", count).out) for count in (1, 5))

    assert (one["workers"], many["workers"]) == (1, 5)
    assert one["job"] == many["job"]


def test_layers_are_listed_with_their_fields(shell: Shell) -> None:
    rows = {row["name"]: row for row in json.loads(shell("layers", NETWORK, "--json").out)}
    table = shell("layers", NETWORK).out

    assert rows["features.4.cat"] | {"reason": ""} == {
        "name": "features.4.cat",
        "channels": 128,
        "stride": STRIDE,
        "field": FIELD,
        "halo": FIELD - 1,
        "start": -8,
        "reason": "",
    }
    assert "no: classifier.3 averages over the whole picture" in table
