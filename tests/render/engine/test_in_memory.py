"""A picture in memory has the bytes of a shard, whatever else is in its batch."""

from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from render.determinism import dtypes, make_deterministic
from render.device import ResolvedPrecision
from render.dream.config import Dream
from render.dream.gradient import batched_gradients, gradients
from render.dream.objective import Mix, Objective
from render.dream.octaves import octave_sizes
from render.engine.in_memory import DreamResult
from render.engine.in_memory_batch import dream_batch, dream_in_passes
from render.engine.network_profile import default_objective
from render.engine.setup import InMemorySetup, ShardSetup
from render.errors import RenderError
from render.geometry.rect import Rect, Size
from render.networks.builtin import PAREIDOLIA
from render.networks.catalogue import build_network
from render.networks.network import Network, load_network, prepare_network
from render.networks.receptive_field import layer_grid
from render.networks.weight_paths import resolve_weights
from tests.support.seeded_networks import (
    calibrate_norms,
    fill_weights,
    noise_picture,
    relative_error,
)
from tests.support.shard_crew import render_dream, tiled, write_input
from tests.support.tiny_network import DREAM, MIX, SIZE, TinyNetwork, random_samples

NAME = "squeezenet1_0"
SIDES = st.integers(1, 40)
SEEDS = st.integers(0, 2**63 - 1)

Networks = dict[ResolvedPrecision, Network]


@pytest.fixture(scope="module", autouse=True)
def _repeatable() -> None:
    make_deterministic()


@pytest.fixture(scope="module")
def tiny() -> Networks:
    """The tiny network in both of a CPU's precisions."""
    model = TinyNetwork().eval()
    fill_weights(model, seed=1)
    calibrate_norms(model, seed=1)
    return {
        "float32": prepare_network(deepcopy(model), MIX.layers, torch.float32),
        "float64": prepare_network(deepcopy(model), MIX.layers, torch.float64),
    }


@pytest.fixture(scope="module")
def grid() -> tuple[int, int]:
    """The tiny network's stride and field."""
    found = layer_grid(TinyNetwork().eval(), "tiny", MIX.layers)
    return found.stride, found.field


@pytest.fixture
def setup(grid: tuple[int, int]) -> InMemorySetup:
    """In tiles of 32 pixels; the last octave has two."""
    return InMemorySetup(MIX, DREAM, "float32", "cpu", tiled(octave_sizes(SIZE, DREAM), 32), *grid)


def canvas(dreamed: DreamResult) -> Tensor:
    assert isinstance(dreamed, Tensor)
    return dreamed


def poster(
    setup: InMemorySetup, samples: np.ndarray, seed: int, folder: Path, network: str, weights: Path
) -> Tensor:
    """The same picture by a shard over a crew of one."""
    whole = ShardSetup(
        network=network,
        weights=weights,
        mix=setup.mix,
        dream=replace(setup.dream, seed=seed),
        precision=setup.precision,
        device=setup.device,
        input=write_input(samples, folder),
        grids=setup.grids,
        stride=setup.stride,
        field=setup.field,
    )
    return torch.from_numpy(render_dream(whole, folder))


@settings(max_examples=60)
@example((7, 5), (1, 1), DREAM, 32, "float32", np.uint8, 3)
@example((1, 1), (9, 12), DREAM, 32, "float32", np.uint16, 4)
@example((2, 300), (3, 450), DREAM, 64, "float32", np.uint8, 5)
@example((300, 2), (450, 1), DREAM, 64, "float64", np.uint16, 6)
@example((33, 20), (33, 20), replace(DREAM, steps=0), 8, "float32", np.uint8, 7)
@example((1100, 1000), (44, 40), replace(DREAM, steps=1), 64, "float32", np.uint8, 8)
@given(
    st.tuples(SIDES, SIDES),
    st.tuples(SIDES, SIDES),
    st.builds(
        Dream,
        octaves=st.integers(1, 3),
        octave_scale=st.sampled_from([1.05, 1.4, 3.0]),
        steps=st.integers(0, 2),
        jitter=st.sampled_from([0, 5, 32]),
    ),
    st.integers(8, 64),
    st.sampled_from(["float32", "float64"]),
    st.sampled_from([np.uint8, np.uint16]),
    SEEDS,
)
def test_a_picture_in_memory_has_the_bytes_of_a_shard(
    tiny: Networks,
    grid: tuple[int, int],
    tmp_path_factory: pytest.TempPathFactory,
    source: Size,
    size: Size,
    dream: Dream,
    tile: int,
    precision: ResolvedPrecision,
    dtype: type,
    seed: int,
) -> None:
    grids = tiled(octave_sizes(size, dream), tile)
    # A dream of seed 0 has no noise, whatever the seed of the picture.
    setup = InMemorySetup(MIX, replace(dream, seed=seed), precision, "cpu", grids, *grid)
    samples = random_samples(source, seed % 1000, dtype)
    folder = tmp_path_factory.mktemp("poster")

    with pytest.MonkeyPatch.context() as patch:
        # A shard loads networks by name and file, and the tiny one has neither.
        patch.setattr("render.engine.shard.load_network", lambda *_: tiny[precision])
        wanted = poster(setup, samples, seed, folder, "tiny", folder)

    (found,) = dream_batch(tiny[precision], setup, [samples], [seed])
    assert torch.equal(canvas(found), wanted)


