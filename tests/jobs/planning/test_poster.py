"""Plans of posters: deterministic, the same job on every machine, and their errors."""

from dataclasses import replace
from pathlib import Path

import pytest

from jobs.planning.machine import Machine
from jobs.planning.octave import octave_work
from jobs.planning.poster import make_plan
from jobs.spec.document import parse_poster_spec
from jobs.text.errors import RequestError
from render.geometry.grid import Grid
from render.geometry.partition import partition
from render.geometry.sampling_grid import SamplingGrid
from tests.support.small_poster import FIELD, MACHINE, STRIDE, plan_poster, poster_document

MACHINES = (
    MACHINE,
    Machine(cores=64, gpus=0, memory=512 << 30),
    Machine(cores=1, gpus=0, memory=4 << 30),
)


def test_equal_specs_have_equal_plans(picture: Path, weights: Path) -> None:
    assert plan_poster(picture, weights) == plan_poster(picture, weights)


def test_a_pinned_precision_keeps_the_job(picture: Path, weights: Path) -> None:
    spec = parse_poster_spec(poster_document(picture, weights, "precision=auto"))
    alone, pinned = make_plan(spec, MACHINE), make_plan(spec, MACHINE, precision="float64")
    chosen = plan_poster(picture, weights, "precision=float64")

    assert (alone.precision, pinned.precision) == ("float32", "float64")
    assert pinned.identity == alone.identity != chosen.identity
    assert replace(pinned, spec=chosen.spec, identity=chosen.identity) == chosen


@pytest.mark.parametrize("size", ["x1", "700x500", "2100x40", "9000x6000"])
def test_pixel_settings_do_not_depend_on_the_machine(
    picture: Path, weights: Path, size: str
) -> None:
    settings = (f"size={size}", "fit=stretch", "tiles=auto")
    plans = [plan_poster(picture, weights, *settings, machine=machine) for machine in MACHINES]

    assert len({plan.grids for plan in plans}) == 1
    # Only the busiest worker's part of an octave depends on the crew.
    works = [[replace(octave, busiest_pixels=0) for octave in plan.octaves] for plan in plans]
    assert all(work == works[0] for work in works)
    assert len({plan.label() for plan in plans}) == 1
    assert len({plan.identity.job_id for plan in plans}) == 1
    assert [plan.workers for plan in plans][-1] == 1


