"""Redos: a part of a picture is dreamed again, and the rest of it stays."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
from PIL import Image

from jobs.planning.draft import draft_octaves
from jobs.planning.poster import PosterPlan, make_plan
from jobs.poster.redo_spec import redo_spec
from jobs.poster.submit import submit_poster
from jobs.records.keys import JobKeys
from jobs.runtime.checkpoints import valid_commits
from jobs.runtime.context import retrying_store
from jobs.runtime.control import Stopped
from jobs.runtime.metrics.progress import Progress
from jobs.spec.document import apply_overrides, parse_poster_spec
from jobs.spec.poster import PosterSpec
from jobs.spec.redo import RedoRequest
from jobs.store.store import Store
from jobs.text.errors import RequestError
from tests.support.small_poster import MACHINE, claim_poster, plan_poster

SMALL = ("dream.octaves=3", "dream.octave_scale=1.3")

REGION = RedoRequest(region="20%,10%,40%x50%", feather="20%", settings=("dream.seed=7",))


@pytest.fixture
def plan(picture: Path, weights: Path) -> PosterPlan:
    return plan_poster(picture, weights, *SMALL)


def submitted(spec: PosterSpec, folder: Path) -> PosterPlan:
    """The plan of a spec whose job is in the store of a folder."""
    plan = make_plan(spec, MACHINE)
    assert submit_poster(retrying_store(str(folder / "store")), spec).job == plan.identity.job_id
    return plan


def rendered(plan: PosterPlan, folder: Path, workers: int = 1) -> np.ndarray:
    """The picture of a plan, whose job is in the store of a folder."""
    claimed = claim_poster(plan if workers == 1 else plan.with_workers(workers), folder)
    return picture_of(claimed.path(claimed.run()["outputs"][0]))


def picture_of(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def again(plan: PosterPlan, request: RedoRequest = REGION) -> PosterSpec:
    return redo_spec(plan.spec, plan.identity.job_id, request)


def run_until(plan: PosterPlan, folder: Path, moment: tuple[int, int]) -> None:
    """Run a job, and stop it after a step of an octave."""

    def stop(progress: Progress) -> None:
        if (progress.octave, progress.step) == moment:
            claimed.control.request("yield")

    claimed = claim_poster(plan, folder, watch=stop, checkpoint_seconds=0)
    with pytest.raises(Stopped, match="yield"):
        claimed.run()


def test_outside_of_its_region_a_redo_changes_no_pixel(plan: PosterPlan, tmp_path: Path) -> None:
    submitted(plan.spec, tmp_path)
    old = rendered(plan, tmp_path)
    redo = submitted(again(plan), tmp_path)
    new = rendered(redo, tmp_path)
    assert redo.redo is not None
    assert redo.redo.region is not None
    rect = redo.redo.region.rect(redo.size)
    differs = (old != new).any(axis=2)
    inside = np.zeros_like(differs)
    inside[rect.slices()] = True
    assert not differs[~inside].any()
    assert differs[inside].mean() > 0.5


def test_a_redo_has_the_same_bytes_from_any_crew(plan: PosterPlan, tmp_path: Path) -> None:
    pictures = []
    for workers in (1, 2, 3):
        folder = tmp_path / str(workers)
        submitted(plan.spec, folder)
        rendered(plan, folder, 4 - workers)
        redo = submitted(again(plan), folder)
        assert len(redo.grids[-1]) > 3
        pictures.append(rendered(redo, folder, workers))
    for other in pictures[1:]:
        np.testing.assert_array_equal(pictures[0], other)


@pytest.mark.parametrize(
    "request_",
    [
        RedoRequest(octaves="2..", settings=("dream.seed=0",)),
        RedoRequest(region="0%,0%,100%x100%", settings=("dream.seed=0",)),
        RedoRequest(region="0%,0%,100%x100%", octaves="3", settings=("dream.seed=0",)),
    ],
)
def test_the_same_dream_again_is_the_same_picture(
    plan: PosterPlan, tmp_path: Path, request_: RedoRequest
) -> None:
    submitted(plan.spec, tmp_path)
    old = rendered(plan, tmp_path)
    redo = submitted(again(plan, request_), tmp_path)
    assert redo.identity.job_id != plan.identity.job_id
    np.testing.assert_array_equal(old, rendered(redo, tmp_path))


def test_the_last_octaves_alone_are_dreamed_again(plan: PosterPlan, tmp_path: Path) -> None:
    submitted(plan.spec, tmp_path)
    old = rendered(plan, tmp_path)
    redo = submitted(again(plan, RedoRequest(octaves="3..")), tmp_path)
    assert redo.spec.dream.seed == plan.spec.dream.seed + 1
    assert [octave.steps for octave in redo.octaves] == [0, 0, 2]
    claimed = claim_poster(redo, tmp_path)
    new = picture_of(claimed.path(claimed.run()["outputs"][0]))
    assert {one.octave for one in claimed.reporter.seen if one.phase == "dream"} == {3}
    assert (old != new).any(axis=2).mean() > 0.5


def test_a_chain_of_redos_is_rendered_from_nothing(
    plan: PosterPlan, mask: Path, tmp_path: Path
) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    chain, step = [plan], plan
    for request in (
        RedoRequest(mask=mask, settings=("dream.seed=4", "dream.steps=1")),
        RedoRequest(octaves="3..", settings=("dream.seed=3", "objectives.0.weight=-1")),
        RedoRequest(region="50%,0%,50%x60%", settings=("dream.seed=5",)),
    ):
        step = make_plan(again(step, request), MACHINE)
        chain.append(step)
    for each in chain:
        submitted(each.spec, one)
        picture = rendered(each, one)
    submitted(chain[-1].spec, other)
    np.testing.assert_array_equal(picture, rendered(chain[-1], other, 2))
    store, job = retrying_store(str(other / "store")), chain[-1].identity.job_id
    for older in (1, 2, 3):
        assert [*store.list_objects(JobKeys(job, older).plan)]


def test_a_killed_redo_goes_on_with_the_same_bytes(plan: PosterPlan, tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    redo = submitted(again(plan), one)
    whole = rendered(redo, one)
    submitted(redo.spec, other)
    # In the older picture, then in the redo.
    for moment in ((1, 1), (3, 1), (1, 1), (2, 2), (3, 1)):
        run_until(redo, other, moment)
    np.testing.assert_array_equal(whole, rendered(redo, other))


def test_progress_goes_on_from_the_older_picture_to_the_redo(
    plan: PosterPlan, tmp_path: Path
) -> None:
    redo = submitted(again(plan), tmp_path)
    claimed = claim_poster(redo, tmp_path)
    claimed.run()
    dreaming = [one for one in claimed.reporter.seen if one.phase == "dream"]
    fractions = [one.fraction for one in dreaming]
    assert fractions == sorted(fractions)
    assert dreaming[-1].done == pytest.approx(plan.megapixel_steps + redo.megapixel_steps)
    assert dreaming[-1].fraction == pytest.approx(1)


def test_a_damaged_older_canvas_is_rendered_again(plan: PosterPlan, tmp_path: Path) -> None:
    submitted(plan.spec, tmp_path)
    rendered(plan, tmp_path)
    redo = submitted(again(plan), tmp_path / "well")
    expected = rendered(redo, tmp_path / "well")

    submitted(redo.spec, tmp_path)
    store = retrying_store(str(tmp_path / "store"))
    key = damage_end(store, JobKeys(plan.identity.job_id), octave=2)
    claimed = claim_poster(redo, tmp_path)
    manifest = claimed.run()
    np.testing.assert_array_equal(expected, picture_of(claimed.path(manifest["outputs"][0])))
    assert [*store.list_objects(JobKeys(redo.identity.job_id, 1).checkpoints)]
    assert [*store.list_objects(key)]  # what belongs to another job stays


def test_a_damaged_older_canvas_of_its_own_is_rendered_again(
    plan: PosterPlan, tmp_path: Path
) -> None:
    redo = submitted(again(plan), tmp_path / "well")
    expected = rendered(redo, tmp_path / "well")
    submitted(redo.spec, tmp_path)
    run_until(redo, tmp_path, (3, 1))
    run_until(redo, tmp_path, (2, 1))
    store = retrying_store(str(tmp_path / "store"))
    damage_end(store, JobKeys(redo.identity.job_id, 1), octave=1)
    np.testing.assert_array_equal(expected, rendered(redo, tmp_path))


def test_a_parent_that_loses_its_octaves_meanwhile_is_rendered_again(
    plan: PosterPlan, tmp_path: Path
) -> None:
    submitted(plan.spec, tmp_path)
    rendered(plan, tmp_path)
    redo = submitted(again(plan), tmp_path)
    expected = rendered(submitted(redo.spec, tmp_path / "well"), tmp_path / "well")
    run_until(redo, tmp_path, (3, 1))
    store = retrying_store(str(tmp_path / "store"))
    entries = list(store.list_objects(JobKeys(plan.identity.job_id).checkpoints))
    store.delete(entry.key for entry in entries)
    np.testing.assert_array_equal(expected, rendered(redo, tmp_path))


def damage_end(store: Store, keys: JobKeys, octave: int) -> str:
    """Damage the last commit of an octave; returns the key of the damaged object."""
    commit = next(
        one.commit
        for one in valid_commits(store, keys)
        if (one.commit.octave, one.commit.step) == (octave, 2)
    )
    key = commit.parts[0].key
    path = store.local_path(key)
    assert path is not None
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    return key


def test_a_job_keeps_the_last_checkpoint_of_each_octave(plan: PosterPlan, tmp_path: Path) -> None:
    submitted(plan.spec, tmp_path)
    run_until(plan, tmp_path, (2, 1))
    rendered(plan, tmp_path, 2)
    store, keys = retrying_store(str(tmp_path / "store")), JobKeys(plan.identity.job_id)
    kept = [(one.commit.octave, one.commit.step) for one in valid_commits(store, keys)]
    assert set(kept) == {(0, 2), (1, 2), (2, 2)}
    tiles = {part.key for one in valid_commits(store, keys) for part in one.commit.parts}
    stored = {one.key for one in store.list_objects(keys.checkpoints) if one.key[-8:] != "mit.json"}
    assert {key for key in stored if "/input" not in key} == tiles


@pytest.mark.parametrize("edges", ["zero", "wrap"])
def test_the_tiles_of_a_region_are_exact(plan: PosterPlan, tmp_path: Path, edges: str) -> None:
    """Tiles of 16 and of 200 pixels give the same picture, to rounding, as the whole region."""
    exact = ("precision=float64", f"dream.edges={edges}", "outputs=[{format: tiff, depth: 16}]")
    root = submitted(again_settings(plan, exact), tmp_path)
    rendered_tiff(root, tmp_path)
    found = []
    for tile in (16, 200):
        settings = (*REGION.settings, f"tiles={tile}")
        request = replace(REGION, octaves="3..", settings=settings)
        redo = submitted(redo_spec(root.spec, root.identity.job_id, request), tmp_path)
        assert (len(redo.grids[-1]) == 1) == (tile == 200)
        found.append(rendered_tiff(redo, tmp_path).astype(int))
    assert np.abs(found[0] - found[1]).max() <= 1


def again_settings(plan: PosterPlan, settings: Sequence[str]) -> PosterSpec:
    return parse_poster_spec(apply_overrides(plan.spec.document(), settings))


def rendered_tiff(plan: PosterPlan, folder: Path) -> np.ndarray:
    claimed = claim_poster(plan, folder)
    image = pyvips.Image.new_from_file(str(claimed.path(claimed.run()["outputs"][0])))
    return np.asarray(image.numpy())


def test_a_parent_that_is_another_job_is_not_used(plan: PosterPlan, tmp_path: Path) -> None:
    """A spec may name any job: the pixels are those of the picture that it describes."""
    other = plan_of(plan, "dream.step_size=0.2")
    submitted(other.spec, tmp_path)
    rendered(other, tmp_path)
    true = again(plan)
    assert true.redo is not None
    lying = true.model_copy(
        update={"redo": true.redo.model_copy(update={"parent": other.identity.job_id})}
    )
    found = rendered(submitted(lying, tmp_path), tmp_path)
    submitted(true, tmp_path / "well")
    expected = rendered(make_plan(true, MACHINE), tmp_path / "well")
    np.testing.assert_array_equal(expected, found)


def plan_of(plan: PosterPlan, *settings: str) -> PosterPlan:
    return make_plan(again_settings(plan, settings), MACHINE)


def test_a_redo_has_no_draft(plan: PosterPlan) -> None:
    with pytest.raises(RequestError, match="a redo has no draft"):
        draft_octaves(make_plan(again(plan), MACHINE), 1)


def test_a_small_region_begins_in_the_first_octave_that_shows_it(plan: PosterPlan) -> None:
    redo = make_plan(again(plan, RedoRequest(region="50.25%,50%,0.5%x2%")), MACHINE)
    assert [octave.steps for octave in redo.octaves] == [0, 0, 2]
    assert redo.octaves[-1].pixels == 1
    assert redo.redo is not None
    assert list(redo.redo.needed) == [1, 2]


def test_the_octaves_must_be_those_of_the_picture(plan: PosterPlan) -> None:
    spec = again(plan)
    wrong = spec.model_copy(update={"dream": replace(spec.dream, octaves=2)})
    with pytest.raises(RequestError, match=r"dream\.octaves: a redo has the octaves"):
        make_plan(wrong, MACHINE)


def test_the_work_of_a_redo_is_that_of_its_region(plan: PosterPlan) -> None:
    redo = make_plan(again(plan, RedoRequest(region="0%,0%,50%x50%", octaves="3")), MACHINE)
    last = plan.octaves[-1]
    assert redo.megapixel_steps == pytest.approx(0.25 * last.megapixel_steps, rel=0.01)
    assert redo.octaves[-1].effort < 0.5 * last.effort
    document: dict[str, Any] = redo.pixel_settings()["redo"]
    assert document == {"first": 2, "regions": [None, None, [0, 0, 34, 50]]}
