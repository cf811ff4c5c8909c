"""Reads PyTorch files safely, and finds the network's tensors in checkpoints of training scripts.

The tensors may be in one entry of a table, or several tables deep, and their names may have the
prefixes of wrapping modules. An average over the training (EMA) is preferred, because that is what
training scripts evaluate.
"""

import warnings
from pathlib import Path
from typing import Any

import torch

from render.errors import WeightsError
from render.input_file import open_input_file

PYTORCH_STARTS = (b"PK\x03\x04", b"\x80")
"""A zip archive of torch 1.6 or later; a pickle, as older versions write it."""

# DataParallel, torch.compile and training frameworks put these before the name of every tensor.
_WRAPPER_PREFIXES = ("module.", "_orig_mod.", "model.", "network.", "net.", "backbone.")

# AveragedModel counts its updates beside the wrapped network.
_WRAPPER_COUNTER = "n_averaged"

_ENTRIES = (
    "state_dict_ema",
    "model_ema",
    "ema_state_dict",
    "model_state_ema",
    "ema",
    "averaged_model",
    "state_dict",
    "model_state_dict",
    "model_state",
    "model",
    "net",
    "network",
    "module",
    "weights",
)
"""Names of the entry that holds the network, the preferred ones first."""

_MAX_DEPTH = 4


def read_checkpoint(path: Path) -> dict[str, torch.Tensor]:
    """Read the network's tensors in a PyTorch file with torch's safe unpickler.

    Raises WeightsError if the file has no table of tensors or several, UnpicklingError if it would
    run code, and OSError or any error of torch if it is damaged.
    """
    with open_input_file(path) as file, warnings.catch_warnings(action="ignore"):
        return find_tensors(path, torch.load(file, map_location="cpu", weights_only=True))


def find_tensors(path: Path, content: Any, depth: int = 0) -> dict[str, torch.Tensor]:
    """Find the table of tensors: the content itself, or an entry of it.

    Raises WeightsError if there is none, or if several have names that tell nothing.
    """
    if _is_tensor_table(content):
        return {str(name): value for name, value in content.items()}
    entries = content if isinstance(content, dict) and depth < _MAX_DEPTH else {}
    for name in _ENTRIES:
        if isinstance(entries.get(name), dict) and _holds_tensors(entries[name]):
            return find_tensors(path, entries[name], depth + 1)
    tables = {str(name): value for name, value in entries.items() if _is_tensor_table(value)}
    if len(tables) > 1:
        raise WeightsError(
            f"weights {path}: has several tables of tensors ({', '.join(sorted(tables))}); "
            "save the one that is meant alone"
        )
    if not tables:
        raise WeightsError(f"weights {path}: not a table of tensors; save the state_dict alone")
    (table,) = tables.values()
    return {str(name): value for name, value in table.items()}


def _is_tensor_table(content: Any) -> bool:
    return (
        isinstance(content, dict)
        and bool(content)
        and all(isinstance(value, torch.Tensor) for value in content.values())
    )


def _holds_tensors(content: Any, depth: int = 0) -> bool:
    """Whether a table is one of tensors, or holds one under a known name."""
    if _is_tensor_table(content) or depth == _MAX_DEPTH or not isinstance(content, dict):
        return _is_tensor_table(content)
    return any(_holds_tensors(content.get(name), depth + 1) for name in _ENTRIES)


def without_wrappers(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Remove the prefixes of wrapping modules that every name has."""
    for prefix in _WRAPPER_PREFIXES * len(_WRAPPER_PREFIXES):
        names = tensors.keys() - {_WRAPPER_COUNTER}
        if names and all(name.startswith(prefix) for name in names):
            tensors = {
                name.removeprefix(prefix): value for name, value in tensors.items() if name in names
            }
    return tensors