def test_the_label_has_no_crew_and_no_paths(picture: Path, weights: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "copy.png"
    elsewhere.write_bytes(picture.read_bytes())
    plan = plan_poster(picture, weights)
    other = plan_poster(elsewhere, weights, "crew.workers=7", "crew.memory_per_worker=2GiB")

    assert other.label() == plan.label()
    assert other.identity == plan.identity
    assert str(weights) not in plan.label()
    assert "memory" not in plan.label()


@pytest.mark.parametrize(
    ("size", "tile"),
    [("100x68", 104), ("700x500", 704), ("2100x40", 1056), ("9000x6000", 1504)],
)
def test_automatic_tiles_have_not_changed(
    picture: Path, weights: Path, size: str, tile: int
) -> None:
    plan = plan_poster(picture, weights, f"size={size}", "fit=stretch", "tiles=auto")
    assert plan.octaves[-1].tile == tile


def test_a_physical_size_is_pixels_with_a_resolution(picture: Path, weights: Path) -> None:
    plan = plan_poster(picture, weights, "size=60cm x auto @ 150dpi", "tiles=auto")

    assert plan.extent == (round(60 / 2.54 * 150 * 68 / 100), round(60 / 2.54 * 150), 150)
    assert plan_poster(picture, weights).extent.dpi is None


@pytest.mark.parametrize("width", [300, 700, 2400, 4961, 20000])
def test_automatic_octaves_start_at_one_size(picture: Path, weights: Path, width: int) -> None:
    plan = plan_poster(
        picture, weights, f"size={width}x{width}", "fit=stretch", "tiles=auto", "dream.octaves=auto"
    )
    shorter = min(plan.octaves[0].height, plan.octaves[0].width)

    assert 100 <= shorter < 140
    assert (plan.octaves[-1].height, plan.octaves[-1].width) == (width, width)


def test_a_poster_has_more_octaves(picture: Path, weights: Path) -> None:
    settings = ("tiles=auto", "dream.octaves=auto")
    counts = [
        len(
            plan_poster(picture, weights, f"size={width}x{width}", "fit=stretch", *settings).octaves
        )
        for width in (300, 1000, 5000)
    ]
    assert counts == sorted(set(counts))


@pytest.mark.parametrize("size", [(1, 1), (68, 100), (97, 31)])
def test_the_work_counts_every_window(size: tuple[int, int]) -> None:
    grid, sampling_grid = Grid(*size, 32), SamplingGrid(STRIDE, FIELD, jitter=6)
    windows = [
        sampling_grid.window(grid.core(tile), grid.tile, (0, 0), size).area
        for tile in range(len(grid))
    ]
    work = octave_work(grid, sampling_grid, steps=3, workers=1)

    assert work.window_pixels == work.busiest_pixels == sum(windows)
    assert work.overhead == sum(windows) / (size[0] * size[1])
    assert work.megapixel_steps == size[0] * size[1] * 3 / 1e6


@pytest.mark.parametrize("workers", [2, 3, 40])
def test_the_busiest_worker_determines_the_effort(workers: int) -> None:
    grid, sampling_grid = Grid(150, 97, 32), SamplingGrid(STRIDE, FIELD, jitter=6)
    row_shares = [
        sum(
            sampling_grid.window(grid.core(tile), grid.tile, (0, 0), (150, 97)).area
            for tile in block.tiles(grid)
        )
        for block in partition(grid, workers)
    ]
    work = octave_work(grid, sampling_grid, steps=3, workers=workers)
    assert work.busiest_pixels == max(row_shares)
    assert work.effort == 3 * max(row_shares)


def test_a_plan_of_a_million_tiles_is_fast(picture: Path, weights: Path) -> None:
    plan = plan_poster(
        picture, weights, "size=30000x30000", "fit=stretch", "tiles=8", "crew.workers=1"
    )
    assert plan.octaves[-1].rows * plan.octaves[-1].columns == 3750**2


def test_a_shard_spills_if_memory_is_short(picture: Path, weights: Path) -> None:
    settings = ("size=9000x6000", "tiles=128", "crew.workers=1")
    roomy = plan_poster(picture, weights, *settings)
    short = plan_poster(picture, weights, *settings, "crew.memory_per_worker=1GiB")

    assert not roomy.memory.spills
    assert short.memory.spills
    assert short.memory.needed <= 1 << 30 < roomy.memory.needed
    assert short.disk.scratch > roomy.disk.scratch
    assert short.label() == roomy.label()
    with pytest.raises(RequestError, match=r"crew.memory_per_worker: a worker needs .* GiB"):
        plan_poster(picture, weights, *settings, "crew.memory_per_worker=100MiB")


def test_too_little_memory_fails(picture: Path, weights: Path) -> None:
    with pytest.raises(RequestError, match="fewer workers"):
        plan_poster(picture, weights, "crew.workers=8", machine=replace(MACHINE, memory=1 << 30))


def test_16_bits_and_objectives_need_disk(picture: Path, weights: Path) -> None:
    eight, sixteen = (
        plan_poster(picture, weights, f"outputs=[{{format: png, depth: {depth}}}]").disk.outputs
        for depth in (8, 16)
    )
    assert sixteen > eight


@pytest.mark.parametrize("size", ["{}xauto", "{}x{}"])
def test_a_draft_has_the_first_octaves_of_the_print(
    picture: Path, weights: Path, size: str
) -> None:
    """Sizes and tiles, and so bits: see `tests/render/engine/test_draft_of_a_print.py`."""
    auto = ("dream.octaves=auto", "tiles=auto", "fit=stretch")
    draft, large = (
        plan_poster(picture, weights, f"size={size.format(width, width * 3 // 5)}", *auto)
        for width in (500, 7015)
    )
    shared = len(draft.grids) - 1
    assert shared >= 3
    assert draft.grids[:shared] == large.grids[:shared]


def test_a_draft_of_noise_has_the_first_octaves_of_the_print(weights: Path) -> None:
    small, large = (
        plan_poster(None, weights, "input={noise: {}}", f"size={size}", "dream.octaves=auto")
        for size in ("30cm x 17cm @ 50dpi", "60cm x 34cm")
    )
    shared = len(small.grids) - 1
    assert small.grids[:shared] == large.grids[:shared]
    assert small.source == large.source
