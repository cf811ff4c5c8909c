"""A local render whose private Ray loses a process starts another, and makes the same bytes."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import yaml

from tests.support.processes import still_running
from tests.support.shell import COMMAND, Shell
from tests.support.small_poster import poster_document

pytestmark = pytest.mark.server


@dataclass
class RenderOnRay:
    """A render with two workers on a private Ray. poster: its spec."""

    process: "subprocess.Popen[str]"
    poster: Path
    out: Path

    def child(self, name: str) -> psutil.Process | None:
        children = psutil.Process(self.process.pid).children(recursive=True)
        return next((child for child in children if child.name() == name), None)

    def wait_until(self, happened: Callable[[], object]) -> None:
        deadline = time.monotonic() + 180
        while not happened():
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def dreams(self) -> bool:
        return bool(list(self.out.glob(".rendering/*/store/jobs/*/checkpoints/input.tiles")))


@pytest.fixture
def on_ray(picture: Path, weights: Path, tmp_path: Path) -> Iterator[RenderOnRay]:
    poster, out = tmp_path / "poster.yaml", tmp_path / "out"
    poster.write_text(yaml.safe_dump(poster_document(picture, weights, "dream.steps=40")))
    with subprocess.Popen(
        [COMMAND, "render", poster, "--out", out, "--workers", "2", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield RenderOnRay(process, poster, out)
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("name", "moment"),
    [
        ("gcs_server", "dreams"),
        pytest.param("raylet", "dreams", marks=pytest.mark.slow),
        pytest.param("gcs_server", "gcs_server", marks=pytest.mark.slow),
        pytest.param("gcs_server", "raylet", marks=pytest.mark.slow),
    ],
)
def test_a_killed_process_of_ray_costs_no_render(
    on_ray: RenderOnRay, shell: Shell, tmp_path: Path, name: str, moment: str
) -> None:
    """The moments are the starts of two processes of Ray, and the first step of the dream."""
    on_ray.wait_until(on_ray.dreams if moment == "dreams" else lambda: on_ray.child(moment))
    victim = on_ray.child(name)
    assert victim is not None
    victim.kill()
    printed, errors = on_ray.process.communicate(timeout=400)
    assert on_ray.process.returncode == 0, errors
    assert "program will terminate" not in errors
    undisturbed = shell("render", on_ray.poster, "--out", tmp_path / "a", "--in-process", "--json")
    assert undisturbed.code == 0, undisturbed.err
    (found,), (expected,) = (
        json.loads(text.splitlines()[-1])["outputs"] for text in (printed, undisturbed.out)
    )
    assert found["sha256"] == expected["sha256"]
    assert json.loads(printed.splitlines()[-1])["state"] == "succeeded"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("moment", ["raylet", "dreams"])
def test_a_signal_to_the_whole_group_ends_the_render_as_asked(
    on_ray: RenderOnRay, number: signal.Signals, moment: str
) -> None:
    """Service managers and terminals send it to Ray's processes as well."""
    on_ray.wait_until(on_ray.dreams if moment == "dreams" else lambda: on_ray.child(moment))
    children = [child.pid for child in psutil.Process(on_ray.process.pid).children(recursive=True)]
    os.killpg(on_ray.process.pid, number)
    _, errors = on_ray.process.communicate(timeout=30)
    assert on_ray.process.returncode == 128 + number
    assert errors.splitlines()[-1].startswith("dreamfarm: interrupted; ")
    assert still_running(children) == set()
