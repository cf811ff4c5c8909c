"""Datasets with masks and guides."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jobs.dataset.staging import stage_plan
from jobs.planning.dataset import make_dataset_plan
from jobs.records.job import load_job
from jobs.runtime.publish import Target
from jobs.spec.dataset import DatasetSpec
from jobs.spec.kinds import parse_spec
from jobs.text.errors import MachineTooSmall, RequestError
from tests.support.memory_store import MemoryStore
from tests.support.small_dataset import dataset_document, submit_small_dataset
from tests.support.small_poster import LAYER, MACHINE


@pytest.fixture
def photos(tmp_path: Path, picture: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.open(picture).save(folder / "one.png")
    return folder


def spec(photos: Path, weights: Path, *settings: str) -> DatasetSpec:
    found = parse_spec(dataset_document(photos, weights, *settings))
    assert isinstance(found, DatasetSpec)
    return found


def test_another_machine_has_the_same_plan_with_a_swept_mask(
    photos: Path, weights: Path, mask: Path, guide: Path, tmp_path: Path
) -> None:
    swept = (f"objectives.0.guide={guide}", f"sweep={{dream.strength: [null, '{mask}']}}")
    store = MemoryStore()
    job = load_job(store, submit_small_dataset(store, photos, weights, *swept))
    plan = stage_plan(store, job.spec, None, MACHINE, tmp_path / "cache")

    assert plan.identity.job_id == job.id
    assert len(plan.attachment_digests) == 2
    assert all(tmp_path / "cache" in path.parents for path in plan.attachment_digests)
    first, second = (plan.item_settings(number, {}).spec.dream.strength for number in (0, 1))
    assert first is None
    assert second is not None
    assert second.read_bytes() == mask.read_bytes()
    label = plan.item_settings(1, {}).label(5)
    assert str(tmp_path) not in label
    assert plan.attachment_digests[second] in label


def test_a_cache_that_cannot_hold_a_mask_is_an_error_of_the_machine(
    photos: Path, weights: Path, mask: Path, tmp_path: Path
) -> None:
    store, cache = MemoryStore(), tmp_path / "cache"
    job = submit_small_dataset(store, photos, weights, f"dream.strength={mask}")
    cache.write_text("a file")
    with pytest.raises(MachineTooSmall, match="set XDG_CACHE_HOME"):
        stage_plan(store, load_job(store, job).spec, None, MACHINE, cache)


def test_a_row_may_not_name_a_file_of_the_worker(photos: Path, weights: Path) -> None:
    plan = make_dataset_plan(spec(photos, weights), MACHINE)
    secret = [{"layer": LAYER, "guide": "/etc/passwd"}]
    with pytest.raises(RequestError, match="may name masks and guides, not a row"):
        plan.item_settings(0, {"objectives": secret})


def test_a_mask_and_a_guide_change_an_item_as_they_change_a_poster(
    photos: Path, weights: Path, mask: Path, guide: Path, tmp_path: Path
) -> None:
    from jobs.dataset.local import render_dataset_here
    from jobs.runtime.backend import pool_in_process

    pictures = {}
    for name, settings in {
        "still": ("dream.steps=0",),
        "guided": (f"objectives.0.guide={guide}", f"dream.strength={mask}"),
    }.items():
        plan = make_dataset_plan(spec(photos, weights, *settings), MACHINE)
        render_dataset_here(plan, Target(tmp_path / name), lambda _: None, pool_in_process)
        pictures[name] = np.asarray(Image.open(tmp_path / name / "one.png")).astype(int)
    change = pictures["guided"] - pictures["still"]
    assert not change[:20].any()
    assert np.abs(change[50:]).max() > 3
