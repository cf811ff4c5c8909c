"""Damaged or missing checkpoints, inputs and masks: said, replaced, and the bytes stay the same."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from jobs.planning.poster import PosterPlan
from jobs.runtime.checkpoints import Checkpoints, Commit, valid_commits
from jobs.runtime.context import JobContext
from jobs.runtime.metrics.progress import Progress
from render.pictures.tiled_image import TileFile
from tests.support.small_poster import ClaimedPoster, claim_poster, plan_poster

Harm = Callable[[Path], None]


class Interrupted(BaseException):
    """Ends a render between two steps."""


def flip_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(content)


def write_nan(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[:4] = np.float32("nan").tobytes()
    path.write_bytes(content)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


HARMS: dict[str, Harm] = {
    "flipped": flip_byte,
    "nan": write_nan,
    "truncated": truncate,
    "missing": Path.unlink,
}


@pytest.fixture
def plan(picture: Path, weights: Path, tmp_path: Path) -> PosterPlan:
    mask = tmp_path / "mask.png"
    Image.linear_gradient("L").resize((100, 68)).save(mask)
    return plan_poster(picture, weights, "dream.steps=3", f"objectives.0.mask={mask}")


def digest(manifest: dict[str, Any]) -> str:
    (output,) = manifest["outputs"]
    found: str = output["sha256"]
    return found


def stored(context: JobContext, key: str) -> Path:
    path = context.store.local_path(key)
    assert path is not None
    return path


def reports(job: ClaimedPoster) -> list[dict[str, Any]]:
    """The events `damaged` of a job's holder."""
    job.reporter.write(job.context.store)
    lines = job.context.store.get(job.context.keys.events(job.context.lease_number)).splitlines()
    return [event for event in map(json.loads, lines) if event["event"] == "damaged"]


def dream(plan: PosterPlan, folder: Path) -> ClaimedPoster:
    """Interrupt a render before it writes its files. It has a checkpoint of each octave."""

    def watch(progress: Progress) -> None:
        if progress.phase == "encode":
            raise Interrupted

    job = claim_poster(plan, folder, watch=watch)
    with pytest.raises(Interrupted):
        job.run()
    return job


@pytest.mark.parametrize("harm", HARMS)
def test_a_damaged_checkpoint_is_left_for_the_one_before_it(
    plan: PosterPlan, tmp_path: Path, harm: str
) -> None:
    undisturbed = claim_poster(plan, tmp_path / "undisturbed").run()
    first = dream(plan, tmp_path / "disturbed")
    newest, before = valid_commits(first.context.store, first.context.keys)
    part = newest.commit.parts[0]
    HARMS[harm](stored(first.context, part.key))

    second = claim_poster(plan, tmp_path / "disturbed")
    assert digest(second.run()) == digest(undisturbed)
    (event,) = reports(second)
    assert event["object"] == part.key
    assert part.key in event["reason"]
    assert "weights" not in event["reason"]
    assert event["then"] == (
        f"the render goes on from octave {before.commit.octave + 1}, step {before.commit.step}"
    )


def test_a_damaged_commit_is_left_for_the_one_before_it(plan: PosterPlan, tmp_path: Path) -> None:
    undisturbed = claim_poster(plan, tmp_path / "undisturbed").run()
    first = dream(plan, tmp_path / "disturbed")
    newest, before = valid_commits(first.context.store, first.context.keys)
    key = first.context.keys.commit(newest.lease_number, newest.sequence)
    stored(first.context, key).write_bytes(b"{")

    second = claim_poster(plan, tmp_path / "disturbed")
    assert digest(second.run()) == digest(undisturbed)
    (event,) = reports(second)
    assert event["object"] == key
    assert event["then"] == (
        f"the render goes on from octave {before.commit.octave + 1}, step {before.commit.step}"
    )


def test_what_an_interrupted_deletion_left_is_no_damage(plan: PosterPlan, tmp_path: Path) -> None:
    first = dream(plan, tmp_path)
    _, before = valid_commits(first.context.store, first.context.keys)
    stored(first.context, before.commit.parts[0].key).unlink()

    second = claim_poster(plan, tmp_path)
    second.run()
    assert reports(second) == []


def test_without_a_good_checkpoint_the_render_begins_again(
    plan: PosterPlan, tmp_path: Path
) -> None:
    undisturbed = claim_poster(plan, tmp_path / "undisturbed").run()
    first = dream(plan, tmp_path / "disturbed")
    for found in valid_commits(first.context.store, first.context.keys):
        for part in found.commit.parts:
            flip_byte(stored(first.context, part.key))

    second = claim_poster(plan, tmp_path / "disturbed")
    assert digest(second.run()) == digest(undisturbed)
    assert [event["then"] for event in reports(second)][-1] == "the render begins again"


