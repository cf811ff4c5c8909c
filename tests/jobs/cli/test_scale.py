"""`dreamfarm plan` of crews that are not here: what they would take, and where more stop paying."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.jobs.cli.shell import Shell
from tests.jobs.small import document

CREW = {
    *("workers", "seconds", "phases", "step", "halo_bytes_step", "halo_bytes"),
    *("efficiency", "cost"),
}


@pytest.fixture
def spec(picture: Path, weights: Path, tmp_path: Path) -> Path:
    """A small poster, whose crew is left open."""
    path = tmp_path / "spec.yaml"
    path.write_text(yaml.safe_dump(document(picture, weights, "size=600x400")))
    return path


def scaled(shell: Shell, *arguments: object) -> dict[str, Any]:
    """The plan as JSON."""
    ended = shell("plan", *arguments, "--no-probe", "--json")
    assert (ended.code, ended.err) == (0, "")
    found: dict[str, Any] = json.loads(ended.out)
    return found


def test_crews_of_gpus_that_are_not_here_are_foretold(shell: Shell, spec: Path) -> None:
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


def test_the_crew_of_a_plan_elsewhere_is_the_useful_one_unless_said(
    shell: Shell, spec: Path
) -> None:
    plan = scaled(shell, spec, "--network-gbps", 10)
    assert plan["workers"] == plan["scale"]["useful_workers"]
    assert scaled(shell, spec, "--network-gbps", 10, "--workers", 3)["workers"] == 3


def test_what_is_asked_for_by_name_is_listed_and_paid_as_said(shell: Shell, spec: Path) -> None:
    scale = scaled(shell, spec, "--gpu", "L4", "--workers", "3,1", "--price", 0.35)["scale"]
    assert {crew["workers"] for crew in scale["crews"]} == {1, 3, scale["useful_workers"]}
    assert (scale["price"], scale["prices"]) == (0.35, None)
    for crew in scale["crews"]:
        paid = crew["workers"] * 0.35 * crew["seconds"] / 3600
        assert crew["cost"] == pytest.approx(paid, rel=0.02, abs=1e-4)


def test_the_job_is_the_same_wherever_it_is_planned(shell: Shell, spec: Path) -> None:
    here = scaled(shell, spec)
    assert here["scale"] is None
    assert scaled(shell, spec, "--gpu", "h100", "--workers", 8)["job"] == here["job"]


def test_people_are_told_in_a_table(shell: Shell, spec: Path) -> None:
    ended = shell("plan", spec, "--no-probe", "--workers", 8, "--gpu", "h200")
    scale = scaled(shell, spec, "--workers", 8, "--gpu", "h200")["scale"]

    assert "efficiency" in ended.out
    assert "100%" in ended.out
    assert "from the data sheet of h200" in ended.out
    assert "10 Gbit/s a worker" in ended.out
    assert "7.91 USD a worker and hour (AWS on demand" in ended.out
    assert f"beyond {scale['useful_workers']} worker" in ended.out


def test_crews_of_this_machine_are_measured(shell: Shell, spec: Path) -> None:
    plan = json.loads(shell("plan", spec, "--workers", "1,2", "--json").out)
    scale = plan["scale"]

    assert scale["speed"] == "measured on this machine"
    assert scale["network_gbps"] is None
    assert {1, 2} <= {crew["workers"] for crew in scale["crews"]}


@pytest.mark.parametrize(
    ("arguments", "complaint"),
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
def test_bad_questions_are_refused_in_one_line(
    shell: Shell, spec: Path, arguments: tuple[str, ...], complaint: str
) -> None:
    ended = shell("plan", spec, "--no-probe", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert complaint in ended.err
    assert len(ended.err.strip().splitlines()) == 1


def test_of_a_dataset_nothing_is_foretold(shell: Shell, album: Path) -> None:
    ended = shell("plan", album, "--gpu", "h200")
    assert ended.code == 2
    assert "are for posters" in ended.err
    assert len(ended.err.strip().splitlines()) == 1
