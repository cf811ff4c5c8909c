"""The weights that a spec chooses: their file, checked against the network; and what they know."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from jobs.planning.identity import file_digest
from jobs.spec.base import NetworkChoice
from render.dream.objective import Mix, Objective
from render.engine.network_profile import check_weights, default_objective
from render.networks.class_names import class_number
from render.networks.weight_paths import SAFE, weights_file

Choose = Callable[[NetworkChoice], tuple[Path, str]]
"""Finds the weights that a spec chooses, and their digest."""


def chosen_weights(network: NetworkChoice) -> tuple[Path, str]:
    """The file and its digest. RenderError or RequestError where it is missing or does not fit."""
    named = network.weights
    path = weights_file(network.name, None if named is None else str(named))
    digest = file_digest(path)
    check_weights(network.name, path, digest)
    return path, digest


def sendable_weights(network: NetworkChoice) -> tuple[Path, str]:
    """The same for who sends them to others: as a file that holds tensors and nothing else.

    A pickle, which those do not open, is converted into this machine's cache. Raises the same.
    """
    path, digest = chosen_weights(network)
    if path.suffix == SAFE:
        return path, digest
    target = _converted_folder() / digest.partition(":")[2] / f"{path.stem}{SAFE}"
    if not target.is_file():
        from render.networks.weights import convert

        convert(path, target)
    return target, file_digest(target)


def _converted_folder() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "dreamfarm" / "weights"


def chosen_mix(network: str, weights: Path, objectives: tuple[Objective, ...] | None) -> Mix:
    """The objectives asked for, or the network's default, with numbers for classes' names.

    LayerError where there is no such class.
    """

    def numbered(one: Objective) -> Objective:
        if one.classes is None:
            return one
        found = tuple(class_number(network, weights, named) for named in one.classes)
        return replace(one, classes=found)

    return Mix(objectives or (default_objective(network),)).each(numbered)
