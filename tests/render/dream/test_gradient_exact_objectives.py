"""For every objective, mask, smoothing and schedule tiles equal the whole picture."""

from collections import OrderedDict
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor, nn

from render.dream.attachments import prepare_objectives
from render.dream.config import Dream, Schedule, Smooth
from render.dream.objective import Mix, Objective
from render.dream.octaves import octave_sizes
from render.dream.reference import dream_reference
from render.engine.in_memory_batch import dream_batch
from render.engine.setup import InMemorySetup
from render.geometry.grid import Grid
from render.geometry.sampling_grid import SamplingGrid, jitter_shift
from render.networks.builtin import LOGITS
from render.networks.network import Network, prepare_network
from render.networks.receptive_field import LayerGrid, layer_grid
from render.pictures.colour import to_canvas
from render.pictures.tiled_image import TiledImage
from tests.support.seeded_networks import (
    calibrate_norms,
    fill_weights,
    noise_picture,
    relative_error,
)
from tests.support.shard_crew import tiled, write_input
from tests.support.tiled_step import TiledStep, step_by_blocks
from tests.support.tiny_network import TinyNetwork, random_samples

LAYERS = ("branches", "third", LOGITS)
CHANNELS = {"branches": 11, "third": 6}
CLASSES = 4
SIDES = st.integers(1, 70)
JITTERS = st.sampled_from([0, 1, 5, 13])
MOST_TILES = 16
SLOW = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def model() -> nn.Module:
    """The tiny network with a head that averages."""
    tiny = TinyNetwork().eval()
    fill_weights(tiny, seed=1)
    calibrate_norms(tiny, seed=1)
    head = OrderedDict(
        body=tiny, pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), out=nn.Linear(6, CLASSES)
    )
    return nn.Sequential(head).eval()


def named(layer: str) -> str:
    return layer if layer == LOGITS else f"body.{layer}"


@pytest.fixture(scope="module")
def grid(model: nn.Module) -> LayerGrid:
    return layer_grid(deepcopy(model), "headed", tuple(map(named, LAYERS)))


