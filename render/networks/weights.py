"""Loads weights files safely, without running code, and checks that they fit the network.

What a file is, its bytes tell, not its name. Checkpoints of training scripts are unwrapped: tensors
may be in one entry of a table, and their names may have the prefixes of wrapping modules.
"""

import pickle
import re
import shutil
import struct
import tempfile
import warnings
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from render.errors import WeightsError
from render.input_file import open_input_file, read_problem
from render.networks.catalogue import build_network, has_auxiliary_heads, network_names
from render.networks.safetensors_header import check_header, is_safetensors, read_metadata

_AUXILIARY_PREFIXES = ("aux1.", "aux2.", "AuxLogits.")

# torchvision's DenseNet files use module names from before 2018, which its builder renames.
_OLD_DENSENET_NAME = re.compile(r"(denselayer\d+\.(?:norm|relu|conv))\.(\d)\.")

_MAX_LISTED = 4  # tensors in a message

# A zip archive of torch 1.6 or later; a pickle, as older versions write it.
_PYTORCH_STARTS = (b"PK\x03\x04", b"\x80")

# DataParallel, torch.compile and training frameworks put these before the name of every tensor.
_WRAPPER_PREFIXES = ("module.", "_orig_mod.", "model.")

# AveragedModel counts its updates beside the wrapped network.
_WRAPPER_COUNTER = "n_averaged"

# A damaged pickle can make torch raise any of these.
_READ_ERRORS = (
    SafetensorError,
    EOFError,
    RuntimeError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    struct.error,
)


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """Read the tensors of a safetensors file, or of a PyTorch file with torch's safe unpickler.

    Names are those of the bare network: without the prefixes of wrapping modules.
    Raises WeightsError if the file cannot be read, has no single table of tensors, or would run
    code.
    """
    return _without_wrappers(_state_dict(path, _read_content(path)))


def _read_content(path: Path) -> Any:
    try:
        if is_safetensors(path):
            check_header(path)
            return dict(load_file(path))
        with open_input_file(path) as file, warnings.catch_warnings(action="ignore"):
            if not file.peek(4).startswith(_PYTORCH_STARTS):
                raise ValueError("it is neither a safetensors nor a PyTorch file")
            return torch.load(file, map_location="cpu", weights_only=True)
    except OSError as error:
        raise WeightsError(f"weights {path}: {read_problem(error)}") from error
    except pickle.UnpicklingError as error:
        raise WeightsError(
            f"weights {path}: not safe to open, since its pickle holds more than tensors; "
            "convert it to .safetensors where you trust it"
        ) from error
    except _READ_ERRORS as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise WeightsError(
            f"weights {path}: cannot be read ({reason}); is it a whole weights file?"
        ) from error


def _state_dict(path: Path, content: Any) -> dict[str, torch.Tensor]:
    """Find the table of tensors: the content itself, or the only entry of it that is one."""
    if _is_tensor_table(content):
        return {str(name): value for name, value in content.items()}
    entries = content if isinstance(content, dict) else {}
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


def _without_wrappers(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Remove the prefixes of wrapping modules that every name has."""
    for prefix in _WRAPPER_PREFIXES * len(_WRAPPER_PREFIXES):
        names = tensors.keys() - {_WRAPPER_COUNTER}
        if names and all(name.startswith(prefix) for name in names):
            tensors = {
                name.removeprefix(prefix): value for name, value in tensors.items() if name in names
            }
    return tensors


def load_with_weights(network: str, path: Path) -> torch.nn.Module:
    """Build a network and load a file's weights into it.

    Raises WeightsError if the file states another network, or if its tensors do not fit. The
    message names up to four of the tensors. Raises NetworkError if the network is not known.
    """
    tensors = read_weights(path)
    stated = read_metadata(path).architecture
    if stated != network and stated in network_names():
        raise WeightsError(
            f"weights {path}: made for {stated}, not {network}; name {stated} instead"
        )
    if network.startswith("densenet"):
        tensors = {_OLD_DENSENET_NAME.sub(r"\1\2.", name): value for name, value in tensors.items()}
    auxiliary = has_auxiliary_heads(network) and any(
        name.startswith(_AUXILIARY_PREFIXES) for name in tensors
    )
    module = build_network(network, auxiliary=auxiliary)
    expected = module.state_dict()
    problems = _mismatches(expected, tensors)
    if problems:
        more = len(problems) - _MAX_LISTED
        listed = "; ".join(problems[:_MAX_LISTED]) + (f"; and {more} more" if more > 0 else "")
        raise WeightsError(
            f"weights {path}: do not fit {network}: {listed}; "
            "name the network they were trained for"
        )
    present = {name: value for name, value in tensors.items() if name in expected}
    module.load_state_dict(present, strict=False, assign=True)
    return module


def _mismatches(expected: dict[str, torch.Tensor], given: dict[str, torch.Tensor]) -> list[str]:
    counters = "num_batches_tracked"  # counters of batch norm; files before 2018 lack them
    missing = [n for n in expected if n not in given and not n.endswith(counters)]
    surplus = [n for n in given if n not in expected]
    shapes = [n for n in expected if n in given and expected[n].shape != given[n].shape]
    return (
        [f"{n} is missing" for n in missing]
        + [f"{n} is {_shape(given[n])}, not {_shape(expected[n])}" for n in shapes]
        + [f"{n} is not in the network" for n in surplus]
    )


def _shape(tensor: torch.Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "a number"


def convert_to_safetensors(source: Path, target: Path) -> None:
    """Write a file's tensors as a .safetensors file, and create its folder.

    A safetensors file of another name is copied. The same tensors give the same bytes. Raises
    WeightsError if the source cannot be read or the target cannot be written.
    """
    # Tensors can share memory in a pickle, but not in a .safetensors file.
    tensors = {name: one.clone().contiguous() for name, one in read_weights(source).items()}
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Another process may convert the same file at the same time.
        with tempfile.TemporaryDirectory(prefix=".converting-", dir=target.parent) as folder:
            made = Path(folder) / target.name
            if is_safetensors(source):
                shutil.copyfile(source, made)
            else:
                save_file(tensors, made)
            made.replace(target)
    except OSError as error:
        raise WeightsError(
            f"weights {source}: cannot be written as {target} ({error.strerror}); "
            "set XDG_CACHE_HOME to a folder with room"
        ) from error