@pytest.mark.parametrize("harm", ["flipped", "missing"])
def test_the_final_checkpoint_may_be_damaged_while_files_are_written(
    plan: PosterPlan, tmp_path: Path, harm: str
) -> None:
    undisturbed = claim_poster(plan, tmp_path / "undisturbed").run()

    def watch(progress: Progress) -> None:
        if progress.phase == "encode" and not harmed:
            newest = valid_commits(job.context.store, job.context.keys)[0]
            harmed.append(newest.commit.parts[0].key)
            HARMS[harm](stored(job.context, harmed[0]))

    harmed: list[str] = []
    job = claim_poster(plan, tmp_path / "disturbed", watch=watch)
    assert digest(job.run()) == digest(undisturbed)
    assert [event["object"] for event in reports(job)] == harmed


@pytest.mark.parametrize("harm", HARMS)
@pytest.mark.parametrize("name", ["input", "mask"])
def test_a_damaged_input_or_mask_is_decoded_again(
    plan: PosterPlan, tmp_path: Path, name: str, harm: str
) -> None:
    undisturbed = claim_poster(plan, tmp_path / "undisturbed").run()

    def watch(progress: Progress) -> None:
        if (progress.phase, progress.octave, progress.step) == ("dream", 1, 3) and not harmed:
            harmed.append(keys.input if name == "input" else keys.mask(0))
            HARMS[harm](stored(job.context, harmed[0]))

    harmed: list[str] = []
    job = claim_poster(plan, tmp_path / "disturbed", watch=watch)
    keys = job.context.keys
    assert digest(job.run()) == digest(undisturbed)
    (event,) = reports(job)
    assert (event["object"], event["then"]) == (harmed[0], "it is decoded again")


def test_a_damaged_local_copy_is_read_again_from_the_store(
    plan: PosterPlan, tmp_path: Path
) -> None:
    job = dream(plan, tmp_path)
    part = valid_commits(job.context.store, job.context.keys)[0].commit.parts[0]
    copy = job.context.local_copy("copy")
    copy.write_bytes(stored(job.context, part.key).read_bytes())
    source = replace(job.context.stored_object(part.key), local_copy=copy)
    flip_byte(copy)
    start, length = 0, copy.stat().st_size
    assert source.read_again(start, length) == stored(job.context, part.key).read_bytes()


def test_checkpoints_of_earlier_versions_have_no_checksums_and_are_read(
    plan: PosterPlan, tmp_path: Path
) -> None:
    undisturbed = claim_poster(plan, tmp_path / "undisturbed").run()
    job = dream(plan, tmp_path / "old")
    store, keys = job.context.store, job.context.keys
    for found in valid_commits(store, keys):
        old = remove_checksums(job.context, found.commit, plan)
        store.put(keys.commit(found.lease_number, found.sequence), old.encode())

    later = claim_poster(plan, tmp_path / "old")
    assert digest(later.run()) == digest(undisturbed)
    assert not reports(later)
    assert [progress.phase for progress in later.reporter.seen] == ["encode"]


def remove_checksums(context: JobContext, commit: Commit, plan: PosterPlan) -> Commit:
    """Rewrite the shards of a commit as earlier versions wrote them."""
    parts = []
    for part in commit.parts:
        path = stored(context, part.key)
        checked = TileFile(path, part.layout(plan.grids[commit.octave]))
        plain = TileFile(path.with_suffix(".old"), replace(checked.layout, has_checksums=False))
        plain.create()
        for tile in part.tiles:
            core = checked.layout.grid.core(tile)
            plain.write(tile, checked.as_tile_set().read(tile, core))
        plain.path.replace(path)
        parts.append(part.model_copy(update={"size": plain.layout.size_bytes}))
    return commit.model_copy(update={"parts": tuple(parts)})


def test_a_damaged_shard_is_skipped_and_a_later_holder_tries_it_again(
    plan: PosterPlan, tmp_path: Path
) -> None:
    """The memory of the worker that found the damage may be at fault."""
    first = dream(plan, tmp_path)
    newest, before = valid_commits(first.context.store, first.context.keys)
    key = newest.commit.parts[0].key
    for lease_number in range(2, 5):
        context = claim_poster(plan, tmp_path).context
        assert context.lease_number == lease_number
        checkpoints = Checkpoints(context, lambda: None)
        checkpoints.take_over()
        assert checkpoints.newest == newest.commit
        assert "the render goes on" in checkpoints.discard(key)
        assert checkpoints.newest == before.commit
        checkpoints.reload()
        assert checkpoints.newest == before.commit
        assert stored(context, key).is_file()
