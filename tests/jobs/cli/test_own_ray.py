"""A local render whose private Ray loses a process starts another, and makes the same bytes."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest
import yaml

from tests.support.shell import COMMAND, Shell
from tests.support.small_poster import poster_document

pytestmark = pytest.mark.server


@pytest.mark.parametrize("name", ["gcs_server", "raylet"])
def test_a_killed_process_of_ray_costs_no_render(
    shell: Shell, picture: Path, weights: Path, tmp_path: Path, name: str
) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(yaml.safe_dump(poster_document(picture, weights, "dream.steps=40")))
    out = tmp_path / "out"
    with subprocess.Popen(
        [COMMAND, "render", spec, "--out", out, "--workers", "2", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            kill_process_of_ray(process, out, name)
            printed, errors = process.communicate(timeout=200)
        finally:
            process.kill()
    assert process.returncode == 0, errors
    assert "Ray" not in errors
    undisturbed = shell("render", spec, "--out", tmp_path / "alone", "--in-process", "--json")
    assert undisturbed.code == 0, undisturbed.err
    (found,), (expected,) = (
        json.loads(text.splitlines()[-1])["outputs"] for text in (printed, undisturbed.out)
    )
    assert found["sha256"] == expected["sha256"]
    assert json.loads(printed.splitlines()[-1])["state"] == "succeeded"


def kill_process_of_ray(process: "subprocess.Popen[str]", out: Path, name: str) -> None:
    """Kill a process of a render's private Ray as soon as the render dreams."""
    deadline = time.monotonic() + 60
    while not list(out.glob(".rendering/*/store/jobs/*/checkpoints/input.tiles")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    children = psutil.Process(process.pid).children(recursive=True)
    (victim,) = (child for child in children if child.name() == name)
    os.kill(victim.pid, signal.SIGKILL)
