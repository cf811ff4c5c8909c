"""DeepDream as a function call: `render.deepdream(picture, network, objectives)`.

The picture lies in memory. `render.engine.in_memory` dreams it in exact tiles, with the arithmetic
of a poster. For pictures larger than memory use `render.engine.shard`, or the command `dreamfarm`.
"""

import copy
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack, get_args

import numpy as np
import torch
from torch import nn
from torch.fx.proxy import TraceError

from render.determinism import deterministic_mode, dtypes
from render.device import Device, Precision, ResolvedPrecision, gpu_count, resolve_precision
from render.dream.attachments import ingest_masks, prepare_objectives
from render.dream.config import Ascent, Dream, KeptColours, Limit, Palette, Schedule, Smooth
from render.dream.objective import Mix, Objective
from render.dream.octaves import octave_sizes, picture_shape
from render.engine.in_memory_batch import dream_batch
from render.engine.memory import mask_paths, octave_grids
from render.engine.network_profile import (
    NetworkProfile,
    default_objective,
    profile_module,
    profile_network,
)
from render.engine.setup import InMemorySetup
from render.errors import DeviceError, LayerError, NetworkError, RenderError, WeightsError, suggest
from render.geometry.edges import Edges
from render.geometry.rect import Size
from render.networks.architecture import is_onnx_path
from render.networks.builtin import ONNX, PAREIDOLIA
from render.networks.classes import architecture_of, check_head, class_index
from render.networks.graph import TracedNetwork, trace
from render.networks.network import prepare_network
from render.networks.receptive_field import ReceptiveField, layer_table, receptive_fields
from render.networks.weight_paths import resolve_weights
from render.networks.weights import load_with_weights
from render.pictures.arrays import load_picture

if TYPE_CHECKING:
    from render.pictures.arrays import PictureLike

Objectives = str | Objective | Mix | Sequence[str | Objective]
"""A layer's name, an objective, a sum of objectives, or a sequence of names and objectives."""


class DreamSettings(TypedDict, total=False):
    """The fields of `Dream`, which documents them."""

    octaves: int | Literal["auto"]
    octave_scale: float
    steps: int
    step_size: float
    jitter: int
    seed: int
    schedule: Schedule
    smooth: Smooth | None
    keep: KeptColours | None
    palette: Palette
    limit: Limit
    strength: Path | None
    edges: Edges
    ascent: Ascent


def deepdream(
    picture: "PictureLike",
    network: str | nn.Module = PAREIDOLIA,
    objectives: Objectives | None = None,
    *,
    size: Size | None = None,
    weights: str | Path | None = None,
    device: Device | None = None,
    precision: Precision = "auto",
    tile: int | None = None,
    deterministic: bool = True,
    **dream: Unpack[DreamSettings],
) -> np.ndarray:
    """Dream a picture, and return it as an array (height, width, 3).

    Args:
        picture: An array (H, W, 3) of uint8, uint16, or floats from 0 to 1; a PIL image; or the
            path of a JPEG, PNG, WebP or TIFF file. Colours are sRGB. Floats are rounded to 16 bits.
        network: A name such as 'pareidolia' or 'googlenet', the path of an '.onnx' file, or any
            module that torch.fx can trace.
            A module gets pictures (N, 3, H, W), normalised with ImageNet's mean and standard
            deviation. The function works on a copy of it, in evaluation mode.
        objectives: What the network is to see more of. A named network has a default.
        size: The height and width of the result. Default: the picture's own.
        weights: A weights file, or 'pretrained' for torchvision's. For named networks only;
            'pareidolia' and 'lenet5' come with weights.
        device: 'cpu' or 'cuda'. Default: a GPU if there is one.
        precision: 'auto' is bfloat16 on a GPU and on a CPU with instructions for it, else float32.
        tile: The side of a tile in pixels. Tiles are exact, so it changes rounding only. Default: a
            side that fits the network's memory and the picture's size.
        deterministic: Compute the same bits every time; the size of a window then decides the
            threads of a CPU, eight or one. With False, torch's settings stay as they are.
        dream: Fields of `Dream`: octaves, steps, step_size, jitter, seed, smooth and others.

    Returns:
        An array of the picture's dtype; for a file or a PIL image uint8 or uint16.

    Raises:
        RenderError: The picture, network, layer, weights or device is wrong. `render.errors` lists
            the classes. LayerError also refuses layers behind a global operation, whose tiles
            cannot be exact.
        ValueError: An objective, a size or a field of `Dream` is out of range.
        TypeError: A keyword is not a field of `Dream`.
    """
    settings = _make_dream(dream)
    chosen = _check_device(device)
    resolved = _check_precision(precision, chosen)
    source = load_picture(picture)
    height, width, _ = source.samples.shape
    target = _check_size(size or (height, width), tile)
    with deterministic_mode() if deterministic else nullcontext():
        model = _load_model(network, weights)
        mix = model.make_mix(objectives)
        profile = model.profile(mix, resolved)
        grid = settings.sampling_grid(profile.stride, profile.field)
        shape = picture_shape((height, width), target)
        sizes = octave_sizes(target, settings, shape, profile.stride)
        setup = InMemorySetup(
            mix=mix,
            dream=settings,
            precision=resolved,
            device=chosen,
            grids=octave_grids(sizes, settings.tile(tile or "auto"), grid, profile.cost),
            stride=profile.stride,
            field=profile.field,
            units=profile.units,
        )
        canvas = _dream(model.module, setup, source.samples)
    return source.result(canvas)


