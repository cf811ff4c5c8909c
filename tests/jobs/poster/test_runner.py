"""A poster from a crew equals the reference; progress, labels, and lost members."""

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import pyvips
import torch
from PIL import Image
from torch import Tensor

from cluster.crew import Crew
from cluster.errors import MemberLost
from cluster.resources import Resources
from jobs.cli.app import error_message, exit_code
from jobs.planning.poster import PosterPlan
from jobs.planning.source import open_input
from jobs.poster.worker import Worker
from jobs.runtime.backend import StartCrew
from jobs.runtime.context import JobContext
from render.dream.attachments import prepare_objectives
from render.dream.reference import dream_reference
from render.engine.setup import ShardSetup
from render.networks.catalogue import build_network
from render.networks.network import load_network
from render.networks.receptive_field import layer_grid
from render.pictures.colour import to_canvas, to_samples
from render.pictures.decode import open_picture
from render.pictures.ingest import ingest_picture
from render.pictures.tiled_image import TiledImage
from tests.support.small_poster import HEIGHT, LAYER, NETWORK, WIDTH, claim_poster, plan_poster

if TYPE_CHECKING:
    from cluster.ray_crew import RayCrew

LARGER = ("size=150x102", "precision=float64", "crew.workers=3")


@dataclass(frozen=True)
class RenderedOutput:
    """An output: its file, and its entry in the manifest."""

    path: Path
    format: str
    depth: int
    digest: str


def render(plan: PosterPlan, folder: Path) -> list[RenderedOutput]:
    """Render a plan with a crew in this process. Returns its outputs."""
    job = claim_poster(plan, folder)
    return [
        RenderedOutput(job.path(one), one["format"], one["depth"], one["sha256"])
        for one in job.run()["outputs"]
    ]


def pixels(path: Path) -> np.ndarray:
    """The samples of a picture, decoded with pyvips."""
    found: np.ndarray = pyvips.Image.new_from_file(str(path)).numpy()
    return found


def reference(plan: PosterPlan, folder: Path) -> Tensor:
    """The dreamed picture, computed without tiles."""
    layers = plan.mix.layers
    network = load_network(NETWORK, plan.weights, layers, torch.float64)
    network = prepare_objectives(network, plan.mix, plan.profile.units)
    grid = layer_grid(build_network(NETWORK), NETWORK, layers)
    masks = {
        path: TiledImage((ingest_picture(open_picture(path), folder / path.name).as_tile_set(),))
        for path in plan.masks
    }
    picture, _ = open_input(plan.spec)
    source = to_canvas(np.concatenate(list(picture.bands(64))), torch.float64)
    size = (picture.height, picture.width)
    return dream_reference(
        network,
        grid,
        plan.mix,
        plan.spec.dream,
        lambda rect: source[rect.slices()],
        size,
        plan.size,
        masks,
    )


@pytest.mark.parametrize(
    "settings",
    [
        LARGER,
        (*LARGER, f"objectives=[{{layer: {LAYER}}}, {{layer: features.3, weight: -0.5}}]"),
        (*LARGER, "dream.jitter=0", "dream.octaves=3", "tiles=40"),
        (*LARGER, "outputs=[{format: png, depth: 16}]"),
    ],
    ids=["layer", "mix", "no jitter", "16 bits"],
)
def test_a_poster_equals_the_reference(
    picture: Path, weights: Path, tmp_path: Path, settings: tuple[str, ...]
) -> None:
    plan = plan_poster(picture, weights, *settings)
    (output,) = render(plan, tmp_path / "scratch")

    expected = to_samples(reference(plan, tmp_path), output.depth)
    np.testing.assert_array_equal(pixels(output.path), expected)


ALL_FEATURES = (
    "size=150x102",
    "precision=float64",
    "objectives.0.mask={mask}",
    "objectives.1={{layer: features.3, guide: '{guide}', weight: 0.5}}",
    "objectives.2={{layer: features.3, channels: [5], at: [[0.2, 0.9], [1, 0]]}}",
    "objectives.2.schedule.octaves=[0, 1]",
    "dream.strength={mask}",
    "dream.smooth.laplacian=[1, 2, 1]",
    "dream.keep=colours",
)
"""All features of objectives and dreams, except classes, which need the end of the network."""


def all_features(mask: Path, guide: Path) -> tuple[str, ...]:
    return tuple(setting.format(mask=mask, guide=guide) for setting in ALL_FEATURES)


