"""`dreamfarm render`: the same bytes on any number of cores, where a step has several threads."""

import json
import os
import subprocess
from collections.abc import Collection
from pathlib import Path

import pytest
import yaml
from safetensors.torch import save_file

from jobs.planning.machine import available_cores
from render.engine.setup import MAX_THREADS
from tests.bench.seeded import seeded
from tests.support.shell import COMMAND
from tests.support.small_poster import plan_poster, poster_document

NETWORK, LAYER = "resnet18", "layer2"
"""Its float32 gradient has other bits with 3 or 8 threads than with 1 or 2."""


# Windows of this size are computed by several threads.
SETTINGS = ("size=600x400", "fit=stretch", "dream.octaves=1", "tiles=384")


def digest(spec: Path, out: Path, workers: int, cores: Collection[int]) -> str:
    """The checksum of a poster that is rendered on these cores."""
    ran = subprocess.run(
        [COMMAND, "render", spec, "--out", out, "--workers", str(workers), "--json"],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads((out / "manifest.json").read_text())["workers"] == workers
    (output,) = json.loads(ran.stdout.splitlines()[-1])["outputs"]
    return str(output["sha256"])


@pytest.fixture(scope="module")
def resnet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weights file."""
    path = tmp_path_factory.mktemp("weights") / "resnet18.safetensors"
    save_file(seeded(NETWORK).state_dict(), path)
    return path


@pytest.mark.server
@pytest.mark.parametrize("precision", ["float32", pytest.param("bfloat16", marks=pytest.mark.slow)])
def test_cores_and_workers_change_no_byte(
    picture: Path, resnet: Path, tmp_path: Path, precision: str
) -> None:
    """A crew of two would differ if its threads shared the cores of one."""
    chosen = (f"network.name={NETWORK}", f"objectives.0.layer={LAYER}", f"precision={precision}")
    settings = (*SETTINGS, *chosen)
    assert plan_poster(picture, resnet, *settings).threads == MAX_THREADS
    spec = tmp_path / "spec.yaml"
    spec.write_text(yaml.safe_dump(poster_document(picture, resnet, *settings)))
    everywhere = os.sched_getaffinity(0)
    if available_cores() < 2:
        pytest.skip("ONE CORE: nothing to compare")

    expected = digest(spec, tmp_path / "all", 1, everywhere)
    assert digest(spec, tmp_path / "one", 1, {min(everywhere)}) == expected
    assert digest(spec, tmp_path / "two workers", 2, everywhere) == expected