def test_bytes_are_equal_with_a_network_from_a_file(
    squeezenet_weights: Path, tmp_path: Path
) -> None:
    mix = Objective("features.5") + Objective("features.3", channels=(1, 5, 60)) * -0.4
    found = layer_grid(build_network(NAME), NAME, mix.layers)
    sizes = octave_sizes((90, 75), DREAM)
    grids, dream = tiled(sizes, 64), replace(DREAM, seed=11)
    setup = InMemorySetup(mix, dream, "float32", "cpu", grids, found.stride, found.field)
    samples = random_samples((60, 50), 0)
    network = load_network(NAME, squeezenet_weights, mix.layers)

    (study,) = dream_batch(network, setup, [samples], [11])
    wanted = poster(setup, samples, 11, tmp_path, NAME, squeezenet_weights)
    assert torch.equal(canvas(study), wanted)


def test_a_batch_has_the_bytes_of_each_alone(tiny: Networks, setup: InMemorySetup) -> None:
    network = tiny["float32"]
    pictures = [random_samples((25, 31), seed) for seed in range(5)]
    seeds = [7, 1, 1, 2**62, 0]
    eight = dream_batch(network, replace(setup, batch=8), pictures, seeds)

    for samples, seed, together in zip(pictures, seeds, eight, strict=True):
        (alone,) = dream_batch(network, setup, [samples], [seed])
        assert torch.equal(canvas(alone), canvas(together))


def test_each_picture_has_its_own_seed(tiny: Networks, setup: InMemorySetup) -> None:
    samples = random_samples((25, 31), 0)
    one, other = (replace(setup, dream=replace(DREAM, seed=seed)) for seed in (5, 99))
    network = tiny["float32"]
    first, second = dream_batch(network, one, [samples, samples], [1, 2])
    (again,) = dream_batch(network, other, [samples], [1])

    assert not torch.equal(canvas(first), canvas(second))
    assert torch.equal(canvas(first), canvas(again))


def test_only_a_gpu_has_several_windows_per_pass(setup: InMemorySetup) -> None:
    eight = replace(setup, batch=8)
    assert eight.windows_per_pass == 1
    assert replace(eight, device="cuda").windows_per_pass == 8


@pytest.fixture
def long(setup: InMemorySetup) -> InMemorySetup:
    """In float64, and so tall that jitter decides the shapes of some windows."""
    return replace(setup, precision="float64", grids=tiled(((110, 20), (180, 30)), 32))


def test_windows_of_one_tile_have_several_shapes(long: InMemorySetup) -> None:
    grid, sampling_grid = long.grids[1], long.sampling_grid
    shapes = {
        sampling_grid.window(grid.core(1), 32, (shift, 0), (grid.height, grid.width)).height
        for shift in range(sampling_grid.span)
    }
    assert len(shapes) > 1


def test_other_windows_of_a_pass_do_not_matter(tiny: Networks, long: InMemorySetup) -> None:
    def dreamed_at(place: int, pictures: list[np.ndarray], seeds: list[int]) -> Tensor:
        return canvas(dream_in_passes(tiny["float64"], long, pictures, seeds, 3)[place])

    mine = random_samples((40, 9), 0)
    others = [random_samples((40, 9), seed) for seed in (1, 2, 3)]
    alone = dreamed_at(0, [mine], [5])

    assert torch.equal(dreamed_at(0, [mine, *others], [5, 6, 7, 8]), alone)
    assert torch.equal(dreamed_at(3, [*others, mine], [9, 9, 9, 5]), alone)
    # On a CPU the rounding of a matrix product may depend on the alignment of its memory. So only a
    # GPU promises the same bytes at another place of the batch.
    assert relative_error(dreamed_at(1, [others[0], mine], [6, 5]), alone) <= 1e-9


@pytest.mark.skipif(not torch.cuda.is_available(), reason="NO GPU: stacked bytes are not compared")
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_on_a_gpu_the_rest_of_the_batch_changes_no_bit(precision: ResolvedPrecision) -> None:
    mix = Mix((default_objective(PAREIDOLIA),))
    found = layer_grid(build_network(PAREIDOLIA), PAREIDOLIA, mix.layers)
    weights = resolve_weights(PAREIDOLIA, None)
    dtype = dtypes(precision).network
    network = load_network(PAREIDOLIA, weights, mix.layers, dtype, torch.device("cuda"))
    sizes = octave_sizes((150, 120), DREAM)
    four = InMemorySetup(
        mix, DREAM, precision, "cuda", tiled(sizes, 64), found.stride, found.field, batch=4
    )
    pictures, seeds = [random_samples((90, 70), seed) for seed in range(7)], list(range(7))
    forth = dream_batch(network, four, pictures, seeds)
    back = dream_batch(network, four, pictures[::-1], seeds[::-1])[::-1]

    for samples, seed, one, other in zip(pictures, seeds, forth, back, strict=True):
        (alone,) = dream_batch(network, four, [samples], [seed])
        assert torch.equal(canvas(alone), canvas(one))
        assert torch.equal(canvas(alone), canvas(other))