def test_a_poster_with_masks_guides_and_neurons_equals_the_reference(
    picture: Path, weights: Path, mask: Path, guide: Path, tmp_path: Path
) -> None:
    plan = plan_poster(picture, weights, *all_features(mask, guide), "crew.workers=3")
    (output,) = render(plan, tmp_path / "scratch")

    dreamed = pixels(output.path)
    np.testing.assert_array_equal(dreamed, to_samples(reference(plan, tmp_path), 8))
    without_steps = plan_poster(
        picture, weights, "size=150x102", "precision=float64", "dream.steps=0"
    )
    (plain,) = render(without_steps, tmp_path / "plain")
    change = dreamed.astype(int) - pixels(plain.path)
    assert not change[:30].any(), "nothing changes under black parts of the mask"
    assert np.abs(change[70:]).max() > 3
    # All channels change equally, up to rounding.
    assert np.abs(change - change[..., :1]).max() <= 2


def test_masks_and_guides_make_the_same_bytes_from_any_crew(
    picture: Path, weights: Path, mask: Path, guide: Path, tmp_path: Path
) -> None:
    digests = set()
    for workers in ("1", "4"):
        settings = (*all_features(mask, guide), "precision=float32", f"crew.workers={workers}")
        plan = plan_poster(picture, weights, *settings)
        digests |= {output.digest for output in render(plan, tmp_path / workers)}
    assert len(digests) == 1


