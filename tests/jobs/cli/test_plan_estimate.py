"""`dreamfarm plan` with estimates: times and costs of crews, and the useful size."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.shell import Shell
from tests.support.small_poster import poster_document

CREW = {
    *("workers", "seconds", "phases", "step", "halo_bytes_step", "halo_bytes"),
    *("efficiency", "cost"),
}


@pytest.fixture
def spec(picture: Path, weights: Path, tmp_path: Path) -> Path:
    """A small poster with `crew.workers: auto`."""
    path = tmp_path / "spec.yaml"
    path.write_text(yaml.safe_dump(poster_document(picture, weights, "size=600x400")))
    return path


def scaled(shell: Shell, *arguments: object) -> dict[str, Any]:
    """Run `plan`, and parse its JSON."""
    ended = shell("plan", *arguments, "--no-probe", "--json")
    assert (ended.code, ended.err) == (0, "")
    found: dict[str, Any] = json.loads(ended.out)
    return found


def test_crews_with_remote_gpus_are_predicted(shell: Shell, spec: Path) -> None:
    plan = scaled(shell, spec, "--workers", 64, "--gpu", "h200", "--network-gbps", 25)
    scale = plan["scale"]
    by_size = {crew["workers"]: crew for crew in scale["crews"]}

    assert (plan["precision"], plan["workers"], plan["gpus_per_worker"]) == ("bfloat16", 64, 1)
    assert scale["speed"] == "from the data sheet of h200"
    assert (scale["network_gbps"], scale["price"]) == (25, 7.91)
    assert "November 2026" in scale["prices"]
    assert {1, 2, 4, 8, 16, 32, 64, scale["useful_workers"]} == set(by_size)
    assert all(set(crew) == CREW for crew in scale["crews"])
    assert (by_size[1]["efficiency"], by_size[1]["halo_bytes"]) == (1, 0)
    assert by_size[64]["halo_bytes_step"] > by_size[2]["halo_bytes_step"] > 0
    assert by_size[64]["cost"] > by_size[1]["cost"] > 0
    assert plan["seconds"] == pytest.approx(by_size[64]["seconds"], abs=0.1)
    for crew in scale["crews"]:
        assert sum(crew["phases"].values()) == pytest.approx(crew["seconds"], abs=0.05)
    assert [path.name for path in spec.parent.iterdir()] == ["spec.yaml"]


def test_a_remote_plan_has_the_useful_crew_by_default(shell: Shell, spec: Path) -> None:
    plan = scaled(shell, spec, "--network-gbps", 10)
    assert plan["workers"] == plan["scale"]["useful_workers"]
    assert scaled(shell, spec, "--network-gbps", 10, "--workers", 3)["workers"] == 3


def test_requested_sizes_are_listed_with_the_given_price(shell: Shell, spec: Path) -> None:
    scale = scaled(shell, spec, "--gpu", "L4", "--workers", "3,1", "--price", 0.35)["scale"]
    assert {crew["workers"] for crew in scale["crews"]} == {1, 3, scale["useful_workers"]}
    assert (scale["price"], scale["prices"]) == (0.35, None)
    for crew in scale["crews"]:
        paid = crew["workers"] * 0.35 * crew["seconds"] / 3600
        assert crew["cost"] == pytest.approx(paid, rel=0.02, abs=1e-4)


def test_remote_hardware_does_not_change_the_job(shell: Shell, spec: Path) -> None:
    here = scaled(shell, spec)
    assert here["scale"] is None
    assert scaled(shell, spec, "--gpu", "h100", "--workers", 8)["job"] == here["job"]


def test_without_json_there_is_a_table(shell: Shell, spec: Path) -> None:
    ended = shell("plan", spec, "--no-probe", "--workers", 8, "--gpu", "h200")
    scale = scaled(shell, spec, "--workers", 8, "--gpu", "h200")["scale"]

    assert "efficiency" in ended.out
    assert "100%" in ended.out
    assert "from the data sheet of h200" in ended.out
    assert "10 Gbit/s a worker" in ended.out
    assert "7.91 USD a worker and hour (AWS on demand" in ended.out
    assert f"beyond {scale['useful_workers']} worker" in ended.out


def test_local_crews_are_measured(shell: Shell, spec: Path) -> None:
    plan = json.loads(shell("plan", spec, "--workers", "1,2", "--json").out)
    scale = plan["scale"]

    assert scale["speed"] == "measured on this machine"
    assert scale["network_gbps"] is None
    assert {1, 2} <= {crew["workers"] for crew in scale["crews"]}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--gpu", "h20"), "--gpu h20: not known; nearest: h200"),
        (("--gpu", "gtx"), "--gpu gtx: not known; known: a100"),
        (("--workers", "0"), "--workers 0: write a number from 1 to 512, or several as 1,8,64"),
        (("--workers", "8,many"), "--workers 8,many: write a number from 1 to 512"),
        (("--network-gbps", "0"), "--network-gbps 0: must be a number above 0"),
        (("--network-gbps", "nan"), "--network-gbps nan: must be a number above 0"),
        (("--price", "-1"), "--price -1: must be a number above 0"),
        (
            ("--gpu", "h100", "--set", "crew.gpus_per_worker=0"),
            "--gpu h100: crew.gpus_per_worker is 0; leave it out, or write auto",
        ),
    ],
)
def test_bad_estimates_fail_in_one_line(
    shell: Shell, spec: Path, arguments: tuple[str, ...], message: str
) -> None:
    ended = shell("plan", spec, "--no-probe", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert message in ended.err
    assert len(ended.err.strip().splitlines()) == 1


def test_datasets_have_no_estimates(shell: Shell, photos: Path) -> None:
    ended = shell("plan", photos, "--gpu", "h200")
    assert ended.code == 2
    assert "are for posters" in ended.err
    assert len(ended.err.strip().splitlines()) == 1
