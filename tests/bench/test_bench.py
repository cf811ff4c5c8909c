"""The GPU benchmark keeps working where there is no GPU, and with nothing but torch."""

import subprocess
import sys
from pathlib import Path

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
