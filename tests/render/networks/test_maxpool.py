"""The deterministic max-pool equals torch's."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from render.networks.graph import trace
from render.networks.maxpool import DeterministicMaxPool2d
from render.networks.subgraph import make_pools_deterministic

PAIRS = st.tuples(st.integers(1, 4), st.integers(1, 4))


def gradients(pool: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the output of a pool, and the gradient of a weighted sum of it."""
    x = x.detach().requires_grad_()
    pooled = pool(x)
    torch.manual_seed(7)
    (gradient,) = torch.autograd.grad(pooled, x, torch.randn_like(pooled))
    return pooled.detach(), gradient


@settings(max_examples=80)
@given(
    st.tuples(st.integers(4, 20), st.integers(4, 20)),
    PAIRS,
    PAIRS,
    st.booleans(),
    st.booleans(),
    st.integers(0, 99),
)
def test_it_equals_torch(
    size: tuple[int, int],
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padded: bool,
    ceil_mode: bool,
    seed: int,
) -> None:
    """Windows with overlaps or gaps, with or without padding, across borders or not; no ties."""
    padding = (kernel[0] // 2, kernel[1] // 2) if padded else (0, 0)
    torch.manual_seed(seed)
    x = torch.randn(2, 3, *size, dtype=torch.float64)
    found, gradient = gradients(DeterministicMaxPool2d(kernel, stride, padding, ceil_mode), x)
    wanted, wanted_slope = gradients(nn.MaxPool2d(kernel, stride, padding, ceil_mode=ceil_mode), x)
    assert torch.equal(found, wanted)
    assert torch.allclose(gradient, wanted_slope, rtol=1e-14, atol=1e-14)


@settings(max_examples=30)
@given(st.integers(1, 3), st.booleans(), st.integers(0, 99))
def test_ties_pass_each_gradient_once(stride: int, ceil_mode: bool, seed: int) -> None:
    """Integers have many ties: each window's gradient goes to one of its maxima."""
    torch.manual_seed(seed)
    x = torch.randint(0, 3, (1, 4, 11, 13)).double()
    x = x.contiguous(memory_format=torch.channels_last)
    pool = ((3, 3), (stride, stride), (1, 1), ceil_mode)
    _, gradient = gradients(DeterministicMaxPool2d(*pool), x)
    _, wanted = gradients(nn.MaxPool2d(*pool[:3], ceil_mode=ceil_mode), x)
    assert torch.allclose(gradient.sum((2, 3)), wanted.sum((2, 3)), rtol=0, atol=1e-12)
    assert torch.allclose(gradient, wanted, rtol=0, atol=1e-12)


class Functional(nn.Module):
    """Pools by a function, as Inception v3 does."""

    def __init__(self, settings: dict[str, Any]) -> None:
        super().__init__()
        self.settings = settings

    def forward(self, x: Tensor) -> Tensor:
        """Pool."""
        pooled: Tensor = functional.max_pool2d(x, **self.settings)
        return pooled


@pytest.mark.parametrize(
    "settings",
    [
        {"kernel_size": 3},
        {"kernel_size": 3, "stride": 2},
        {"kernel_size": (2, 3), "stride": (2, 1), "padding": (1, 0)},
        {"kernel_size": 3, "stride": 2, "ceil_mode": True},
    ],
)
def test_pools_that_are_functions_keep_their_settings(settings: dict[str, Any]) -> None:
    module = trace(Functional(settings).eval()).graph
    make_pools_deterministic(module)
    assert any(isinstance(part, DeterministicMaxPool2d) for part in module.modules())
    x = torch.randn(1, 2, 12, 14, dtype=torch.float64)
    found, gradient = gradients(module, x)
    wanted, wanted_slope = gradients(Functional(settings), x)
    assert torch.equal(found, wanted)
    assert torch.allclose(gradient, wanted_slope, rtol=1e-14, atol=1e-14)
