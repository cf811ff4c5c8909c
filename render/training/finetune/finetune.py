"""Fine-tunes pareidolia on a pool of pictures, and goes on after an interruption.

Half of each batch are pareidolia's own motifs. So the network does not forget what it has learned
from them, and each new motif must differ from 83 others. With two classes alone, a colour would do.
"""

import pickle
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from render.determinism import deterministic_mode, dtypes
from render.device import gpu_count, resolve_precision
from render.errors import WeightsError
from render.networks.builtin import PAREIDOLIA, builtin_weights
from render.networks.maxpool import DeterministicMaxPool2d
from render.networks.pareidolia import Pareidolia, pareidolia
from render.networks.weights import load_with_weights
from render.pictures.output_errors import disk_errors
from render.training.finetune.batches import MixedBatches, draw_own_motifs
from render.training.finetune.picture_pool import PicturePool
from render.training.finetune.settings import FineTuneSettings, Machine, Stage, Watch
from render.training.motifs import MOTIFS
from render.training.train import Compute, Training, TrainingConfig, with_leaky_relu

RECIPE = TrainingConfig(
    batches=600, batch_size=64, rate=2e-3, radius=3.5, clean=0.05, grown=0.5, frozen_norms=True
)
"""How pareidolia is fine-tuned. Its norms have learned their statistics already."""

_MOST_DRAWN = 24
"""Pictures of each of pareidolia's own motifs."""

_PARTS = 4
"""The threads of a training on CPUs. On fewer cores they take turns."""

CHECKPOINT_SECONDS = 30.0
"""The usual time between two checkpoints. One takes a tenth of a second."""

_DAMAGED = (EOFError, RuntimeError, ValueError, LookupError, TypeError, pickle.UnpicklingError)
"""What torch raises for a damaged checkpoint."""


@dataclass(frozen=True)
class Checkpoints:
    """The file from which a training goes on, written once in so many seconds."""

    path: Path
    seconds: float

    def restore(self, training: Training) -> None:
        """Continue from the file, if there is one."""
        if not self.path.exists():
            return
        try:
            training.restore(torch.load(self.path, map_location="cpu", weights_only=True))
        except _DAMAGED as error:
            raise WeightsError(
                f"{self.path}: is damaged ({error}); remove it, and run the same command again"
            ) from error

    def write(self, training: Training) -> None:
        """Write the file, atomically. Raises OutputError if the disk is full."""
        partial = self.path.with_suffix(".part")
        with disk_errors(self.path):
            # To a path torch would write itself, and a full disk would be an error in its code.
            with partial.open("wb") as file:
                torch.save(training.state(), file)
            partial.replace(self.path)


def fine_tune(
    pool: PicturePool,
    settings: FineTuneSettings,
    machine: Machine,
    checkpoints: Checkpoints,
    watch: Watch,
) -> Pareidolia:
    """Train a network, or go on with a training that was interrupted.

    The result has the pool's classes, after pareidolia's own if the settings keep these. The same
    pool and settings give the same bits on the same kind of machine, interrupted or not.
    """
    with deterministic_mode():
        config = recipe(settings)
        used = -(-config.batches * config.batch_size // (2 * len(MOTIFS)))
        drawn = draw_own_motifs(min(_MOST_DRAWN, used), watch)
        network = _wider_pareidolia(len(pool.motifs), settings.seed)
        network.to(machine.device).to(memory_format=torch.channels_last)
        if machine.device == "cuda":
            _make_pools_deterministic(network)
        batches = MixedBatches(pool, drawn, config.batch_size)
        _train(network, batches, config, machine, checkpoints, watch)
    return network.eval() if settings.keep_classes else _new_classes_only(network)


def this_machine() -> Machine:
    """A GPU if there is one, with the precision that is fast here."""
    has_gpu = bool(gpu_count())
    precision = resolve_precision("auto", has_gpu=has_gpu)
    return Machine("cuda" if has_gpu else "cpu", precision)


def recipe(settings: FineTuneSettings) -> TrainingConfig:
    """The hyperparameters of a fine-tuning."""
    return replace(RECIPE, batches=settings.batches, seed=settings.seed)


def _train(
    network: Pareidolia,
    batches: MixedBatches,
    config: TrainingConfig,
    machine: Machine,
    checkpoints: Checkpoints,
    watch: Watch,
) -> None:
    parts = _PARTS if machine.device == "cpu" else 1
    compute = Compute(machine.device, dtypes(machine.precision).network, parts)
    generator = torch.Generator().manual_seed(config.seed)
    with Training(network, batches, config, generator, compute) as training:
        checkpoints.restore(training)
        written = time.monotonic()
        for now in with_leaky_relu(network, training, config.grown, training.share):
            watch(Stage("train", now.batches, now.total, now.loss))
            if time.monotonic() - written >= checkpoints.seconds or now.batches == now.total:
                checkpoints.write(training)
                written = time.monotonic()


def _wider_pareidolia(motifs: int, seed: int) -> Pareidolia:
    """Pareidolia with more classes, whose weights are random and small."""
    known = load_with_weights(PAREIDOLIA, builtin_weights(PAREIDOLIA)).state_dict()
    network = pareidolia(len(MOTIFS) + motifs)
    generator = torch.Generator().manual_seed(seed)
    wider = dict(known)
    for name in _head(network):
        added = torch.zeros(motifs, *known[name].shape[1:])
        if name.endswith("weight"):
            added.normal_(0, float(known[name].std()), generator=generator)
        wider[name] = torch.cat([known[name], added])
    network.load_state_dict(wider)
    return network


def _new_classes_only(network: Pareidolia) -> Pareidolia:
    tensors = {name: value.cpu() for name, value in network.state_dict().items()}
    for name in _head(network):
        tensors[name] = tensors[name][len(MOTIFS) :]
    narrow = pareidolia(len(tensors[_head(network)[0]]))
    narrow.load_state_dict(tensors)
    return narrow.eval()


def _head(network: Pareidolia) -> Sequence[str]:
    """The tensors that have a row for each class."""
    return [name for name in network.state_dict() if name.startswith("classes.")]


def _make_pools_deterministic(network: nn.Module) -> None:
    """Replace max-pools, whose gradient on CUDA adds in any order."""
    for part in list(network.modules()):
        for name, child in part.named_children():
            if isinstance(child, nn.MaxPool2d):
                kernel, stride, padding = map(
                    _pair, (child.kernel_size, child.stride, child.padding)
                )
                pool = DeterministicMaxPool2d(kernel, stride, padding, child.ceil_mode)
                setattr(part, name, pool)


def _pair(value: int | tuple[int, ...]) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[1])
