"""A plan rendered here: published whole or not at all, within the disk that was planned."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from jobs.planning.poster import PosterPlan
from jobs.poster.local import can_go_on, render_here
from jobs.runtime.backend import crew_in_process
from jobs.runtime.local_workdir import WORKING
from jobs.runtime.metrics.progress import Progress
from jobs.text.errors import RequestError
from render.pictures.deepzoom import digest
from tests.support.processes import disk_usage
from tests.support.small_poster import plan_poster

ALL = "outputs=[png, {format: tiff, depth: 16}, jpeg, deepzoom]"


def unwatched(progress: Progress) -> None:
    """Nobody looks."""


@contextmanager
def largest(folder: Path) -> Iterator[list[int]]:
    """Watches a folder; when it is left, the list ends with the most that was in it."""
    ended, found = threading.Event(), [0]

    def watch() -> None:
        while not ended.wait(0.002):
            found[0] = max(found[0], disk_usage(folder))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield found
    finally:
        ended.set()
        thread.join()


def render(plan: PosterPlan, out: Path) -> dict[str, Any]:
    """Render in this process."""
    return render_here(plan, out, unwatched, crew_in_process)


@pytest.mark.parametrize("spills", [False, True])
@pytest.mark.parametrize("size", ["x1", "300x204"])
def test_the_disk_is_never_fuller_than_planned(
    picture: Path, weights: Path, tmp_path: Path, size: str, spills: bool
) -> None:
    settings = (f"size={size}", ALL, "dream.octave_scale=1.1", "tiles=64", "crew.workers=1")
    plan = plan_poster(picture, weights, *settings)
    if spills:
        limited = plan_poster(picture, weights, *settings, "crew.memory_per_worker=4GiB").memory
        memory_limit = (limited.in_memory + limited.on_disk) // 2
        plan = plan_poster(picture, weights, *settings, f"crew.memory_per_worker={memory_limit}")
    assert plan.memory.spills == spills

    with largest(tmp_path) as most:
        render(plan, tmp_path / "out")
    assert 0 < most[0] <= plan.disk.scratch + plan.disk.outputs
    (tmp_path / "out" / "manifest.json").unlink()
    assert 0 < disk_usage(tmp_path / "out") <= plan.disk.outputs


def test_the_working_folder_goes_and_the_outputs_stay(
    picture: Path, weights: Path, tmp_path: Path
) -> None:
    out = tmp_path / "a" / "b"
    manifest = render(plan_poster(picture, weights, ALL), out)

    assert sorted(path.name for path in out.iterdir()) == [
        *("manifest.json", "sky.dzi", "sky.jpg", "sky.png", "sky.tif", "sky_files")
    ]
    for output in manifest["outputs"]:
        assert output["sha256"] == f"sha256:{digest(out / output['path'])}"


def test_what_was_there_before_stays_where_a_render_fails(
    picture: Path, weights: Path, tmp_path: Path
) -> None:
    render(plan_poster(picture, weights), tmp_path)
    before = (tmp_path / "sky.png").read_bytes()
    cut = tmp_path / "cut.png"
    cut.write_bytes(picture.read_bytes()[:9000])
    with pytest.raises(Exception, match="truncated or damaged"):
        render(plan_poster(cut, weights), tmp_path)

    assert (tmp_path / "sky.png").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("cut.png", "manifest.json", "sky.png")
    ]


def digests(manifest: dict[str, Any]) -> list[str]:
    return [one["sha256"] for one in manifest["outputs"]]


@pytest.mark.parametrize("steps", [1, 2])
def test_a_render_that_was_killed_goes_on(
    picture: Path, weights: Path, tmp_path: Path, steps: int
) -> None:
    plan = plan_poster(picture, weights, ALL, "dream.octaves=3")
    calm = render(plan, tmp_path / "calm")

    def killed(progress: Progress) -> None:
        if (progress.octave, progress.step) == (2, steps):
            raise KeyboardInterrupt

    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        render_here(plan, out, killed, crew_in_process)
    assert [path.name for path in out.iterdir()] == [WORKING]
    assert can_go_on(out, plan.identity.job_id)

    seen: list[Progress] = []
    manifest = render_here(plan, out, seen.append, crew_in_process)
    assert digests(manifest) == digests(calm)
    assert min(one.octave for one in seen if one.phase == "dream") == 2
    assert not (out / WORKING).exists()
    assert not can_go_on(out, plan.identity.job_id)


def test_two_renders_into_one_folder_do_not_meet(
    picture: Path, weights: Path, tmp_path: Path
) -> None:
    plan = plan_poster(picture, weights)

    def meanwhile(progress: Progress) -> None:
        if progress.phase == "encode":
            with pytest.raises(RequestError, match="is being rendered into by"):
                render(plan, tmp_path)

    render_here(plan, tmp_path, meanwhile, crew_in_process)
    assert (tmp_path / "manifest.json").exists()


@contextmanager
def powerless() -> Iterator[None]:
    """Without root's rights to write everywhere."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


@pytest.mark.parametrize(("mode", "below"), [(0o555, "out"), (0o000, "out"), (0o555, "a/b/out")])
def test_without_permission_nothing_is_written(
    picture: Path, weights: Path, tmp_path: Path, mode: int, below: str
) -> None:
    plan = plan_poster(picture, weights)
    # Where root may go nobody may, so the locked folder must not lie in pytest's own.
    locked = Path(f"/tmp/dreamfarm-locked-{os.getpid()}-{tmp_path.name}")
    locked.mkdir()
    locked.chmod(mode)
    try:
        with powerless(), pytest.raises(RequestError, match=r"cannot be written \(Permission"):
            render(plan, locked / below)
        assert list(locked.iterdir()) == []
    finally:
        locked.chmod(0o700)
        locked.rmdir()
