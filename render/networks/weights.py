"""Loads weights files safely, without running code, and converts them to safetensors.

What a file is, its bytes tell, not its name: safetensors (also in shards), PyTorch, Caffe, or a
frozen TensorFlow graph.
"""

import pickle
import shutil
import struct
import tempfile
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from render.errors import WeightsError, suggest
from render.input_file import open_input_file, read_problem
from render.networks.builtin import ONNX
from render.networks.caffemodel import is_caffemodel, read_caffemodel
from render.networks.catalogue import network_names
from render.networks.checkpoint import PYTORCH_STARTS, read_checkpoint, without_wrappers
from render.networks.normalisation import CONVENTION_ATTRIBUTE, CONVENTIONS, TORCHVISION
from render.networks.onnx_file import is_onnx
from render.networks.onnx_network import load_onnx
from render.networks.safetensors_header import check_header, is_safetensors
from render.networks.shards import is_shard_index, read_shard_index
from render.networks.tensorflow_graph import is_tensorflow_graph, read_tensorflow_graph
from render.networks.weight_fitting import build_fitting
from render.networks.weights_metadata import read_metadata, stated_entries

# The first field of a NetParameter of Caffe or a GraphDef of TensorFlow.
_PROTOBUF_STARTS = (b"\x0a", b"\x12", b"\xa2\x06")

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
    """Read the tensors of a weights file of any kind. Nothing in it is run.

    Names are those of the bare network: without the prefixes of wrapping modules.
    Raises WeightsError if the file cannot be read, has no single table of tensors, or would run
    code.
    """
    return without_wrappers(_read_content(path))


def _read_content(path: Path) -> dict[str, torch.Tensor]:
    try:
        return _read_kind(path)
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


def _read_kind(path: Path) -> dict[str, torch.Tensor]:
    if is_safetensors(path):
        check_header(path)
        return dict(load_file(path))
    if is_shard_index(path):
        return {name: value for shard in read_shard_index(path) for name, value in _shard(shard)}
    with open_input_file(path) as file:
        start = file.peek(4)
        if is_onnx(path):
            raise WeightsError(
                f"weights {path}: an ONNX file, which has a network of its own; "
                "write --network FILE.onnx, or network: {onnx: FILE}, without weights"
            )
        if start.startswith(PYTORCH_STARTS):
            return read_checkpoint(path)
        if start.startswith(_PROTOBUF_STARTS):
            data = memoryview(file.read())
            if is_caffemodel(data):
                return read_caffemodel(data)
            if is_tensorflow_graph(data):
                return read_tensorflow_graph(data)
    raise ValueError(
        "it is neither a safetensors nor a PyTorch file, nor one of Caffe or TensorFlow"
    )


def shard_paths(index: Path) -> list[Path]:
    """Return the files of an index of shards. Raises WeightsError if it is not one."""
    try:
        return read_shard_index(index)
    except (OSError, ValueError) as error:
        reason = read_problem(error) if isinstance(error, OSError) else f"cannot be read ({error})"
        raise WeightsError(f"weights {index}: {reason}") from error


def _shard(path: Path) -> list[tuple[str, torch.Tensor]]:
    check_header(path)
    return list(load_file(path).items())


def load_with_weights(network: str, path: Path) -> torch.nn.Module:
    """Build a network and load a file's weights into it.

    The number of classes is the file's. A head that the file lacks stays without values. The input
    convention follows from the file too (`networks.normalisation`).
    Raises WeightsError if the file states another network, or if its tensors do not fit. The
    message names up to four of the tensors. Raises NetworkError if the network is not known, or if
    an ONNX file, which holds both the network and its weights, cannot be loaded.
    """
    if network == ONNX:
        return load_onnx(path)
    tensors = read_weights(path)
    metadata = read_metadata(path)
    stated = metadata.architecture
    if stated != network and stated in network_names():
        raise WeightsError(
            f"weights {path}: made for {stated}, not {network}; name {stated} instead"
        )
    module, fitting, convention = build_fitting(network, path, tensors)
    module.load_state_dict(fitting, strict=False, assign=True)
    if convention := metadata.input_convention or convention:
        _check_convention(path, convention)
        setattr(module, CONVENTION_ATTRIBUTE, convention)
    return module


def _check_convention(path: Path, name: str) -> None:
    known = [TORCHVISION, *CONVENTIONS]
    if name not in known:
        raise WeightsError(
            f"weights {path}: input convention {name}: no such one; {suggest(name, known)}"
        )


def convert_to_safetensors(source: Path, target: Path) -> None:
    """Write a file's tensors as a .safetensors file, and create its folder.

    A safetensors file of another name is copied, and what shards state is kept. The same tensors
    give the same bytes. Raises WeightsError if the source cannot be read or the target cannot be
    written.
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
                save_file(tensors, made, metadata=stated_entries(source) or None)
            made.replace(target)
    except OSError as error:
        raise WeightsError(
            f"weights {source}: cannot be written as {target} ({error.strerror}); "
            "set XDG_CACHE_HOME to a folder with room"
        ) from error
