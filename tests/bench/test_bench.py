"""The benchmarks run, with small workloads."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.dataset import FinishedPicture, rate

_ABSENT = ("safetensors", "pydantic", "ray", "pyvips", "boto3", "typer", "jobs", "cluster")

_BARE = f"""
import runpy, sys
sys.modules.update(dict.fromkeys({_ABSENT!r}))
sys.argv = ["gpu", "--device", "cpu", "--quick"]
runpy.run_module("tests.bench.gpu", run_name="__main__")
"""


def test_the_gpu_benchmark_runs_with_torch_alone(project: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", _BARE],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    assert "| squeezenet1_0 features.4 | float64 |" in done.stdout
    assert "| exact |" in done.stdout
    assert "| max-pool backward, channels_last, ties | same bytes |" in done.stdout
    assert "| squeezenet1_0 features.4 | bfloat16 | 32 |" in done.stdout


@pytest.mark.slow
def test_the_dataset_benchmark_times_both_sides(project: Path) -> None:
    small = ["--count", "6", "--size", "64", "--steps", "1"]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.bench.dataset", *small],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    assert re.search(r"^\| 1 \| [0-9.]+ \| [0-9.]+ \| [0-9.]+ \|$", done.stdout, re.MULTILINE)


def test_a_rate_ignores_the_start_of_the_workers() -> None:
    ends = [
        FinishedPicture(1.0, 0),
        FinishedPicture(2.0, 0),
        FinishedPicture(10.0, 1),
        FinishedPicture(11.0, 0),
        FinishedPicture(12.0, 1),
    ]
    assert rate(ends) == pytest.approx(2 / 2.0)


def test_a_rate_needs_every_worker() -> None:
    with pytest.raises(ValueError, match="use more pictures"):
        rate([FinishedPicture(1.0, 0), FinishedPicture(2.0, 0)])


@pytest.mark.slow
def test_the_estimate_benchmark_compares_each_phase(project: Path) -> None:
    small = ["--size", "320x240", "--steps", "1", "--octaves", "2", "--workers", "1,2"]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.bench.estimate", *small],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    for workers in (1, 2):
        line = rf"^\| {workers} \| all \| [0-9.]+ \| [0-9.]+ \| [0-9.]+ \|$"
        assert re.search(line, done.stdout, re.MULTILINE), done.stdout


@pytest.mark.slow
def test_the_encoding_benchmark_compares_old_and_new(project: Path) -> None:
    small = ["--size", "256", "--threads", "1", "--rounds", "1", "--formats", "png", "jpeg"]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.bench.encode", *small],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    for file in ("png 8", "png 16", "jpeg 8"):
        assert f"| {file} | 1 |" in done.stdout
