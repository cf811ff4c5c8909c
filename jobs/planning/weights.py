"""The weights file of a spec, checked against its network, and the objectives that need it."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from jobs.planning.identity import file_digest
from jobs.spec.base import NetworkChoice
from render.dream.objective import Mix, Objective
from render.engine.network_profile import check_weights, default_objective
from render.networks.builtin import ONNX, uses_builtin_weights
from render.networks.classes import architecture_of, check_head, class_index
from render.networks.safetensors_header import is_safetensors
from render.networks.shards import is_shard_index
from render.networks.weight_paths import SAFETENSORS_SUFFIX, resolve_weights

_JOINED = "with metadata"
"""Joined files in caches that do not say so are of an earlier version, and lack it."""

FindWeights = Callable[[NetworkChoice], tuple[Path, str]]
"""A function that returns the weights file of a network, and the digest of the file."""


def find_weights(network: NetworkChoice) -> tuple[Path, str]:
    """The weights file of a network, and its digest.

    Raises RenderError or RequestError if it is missing or does not fit the network.
    """
    named = network.weights
    path = resolve_weights(network.name, None if named is None else str(named))
    if network.name == ONNX:
        path = _joined_onnx(path)
    if not uses_builtin_weights(network.name, named) and is_shard_index(path):
        path = _joined_shards(path)
    digest = file_digest(path)
    check_weights(network.name, path, digest)
    return path, digest


def find_safetensors(network: NetworkChoice) -> tuple[Path, str]:
    """Like `find_weights`, but always a .safetensors file, or the ONNX file of a network.

    They are the only kinds that workers load from a store. Converts a pickle, copies a safetensors
    file of another name, and keeps the result in this machine's cache. Raises like `find_weights`.
    """
    path, digest = find_weights(network)
    if network.name == ONNX or (path.suffix == SAFETENSORS_SUFFIX and is_safetensors(path)):
        return path, digest
    target = _conversion_cache() / digest.partition(":")[2] / f"{path.stem}{SAFETENSORS_SUFFIX}"
    if not target.is_file():
        from render.networks.weights import convert_to_safetensors

        convert_to_safetensors(path, target)
    return target, file_digest(target)


def _joined_shards(index: Path) -> Path:
    """One file in this machine's cache with the tensors of all shards, so that its digest says all.

    Raises WeightsError if a shard cannot be read.
    """
    from render.networks.weights import convert_to_safetensors, shard_paths

    digests = "".join(file_digest(path) for path in (index, *shard_paths(index)))
    name = hashlib.sha256(f"{_JOINED} {digests}".encode()).hexdigest()
    target = _conversion_cache() / name / f"{index.name.partition('.')[0]}{SAFETENSORS_SUFFIX}"
    if not target.is_file():
        convert_to_safetensors(index, target)
    return target


def _joined_onnx(path: Path) -> Path:
    """An ONNX file with all its tensors inside: the file itself, or one in this machine's cache.

    Raises NetworkError if it is no ONNX file, or if a file with tensors cannot be read.
    """
    from render.networks.onnx_file import split_files, write_joined

    others = split_files(path)
    if not others:
        return path
    digests = "".join(file_digest(one) for one in (path, *others))
    target = _conversion_cache() / hashlib.sha256(digests.encode()).hexdigest() / path.name
    if not target.is_file():
        write_joined(path, target)
    return target


def _conversion_cache() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "dreamfarm" / "weights"


def resolve_objectives(
    network: str, weights: Path, objectives: tuple[Objective, ...] | None
) -> Mix:
    """The given objectives, or the network's default, with class names turned into indices.

    Raises LayerError if a class does not exist.
    """

    def with_indices(one: Objective) -> Objective:
        if one.classes is None:
            return one
        check_head(network, weights)
        indices = tuple(class_index(network, weights, named) for named in one.classes)
        return replace(one, classes=indices)

    if not objectives:
        objectives = (default_objective(architecture_of(network, weights)),)
    return Mix(objectives).map_objectives(with_indices)
