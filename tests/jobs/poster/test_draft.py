"""Drafts: the first octaves of a render, and the same bytes when it goes on."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jobs.planning.draft import draft_limit, draft_octaves
from jobs.planning.poster import PosterPlan
from jobs.poster.local import render_here
from jobs.poster.local_draft import draft_here, drafted_render
from jobs.poster.submit import submit_poster
from jobs.records import request
from jobs.records.job import load_job
from jobs.records.keys import JobKeys
from jobs.records.state import Intent
from jobs.runtime.backend import crew_in_process
from jobs.runtime.context import retrying_store
from jobs.runtime.control import Stopped
from jobs.runtime.metrics.progress import Progress
from jobs.runtime.publish import Target
from jobs.spec.document import parse_poster_spec
from jobs.text.errors import RequestError
from tests.support.small_poster import claim_poster, plan_poster, poster_document

LARGE = ("size=150xauto", "dream.octaves=3", "dream.octave_scale=1.5", "dream.steps=1")


@pytest.fixture
def plan(picture: Path, weights: Path) -> PosterPlan:
    return plan_poster(picture, weights, *LARGE)


def ignore_progress(progress: Progress) -> None:
    """Do nothing."""


def rendered(plan: PosterPlan, out: Path) -> str:
    manifest = render_here(plan, Target(out), ignore_progress, crew_in_process)
    return str(manifest["outputs"][0]["sha256"])


def drafted(plan: PosterPlan, out: Path, until: int) -> Path:
    return draft_here(plan, Target(out), ignore_progress, crew_in_process, until)[0]


def test_a_finished_draft_has_the_bytes_of_a_render_that_never_stopped(
    plan: PosterPlan, tmp_path: Path
) -> None:
    draft = drafted(plan, tmp_path / "draft", 1)
    assert draft.name == f"{plan.identity.job_id}-octave-1.png"
    with Image.open(draft) as image:
        assert image.size == (plan.octaves[0].width, plan.octaves[0].height)
        first = np.asarray(image)
    second = drafted(plan, tmp_path / "draft", 2)
    with Image.open(second) as image:
        assert image.size == (plan.octaves[1].width, plan.octaves[1].height)
    assert first.std() > 5

    assert rendered(plan, tmp_path / "draft") == rendered(plan, tmp_path / "whole")
    assert not (tmp_path / "draft" / ".rendering").exists()
    assert draft.exists()


def test_a_killed_finish_goes_on(plan: PosterPlan, tmp_path: Path) -> None:
    drafted(plan, tmp_path / "draft", 1)

    def interrupt(progress: Progress) -> None:
        if progress.octave == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render_here(plan, Target(tmp_path / "draft"), interrupt, crew_in_process)
    assert rendered(plan, tmp_path / "draft") == rendered(plan, tmp_path / "whole")


def test_a_draft_that_is_refused_does_not_shorten_the_render(
    plan: PosterPlan, tmp_path: Path
) -> None:
    refused: list[Progress] = []

    def draft_too(progress: Progress) -> None:
        with pytest.raises(RequestError, match="is being rendered into by"):
            drafted(plan, tmp_path, 1)
        refused.append(progress)

    manifest = render_here(plan, Target(tmp_path), draft_too, crew_in_process)
    assert manifest["state"] == "succeeded"
    assert max(one.octave for one in refused) == len(plan.octaves)


def test_a_draft_keeps_what_is_dreamed_beyond_it(plan: PosterPlan, tmp_path: Path) -> None:
    def interrupt(progress: Progress) -> None:
        if progress.phase == "encode":
            raise KeyboardInterrupt

    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        render_here(plan, Target(out), interrupt, crew_in_process)
    with pytest.raises(RequestError, match="all octaves are dreamed already"):
        drafted(plan, out, 1)

    seen: list[Progress] = []
    manifest = render_here(plan, Target(out), seen.append, crew_in_process)
    assert [one for one in seen if one.phase == "dream"] == []
    assert manifest["outputs"][0]["sha256"] == rendered(plan, tmp_path / "whole")


def test_a_draft_tells_how_far_an_earlier_render_went(plan: PosterPlan, tmp_path: Path) -> None:
    further = draft_here(plan, Target(tmp_path), ignore_progress, crew_in_process, 2)
    assert further == (tmp_path / f"{plan.identity.job_id}-octave-2.png", 2)
    assert draft_here(plan, Target(tmp_path), ignore_progress, crew_in_process, 1) == further


def test_an_octave_that_has_only_begun_is_no_draft(
    picture: Path, weights: Path, tmp_path: Path
) -> None:
    plan = plan_poster(picture, weights, *LARGE[:-1], "dream.steps=3")
    store, keys = retrying_store(str(tmp_path / "store")), JobKeys(plan.identity.job_id)

    def stop(progress: Progress) -> None:
        if (progress.octave, progress.step) == (2, 1):
            first.control.request("yield")

    first = claim_poster(plan, tmp_path, watch=stop)
    with pytest.raises(Stopped, match="yield"):
        first.run()
    store.put(keys.intent, Intent(until=1).encode())
    limited = claim_poster(plan, tmp_path)
    with pytest.raises(Stopped, match="draft"):
        limited.run()
    assert not limited.reporter.seen
    status = limited.reporter.status()
    assert Intent(until=1).is_met_by(status)
    assert not Intent(until=2).is_met_by(status)


def test_the_draft_is_the_print_of_that_size(picture: Path, weights: Path, tmp_path: Path) -> None:
    """A draft of a large print is, byte for byte, the picture of a small print."""
    auto = ("dream.octaves=auto", "dream.steps=1", "tiles=auto")
    large = plan_poster(picture, weights, "size=400xauto", *auto)
    octave = large.octaves[1]
    small = plan_poster(picture, weights, f"size={octave.width}xauto", *auto)
    assert small.grids == large.grids[:2]
    with Image.open(drafted(large, tmp_path / "large", 2)) as image:
        draft = np.asarray(image)
    rendered(small, tmp_path / "small")
    with Image.open(tmp_path / "small" / "sky.png") as image:
        np.testing.assert_array_equal(draft, np.asarray(image))


def test_a_draft_can_be_found_again(plan: PosterPlan, tmp_path: Path) -> None:
    out = tmp_path / "dreams" / plan.identity.job_id
    drafted(plan, out, 1)
    for folder in (tmp_path / "dreams", out):
        found = drafted_render(folder, plan.identity.job_id[:6])
        assert found is not None
        document, where = found
        assert where == out
        assert parse_poster_spec(document).dream == plan.spec.dream
    assert drafted_render(tmp_path / "dreams", "other") is None


def test_a_job_in_a_store_pauses_at_its_draft_and_another_crew_finishes_it(
    plan: PosterPlan, tmp_path: Path
) -> None:
    store, keys = retrying_store(str(tmp_path / "store")), JobKeys(plan.identity.job_id)
    store.put(keys.intent, Intent(until=2).encode())
    first = claim_poster(replace(plan, workers=2), tmp_path)
    with pytest.raises(Stopped, match="draft"):
        first.run()
    status = first.reporter.status()
    assert status.drafted == 2
    assert "octave 2 of 3" in str(status.reason)
    assert Intent(until=2).is_met_by(status)
    assert not Intent(until=3).is_met_by(status)
    assert not Intent().is_met_by(status)
    (draft,) = store.list_objects(keys.outputs(first.context.lease_number))
    assert draft.key.endswith(f"{plan.identity.job_id}-octave-2.png")

    # Another claim before the user's answer dreams no further.
    again = claim_poster(plan, tmp_path)
    with pytest.raises(Stopped, match="draft"):
        again.run()
    assert not again.reporter.seen

    store.put(keys.intent, Intent().encode())
    last = claim_poster(plan.with_workers(3), tmp_path)
    manifest = last.run()
    assert manifest["outputs"][0]["sha256"] == rendered(plan, tmp_path / "whole")


@pytest.mark.parametrize(
    ("limit", "octaves"),
    [(1, 1), (2, 2), (3, None), (9, None), ("70px", 1), ("99", 2), ("x9", None)],
)
def test_a_limit_is_a_number_of_octaves_or_a_size(
    plan: PosterPlan, limit: int | str, octaves: int | None
) -> None:
    assert [octave.width for octave in plan.octaves] == [67, 100, 150]
    assert draft_octaves(plan, limit) == octaves


@pytest.mark.parametrize(
    ("limit", "message"), [(0, "--until 0: write a number"), ("big", "--draft big: 'big' is not")]
)
def test_a_limit_that_no_octave_meets_is_refused(
    plan: PosterPlan, limit: int | str, message: str
) -> None:
    with pytest.raises(RequestError, match=message):
        draft_octaves(plan, limit)


def test_a_wrong_limit_submits_nothing(picture: Path, weights: Path, tmp_path: Path) -> None:
    store = retrying_store(str(tmp_path / "store"))
    spec = parse_poster_spec(poster_document(picture, weights, *LARGE))
    with pytest.raises(RequestError, match="--until 0: write a number"):
        submit_poster(store, spec, 0)
    assert [*store.list_objects("")] == []


def test_one_limit_is_enough() -> None:
    assert draft_limit(None, None) is None
    assert draft_limit(4, None) == 4
    assert draft_limit(None, "600px") == "600px"
    with pytest.raises(RequestError, match="write one of them"):
        draft_limit(4, "600px")


def test_submit_changes_the_limit_of_a_job(picture: Path, weights: Path, tmp_path: Path) -> None:
    store = retrying_store(str(tmp_path))
    spec = parse_poster_spec(poster_document(picture, weights, *LARGE))
    job = submit_poster(store, spec, 2).job
    assert load_job(store, job).intent.until == 2
    assert submit_poster(store, spec, 1).job == job
    assert load_job(store, job).intent.until == 1
    request.finish(store, job)
    assert load_job(store, job).intent.until is None
    submit_poster(store, spec, 1)
    submit_poster(store, spec)
    assert load_job(store, job).intent.until is None