def network_layers(network: str | nn.Module = PAREIDOLIA) -> dict[str, ReceptiveField]:
    """The layers of a network by name, in order: channels, stride and receptive field of each.

    `network` is as in `deepdream`; weights are not needed. A layer with
    a `reason` has no exact tiles, so `deepdream` refuses it. Raises NetworkError if the network is
    not known, or cannot be traced.
    """
    if isinstance(network, str):
        return layer_table(network)
    return receptive_fields(_trace(_copy_without_values(network)))


@dataclass(frozen=True)
class _Model:
    """A network with weights, in evaluation mode.

    name: the name of the network, or of the module's class. weights: the weights file of a named
    network; None for a module.
    """

    module: nn.Module
    name: str
    weights: Path | None

    def make_mix(self, objectives: Objectives | None) -> Mix:
        """The objectives as a mix; without any, the network's default."""
        if objectives is None:
            if self.weights is None:
                raise ValueError(
                    f"objectives: {self.name} has no default; name a layer: render.network_layers "
                    "lists them"
                )
            objectives = default_objective(architecture_of(self.name, self.weights))
        given = objectives
        if isinstance(given, str | Objective):
            given = (given,)
        named = (Objective(one) if isinstance(one, str) else one for one in given)
        return Mix(tuple(named)).map_objectives(self._with_class_indices)

    def _with_class_indices(self, objective: Objective) -> Objective:
        if objective.classes is None:
            return objective
        if self.weights is not None:
            check_head(self.name, self.weights)
            indices = [class_index(self.name, self.weights, one) for one in objective.classes]
            return replace(objective, classes=tuple(indices))
        for one in objective.classes:
            if isinstance(one, str):
                raise LayerError(
                    f"class {one} of {self.name}: a module's classes have no names; give numbers"
                )
        return objective

    def profile(self, mix: Mix, precision: ResolvedPrecision) -> NetworkProfile:
        """The network's stride, receptive field and cost for a mix."""
        if self.weights is not None:
            return profile_network(architecture_of(self.name, self.weights), mix, precision)
        try:
            return profile_module(_copy_without_values(self.module), self.name, mix, precision)
        except RuntimeError as error:
            raise NetworkError(
                f"network {self.name}: cannot run on pictures (N, 3, H, W) of any size; "
                f"{_first_line(error)}"
            ) from error


def _load_model(network: str | nn.Module, weights: str | Path | None) -> _Model:
    """A named network with its weights, or a copy of a module, because preparation changes it."""
    if isinstance(network, str):
        if is_onnx_path(network):
            if weights is not None:
                raise WeightsError(
                    f"weights {weights}: {network} has its own weights; leave weights out"
                )
            network, weights = ONNX, network
        path = resolve_weights(network, None if weights is None else str(weights))
        return _Model(load_with_weights(network, path), network, path)
    name = type(network).__name__
    if weights is not None:
        raise WeightsError(
            f"weights {weights}: {name} is a module, which has its own weights; load the file into "
            "it, and leave weights out"
        )
    _trace(_copy_without_values(network))
    return _Model(copy.deepcopy(network).eval(), name, None)


def _copy_without_values(module: nn.Module) -> nn.Module:
    """A copy in evaluation mode, with parameters on the meta device."""
    return copy.deepcopy(module).to("meta").eval()


def _trace(module: nn.Module) -> TracedNetwork:
    """Trace a module; raises NetworkError if torch.fx cannot."""
    try:
        return trace(module)
    except (TraceError, RuntimeError, TypeError, ValueError) as error:
        raise NetworkError(
            f"network {type(module).__name__}: torch.fx cannot trace it; "
            f"forward must not branch on the values or the size of its input; {_first_line(error)}"
        ) from error


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _dream(module: nn.Module, setup: InMemorySetup, samples: np.ndarray) -> torch.Tensor:
    dtype, device = dtypes(setup.precision).network, torch.device(setup.device)
    network = prepare_network(module, setup.mix.layers, dtype, device)
    network = prepare_objectives(network, setup.mix, setup.units)
    with tempfile.TemporaryDirectory(prefix="masks-") as folder:
        masks = ingest_masks(mask_paths(setup.mix, setup.dream), Path(folder))
        (result,) = dream_batch(network, setup, [samples], [setup.dream.seed], masks)
    if isinstance(result, RenderError):
        raise result
    return result


def _make_dream(settings: DreamSettings) -> Dream:
    known = [one.name for one in fields(Dream)]
    for name in settings:
        if name not in known:
            raise TypeError(f"{name}: not a field of Dream; {suggest(name, known)}")
    return Dream(**settings)


def _check_device(device: Device | None) -> Device:
    """The device, by default a GPU if there is one."""
    if device is None:
        return "cuda" if gpu_count() else "cpu"
    if device not in get_args(Device):
        raise DeviceError(f"device {device}: no such device; use cpu or cuda")
    if device == "cuda" and not gpu_count():
        raise DeviceError("device cuda: this process sees no CUDA GPU; use cpu")
    return device


def _check_precision(precision: Precision, device: Device) -> ResolvedPrecision:
    if precision not in get_args(Precision):
        raise DeviceError(
            f"precision {precision}: no such precision; {suggest(precision, get_args(Precision))}"
        )
    return resolve_precision(precision, has_gpu=device == "cuda")


def _check_size(size: Any, tile: int | None) -> Size:
    if len(size) != 2 or not all(side == int(side) >= 1 for side in size):
        raise ValueError(f"size must be (height, width), whole numbers of at least 1; not {size}")
    if tile is not None and tile < 1:
        raise ValueError(f"tile must be at least 1 pixel; not {tile}")
    height, width = size
    return int(height), int(width)
