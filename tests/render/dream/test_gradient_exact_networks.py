"""On common networks the gradient of a tile is the gradient of the whole picture."""

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch import nn
from torchvision.models import AlexNet

from render.dream.objective import Mix, Objective
from render.errors import LayerError
from render.networks.builtin import LOGITS
from render.networks.catalogue import build_network
from render.networks.receptive_field import layer_grid, layer_table
from render.networks.weight_paths import resolve_weights
from render.networks.weights import load_with_weights
from tests.support.exact_tiles import JITTER, SHIFT, check_exact, check_tiles, picture_around
from tests.support.seeded_networks import (
    noise_picture,
    relative_error,
    seeded_network,
    seeded_whole_network,
)
from tests.support.tiled_step import mean_step

SEEDED = [
    ("alexnet", "features.2"),
    ("alexnet", "features.7"),
    ("alexnet", "features.12"),
    ("vgg16", "features.9"),
    ("googlenet", "inception3a"),
    ("googlenet", "inception4a"),
    ("resnet50", "layer1"),
    ("resnet50", "layer2"),
    ("inception_v3", "Mixed_5b"),
    ("densenet121", "features.denseblock1.denselayer3"),
    ("densenet121", "features.denseblock1"),
    ("bvlc_googlenet", "conv2/norm2"),
    ("bvlc_googlenet", "inception_3b/output"),
    ("inception5h", "localresponsenorm1"),
    ("inception5h", "mixed3b"),
    ("caffenet", "conv4"),
    ("caffe_lenet", "conv2"),
]
DEEP = [
    ("vgg16", "features.16"),
    ("vgg16", "features.19"),
    ("googlenet", "inception4c"),
    ("resnet50", "layer3.1"),
    ("inception_v3", "Mixed_5d"),
    ("inception_v3", "Mixed_6a"),
    ("densenet121", "features.denseblock2.denselayer4"),
    ("bvlc_googlenet", "inception_4a/output"),
    ("inception5h", "mixed4a_5x5"),
    ("vgg16", "features.30"),
    ("googlenet", "inception5a.branch1"),
    ("bvlc_googlenet", "inception_4c/output"),
    ("inception5h", "mixed4c"),
    ("resnet50", "layer4.0"),
    ("inception_v3", "Mixed_6b"),
    ("densenet121", "features.denseblock3.denselayer2"),
]


@pytest.mark.parametrize(("name", "layer"), SEEDED)
def test_tiles_equal_the_whole(name: str, layer: str) -> None:
    check_exact(seeded_network(name, (layer,)), name, layer)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "layer"), DEEP)
def test_tiles_equal_the_whole_at_deep_layers(name: str, layer: str) -> None:
    check_exact(seeded_network(name, (layer,)), name, layer)


@pytest.mark.parametrize("layer", ["mixed3a", "mixed3b", "mixed4a"])
def test_tiles_equal_the_whole_on_pareidolia(layer: str) -> None:
    check_exact(
        load_with_weights("pareidolia", resolve_weights("pareidolia", None)), "pareidolia", layer
    )


@pytest.mark.slow
def test_tiles_equal_the_whole_at_the_deepest_layer_of_pareidolia() -> None:
    check_exact(
        load_with_weights("pareidolia", resolve_weights("pareidolia", None)),
        "pareidolia",
        "mixed5a",
    )


@pytest.mark.parametrize("layer", ["features.5", "features.9", "features.12"])
def test_tiles_equal_the_whole_on_squeezenet(squeezenet: nn.Module, layer: str) -> None:
    check_exact(squeezenet, "squeezenet1_0", layer)


FAMILIES = [
    ("squeezenet1_1", 200),
    ("shufflenet_v2_x0_5", 200),
    ("mobilenet_v2", 200),
    ("mnasnet0_5", 200),
    ("resnet18", 200),
    ("regnet_x_400mf", 200),
    ("vgg11", 120),
    ("convnext_tiny", 120),
]
"""A small network of every other family without a global operation, and the largest field to test,
in pixels, because whole pictures are slow."""


@pytest.mark.parametrize(("name", "widest"), FAMILIES)
def test_tiles_equal_the_whole_in_every_family(name: str, widest: int) -> None:
    check_deepest(name, widest)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, _ in FAMILIES])
