"""Local renders: outputs are published together, and the disk stays within the plan."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from jobs.planning.poster import PosterPlan
from jobs.poster.kind import PosterKind
from jobs.poster.local import can_resume, render_here
from jobs.runtime.backend import StartCrew, crew_in_process, crew_on_own_ray
from jobs.runtime.local_workdir import WORKDIR_NAME
from jobs.runtime.logs import NOTICES
from jobs.runtime.metrics.progress import Progress
from jobs.runtime.publish import Publisher, Target
from jobs.spec.document import parse_poster_spec
from jobs.text.errors import RequestError
from render.pictures.write import output_digest
from tests.support.processes import disk_usage
from tests.support.small_poster import MACHINE, plan_poster, poster_document

ALL = "outputs=[png, {format: tiff, depth: 16}, jpeg, deepzoom]"


def ignore_progress(progress: Progress) -> None:
    """Do nothing."""


@contextmanager
def peak_disk_usage(folder: Path) -> Iterator[list[int]]:
    """Measure the disk usage of a folder. At the end, the list has the peak in bytes."""
    ended, peak = threading.Event(), [0]

    def watch() -> None:
        while not ended.wait(0.002):
            peak[0] = max(peak[0], disk_usage(folder))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peak
    finally:
        ended.set()
        thread.join()


def render(plan: PosterPlan, out: Path, *, overwrite: bool = False) -> dict[str, Any]:
    """Render in this process."""
    return render_here(plan, Target(out, overwrite), ignore_progress, crew_in_process)


@pytest.mark.parametrize("spills", [False, True])
@pytest.mark.parametrize("size", ["x1", "300x204"])
def test_the_disk_usage_stays_within_the_plan(
    picture: Path, weights: Path, tmp_path: Path, size: str, spills: bool
) -> None:
    settings = (f"size={size}", ALL, "dream.octave_scale=1.1", "tiles=64", "crew.workers=1")
    plan = plan_poster(picture, weights, *settings)
    if spills:
        limited = plan_poster(picture, weights, *settings, "crew.memory_per_worker=4GiB").memory
        memory_limit = (limited.in_memory + limited.on_disk) // 2
        plan = plan_poster(picture, weights, *settings, f"crew.memory_per_worker={memory_limit}")
    assert plan.memory.spills == spills

    with peak_disk_usage(tmp_path) as peak:
        render(plan, tmp_path / "out")
    assert 0 < peak[0] <= plan.disk.scratch + plan.disk.outputs
    (tmp_path / "out" / "manifest.json").unlink()
    assert 0 < disk_usage(tmp_path / "out") <= plan.disk.outputs


def test_only_the_outputs_stay(picture: Path, weights: Path, tmp_path: Path) -> None:
    out = tmp_path / "a" / "b"
    manifest = render(plan_poster(picture, weights, ALL), out)

    assert sorted(path.name for path in out.iterdir()) == [
        *("manifest.json", "sky.dzi", "sky.jpg", "sky.png", "sky.tif", "sky_files")
    ]
    for output in manifest["outputs"]:
        assert output["sha256"] == output_digest(out / output["path"])


def test_earlier_outputs_stay_if_a_render_fails(
    picture: Path, weights: Path, tmp_path: Path
) -> None:
    render(plan_poster(picture, weights), tmp_path)
    before = (tmp_path / "sky.png").read_bytes()
    truncated = tmp_path / "cut.png"
    truncated.write_bytes(picture.read_bytes()[:9000])
    with pytest.raises(Exception, match="truncated or damaged"):
        render(plan_poster(truncated, weights), tmp_path, overwrite=True)

    assert (tmp_path / "sky.png").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("cut.png", "manifest.json", "sky.png")
    ]


def digests(manifest: dict[str, Any]) -> list[str]:
    return [one["sha256"] for one in manifest["outputs"]]


@pytest.mark.parametrize("steps", [1, 2])
def test_a_killed_render_resumes(picture: Path, weights: Path, tmp_path: Path, steps: int) -> None:
    plan = plan_poster(picture, weights, ALL, "dream.octaves=3")
    undisturbed = render(plan, tmp_path / "undisturbed")

    def interrupt(progress: Progress) -> None:
        if (progress.octave, progress.step) == (2, steps):
            raise KeyboardInterrupt

    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        render_here(plan, Target(out), interrupt, crew_in_process)
    assert [path.name for path in out.iterdir()] == [WORKDIR_NAME]
    assert can_resume(out, plan.identity.job_id)

    seen: list[Progress] = []
    manifest = render_here(plan, Target(out), seen.append, crew_in_process)
    assert digests(manifest) == digests(undisturbed)
    assert min(one.octave for one in seen if one.phase == "dream") == 2
    assert not (out / WORKDIR_NAME).exists()
    assert not can_resume(out, plan.identity.job_id)


@pytest.mark.parametrize("harm", ["shard", "shortened shard", "mask", "input"])
def test_damage_is_said_on_the_terminal_and_the_bytes_stay_the_same(
    picture: Path,
    weights: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    harm: str,
) -> None:
    mask = tmp_path / "mask.png"
    Image.linear_gradient("L").resize((100, 68)).save(mask)
    plan = plan_poster(picture, weights, "dream.steps=2", f"objectives.0.mask={mask}")
    undisturbed = render(plan, tmp_path / "undisturbed")

    def interrupt(progress: Progress) -> None:
        if (progress.octave, progress.step) == (2, 1):
            raise KeyboardInterrupt

    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        render_here(plan, Target(out), interrupt, crew_in_process)
    names = {"mask": "mask-0.tiles", "input": "input.tiles"}
    pattern = f"checkpoints/{names.get(harm, '*/*/*.tiles')}"
    damaged = max(out.glob(f".rendering/*/store/jobs/*/{pattern}"))
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content[:-1] if harm == "shortened shard" else content)

    manifest = render_here(plan, Target(out), lambda _: None, crew_in_process)
    assert digests(manifest) == digests(undisturbed)
    lines = [one.getMessage() for one in caplog.records if one.name == NOTICES.name]
    then = "it is decoded again" if harm in names else "the render begins again"
    (line,) = lines
    assert damaged.name in line
    assert line.endswith(f"; {then}")


def test_a_second_render_into_the_same_folder_is_refused(
    picture: Path, weights: Path, tmp_path: Path
) -> None:
    plan = plan_poster(picture, weights)

    def render_again(progress: Progress) -> None:
        if progress.phase == "encode":
            with pytest.raises(RequestError, match="is being rendered into by"):
                render(plan, tmp_path)

    render_here(plan, Target(tmp_path), render_again, crew_in_process)
    assert (tmp_path / "manifest.json").exists()


@contextmanager
def unprivileged() -> Iterator[None]:
    """Run without root's permission to write everywhere."""
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
    # The user `nobody` cannot enter pytest's own folder.
    locked = Path(f"/tmp/dreamfarm-locked-{os.getpid()}-{tmp_path.name}")
    locked.mkdir()
    locked.chmod(mode)
    try:
        with unprivileged(), pytest.raises(RequestError, match=r"cannot be written \(Permission"):
            render(plan, locked / below)
        assert list(locked.iterdir()) == []
    finally:
        locked.chmod(0o700)
        locked.rmdir()


