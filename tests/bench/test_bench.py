"""Benchmarks keep working: that of GPUs where there is none and with nothing but torch."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.dataset import End, rate

_ABSENT = ("safetensors", "pydantic", "ray", "pyvips", "boto3", "typer", "jobs", "cluster")

_BARE = f"""
import runpy, sys
sys.modules.update(dict.fromkeys({_ABSENT!r}))
sys.argv = ["gpu", "--device", "cpu", "--quick"]
runpy.run_module("tests.bench.gpu", run_name="__main__")
"""


def test_the_gpu_benchmark_checks_and_measures_with_nothing_but_torch(project: Path) -> None:
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
def test_the_benchmark_of_items_times_both_sides(project: Path) -> None:
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


def test_a_rate_leaves_out_how_long_the_later_worker_took_to_start() -> None:
    ends = [End(1.0, 0), End(2.0, 0), End(10.0, 1), End(11.0, 0), End(12.0, 1)]
    assert rate(ends) == pytest.approx(2 / 2.0)


def test_a_rate_needs_every_worker() -> None:
    with pytest.raises(ValueError, match="take more pictures"):
        rate([End(1.0, 0), End(2.0, 0)])


@pytest.mark.slow
def test_the_benchmark_of_scale_holds_each_phase_against_the_truth(project: Path) -> None:
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