def test_an_edited_mask_is_another_job(
    picture: Path, weights: Path, mask: Path, guide: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.png"
    shutil.copy(mask, copy)
    job, same_job = (
        plan_poster(picture, weights, *all_features(one, guide)).identity.job_id
        for one in (mask, copy)
    )
    assert job == same_job
    Image.open(mask).rotate(90).save(copy)
    assert plan_poster(picture, weights, *all_features(copy, guide)).identity.job_id != job


def test_a_poster_needs_no_picture(weights: Path, tmp_path: Path) -> None:
    plan = plan_poster(None, weights, "input.noise.seed=4", *LARGER)
    (output,) = render(plan, tmp_path / "scratch")

    np.testing.assert_array_equal(pixels(output.path), to_samples(reference(plan, tmp_path), 8))


@pytest.mark.parametrize("steps", [0, 2])
def test_a_poster_can_start_from_a_colour(weights: Path, tmp_path: Path, steps: int) -> None:
    """Equal pixels tie in max pooling, so a dreamed picture need not equal the reference."""
    plan = plan_poster(None, weights, "input.colour=#306090", *LARGER, f"dream.steps={steps}")
    (output,) = render(plan, tmp_path / "scratch")

    flat = np.broadcast_to(np.array([0x30, 0x60, 0x90], np.uint8), (102, 150, 3))
    assert np.array_equal(pixels(output.path), flat) == (steps == 0)


def test_tiles_on_disk_give_the_same_files(picture: Path, weights: Path, tmp_path: Path) -> None:
    settings = ("size=150x102", "tiles=40", "crew.workers=2", "outputs=[png, deepzoom]")
    in_memory = plan_poster(picture, weights, *settings)
    limited = plan_poster(picture, weights, *settings, "crew.memory_per_worker=4GiB").memory
    memory_limit = (limited.in_memory + limited.on_disk) // 2
    on_disk = plan_poster(picture, weights, *settings, f"crew.memory_per_worker={memory_limit}")
    assert on_disk.memory.spills

    digests = [
        [output.digest for output in render(plan, tmp_path / name)]
        for name, plan in (("memory", in_memory), ("disk", on_disk))
    ]
    assert digests[0] == digests[1]


def test_without_steps_a_poster_is_a_plain_resize(
    picture: Path, weights: Path, tmp_path: Path
) -> None:
    """At the input's size, it is the input itself."""
    plan = plan_poster(picture, weights, "dream.steps=0", "precision=float64")
    (output,) = render(plan, tmp_path / "scratch")

    (whole,) = open_picture(picture).bands(HEIGHT)
    assert whole.shape == (HEIGHT, WIDTH, 3)
    difference = np.abs(pixels(output.path).astype(int) - whole)
    # The base of the smaller octave is added and subtracted again, with rounding.
    assert difference.max() <= 1


def test_progress_rises_to_the_end(picture: Path, weights: Path, tmp_path: Path) -> None:
    plan = plan_poster(picture, weights, "size=150x102", "crew.workers=2", "dream.octaves=3")
    job = claim_poster(plan, tmp_path)
    job.run()
    seen = job.reporter.seen

    assert [one.phase for one in seen] == ["decode", *["dream"] * (len(seen) - 2), "encode"]
    assert all(before.done <= after.done for before, after in pairwise(seen))
    assert all(before.fraction <= after.fraction for before, after in pairwise(seen))
    assert (seen[0].fraction, seen[-1].fraction) == (0, 1)
    assert {one.total for one in seen} == {plan.megapixel_steps}
    assert (seen[0].done, seen[-1].done) == (0, plan.megapixel_steps)
    dreamed = [(one.octave, one.step) for one in seen if one.phase == "dream"]
    assert dreamed == sorted(dreamed)
    assert (3, plan.spec.dream.steps) in dreamed


def test_outputs_have_labels(picture: Path, weights: Path, tmp_path: Path) -> None:
    plan = plan_poster(picture, weights, "outputs=[png, tiff, jpeg]", "size=x1 @ 300dpi")
    fields = {
        "png": "png-comment-0-Description",
        "tiff": "image-description",
        "jpeg": "exif-ifd0-ImageDescription",
    }
    for output in render(plan, tmp_path / "scratch"):
        image = pyvips.Image.new_from_file(str(output.path))
        text = image.get(fields[output.format])
        assert plan.label() in text
        assert str(tmp_path) not in text
        assert "workers" not in text
        assert image.xres * 25.4 == pytest.approx(300, rel=1e-3)
    label = json.loads(plan.label())
    assert label["spec"] == plan.identity.document
    assert label["plan"]["tiles"] == [octave.tile for octave in plan.octaves]


@pytest.mark.parametrize(
    ("keeps_octaves", "kept_checkpoints"), [(True, (1, 2, 3)), (False, (2, 3))]
)
def test_a_store_keeps_a_checkpoint_and_a_preview_of_each_octave_and_a_folder_two(
    picture: Path,
    weights: Path,
    tmp_path: Path,
    keeps_octaves: bool,
    kept_checkpoints: tuple[int, ...],
) -> None:
    plan = plan_poster(picture, weights, "size=150x102", "dream.octaves=3", "crew.workers=1")
    job = claim_poster(plan, tmp_path, keeps_octaves=keeps_octaves)
    job.run()

    keys = job.context.keys
    kept = {entry.key for entry in job.context.store.list_objects(keys.checkpoints)}
    commits = {keys.commit(1, at) for at in kept_checkpoints}
    inputs = {keys.input, keys.input_base(0)}  # the first octave is smaller than the input
    assert kept == commits | {keys.shard(1, at, 0) for at in kept_checkpoints} | inputs
    previews = [entry.key for entry in job.context.store.list_objects(keys.previews)]
    assert previews == [keys.preview(octave) for octave in (1, 2, 3)]


class DyingWorker(Worker):
    """A worker that dies once: the second member, at the second step."""

    def __init__(self, setup: ShardSetup, context: JobContext, member: int) -> None:
        super().__init__(setup, context, member)
        self._mark = context.scratch.parent / "died"
        self._dies = member == 1

    def compute_gradients(self, step: int, *halos: object) -> dict[int, tuple[float, ...]]:
        if self._dies and step == 1 and not self._mark.exists():
            self._mark.touch()
            os._exit(9)
        return super().compute_gradients(step, *halos)  # type: ignore[arg-type]


class AlwaysDyingWorker(DyingWorker):
    """A worker that dies at the second step each time."""

    def compute_gradients(self, step: int, *halos: object) -> dict[int, tuple[float, ...]]:
        self._mark.unlink(missing_ok=True)
        return super().compute_gradients(step, *halos)


def start_with(ray_crew: "type[RayCrew]", kind: type[Worker]) -> StartCrew:
    """Return a function that starts crews with another class of workers."""

    @contextmanager
    def start(
        plan: PosterPlan, _: object, arguments: Sequence[tuple[object, ...]]
    ) -> Iterator[Crew]:
        with ray_crew(kind, arguments, Resources()) as crew:
            yield crew

    return start


def test_a_lost_member_is_replaced_and_the_bytes_stay_the_same(
    picture: Path, weights: Path, tmp_path: Path, ray_crew: "type[RayCrew]"
) -> None:
    plan = plan_poster(picture, weights, "crew.workers=2")
    (undisturbed,) = render(plan, tmp_path / "undisturbed")
    job = claim_poster(plan, tmp_path / "disturbed", start_with(ray_crew, DyingWorker))
    (found,) = job.run()["outputs"]

    assert (tmp_path / "disturbed" / "died").exists()
    assert found["sha256"] == undisturbed.digest


def test_a_member_that_is_always_lost_ends_the_render(
    picture: Path, weights: Path, tmp_path: Path, ray_crew: "type[RayCrew]"
) -> None:
    plan = plan_poster(picture, weights, "crew.workers=2")
    with pytest.raises(MemberLost) as lost:
        claim_poster(plan, tmp_path, start_with(ray_crew, AlwaysDyingWorker)).run()

    assert lost.value.member == 1
    assert exit_code(lost.value) == 1
    assert error_message(lost.value).startswith("member 1 is lost: ")
    assert len(error_message(lost.value).splitlines()) == 1
