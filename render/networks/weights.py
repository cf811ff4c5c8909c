"""Weights from files: read without running anything, and checked against the network."""

import pickle
import re
import struct
import tempfile
import warnings
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from render.errors import WeightsError
from render.networks.catalogue import build, has_auxiliary, network_names
from render.networks.safetensors_header import check_claims, read_metadata

_SIDE_HEADS = ("aux1.", "aux2.", "AuxLogits.")

# torchvision's own DenseNet files spell modules as before 2018, and its builder renames them.
_OLD_DENSENET = re.compile(r"(denselayer\d+\.(?:norm|relu|conv))\.(\d)\.")

_NAMED_AT_MOST = 4  # tensors in a message

# torch obeys a damaged file's instructions until one makes no sense.
_UNREADABLE = (
    SafetensorError,
    OSError,
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
    """The tensors of a .safetensors file, or of any other by torch's safe unpickler.

    WeightsError where it cannot be read, holds no tensors, or is a pickle that would run code.
    """
    try:
        if path.suffix == ".safetensors":
            check_claims(path)
            return dict(load_file(path))
        with warnings.catch_warnings(action="ignore"):  # of pickles that are refused just after
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as why:
        raise WeightsError(
            f"weights {path}: not safe to open, since its pickle holds more than tensors; "
            "convert it to .safetensors where you trust it"
        ) from why
    except _UNREADABLE as why:
        reason = str(why).splitlines()[0] if str(why) else type(why).__name__
        raise WeightsError(
            f"weights {path}: cannot be read ({reason}); is it a whole weights file?"
        ) from why
    if not isinstance(content, dict) or not all(
        isinstance(value, torch.Tensor) for value in content.values()
    ):
        raise WeightsError(f"weights {path}: not a table of tensors; save the state_dict alone")
    return {str(name): value for name, value in content.items()}


def fitted(network: str, path: Path) -> torch.nn.Module:
    """The network with the file's weights.

    WeightsError where the file says that it is another network's, or names the tensors that do not
    fit.
    """
    tensors = read_weights(path)
    said = read_metadata(path).architecture
    if said != network and said in network_names():
        raise WeightsError(f"weights {path}: made for {said}, not {network}; name {said} instead")
    if network.startswith("densenet"):
        tensors = {_OLD_DENSENET.sub(r"\1\2.", name): value for name, value in tensors.items()}
    auxiliary = has_auxiliary(network) and any(name.startswith(_SIDE_HEADS) for name in tensors)
    module = build(network, auxiliary=auxiliary)
    wanted = module.state_dict()
    problems = _misfits(wanted, tensors)
    if problems:
        more = len(problems) - _NAMED_AT_MOST
        listed = "; ".join(problems[:_NAMED_AT_MOST]) + (f"; and {more} more" if more > 0 else "")
        raise WeightsError(
            f"weights {path}: do not fit {network}: {listed}; "
            "name the network they were trained for"
        )
    present = {name: value for name, value in tensors.items() if name in wanted}
    module.load_state_dict(present, strict=False, assign=True)
    return module


def _misfits(wanted: dict[str, torch.Tensor], given: dict[str, torch.Tensor]) -> list[str]:
    counters = "num_batches_tracked"  # of batch norm's training; files before 2018 lack it
    missing = [n for n in wanted if n not in given and not n.endswith(counters)]
    surplus = [n for n in given if n not in wanted]
    shapes = [n for n in wanted if n in given and wanted[n].shape != given[n].shape]
    return (
        [f"{n} is missing" for n in missing]
        + [f"{n} is {_shape(given[n])}, not {_shape(wanted[n])}" for n in shapes]
        + [f"{n} is not in the network" for n in surplus]
    )


def _shape(tensor: torch.Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "a number"


def convert(source: Path, target: Path) -> None:
    """Write a file's tensors as a .safetensors file, whose folder is made.

    The same tensors give the same bytes. WeightsError where the source cannot be read, or the
    target not written.
    """
    # Tensors may share memory in a pickle, and may not here.
    tensors = {name: one.clone().contiguous() for name, one in read_weights(source).items()}
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Others may convert the same file at the same time.
        with tempfile.TemporaryDirectory(prefix=".converting-", dir=target.parent) as folder:
            made = Path(folder) / target.name
            save_file(tensors, made)
            made.replace(target)
    except OSError as why:
        raise WeightsError(
            f"weights {source}: cannot be written as {target} ({why.strerror}); "
            "set XDG_CACHE_HOME to a folder with room"
        ) from why
