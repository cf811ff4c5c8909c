"""Crews of any size and partition give the same bytes, and the reference's picture."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import load_file, save_file

from render.dream.canvas import clamp_canvas
from render.dream.config import Dream, Schedule, Smooth
from render.dream.objective import Mix, Objective
from render.dream.octaves import octave_sizes
from render.dream.reference import dream_reference
from render.dream.resample import resample
from render.engine.memory import mask_paths
from render.engine.setup import ShardSetup
from render.engine.shard import Abandoned
from render.geometry.partition import Block
from render.geometry.rect import Rect, Size
from render.networks.catalogue import build_network
from render.networks.network import load_network
from render.networks.receptive_field import layer_grid
from render.pictures.colour import BLACK, WHITE, to_canvas
from tests.support.shard_crew import ShardCrew, render_dream, tiled, write_input

NAME = "squeezenet1_0"
SOURCE = (90, 120)
SIZE = (130, 171)
MIX = Objective("features.5") + Objective("features.3", channels=(1, 5, 60)) * -0.4
DARKEST, BRIGHTEST = np.array([BLACK, WHITE], np.float32)
DREAM = Dream(octaves=3, steps=3, jitter=13, step_size=0.05, smooth=None)


@pytest.fixture(scope="session")
def samples() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (*SOURCE, 3), dtype=np.uint8)


@pytest.fixture(scope="session")
def setup(
    samples: np.ndarray, squeezenet_weights: Path, tmp_path_factory: pytest.TempPathFactory
) -> ShardSetup:
    """In float64, in tiles of 64 pixels."""
    grid = layer_grid(build_network(NAME), NAME, MIX.layers)
    return ShardSetup(
        network=NAME,
        weights=squeezenet_weights,
        mix=MIX,
        dream=DREAM,
        precision="float64",
        device="cpu",
        input=write_input(samples, tmp_path_factory.mktemp("input")),
        grids=tiled(octave_sizes(SIZE, DREAM), 64),
        stride=grid.stride,
        field=grid.field,
    )


@pytest.fixture(scope="session")
def single(setup: ShardSetup) -> ShardSetup:
    """In float32."""
    return replace(setup, precision="float32")


@pytest.fixture(scope="session")
def wanted(single: ShardSetup, tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    """The float32 dream by one member."""
    return render_dream(single, tmp_path_factory.mktemp("one"))


def same_bytes(found: np.ndarray, wanted: np.ndarray) -> bool:
    return found.dtype == wanted.dtype and found.tobytes() == wanted.tobytes()


def test_a_dream_changes_the_picture_within_its_colours(wanted: np.ndarray) -> None:
    assert wanted.shape == (*SIZE, 3)
    assert wanted.dtype == np.float32
    assert (wanted >= DARKEST).all()
    assert (wanted <= BRIGHTEST).all()


@pytest.mark.parametrize("members", [2, 3, 5])
def test_every_crew_makes_the_same_bytes(
    single: ShardSetup, wanted: np.ndarray, tmp_path: Path, members: int
) -> None:
    assert same_bytes(render_dream(single, tmp_path, members), wanted)


@pytest.mark.parametrize("members", [1, 2])
def test_tiles_on_disk_make_the_same_bytes(
    single: ShardSetup, wanted: np.ndarray, tmp_path: Path, members: int
) -> None:
    spilt = replace(single, spill=True)
    assert same_bytes(render_dream(spilt, tmp_path, members), wanted)
    assert list((tmp_path / "scratch-0").glob("canvas-*.npy"))


@pytest.fixture(scope="session")
def rich(single: ShardSetup, tmp_path_factory: pytest.TempPathFactory) -> ShardSetup:
    """With a guide, a neuron, masks, bands and schedules, and only lightness changes."""
    folder = tmp_path_factory.mktemp("beside")
    draw = np.random.default_rng(3)
    for name in ("guide", "mask", "strength"):
        Image.fromarray(draw.integers(0, 256, (40, 50, 3), np.uint8)).save(folder / f"{name}.png")
    neuron = Objective("features.3", (7,), at=((0.3, 0.6),), schedule=Schedule(steps=(0, 1)))
    mix = single.mix + Objective("features.5", guide=folder / "guide.png")
    mix = mix + neuron + Objective("features.3", mask=folder / "mask.png")
    grid = layer_grid(build_network(NAME), NAME, mix.layers)
    smooth = Smooth(laplacian=(1.0, 1.0, 1.0))
    strength = folder / "strength.png"
    dream = replace(DREAM, smooth=smooth, keep="colours", strength=strength)
    masks = {}
    for path in mask_paths(mix, dream):
        (folder / path.stem).mkdir()
        masks[path] = write_input(np.asarray(Image.open(path)), folder / path.stem)
    units = dict(zip(mix.layers, grid.units, strict=True))
    return replace(single, mix=mix, dream=dream, units=units, masks=masks)


@pytest.mark.parametrize("members", [pytest.param(2, marks=pytest.mark.slow), 5])
def test_for_all_objectives_every_crew_makes_the_same_bytes(
    rich: ShardSetup, wanted: np.ndarray, tmp_path: Path, members: int
) -> None:
    one = render_dream(rich, tmp_path / "one")
    assert same_bytes(render_dream(rich, tmp_path / "many", members), one)
    assert same_bytes(render_dream(replace(rich, spill=True), tmp_path / "disk", members), one)
    assert not same_bytes(one, wanted)


@pytest.mark.parametrize("alone", [1, 2, 3])
def test_octaves_rendered_alone_make_the_same_bytes(
    single: ShardSetup, wanted: np.ndarray, tmp_path: Path, alone: int
) -> None:
    assert same_bytes(render_dream(single, tmp_path, 2, alone=alone), wanted)


def rectangles(rows: int, columns: int, data: st.DataObject) -> tuple[Block, ...]:
    """A grid cut at random into blocks that the engine itself would not choose."""
    blocks, open_blocks = [], [Block(0, 0, rows, columns)]
    while open_blocks:
        block = open_blocks.pop()
        height, width = block.bottom - block.top, block.right - block.left
        cuts = [("rows", at) for at in range(1, height)] + [
            ("columns", at) for at in range(1, width)
        ]
        choice = data.draw(st.sampled_from([None, *cuts]))
        if choice is None:
            blocks.append(block)
        elif choice[0] == "rows":
            middle = block.top + choice[1]
            open_blocks += [replace(block, bottom=middle), replace(block, top=middle)]
        else:
            middle = block.left + choice[1]
            open_blocks += [replace(block, right=middle), replace(block, left=middle)]
    return tuple(data.draw(st.permutations(blocks)))


@pytest.fixture(scope="session")
def short(single: ShardSetup) -> ShardSetup:
    """Two octaves of two steps on 3 x 4 and 4 x 5 tiles."""
    dream = Dream(octaves=2, octave_scale=1.3, steps=2, jitter=13, seed=9)
    mix = Mix((Objective("features.3"),))
    grids = tiled(octave_sizes((100, 121), dream), 28)
    return replace(single, dream=dream, mix=mix, grids=grids)


@pytest.fixture(scope="session")
def wanted_short(short: ShardSetup, tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    return render_dream(short, tmp_path_factory.mktemp("short"))


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_rectangles_of_tiles_make_the_same_bytes(
    short: ShardSetup, wanted_short: np.ndarray, tmp_path: Path, data: st.DataObject
) -> None:
    grids = [short.grids[octave] for octave in range(2)]
    cuts = [rectangles(grid.rows, grid.columns, data) for grid in grids]
    members = max(map(len, cuts))
    idle = Block(0, 0, 0, 0)
    cut = tuple(blocks + (idle,) * (members - len(blocks)) for blocks in cuts)
    assert same_bytes(render_dream(short, tmp_path, members, cut), wanted_short)


@pytest.fixture(scope="session")
def reference(setup: ShardSetup, samples: np.ndarray) -> np.ndarray:
    layers = setup.mix.layers
    picture = to_canvas(samples, torch.float64)
    found = dream_reference(
        load_network(NAME, setup.weights, layers, torch.float64),
        layer_grid(build_network(NAME), NAME, layers),
        setup.mix,
        setup.dream,
        lambda rect: picture[rect.slices()],
        SOURCE,
        SIZE,
    )
    return found.numpy()


@pytest.mark.parametrize(("tile", "members"), [(96, 2), (64, 3), (130, 1), (512, 1)])
def test_in_float64_every_tile_size_gives_the_reference(
    setup: ShardSetup, reference: np.ndarray, tmp_path: Path, tile: int, members: int
) -> None:
    found = render_dream(replace(setup, grids=tiled(setup.sizes, tile)), tmp_path, members)
    assert found.dtype == np.float64
    assert np.abs(found - reference).max() <= 1e-9


def test_tiles_decide_the_last_bit_of_float32(
    single: ShardSetup, wanted: np.ndarray, tmp_path: Path
) -> None:
    """So the tile belongs to the plan: dreams are chaotic, and other tiles round differently."""
    other = render_dream(replace(single, grids=tiled(single.sizes, 48)), tmp_path)
    assert not same_bytes(other, wanted)


@pytest.mark.parametrize(("before", "after"), [(1, 3), (3, 1), (2, 5)])
@pytest.mark.parametrize("stop", [0, 1, 2, 3])
def test_an_octave_goes_on_from_any_step_with_any_crew(
    single: ShardSetup, tmp_path: Path, before: int, after: int, stop: int
) -> None:
    """The rest depends only on the canvas that is committed between two steps."""
    once = replace(single, dream=replace(DREAM, octaves=1), grids=tiled([SIZE], 64))
    wanted = render_dream(once, tmp_path / "wanted")

    crew = ShardCrew(once, tmp_path / "first", before)
    crew.start(None)
    crew.steps(range(stop))
    canvas = crew.write_tiles()
    going_on = ShardCrew(once, tmp_path / "second", after)
    going_on.resume(canvas)
    going_on.steps(range(stop, DREAM.steps))
    found = going_on.write_tiles()
    assert same_bytes(found.read(found.grid.whole), wanted)


def test_an_abandoned_step_leaves_the_canvas_as_it_was(single: ShardSetup, tmp_path: Path) -> None:
    once = replace(single, dream=replace(DREAM, octaves=1), grids=tiled([SIZE], 64))
    asked = iter([False] * 3 + [True] * 99)
    crew = ShardCrew(once, tmp_path, 1, lambda: next(asked))
    crew.start(None)
    before = crew.write_tiles()
    held = before.read(before.grid.whole)
    with pytest.raises(Abandoned):
        crew.steps(range(1))
    after = crew.write_tiles()
    assert same_bytes(after.read(after.grid.whole), held)


def resized(samples: np.ndarray, size: Size) -> np.ndarray:
    picture = to_canvas(samples, torch.float32)
    whole = Rect(0, 0, *size)
    height, width, _ = picture.shape
    return clamp_canvas(
        resample(lambda r: picture[r.slices()], (height, width), size, whole)
    ).numpy()


def test_no_steps_make_a_plain_resize(
    single: ShardSetup, samples: np.ndarray, tmp_path: Path
) -> None:
    still = replace(single, dream=replace(DREAM, steps=0))
    found = render_dream(still, tmp_path, 2)
    assert np.abs(found - resized(samples, SIZE)).max() <= 1e-6


def test_a_dead_layer_leaves_the_picture_as_it_is(
    single: ShardSetup, samples: np.ndarray, tmp_path: Path
) -> None:
    tensors = load_file(single.weights)
    tensors["features.0.bias"] = torch.full_like(tensors["features.0.bias"], -1e6)
    save_file(tensors, tmp_path / "dead.safetensors")
    dead = Mix((Objective("features.1"),))
    found = render_dream(replace(single, weights=tmp_path / "dead.safetensors", mix=dead), tmp_path)
    assert np.abs(found - resized(samples, SIZE)).max() <= 1e-6


def test_a_dead_objective_does_not_change_the_weights_of_others(
    short: ShardSetup, tmp_path: Path
) -> None:
    tensors = load_file(short.weights)
    tensors["features.3.squeeze.bias"][0] = -1e6
    save_file(tensors, tmp_path / "dead.safetensors")
    dead = Objective("features.3.squeeze_activation", channels=(0,))
    mixed = replace(short, weights=tmp_path / "dead.safetensors", mix=short.mix + dead)
    halved = replace(short.dream, step_size=short.dream.step_size / 2)
    lone = replace(mixed, mix=short.mix, dream=halved)
    assert same_bytes(render_dream(mixed, tmp_path), render_dream(lone, tmp_path))


def test_opposite_weights_ascend_and_descend(single: ShardSetup, tmp_path: Path) -> None:
    once = replace(DREAM, octaves=1, steps=1, step_size=1e-3, limit="hard")
    up = replace(single, dream=once, grids=tiled([SIZE], 64), mix=Mix((Objective("features.3"),)))
    still = render_dream(replace(up, dream=replace(once, steps=0)), tmp_path)
    risen = render_dream(up, tmp_path) - still
    fallen = render_dream(replace(up, mix=up.mix * -1.0), tmp_path) - still
    inside = (np.abs(still - DARKEST) > 0.1) & (np.abs(still - BRIGHTEST) > 0.1)
    assert np.abs(risen[inside]).max() > 0
    assert np.abs(risen + fallen)[inside].max() <= 1e-5
