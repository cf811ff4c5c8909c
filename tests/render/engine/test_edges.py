"""Whatever lies beyond the edges, both engines and every crew give the reference's picture."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from render.dream.config import Dream, Smooth
from render.dream.objective import Mix, Objective
from render.dream.octaves import octave_sizes, picture_shape
from render.dream.reference import dream_reference
from render.engine.in_memory_batch import dream_batch
from render.engine.setup import InMemorySetup, ShardSetup, smaller_octaves
from render.geometry.edges import Edges
from render.geometry.rect import Size
from render.networks.network import Network, prepare_network
from render.networks.receptive_field import LayerGrid, layer_grid
from render.pictures.colour import to_canvas
from render.pictures.tiled_image import TiledImage
from tests.support.seeded_networks import calibrate_norms, fill_weights, relative_error
from tests.support.shard_crew import render_dream, tiled, write_input
from tests.support.tiny_network import TinyNetwork, random_samples

SOURCE = (50, 61)
MASK, STRENGTH = Path("mask.png"), Path("strength.png")
MIX: Mix = Objective("branches", mask=MASK) + Objective("third", channels=(1, 4)) * -0.4
DREAM = Dream(
    octaves=2,
    steps=2,
    jitter=13,
    step_size=0.05,
    seed=7,
    smooth=Smooth(laplacian=(1.0, 1.0, 0.5)),
    strength=STRENGTH,
)
EDGES: list[Edges] = ["mirror", "wrap", "wrap-x", "wrap-y"]


@pytest.fixture(scope="module")
def tiny() -> tuple[Network, LayerGrid]:
    model: nn.Module = TinyNetwork().eval()
    fill_weights(model, seed=1)
    calibrate_norms(model, seed=1)
    grid = layer_grid(deepcopy(model), "tiny", MIX.layers)
    return prepare_network(model, MIX.layers, torch.float64), grid


@pytest.fixture(scope="module")
def masks(tmp_path_factory: pytest.TempPathFactory) -> Mapping[Path, TiledImage]:
    """Small ones, so that every pixel of the picture is resampled from several of theirs."""
    sizes = {MASK: (9, 5), STRENGTH: (4, 11)}
    return {
        path: write_input(random_samples(size, 5), tmp_path_factory.mktemp("mask"))
        for path, size in sizes.items()
    }


class Dreams:
    """One dream by the reference and by both engines."""

    def __init__(
        self,
        network: Network,
        layers: LayerGrid,
        masks: Mapping[Path, TiledImage],
        dream: Dream,
        size: Size,
    ) -> None:
        self.samples = random_samples(SOURCE, 0)
        self._network, self._layers, self._masks = network, layers, masks
        self._dream, self._size = dream, size

    def reference(self) -> Tensor:
        picture = to_canvas(self.samples, torch.float64)
        return dream_reference(
            self._network,
            self._layers,
            MIX,
            self._dream,
            lambda rect: picture[rect.slices()],
            SOURCE,
            self._size,
            self._masks,
        )

    def _setup(self, tile: int) -> InMemorySetup:
        shape, stride = picture_shape(SOURCE, self._size), self._layers.stride
        return InMemorySetup(
            mix=MIX,
            dream=self._dream,
            precision="float64",
            device="cpu",
            grids=tiled(octave_sizes(self._size, self._dream, shape, stride), tile),
            stride=stride,
            field=self._layers.field,
        )

    def in_memory(self, tile: int) -> Tensor:
        (found,) = dream_batch(
            self._network, self._setup(tile), [self.samples], [self._dream.seed], self._masks
        )
        assert isinstance(found, Tensor)
        return found

    def by_crew(self, tile: int, members: int, folder: Path, *, spill: bool = False) -> np.ndarray:
        setup = self._setup(tile)
        shared = {name: getattr(setup, name) for name in setup.__dataclass_fields__}
        del shared["batch"]
        picture = write_input(self.samples, folder)
        shards = ShardSetup(
            **shared, network="tiny", weights=folder, input=picture, masks=self._masks, spill=spill
        )
        return render_dream(shards, folder, members)


@pytest.fixture(autouse=True)
def _loads_the_tiny_one(tiny: tuple[Network, LayerGrid], monkeypatch: pytest.MonkeyPatch) -> None:
    """A shard loads networks by name and file, and the tiny one has neither."""
    monkeypatch.setattr("render.engine.shard.load_network", lambda *_: tiny[0])


@pytest.mark.parametrize(
    ("edges", "size", "tile"),
    [
        ("mirror", (75, 92), 40),
        ("mirror", (40, 60), 200),
        ("wrap", (60, 96), 40),
        ("wrap", (35, 42), 24),
        ("wrap-x", (75, 60), 40),
        ("wrap-y", (40, 75), 24),
    ],
)
def test_tiles_give_the_reference(
    tiny: tuple[Network, LayerGrid],
    masks: Mapping[Path, TiledImage],
    tmp_path: Path,
    edges: Edges,
    size: Size,
    tile: int,
) -> None:
    """The field has 55 pixels, so windows of some sizes show the picture several times."""
    dreams = Dreams(*tiny, masks, replace(DREAM, edges=edges), size)
    in_memory = dreams.in_memory(tile)
    assert relative_error(in_memory, dreams.reference()) <= 1e-12
    assert dreams.by_crew(tile, 2, tmp_path).tobytes() == in_memory.numpy().tobytes()


@pytest.mark.parametrize(("members", "spill"), [(1, False), (2, False), (3, False), (2, True)])
def test_every_crew_gives_the_same_bytes(
    tiny: tuple[Network, LayerGrid],
    masks: Mapping[Path, TiledImage],
    tmp_path: Path,
    members: int,
    spill: bool,
) -> None:
    """Neighbours across an edge exchange halos, in two pieces where they are neighbours twice."""
    dreams = Dreams(*tiny, masks, replace(DREAM, edges="wrap"), (60, 84))
    wanted = dreams.in_memory(24).numpy()
    assert dreams.by_crew(24, members, tmp_path, spill=spill).tobytes() == wanted.tobytes()


def test_each_edge_is_another_picture(
    tiny: tuple[Network, LayerGrid], masks: Mapping[Path, TiledImage]
) -> None:
    every: list[Edges] = ["zero", *EDGES]
    found = [
        Dreams(*tiny, masks, replace(DREAM, edges=edges), (36, 48)).in_memory(48) for edges in every
    ]
    for number, one in enumerate(found):
        for other in found[:number]:
            assert not torch.allclose(one, other, atol=1e-3)


def test_a_picture_that_wraps_is_not_resampled_while_it_is_decoded() -> None:
    """Its first rows need its last ones."""
    source, sizes = (100, 200), [(50, 100), (100, 200)]
    assert smaller_octaves(source, sizes, "mirror") == [0]
    for edges in ("wrap", "wrap-x", "wrap-y"):
        assert smaller_octaves(source, sizes, edges) == []