def test_tiles_equal_the_whole_far_into_every_family(name: str) -> None:
    check_deepest(name, 300)


def check_deepest(name: str, widest: int) -> None:
    """The deepest layer with exact tiles and a field of at most `widest` pixels."""
    fitting = [
        layer
        for layer, seen in layer_table(name).items()
        if not seen.reason and seen.field <= widest
    ]
    layer = fitting[-1]
    # It has layer norms instead of batch norms, and scales its blocks.
    model = (
        seeded_whole_network(name)
        if name.startswith("convnext")
        else seeded_network(name, (layer,))
    )
    check_exact(model, name, layer)


@pytest.mark.parametrize("name", ["squeezenet1_1", "alexnet", "caffe_lenet"])
def test_tiles_equal_the_whole_for_a_class(name: str) -> None:
    model = seeded_whole_network(name)
    if isinstance(model, AlexNet):
        model.classifier = narrow(model.classifier)
    step = mean_step(model, (LOGITS,), JITTER, name=name)
    check_tiles(replace(step, mix=Mix((Objective(classes=(3,)),))))


def narrow(head: nn.Sequential) -> nn.Sequential:
    """The same head with fewer hidden units: faster, with the same field."""
    linear = [part for part in head if isinstance(part, nn.Linear)]
    widths = [linear[0].in_features, *[32] * len(linear)]
    parts = iter(pairwise(widths))
    return nn.Sequential(
        *(
            nn.Linear(*next(parts), dtype=torch.float64) if isinstance(part, nn.Linear) else part
            for part in head
        )
    )


GLOBAL = [
    ("efficientnet_b0", "features.2", "features.1.0.block.0.2", "averages over the whole"),
    ("mobilenet_v3_small", "features.2", "features.1.block.0.2", "averages over the whole"),
    ("vit_b_16", "encoder.layers.encoder_layer_0", "conv_proj", "one size only"),
    ("swin_t", "features.3", "features.0.0", "attends to the whole"),
    (
        "maxvit_t",
        "blocks.0",
        "blocks.0.layers.0.layers.MBconv.layers.conv_b.2",
        "averages over the whole",
    ),
    ("regnet_y_400mf", "trunk_output.block2", "trunk_output.block1.block1-0.f.b.2", "averages"),
]


@pytest.mark.parametrize(("name", "layer", "deepest", "reason"), GLOBAL)
def test_layers_behind_a_global_operation_are_refused(
    name: str, layer: str, deepest: str, reason: str
) -> None:
    with pytest.raises(LayerError, match=reason) as refused:
        layer_grid(build_network(name), name, (layer,))
    message = str(refused.value)
    assert message.startswith(f"layer {layer} of {name}: has no exact tiles, because ")
    assert message.endswith(f"the deepest that has is {deepest}")
    assert "\n" not in message


@pytest.mark.parametrize(
    ("name", "deepest"),
    [
        pytest.param(name, deepest, marks=[pytest.mark.slow] if name == "maxvit_t" else [])
        for name, _, deepest, _ in GLOBAL
    ],
)
def test_layers_before_a_global_operation_are_exact(name: str, deepest: str) -> None:
    check_exact(seeded_network(name, (deepest,)), name, deepest)


def test_a_halo_that_is_too_small_fails() -> None:
    """The checks above fail if the halo is one stride too small."""
    layer = "features.4"
    step = mean_step(seeded_network("squeezenet1_0", (layer,)), (layer,), JITTER)
    sampling_grid = replace(
        step.sampling_grid, field=step.sampling_grid.field - step.sampling_grid.stride
    )
    grid, inner = picture_around(step.sampling_grid)
    canvas = noise_picture((grid.height, grid.width))
    whole = step.picture_gradients(canvas, SHIFT)[0][grid.core(inner).slices()]
    assert relative_error(step.tile(canvas, grid, inner, SHIFT)[0], whole) <= 1e-12
    assert (
        relative_error(
            replace(step, sampling_grid=sampling_grid).tile(canvas, grid, inner, SHIFT)[0], whole
        )
        > 1e-6
    )
