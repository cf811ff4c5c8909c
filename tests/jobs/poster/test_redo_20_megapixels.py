"""A redo of a region of a poster of 20 megapixels: where it changes, what it costs, its border."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
from numpy.typing import NDArray

from jobs.planning.poster import PosterPlan, make_plan
from jobs.poster.redo_spec import redo_spec
from jobs.poster.submit import submit_poster
from jobs.runtime.context import retrying_store
from jobs.spec.document import parse_poster_spec
from jobs.spec.poster import PosterSpec
from jobs.spec.redo import RedoRequest
from render.geometry.rect import Rect
from tests.support.small_poster import MACHINE, claim_poster

WIDTH, HEIGHT = 5472, 3648
REGION = RedoRequest(region="30%,25%,30%x40%", settings=("dream.seed=1",))
AROUND = 200  # pixels beside a border, with which it is compared

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3000)]


@dataclass(frozen=True)
class Picture:
    """A rendered poster."""

    plan: PosterPlan
    samples: NDArray[np.uint8]
    seconds: dict[str, Any]

    @property
    def windows(self) -> int:
        """The pixels of all windows of all steps: the work."""
        return sum(one.window_pixels * one.steps for one in self.plan.octaves)


def render(spec: PosterSpec, folder: Path) -> Picture:
    plan = make_plan(spec, MACHINE)
    submit_poster(retrying_store(str(folder / "store")), spec)
    claimed = claim_poster(plan, folder)
    manifest = claimed.run()
    image = pyvips.Image.new_from_file(str(claimed.path(manifest["outputs"][0])))
    return Picture(plan, image.numpy(), manifest["seconds"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("redo")


@pytest.fixture(scope="module")
def old(project: Path, folder: Path) -> Picture:
    document = {
        "input": str(project / "jobs" / "demo" / "landscape.jpg"),
        "size": f"{WIDTH}x{HEIGHT}",
        "fit": "crop",
        "dream": {"steps": 4},
        "precision": "float32",
        "crew": {"workers": 1},
    }
    return render(parse_poster_spec(document), folder)


@pytest.fixture(scope="module")
def new(old: Picture, folder: Path) -> Picture:
    return render(redo_spec(old.plan.spec, old.plan.identity.job_id, REGION), folder)


@pytest.fixture(scope="module")
def region(new: Picture) -> Rect:
    found = new.plan.grids[-1].region
    assert found is not None
    return found


def test_outside_of_the_region_all_pixels_are_identical(
    old: Picture, new: Picture, region: Rect
) -> None:
    differs = (old.samples != new.samples).any(axis=2)
    inside = differs[region.slices()].mean()
    differs[region.slices()] = False
    assert not differs.any()
    assert inside > 0.5


def test_the_cost_is_in_proportion_to_the_windows_of_the_region(old: Picture, new: Picture) -> None:
    start = old.seconds["start"] + old.seconds["decode"]
    share = new.windows / old.windows
    assert share < 0.3
    assert new.seconds["dream"] <= 1.3 * share * old.seconds["dream"] + start


@pytest.mark.parametrize("axis", [0, 1])
def test_the_border_of_the_region_does_not_stand_out(new: Picture, region: Rect, axis: int) -> None:
    """The statistic of tile borders (`test_local_a3_poster.py`), along the region's own sides."""
    along = (slice(region.left, region.right), slice(region.top, region.bottom))[axis]
    band = new.samples[:, along] if axis == 0 else new.samples[along]
    steps = np.abs(np.diff(band.astype(np.float64), axis=axis)).mean(axis=(1 - axis, 2))
    ends = (region.top, region.bottom) if axis == 0 else (region.left, region.right)
    for end in ends:
        near = steps[end - AROUND : end + AROUND]
        border = near[AROUND - 1]
        assert abs(border - near.mean()) <= 3 * near.std()
