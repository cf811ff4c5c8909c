"""Convolutions that do not depend on the machine's cores equal torch's."""

import json
import os
import subprocess
import sys
from copy import deepcopy

import pytest
import torch
from torch import nn

from render.networks.catalogue import network_names
from render.networks.convolution import FixedConv2d, FixedLinear, has_fixed_convolutions, products
from tests.support.seeded_networks import relative_error

pytestmark = pytest.mark.skipif(not has_fixed_convolutions(torch.float32), reason="needs oneDNN")

CI_NETWORKS = ("googlenet", "resnet18", "mobilenet_v2")


@pytest.mark.parametrize(
    "convolution",
    [
        nn.Conv2d(8, 16, 1),
        nn.Conv2d(8, 16, 3, padding=1, bias=False),
        nn.Conv2d(8, 16, 3, padding=3),
        nn.Conv2d(8, 16, 1, padding=1),
        nn.Conv2d(8, 16, (1, 7), padding=(0, 3)),
        nn.Conv2d(8, 16, 3, padding=2, dilation=2, groups=2),
        nn.Conv2d(12, 12, 7, padding=3, groups=12),
        nn.Conv2d(12, 12, 3, 2, padding=1, groups=12),
        nn.Conv2d(3, 16, 7, 2, padding=3),
        nn.Conv2d(3, 16, 11, 4, padding=2),
        nn.Conv2d(3, 16, 3, (2, 1)),
        nn.Conv2d(8, 16, 3, 2, padding=1),
        nn.Conv2d(8, 16, 1, 2),
        nn.Conv2d(8, 16, 2, 3),
        nn.Conv2d(8, 16, 3, 2, padding=1, dilation=2),
    ],
    ids=str,
)
@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("size", [(29, 34), (32, 31)])
def test_values_and_gradients_equal_torchs(
    convolution: nn.Conv2d, relu: bool, size: tuple[int, int]
) -> None:
    torch.manual_seed(0)
    x = torch.randn(2, convolution.in_channels, *size).requires_grad_()
    wanted = deepcopy(convolution).double()(x.double())
    wanted = wanted.relu() if relu else wanted
    found = FixedConv2d(convolution, relu=relu)(x)
    assert relative_error(found, wanted) <= 2e-6
    upstream = torch.randn(wanted.shape)
    gradients = [torch.autograd.grad(y, x, upstream.to(y))[0] for y in (found, wanted)]
    assert relative_error(*gradients) <= 2e-6


def test_padding_by_other_values_is_refused() -> None:
    with pytest.raises(ValueError, match="only zero padding"):
        FixedConv2d(nn.Conv2d(3, 4, 3, padding="same"))


@pytest.mark.parametrize("shape", [(2, 5, 6, 8), (7, 8)])
def test_linear_layers_equal_torchs(shape: tuple[int, ...]) -> None:
    linear = nn.Linear(8, 5)
    x = torch.randn(shape).requires_grad_()
    found, wanted = FixedLinear(linear)(x), linear(x)
    assert found.shape == wanted.shape
    assert relative_error(found, wanted) <= 1e-6
    gradients = [torch.autograd.grad(y.sum(), x, retain_graph=True)[0] for y in (found, wanted)]
    assert relative_error(*gradients) <= 1e-6


def test_products_of_all_pairs() -> None:
    rows, columns = torch.randn(7, 16), torch.randn(3, 16)
    assert relative_error(products(rows, columns), rows @ columns.T) <= 1e-6


@pytest.mark.parametrize("network", CI_NETWORKS)
def test_bits_do_not_depend_on_the_cores(network: str) -> None:
    check_cores(network)


@pytest.mark.slow
@pytest.mark.parametrize("network", network_names())
def test_bits_of_every_exact_network_do_not_depend_on_the_cores(network: str) -> None:
    check_cores(network)


def check_cores(network: str) -> None:
    """The deepest exact layer's gradients, in processes that have one core, and all cores."""
    cores = sorted(os.sched_getaffinity(0))
    digests = [gradient_digests(network, some) for some in (cores[:1], cores)]
    assert digests[0] == digests[1]
    assert len(digests[0]) == len(set(digests[0].values())) == 2


def gradient_digests(network: str, cores: list[int]) -> dict[str, str]:
    command = (sys.executable, "-m", "tests.support.gradient_digests", network)
    done = subprocess.run(
        command,
        capture_output=True,
        check=True,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
    )
    found: dict[str, str] = json.loads(done.stdout)
    return found