def test_a_render_killed_while_it_publishes_resumes_without_rendering(
    picture: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_poster(picture, weights, ALL)
    undisturbed = render(plan, tmp_path / "undisturbed")
    out = tmp_path / "out"

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Publisher, "write_manifest", interrupt)
        with pytest.raises(KeyboardInterrupt):
            render(plan, out)
    assert not (out / "manifest.json").exists()

    seen: list[Progress] = []
    manifest = render_here(plan, Target(out), seen.append, crew_in_process)
    assert digests(manifest) == digests(undisturbed)
    assert seen == []
    assert not (out / WORKDIR_NAME).exists()
    for output in manifest["outputs"]:
        assert output["sha256"] == output_digest(out / output["path"])


@pytest.mark.parametrize(
    ("share", "workers", "wanted"),
    [(0.4, 1, crew_in_process), (0.2, 2, crew_on_own_ray), (0.6, 1, crew_on_own_ray)],
)
def test_a_crew_has_its_own_process_if_it_may_be_killed_for_its_memory(
    picture: Path,
    weights: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    share: float,
    workers: int,
    wanted: StartCrew,
) -> None:
    """Ray starts another worker in its place. This process would just be gone.

    share: of the machine's memory, that a worker needs.
    """
    needed = plan_poster(picture, weights).memory.needed
    spec = parse_poster_spec(poster_document(picture, weights, f"crew.workers={workers}"))
    started: list[StartCrew] = []

    def stop(_plan: PosterPlan, _target: Target, _watch: object, start: StartCrew) -> None:
        started.append(start)
        raise RequestError("started")

    monkeypatch.setattr(
        "jobs.planning.machine.this_machine",
        lambda: replace(MACHINE, memory=int(needed / share)),
    )
    monkeypatch.setattr("jobs.poster.local.render_here", stop)
    with pytest.raises(RequestError, match="started"):
        PosterKind().render_here(
            spec, lambda _: Target(tmp_path), ignore_progress, in_process=False
        )
    assert started == [wanted]
