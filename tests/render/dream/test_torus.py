"""On a torus no pixel is the first: the dream of a shifted input is the shifted dream."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import render.dream.step
from render.dream.attachments import resample_mask
from render.dream.config import Dream, Smooth
from render.dream.octaves import octave_sizes
from render.dream.plane import Read
from render.dream.reference import dream_reference
from render.dream.resample import AxisTaps, resample
from render.dream.start_noise import first_base
from render.geometry.edges import Edges, axis_edges
from render.geometry.rect import Rect, Size
from render.geometry.sampling_grid import Shift, jitter_shift
from render.networks.network import Network, prepare_network
from render.networks.receptive_field import LayerGrid, layer_grid
from render.pictures.colour import to_canvas
from tests.support.seeded_networks import calibrate_norms, fill_weights, noise_picture
from tests.support.shard_crew import write_input
from tests.support.tiny_network import MIX, TinyNetwork, random_samples

SIZE = (96, 144)
STRIDE = 12
DREAM = Dream(octaves=2, octave_scale=2.0, steps=2, jitter=13, step_size=0.05, smooth=None)
CUT_AND_WRAPPED: tuple[Edges, Edges] = ("zero", "wrap")
SMOOTHS = [None, Smooth(laplacian=(1.0, 1.0, 0.5)), Smooth(gaussian=(1.0, 2.0))]


@pytest.fixture(scope="module")
def tiny() -> Iterator[tuple[Network, LayerGrid]]:
    model: nn.Module = TinyNetwork().eval()
    fill_weights(model, seed=1)
    calibrate_norms(model, seed=1)
    grid = layer_grid(model, "tiny", MIX.layers)
    assert grid.stride == STRIDE
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield prepare_network(model, MIX.layers, torch.float64), grid
    torch.set_num_threads(threads)


def held(picture: Tensor) -> Read:
    return lambda rect: picture[rect.slices()]


def dreamed(tiny: tuple[Network, LayerGrid], dream: Dream, picture: Tensor) -> Tensor:
    return dream_reference(*tiny, MIX, dream, held(picture), SIZE, SIZE)


def follow(offset: Shift, sizes: Sequence[Size], patch: pytest.MonkeyPatch) -> None:
    """Let the sampling grid follow a picture that is shifted by an offset of the last octave."""

    def moved(seed: int, octave: int, step: int, span: int) -> Shift:
        down, right = jitter_shift(seed, octave, step, span)
        height, width = sizes[octave]
        return down - offset[0] * height // SIZE[0], right - offset[1] * width // SIZE[1]

    patch.setattr(render.dream.step, "jitter_shift", moved)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example("wrap", SMOOTHS[1], (2, 142))
@given(
    st.sampled_from(["wrap", "wrap-x", "wrap-y"]),
    st.sampled_from(SMOOTHS),
    st.tuples(st.integers(0, 47), st.integers(0, 71)),
)
def test_by_any_pixel_of_every_octave_if_the_grid_follows(
    tiny: tuple[Network, LayerGrid], edges: Edges, smooth: Smooth | None, pixel: Shift
) -> None:
    dream = replace(DREAM, edges=edges, smooth=smooth)
    rows, columns = (edge == "wrap" for edge in axis_edges(edges))
    offset = 2 * pixel[0] * rows, 2 * pixel[1] * columns
    picture = to_canvas(random_samples(SIZE, 0), torch.float64)
    wanted = torch.roll(dreamed(tiny, dream, picture), offset, (0, 1))
    with pytest.MonkeyPatch.context() as patch:
        follow(offset, octave_sizes(SIZE, dream, None, STRIDE), patch)
        found = dreamed(tiny, dream, torch.roll(picture, offset, (0, 1)))
    assert torch.equal(found, wanted)


@pytest.mark.parametrize("offset", [(24, 0), (72, 120), (-24, 48)])
def test_by_whole_strides_of_every_octave_without_more(
    tiny: tuple[Network, LayerGrid], offset: Shift
) -> None:
    dream = replace(DREAM, edges="wrap", smooth=SMOOTHS[1])
    picture = to_canvas(random_samples(SIZE, 0), torch.float64)
    wanted = torch.roll(dreamed(tiny, dream, picture), offset, (0, 1))
    assert torch.equal(dreamed(tiny, dream, torch.roll(picture, offset, (0, 1))), wanted)


def test_with_zeros_beyond_the_edges_it_is_another_dream(
    tiny: tuple[Network, LayerGrid],
) -> None:
    picture = to_canvas(random_samples(SIZE, 0), torch.float64)
    wanted = torch.roll(dreamed(tiny, DREAM, picture), (24, 0), (0, 1))
    found = dreamed(tiny, DREAM, torch.roll(picture, (24, 0), (0, 1)))
    assert not torch.allclose(found, wanted, atol=1e-3)


@given(
    st.sampled_from([(96, 72), (72, 96), (90, 40), (40, 90), (64, 64), (7, 21)]),
    st.integers(0, 100),
)
def test_a_shifted_picture_is_resampled_to_a_shifted_picture(sides: Size, number: int) -> None:
    """Bit for bit, by every offset that is whole before and after."""
    source, target = sides
    common = torch.gcd(torch.tensor(source), torch.tensor(target))
    before, after = (number * side // int(common) for side in sides)
    picture = noise_picture((5, source))
    size, rect = (5, target), Rect(0, 0, 5, target)
    found = resample(held(picture.roll(before, 1)), (5, source), size, rect, "wrap-x")
    wanted = resample(held(picture), (5, source), size, rect, "wrap-x")
    assert torch.equal(found, wanted.roll(after, 1))


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 9))
@example(1, 9, 2)
@example(40, 3, 1)
def test_a_wrapped_picture_is_resampled_as_if_it_were_repeated(
    source: int, target: int, tile: int
) -> None:
    picture, copies = noise_picture((source, 3)), 101
    size = (target, 3)
    rects = [Rect(top, 0, min(top + tile, target), 3) for top in range(0, target, tile)]
    parts = [resample(held(picture), (source, 3), size, rect, "wrap-y") for rect in rects]
    long, middle = picture.repeat(copies, 1, 1), copies // 2 * target
    rect = Rect(middle, 0, middle + target, 3)
    wanted = resample(held(long), (copies * source, 3), (copies * target, 3), rect)
    assert torch.allclose(torch.cat(parts), wanted, rtol=0, atol=1e-11)


def test_weights_at_an_edge_without_wrapping_are_as_before() -> None:
    for edge in ("zero", "mirror"):
        taps = AxisTaps(7, 10, 0, 10, edge)
        assert (taps.start, taps.stop) == (0, 7)
        assert torch.equal(taps.weights, AxisTaps(7, 10, 0, 10).weights)


def test_octaves_that_wrap_have_sides_of_whole_strides() -> None:
    size, dream = (1200, 1697), Dream(edges="wrap-x")
    plain, sizes = octave_sizes(size, Dream()), octave_sizes(size, dream, None, 32)
    assert sizes[-1] == size
    assert len(sizes) == len(plain)
    for (height, width), (closed_height, closed_width) in zip(plain[:-1], sizes[:-1], strict=True):
        assert closed_height == height
        assert closed_width % 32 == 0
        assert abs(closed_width - width) <= 16


@pytest.mark.parametrize("size", [(20, 20), (5, 70), (32, 33)])
def test_octaves_that_wrap_are_never_larger_than_the_picture(size: Size) -> None:
    sizes = octave_sizes(size, Dream(octaves=4, edges="wrap"), None, 32)
    assert sizes[-1] == size
    assert all(one[0] <= size[0] and one[1] <= size[1] for one in sizes)


def test_a_mask_is_resampled_round_the_edge(tmp_path: Path) -> None:
    """Its last column is white: so is half of what lies before the first one."""
    samples = np.zeros((4, 4, 3), np.uint8)
    samples[:, -1] = 255
    mask, size = write_input(samples, tmp_path), (8, 16)
    whole = Rect(0, 0, *size)
    cut, wrapped = (
        resample_mask(mask, size, whole, torch.float64, edges)[0, :, 0] for edges in CUT_AND_WRAPPED
    )
    assert not cut[0]
    assert wrapped[0] > 0.3
    # White is 4 columns wide, and falls off alike on both sides.
    assert torch.allclose(wrapped.roll(-6), wrapped.roll(-6).flip(0))


def test_the_noise_of_a_seed_closes() -> None:
    size = (60, 90)
    base, whole = torch.zeros(*size, 3, dtype=torch.float64), Rect(0, 0, *size)
    for edges in CUT_AND_WRAPPED:
        dream = Dream(seed=5, edges=edges)
        noisy = first_base(base, dream, dream.seed, 2, size, whole)
        for axis in (0, 1):
            changes = (noisy - noisy.roll(-1, axis)).abs().amax((1 - axis, 2))
            assert bool(changes[-1] <= changes[:-1].max()) == (edges == "wrap")
