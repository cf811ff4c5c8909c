"""The measured receptive fields, compared with how NaN spreads through the network."""

from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn

from render.errors import LayerError
from render.networks.graph import trace
from render.networks.network import prepare_network
from render.networks.receptive_field import (
    ReceptiveField,
    layer_grid,
    layer_table,
    receptive_fields,
)
from tests.support.seeded_networks import fill_weights, seeded_network
from tests.support.tiny_network import TinyNetwork

BREADTH = 40  # of a stripe, in pixels: enough for every layer that is looked at


def units_changed_by_nan(
    model: nn.Module, layer: str, length: int, axis: int, spans: list[slice]
) -> list[int]:
    """Count the units along an axis that become NaN with a span of rows or columns of pixels."""
    shape = [BREADTH, BREADTH]
    shape[axis] = length
    pictures = torch.zeros(len(spans), 3, *shape, dtype=torch.float64)
    for picture, span in zip(pictures, spans, strict=True):
        picture.transpose(1, 1 + axis)[:, span] = torch.nan
    with torch.no_grad():
        (seen,) = prepare_network(deepcopy(model), (layer,), torch.float64).module(pictures)
    others = (1, 3) if axis == 0 else (1, 2)
    counts: list[int] = seen.isnan().amax(others).sum(1).tolist()
    return counts


def check_field(model: nn.Module, layer: str, stride: int, field: int) -> None:
    """NaN spreads through every path, the losing ones of a max-pool too. A unit's first pixel is
    where all that lies before it spoils the unit no more; the next unit's is `stride` further on.
    `field` pixels later nothing spoils it either; and just before that something does, on an axis.
    """
    length = 2 * field + 6 * stride
    tight = []
    for axis in (0, 1):
        starts = range(length // 2 - field // 2 - stride, length // 2 - field // 2 + stride + 1)
        counts = units_changed_by_nan(
            model, layer, length, axis, [slice(start) for start in starts]
        )
        firsts = {
            low: start
            for start, low, high in zip(starts, counts, counts[1:], strict=False)
            if high > low
        }
        units = sorted(firsts)
        assert [firsts[unit] for unit in units] == [firsts[units[0]], firsts[units[0]] + stride]
        every = units_changed_by_nan(model, layer, length, axis, [slice(None)])[0]
        for unit in units:
            end = firsts[unit] + field
            inside, beyond = units_changed_by_nan(
                model, layer, length, axis, [slice(end - 1, None), slice(end, None)]
            )
            assert unit < every - beyond
            tight.append(unit >= every - inside)
    assert any(tight)


@pytest.mark.parametrize(
    "layer",
    [
        "first",
        "ceil_pool",
        "second",
        "floor_pool",
        "branches.wide",
        "branches.tall",
        "branches.dilated",
        "branches.average",
        "branches",
        "third",
    ],
)
def test_every_layer_of_the_tiny_network(layer: str) -> None:
    model = TinyNetwork().eval()
    fill_weights(model)
    grid = layer_grid(deepcopy(model), "tiny", (layer,))
    check_field(model, layer, grid.stride, grid.field)


@pytest.mark.parametrize(
    ("name", "layer", "stride", "field"),
    [
        ("squeezenet1_0", "features.2", 4, 11),
        ("squeezenet1_0", "features.6", 8, 43),
        ("squeezenet1_0", "features.7", 8, 59),
        ("googlenet", "maxpool2", 8, 27),
        ("googlenet", "inception3a", 8, 43),
        ("inception_v3", "Mixed_5b", 8, 63),
        ("pareidolia", "stem", 8, 35),
    ],
)
def test_layers_of_real_networks(name: str, layer: str, stride: int, field: int) -> None:
    model = seeded_network(name, (layer,))
    grid = layer_grid(deepcopy(model), name, (layer,))
    assert (grid.stride, grid.field) == (stride, field)
    check_field(model, layer, stride, field)


def test_layers_together_share_the_widest_field_and_a_common_stride() -> None:
    model = TinyNetwork().eval()
    grid = layer_grid(model, "tiny", ("branches", "third", "ceil_pool"))
    assert (grid.stride, grid.field, grid.channels) == (12, 55, (11, 6, 4))


def test_the_table_lists_exact_layers_and_the_first_that_is_not() -> None:
    table = layer_table("squeezenet1_0")
    assert table["features.9.cat"] == ReceptiveField(384, 8, 91, start=-36)
    assert table["classifier.3"].reason == "classifier.3 averages over the whole picture"
    assert "classifier.0" in table


class Uneven(nn.Module):
    """Stride 2 down, 1 across."""

    def __init__(self) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(3, 2, 3, stride=(2, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Squeeze."""
        squeezed: Tensor = self.squeeze(x)
        return squeezed


class Enlarged(nn.Module):
    """Downsamples and upsamples: receptive fields depend on the position."""

    def __init__(self) -> None:
        super().__init__()
        self.shrink = nn.Conv2d(3, 2, 3, stride=2, padding=1)
        self.enlarge = nn.Upsample(scale_factor=2)

    def forward(self, x: Tensor) -> Tensor:
        """Shrink and enlarge."""
        enlarged: Tensor = self.enlarge(self.shrink(x))
        return enlarged


@pytest.mark.parametrize(
    ("model", "layer", "reason"),
    [
        (Uneven(), "squeeze", "strides down and across differ"),
        (Enlarged(), "enlarge", "Upsample"),
    ],
)
def test_layers_without_exact_tiles_give_the_reason(
    model: nn.Module, layer: str, reason: str
) -> None:
    assert reason in receptive_fields(trace(model.eval()))[layer].reason


@pytest.mark.parametrize(
    ("layer", "near"),
    [("features.99", "features.9"), ("inception4c", "known:"), ("fetures", "features")],
)
def test_an_unknown_layer_names_the_nearest(layer: str, near: str) -> None:
    model = seeded_network("squeezenet1_0", ("features.0",))
    with pytest.raises(LayerError, match=near) as refused:
        layer_grid(model, "squeezenet1_0", (layer,))
    assert str(refused.value).startswith(f"layer {layer}")
