"""The measured memory of a dataset's worker: close to the prediction, and never above it."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jobs.planning.dataset import DatasetPlan, make_dataset_plan
from jobs.planning.item_plan import in_memory_setup, item_memory
from jobs.spec.dataset import DatasetSpec
from jobs.spec.kinds import parse_spec
from tests.support.processes import run_watched
from tests.support.small_poster import MACHINE

SIZES = ((700, 1000), (900, 640), (480, 640), (800, 800))
_AT_ONCE = 3
"""Pictures that a CPU worker holds: one to decode, one to dream, one to encode."""

_REASON = 0.5

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight pictures of four sizes."""
    folder = tmp_path_factory.mktemp("pictures")
    for number in range(2 * len(SIZES)):
        height, width = SIZES[number % len(SIZES)]
        coarse = np.random.default_rng(number).integers(0, 256, (90, 90, 3), np.uint8)
        Image.fromarray(coarse).resize((width, height)).save(folder / f"{number}.jpg")
    return folder


def planned(document: dict[str, object]) -> DatasetPlan:
    spec = parse_spec(document)
    assert isinstance(spec, DatasetSpec)
    return make_dataset_plan(spec, MACHINE)


def needed(plan: DatasetPlan) -> int:
    """The prediction for the largest picture."""
    item_settings = plan.item_settings(0, {})
    return max(
        item_memory(
            item_settings,
            in_memory_setup(item_settings, size, size, "cpu", plan.batch),
            size,
            8,
            _AT_ONCE,
        )
        for size in SIZES
    )


@pytest.mark.parametrize("limit", ["auto", "2GiB"])
def test_a_worker_holds_no_more_than_predicted(pictures: Path, tmp_path: Path, limit: str) -> None:
    document: dict[str, object] = {
        "kind": "dataset",
        "inputs": str(pictures),
        "dream": {"steps": 1},
        "crew": {"workers": 1, "gpus_per_worker": 0, "memory_per_worker": limit},
    }
    spec = tmp_path / "spec.json"
    spec.write_text(json.dumps(document))
    predicted = needed(planned(document))

    command = str(Path(sys.executable).with_name("dreamfarm"))
    ended = run_watched([command, "render", str(spec), "--out", str(tmp_path / "out"), "--json"])

    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["items"]["done"] == 2 * len(SIZES)
    held = max(peak for name, peak in ended.peaks.items() if "ray::MemberActor" in name)
    assert _REASON * predicted <= held <= predicted, ended.peaks