@pytest.fixture(scope="module")
def network(model: nn.Module) -> Network:
    return prepare_network(deepcopy(model), tuple(map(named, LAYERS)), torch.float64)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A guide and two masks, one of them coloured."""
    made = tmp_path_factory.mktemp("beside")
    for name, size in (("guide", (40, 60, 3)), ("mask", (13, 9)), ("strength", (90, 70, 3))):
        samples = np.random.default_rng(len(name)).integers(0, 256, size, dtype=np.uint8)
        Image.fromarray(samples).save(made / f"{name}.png")
    return made


@pytest.fixture(scope="module")
def masks(folder: Path) -> dict[Path, TiledImage]:
    """The masks, ingested in tiles of an odd size."""
    found = {}
    for name in ("mask", "strength"):
        path = folder / f"{name}.png"
        (folder / f"{name}-tiles").mkdir()
        samples = np.asarray(Image.open(path).convert("RGB"))
        found[path] = write_input(samples, folder / f"{name}-tiles", tile=11)
    return found


positions = st.tuples(st.floats(0, 1), st.floats(0, 1))
weights = st.sampled_from([1.0, -0.5, 2.0])
schedules = st.builds(
    Schedule,
    octaves=st.lists(st.floats(-1, 2), min_size=1, max_size=3).map(tuple),
    steps=st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=1, max_size=3).map(tuple),
)
smooths = st.one_of(
    st.none(),
    st.builds(Smooth, gaussian=st.lists(st.floats(0.3, 4), min_size=1, max_size=3).map(tuple)),
    st.builds(Smooth, laplacian=st.lists(st.floats(0.1, 2), min_size=2, max_size=4).map(tuple)),
)


@st.composite
def objectives(draw: st.DrawFn) -> Objective:
    """Any objective. The paths of its mask and guide are names without a folder."""
    kind = draw(st.sampled_from(["layer", "channels", "neurons", "classes", "guide"]))
    at = tuple(draw(st.lists(positions, min_size=1, max_size=3)))
    layer = draw(st.sampled_from(["branches", "third"]))
    chosen = (draw(st.integers(0, CHANNELS[layer] - 1)),)
    if kind == "classes":
        number = draw(st.integers(0, CLASSES - 1))
        one = Objective(classes=(number,), at=draw(st.sampled_from([None, at])))
    elif kind == "guide":
        one = Objective(named(layer), guide=Path("guide.png"))
    else:
        one = Objective(
            named(layer),
            None if kind == "layer" else chosen,
            at=at if kind == "neurons" else None,
        )
    mask = draw(st.sampled_from([None, Path("mask.png")]))
    return replace(one, mask=mask, weight=draw(weights), schedule=draw(schedules))


def found_in(folder: Path, mix: Mix) -> Mix:
    """The mix with the paths of its masks and guides."""
    return mix.map_objectives(
        lambda one: replace(
            one,
            mask=one.mask and folder / one.mask,
            guide=one.guide and folder / one.guide,
        )
    )


def units_of(grid: LayerGrid) -> dict[str, object]:
    return dict(zip(map(named, LAYERS), grid.units, strict=True))


@SLOW
@example([Objective("body.third", (1,), at=((0, 0), (1, 1)))], None, None, (1, 1), 1, 1, 0, 0)
@example([Objective(classes=(2,))], None, None, (97, 5), 40, 3, 13, 1)
@example([Objective("body.third", guide=Path("guide.png"))], None, None, (60, 53), 24, 4, 5, 2)
@example(
    [Objective("body.branches"), Objective("body.third", weight=-1)],
    Smooth(laplacian=(1, 1, 1, 1)),
    "colours",
    (70, 64),
    17,
    3,
    13,
    3,
)
@given(
    st.lists(objectives(), min_size=1, max_size=3),
    smooths,
    st.sampled_from([None, "colours"]),
    st.tuples(SIDES, SIDES),
    st.integers(1, 60),
    st.integers(1, 5),
    JITTERS,
    st.integers(0, 2**31),
)
def test_band_gradients_of_tiles_are_those_of_the_whole(
    network: Network,
    grid: LayerGrid,
    folder: Path,
    asked: list[Objective],
    smooth: Smooth | None,
    keep: object,
    size: tuple[int, int],
    tile: int,
    members: int,
    jitter: int,
    seed: int,
) -> None:
    while -(-size[0] // tile) * -(-size[1] // tile) > MOST_TILES:
        tile = min(tile * 2, max(size))
    mix = found_in(folder, Mix(tuple(asked)))
    dream = Dream(jitter=jitter, smooth=smooth, keep=keep)  # type: ignore[arg-type]
    sampling_grid = SamplingGrid(grid.stride, grid.field, jitter, dream.margin)
    ready = prepare_objectives(network, mix, units_of(grid))  # type: ignore[arg-type]
    step = TiledStep(ready, sampling_grid, mix, dream)
    canvas = noise_picture(size, seed)
    shift = jitter_shift(seed, 0, 0, sampling_grid.span)
    whole = step.picture_gradients(canvas, shift)
    found = step_by_blocks(step, canvas, Grid(*size, tile), members, shift)
    for one, wanted in zip(found, whole, strict=True):
        # An almost empty band holds only rounding errors.
        floor = 1e-12 * max(float(other.norm()) for other in whole)
        assert float((one - wanted).norm()) <= max(1e-12 * float(wanted.norm()), floor)


@SLOW
@given(
    st.lists(objectives(), min_size=1, max_size=3),
    smooths,
    st.sampled_from([None, "colours"]),
    st.booleans(),
    schedules,
    st.tuples(st.integers(20, 50), st.integers(20, 50)),
    st.integers(8, 40),
    st.integers(0, 2**31),
)
def test_dreams_in_tiles_equal_the_reference(
    network: Network,
    grid: LayerGrid,
    folder: Path,
    masks: dict[Path, TiledImage],
    asked: list[Objective],
    smooth: Smooth | None,
    keep: object,
    is_weak: bool,
    schedule: Schedule,
    size: tuple[int, int],
    tile: int,
    seed: int,
) -> None:
    mix = found_in(folder, Mix(tuple(asked)))
    dream = Dream(
        octaves=2,
        steps=2,
        step_size=0.01,
        jitter=5,
        seed=seed,
        schedule=schedule,
        smooth=smooth,
        keep=keep,  # type: ignore[arg-type]
        palette="natural" if seed % 2 else "free",
        limit="hard" if seed % 3 else "soft",
        strength=folder / "strength.png" if is_weak else None,
    )
    ready = prepare_objectives(network, mix, units_of(grid))  # type: ignore[arg-type]
    samples = random_samples((31, 40), seed)
    wanted = dream_reference(
        ready,
        grid,
        mix,
        dream,
        lambda rect: to_canvas(samples[rect.slices()], torch.float64),
        (31, 40),
        size,
        masks,
    )
    setup = InMemorySetup(
        mix,
        dream,
        "float64",
        "cpu",
        tiled(octave_sizes(size, dream), tile),
        grid.stride,
        grid.field,
    )
    setup = replace(setup, units=units_of(grid))  # type: ignore[arg-type]
    (found,) = dream_batch(ready, setup, [samples], [seed], masks)
    assert isinstance(found, Tensor)
    assert relative_error(found, wanted) <= 1e-11


@pytest.mark.parametrize("at", [(0.0, 0.0), (1.0, 1.0), (0.0, 1.0), (0.5, 0.5)])
@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("size", [(40, 90), (7, 5), (131, 60)])
@pytest.mark.parametrize("shift", [(0, 0), (11, 3)])
def test_every_position_has_a_unit_that_sees_it_or_its_neighbourhood(
    network: Network,
    grid: LayerGrid,
    at: tuple[float, float],
    layer: str,
    size: tuple[int, int],
    shift: tuple[int, int],
) -> None:
    sampling_grid = SamplingGrid(grid.stride, grid.field, 12)
    everything = None if layer != LOGITS else tuple(range(CLASSES))
    one = Objective(None if everything else named(layer), classes=everything, at=(at,))
    ready = prepare_objectives(network, [one], units_of(grid))  # type: ignore[arg-type]
    (gradient,) = TiledStep(ready, sampling_grid, Mix((one,))).picture_gradients(
        noise_picture(size, 3), shift
    )
    assert bool(gradient.any())
    rows, columns = (gradient.abs().sum(-1) > 0).nonzero().unbind(1)
    field = grid.units[LAYERS.index(layer)].field
    assert int(rows.max() - rows.min()) < field
    assert int(columns.max() - columns.min()) < field
    # On a picture larger than the field, the unit lies at the requested position.
    if min(size) > 2 * field and at == (0.5, 0.5):
        assert abs(float(rows.double().mean()) - size[0] / 2) < field