def test_batched_pictures_equal_single_ones(tiny: Networks, long: InMemorySetup) -> None:
    pictures = [random_samples((40, 9), seed) for seed in range(4)]
    seeds = [5, 6, 7, 8]
    single = dream_batch(tiny["float64"], long, pictures, seeds)
    stacked = dream_in_passes(tiny["float64"], long, pictures, seeds, 3)

    for one, other in zip(single, stacked, strict=True):
        assert relative_error(canvas(other), canvas(one)) <= 1e-9


@settings(max_examples=20)
@given(st.integers(1, 4), st.integers(0, 3), st.tuples(SIDES, SIDES), st.integers(0, 1000))
def test_a_batched_pass_has_the_gradients_of_single_ones(
    tiny: Networks, count: int, empty: int, size: Size, seed: int
) -> None:
    side = (size[0] + 60, size[1] + 60)
    windows = [noise_picture(side, seed + slot) for slot in range(count)]
    insides = [Rect(0, 0, *size).shifted(slot, 20) for slot in range(count)]
    network = tiny["float64"]
    stacked = batched_gradients(network, MIX, windows, insides, count + empty)

    for window, inside, found in zip(windows, insides, stacked, strict=True):
        for one, other in zip(gradients(network, MIX, window, inside), found, strict=True):
            assert other.is_contiguous()
            assert relative_error(other, one) <= 1e-9


def test_in_float32_to_its_rounding(tiny: Networks) -> None:
    windows = [noise_picture((90, 80), seed, torch.float32) for seed in range(3)]
    network, inside = tiny["float32"], Rect(20, 10, 70, 60)
    stacked = batched_gradients(network, MIX, windows, [inside] * 3, 4)

    for window, found in zip(windows, stacked, strict=True):
        for one, other in zip(gradients(network, MIX, window, inside), found, strict=True):
            assert other.dtype == torch.float32
            assert relative_error(other, one) <= 1e-5


@pytest.mark.parametrize("count", [1, 2, 4])
def test_a_pass_is_filled_up_with_zeros(tiny: Networks, count: int) -> None:
    passed: list[Tensor] = []
    network, inside = tiny["float32"], Rect(0, 0, 9, 9)
    windows = [noise_picture((60, 60), seed, torch.float32) for seed in range(count)]
    hook = network.module.register_forward_pre_hook(lambda _, given: passed.append(given[0]))
    with hook:
        batched_gradients(network, MIX, windows, [inside] * count, 4)

    (stack,) = passed
    assert stack.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(stack[:count].permute(0, 2, 3, 1), torch.stack(windows))
    assert torch.equal(stack[count:], torch.zeros(4 - count, 3, 60, 60))


def test_a_pass_refuses_more_windows_than_it_has(tiny: Networks) -> None:
    window, inside = noise_picture((60, 60), 0, torch.float32), Rect(0, 0, 9, 9)
    with pytest.raises(ValueError, match="3 windows do not fit a pass of 2"):
        batched_gradients(tiny["float32"], MIX, [window] * 3, [inside] * 3, 2)


class InfiniteOnWhite(nn.Module):
    """Responds to the picture itself; a nearly white pixel makes the result infinite."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) to the same."""
        result: Tensor = self.seen(x + functional.relu((x - 2) * 1e30))
        return result


@pytest.mark.parametrize("windows_per_pass", [1, 2, 3])
def test_gradients_that_are_not_finite_fail_their_picture_alone(windows_per_pass: int) -> None:
    mix = Mix((Objective("seen"),))
    network = prepare_network(InfiniteOnWhite().eval(), mix.layers)
    setup = InMemorySetup(
        mix,
        DREAM,
        "float32",
        "cpu",
        tiled(((9, 11), (18, 22)), 16),
        stride=1,
        field=1,
        batch=3,
    )
    white = np.full((9, 11, 3), 255, np.uint8)
    grey = [random_samples((9, 11), seed) // 2 for seed in (0, 1)]
    pictures, seeds = [grey[0], white, grey[1]], [1, 2, 3]

    first, broken, last = dream_in_passes(network, setup, pictures, seeds, windows_per_pass)
    assert isinstance(broken, RenderError)
    assert "not finite" in str(broken)
    alone = [
        dream_in_passes(network, setup, [grey[at]], [1 + 2 * at], windows_per_pass)[0]
        for at in (0, 1)
    ]
    assert torch.equal(canvas(first), canvas(alone[0]))
    assert torch.equal(canvas(last), canvas(alone[1]))
    assert not torch.equal(canvas(first)[:9, :11], canvas(last)[:9, :11])


def test_pictures_and_seeds_must_be_as_many(tiny: Networks, setup: InMemorySetup) -> None:
    with pytest.raises(ValueError, match="zip"):
        dream_batch(tiny["float32"], setup, [random_samples((5, 5), 0)], [1, 2])
