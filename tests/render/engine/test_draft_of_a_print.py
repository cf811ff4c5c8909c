"""A draft is the beginning of the print: the first octaves of all sizes have the same bits."""

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import torch

from render.dream.config import Dream
from render.dream.objective import Mix, Objective
from render.dream.octaves import octave_sizes, picture_shape
from render.engine.memory import octave_grids
from render.engine.network_profile import profile_network
from render.engine.octave_bases import OctaveBases
from render.engine.setup import ShardSetup, smaller_octaves
from render.geometry.partition import partition
from render.geometry.rect import Size
from render.geometry.sampling_grid import SamplingGrid
from render.networks.builtin import PAREIDOLIA
from render.networks.weight_paths import resolve_weights
from render.pictures.ingest import canvas_layout
from render.pictures.tiled_image import FileByteSource, TiledImage, TileSet
from tests.support.shard_crew import ShardCrew, write_input

SOURCE = (447, 670)
"""A picture whose shape no rounded size has exactly."""

MIX = Mix((Objective("mixed4a.cat"),))


@pytest.fixture(scope="module")
def samples() -> np.ndarray:
    coarse = np.random.default_rng(5).integers(40, 216, (15, 22, 3))
    return np.kron(coarse, np.ones((30, 31, 1)))[: SOURCE[0], : SOURCE[1]].astype(np.uint8)


def size_for(width: int) -> Size:
    return round(width * SOURCE[0] / SOURCE[1]), width


def setup_for(width: int, samples: np.ndarray, steps: int, folder: Path) -> ShardSetup:
    """The setup of a print of that width, by the defaults, with bases made while decoding."""
    dream, size = Dream(steps=steps), size_for(width)
    profile = profile_network(PAREIDOLIA, MIX, "float32")
    sampling_grid = SamplingGrid(profile.stride, profile.field, dream.jitter, dream.margin)
    sizes = octave_sizes(size, dream, picture_shape(SOURCE, size))
    folder.mkdir()
    return ShardSetup(
        network=PAREIDOLIA,
        weights=resolve_weights(PAREIDOLIA, None),
        mix=MIX,
        dream=dream,
        precision="float32",
        device="cpu",
        input=write_input(samples, folder),
        bases=bases(samples, sizes, folder),
        grids=octave_grids(sizes, "auto", sampling_grid, profile.cost),
        stride=profile.stride,
        field=profile.field,
        units=profile.units,
    )


def bases(samples: np.ndarray, sizes: tuple[Size, ...], folder: Path) -> dict[int, TiledImage]:
    paths = {octave: folder / f"base-{octave}" for octave in smaller_octaves(SOURCE, sizes)}
    with closing(OctaveBases(paths, SOURCE, sizes, torch.float32)) as made:
        made.add(samples)
    return {
        octave: TiledImage(
            (TileSet(FileByteSource(path), canvas_layout(*sizes[octave], "float32")),)
        )
        for octave, path in paths.items()
    }


def first_octaves(setup: ShardSetup, count: int, folder: Path) -> list[bytes]:
    """The canvases after the first octaves."""
    crew = ShardCrew(setup, folder, 2)
    canvases: list[bytes] = []
    before: TiledImage | None = None
    for octave in range(count):
        crew.octave, crew.blocks = octave, partition(setup.grids[octave], 2)
        crew.start(before)
        crew.steps(range(setup.dream.steps))
        before = crew.write_tiles()
        canvases.append(before.read(before.grid.whole).tobytes())
    return canvases


@pytest.mark.parametrize(
    "widths",
    [
        (500, 600, 2400, 7016),
        pytest.param((2400, 7016), marks=[pytest.mark.slow, pytest.mark.timeout(1800)]),
    ],
)
def test_the_first_octaves_of_all_sizes_have_the_same_bits(
    samples: np.ndarray, widths: tuple[int, ...], tmp_path: Path
) -> None:
    setups = [setup_for(width, samples, 2, tmp_path / str(width)) for width in widths]
    shared = len(setups[0].grids) - 1
    assert shared >= 4
    first, *others = (
        first_octaves(setup, shared, tmp_path / f"crew-{width}")
        for setup, width in zip(setups, widths, strict=True)
    )
    assert all(len(set(canvases)) == shared for canvases in (first, *others))
    assert all(canvases == first for canvases in others)


def test_a_draft_at_the_size_of_an_octave_is_that_octave(
    samples: np.ndarray, tmp_path: Path
) -> None:
    large = setup_for(7016, samples, 1, tmp_path / "large")
    draft = setup_for(large.sizes[3][1], samples, 1, tmp_path / "draft")
    assert draft.sizes == large.sizes[:4]
    assert first_octaves(draft, 4, tmp_path / "a") == first_octaves(large, 4, tmp_path / "b")
