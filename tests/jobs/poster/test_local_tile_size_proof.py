"""The proof that tiles are exact: in float64 a whole dream does not depend on the tile size."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import pyvips
import torch

from jobs.planning.machine import this_machine
from jobs.planning.poster import make_plan
from jobs.poster.local import render_here
from jobs.runtime.backend import crew_in_process
from jobs.runtime.publish import Target
from jobs.spec.document import apply_overrides, parse_poster_spec
from render.dream.reference import dream_reference
from render.networks.catalogue import build_network
from render.networks.network import load_network
from render.networks.receptive_field import layer_grid
from render.pictures.colour import to_canvas, to_samples
from render.pictures.decode import open_picture

TILES = (96, 200, 256, 700)

pytestmark = [pytest.mark.slow, pytest.mark.shared, pytest.mark.timeout(3000)]


@pytest.fixture(scope="module")
def all_cores() -> Iterator[None]:
    """Let the reference use all cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(os.cpu_count() or 1)
    yield
    torch.set_num_threads(before)


def _document(shared: Path, tile: int) -> dict[str, object]:
    weights = shared / "weights" / "squeezenet1_0-imagenet.safetensors"
    document = {
        "input": str(shared / "images" / "sky.jpg"),
        "size": "700 x auto",
        "network": {"name": "squeezenet1_0", "weights": str(weights)},
        "objectives": [{"layer": "features.9"}],
    }
    settings = ["dream.octaves=4", "dream.steps=10", "precision=float64", f"tiles={tile}"]
    return apply_overrides(document, settings)


@pytest.fixture(scope="module")
def pictures(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[int, np.ndarray]:
    """The samples of the PNG for each tile size."""
    found = {}
    for tile in TILES:
        plan = make_plan(parse_poster_spec(_document(shared, tile)), this_machine())
        out = tmp_path_factory.mktemp(f"tile-{tile}")
        manifest = render_here(plan, Target(out), lambda _: None, crew_in_process)
        assert json.loads((out / "manifest.json").read_text()) == manifest
        found[tile] = pyvips.Image.new_from_file(str(out / "sky.png")).numpy()
    return found


@pytest.mark.parametrize("tile", TILES[1:])
def test_the_tile_size_changes_no_pixel(pictures: dict[int, np.ndarray], tile: int) -> None:
    assert np.array_equal(pictures[TILES[0]], pictures[tile])


@pytest.mark.usefixtures("all_cores")
def test_the_poster_equals_the_reference(pictures: dict[int, np.ndarray], shared: Path) -> None:
    plan = make_plan(parse_poster_spec(_document(shared, TILES[0])), this_machine())
    layers = ("features.9",)
    network = load_network("squeezenet1_0", plan.weights, layers, torch.float64)
    grid = layer_grid(build_network("squeezenet1_0"), "squeezenet1_0", layers)
    picture = open_picture(shared / "images" / "sky.jpg")
    source = np.concatenate(list(picture.bands(64)))
    whole = dream_reference(
        network,
        grid,
        plan.mix,
        plan.spec.dream,
        lambda rect: to_canvas(source[rect.slices()], torch.float64),
        (picture.height, picture.width),
        plan.size,
    )
    assert np.array_equal(to_samples(whole, 8), pictures[TILES[0]])
