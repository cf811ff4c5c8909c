"""nodes/: what `ray up` runs on machines, with a stand-in for `ray`."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.infra.files import INFRA

_RAY = """\
#!/bin/sh
echo "$RAY_AUTH_MODE $*" >>"$HOME/ray.log"
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A machine's, set up."""
    ray = tmp_path / "farm/bin/ray"
    ray.parent.mkdir(parents=True)
    ray.write_text(_RAY)
    ray.chmod(0o755)
    return tmp_path


def _run(home: Path, script: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", str(INFRA / "nodes" / script), *words],
        env={**os.environ, "HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("words", "beginning"),
    [
        (("head", "--autoscaling-config=x"), "token start --head --port=6379 --num-cpus=0 "),
        (("worker", "10.0.0.9"), "token start --address=10.0.0.9:6379 --node-manager-port=6380 "),
    ],
)
def test_ray_starts_anew_and_with_a_token(
    home: Path, words: tuple[str, ...], beginning: str
) -> None:
    done = _run(home, "ray.sh", *words)
    assert (done.returncode, done.stderr) == (0, "")
    stopped, started = (home / "ray.log").read_text().splitlines()
    assert stopped == "token stop"
    assert started.startswith(beginning)
    assert ("--autoscaling-config=x" in started) == (words[0] == "head")


def test_ray_starts_as_nothing_else(home: Path) -> None:
    done = _run(home, "ray.sh", "boss")
    assert (done.returncode, done.stderr) == (2, "ray.sh: head or worker, not boss\n")
    assert not (home / "ray.log").exists()


def test_a_bucket_has_to_be_named(home: Path) -> None:
    done = _run(home, "scheduler.sh", "s3://change-me", "eu-central-1", "1x1cpu,1GiB")
    assert done.returncode == 2
    assert "name your bucket" in done.stderr
