"""Opens ONNX files safely: what a file declares must be in it, before anything is allocated.

The fields of `onnx.proto` that hold tensors are walked first, without copying; then the `onnx`
package parses the file. Nothing in a file is run. Tensors may lie in other files beside it
("external data"), as PyTorch's exporter writes them.
"""

import math
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from render.errors import NetworkError
from render.input_file import open_input_file, read_problem
from render.networks.protobuf_wire import BYTES, VARINT, WireError, integers, read_fields, text

if TYPE_CHECKING:
    import onnx

_MAX_BYTES = (1 << 31) - 1  # of a protobuf message
_MAX_STRUCTURE = 32 << 20  # bytes beside the values of tensors; large networks have two million
_MAX_DIMENSIONS = 8
_MAX_OBJECTS = 100_000  # nodes, attributes, tensors and what they consist of
_MAX_UNREAD = 4 << 20  # bytes of messages that are parsed and not read, such as graphs in nodes

_IR_VERSION, _GRAPH = 1, 7  # fields of ModelProto
_FUNCTIONS = (20, 25, 26)  # of ModelProto: of training, of its own, and devices
_NODE, _INITIALIZER = 1, 5  # of GraphProto
_GRAPH_TEXTS = (2, 10, 16)  # of GraphProto: name, documentation, metadata
_ATTRIBUTE, _NODE_METADATA = 5, 9  # of NodeProto
_TENSORS = (5, 10)  # of AttributeProto: one, or a list
_MESSAGES = (6, 11, 14, 15, 22, 23)  # of AttributeProto: graphs, types, sparse tensors
_DIMS, _TYPE, _NAME, _LOCATION = 1, 2, 8, 14  # of TensorProto
_RAW = 9  # of TensorProto
_ENTRIES = (13, 16)  # of TensorProto: where its values lie, metadata
_VALUES = (4, _RAW, 10)  # of TensorProto: floats, raw bytes, doubles

_ITEM_BYTES = {1: 4, 2: 1, 3: 1, 4: 2, 5: 2, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8, 12: 4, 13: 8, 16: 2}
"""Bytes of a value by TensorProto.DataType: floats, whole numbers and truth values."""

_EXTERNAL = 1  # TensorProto.DataLocation
_STARTS = tuple(bytes((8, version)) for version in range(1, 64))
"""The field `ir_version`, which writers put first."""


class OnnxError(ValueError):
    """What is wrong with an ONNX file: a part of a line."""


def is_onnx(path: Path) -> bool:
    """Whether a file begins as ONNX does, and has a graph. Raises OSError if it is unreadable."""
    with open_input_file(path) as file:
        if not file.peek(2).startswith(_STARTS) or path.stat().st_size > _MAX_BYTES:
            return False
        data = memoryview(file.read())
    try:
        kinds = {(number, wire) for number, wire, _, _ in read_fields(data)}
    except WireError:
        return False
    return {(_IR_VERSION, VARINT), (_GRAPH, BYTES)} <= kinds


def load_model(path: Path) -> "onnx.ModelProto":
    """Parse a file, with the tensors that lie in other files beside it.

    Raises NetworkError, in one line, if it is not a whole ONNX file.
    """
    with _errors_of(path):
        model = _parse(path)
        for tensor in _split_tensors(model):
            tensor.raw_data = _read_part(tensor, path.parent)
            tensor.ClearField("external_data")
            tensor.ClearField("data_location")
    return model


def split_files(path: Path) -> list[Path]:
    """The other files that hold tensors of a file, sorted. Raises NetworkError like `load_model`.

    They must lie beside it.
    """
    with _errors_of(path):
        return sorted({_part(tensor, path.parent)[0] for tensor in _split_tensors(_parse(path))})


def write_joined(path: Path, target: Path) -> None:
    """Write one file with the tensors of all, and create its folder.

    Raises NetworkError if the files cannot be read or the target cannot be written.
    """
    model = load_model(path)
    with _errors_of(path):
        data = model.SerializeToString(deterministic=True)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Another process may join the same files at the same time.
        with tempfile.TemporaryDirectory(prefix=".joining-", dir=target.parent) as folder:
            made = Path(folder) / target.name
            made.write_bytes(data)
            made.replace(target)
    except OSError as error:
        raise NetworkError(
            f"network {path}: cannot be written as {target} ({error.strerror}); "
            "set XDG_CACHE_HOME to a folder with room"
        ) from error


@contextmanager
def _errors_of(path: Path) -> Iterator[None]:
    """Turn errors of reading into NetworkError."""
    from google.protobuf.message import DecodeError, EncodeError

    try:
        yield
    except OSError as error:
        where = path if error.filename is None else Path(error.filename)
        raise NetworkError(f"network {where}: {read_problem(error)}") from error
    except (ValueError, DecodeError, EncodeError) as error:
        reason = str(error).partition("\n")[0]
        raise NetworkError(
            f"network {path}: cannot be read as ONNX ({reason}); is it a whole .onnx file?"
        ) from error


def _parse(path: Path) -> "onnx.ModelProto":
    import onnx

    with open_input_file(path) as file:
        if not file.peek(2).startswith(_STARTS):
            raise OnnxError("it begins otherwise")
        if (size := path.stat().st_size) > _MAX_BYTES:
            raise OnnxError(f"it has {size} bytes, and at most {_MAX_BYTES} are read")
        data = file.read()
    walk = _Walk()
    walk.walk_model(memoryview(data))
    if len(data) - walk.value_bytes > _MAX_STRUCTURE:
        raise OnnxError(f"it has more than {_MAX_STRUCTURE} bytes beside its tensors")
    model = onnx.ModelProto()
    model.ParseFromString(data)
    return model


def _inner(data: memoryview, *numbers: int) -> Iterator[memoryview]:
    """The messages in some fields of a message."""
    for number, wire, _, inner in read_fields(data):
        if number in numbers and wire == BYTES:
            yield inner


@dataclass
class _Walk:
    """Walks over the bytes of a model, and checks what its tensors declare.

    An empty message takes two bytes, and a hundred times as many when it is parsed. So all
    messages are counted, or their bytes are.

    value_bytes, outside_bytes: of values in this file and in others. objects: nodes, attributes
    and tensors. unread_bytes: of messages that are parsed and not read.
    """

    value_bytes: int = 0
    outside_bytes: int = 0
    objects: int = 0
    unread_bytes: int = 0

    def walk_model(self, model: memoryview) -> None:
        """Check the graph, its tensors and those of its nodes' attributes."""
        for number, wire, _, inner in read_fields(model):
            self._count()
            if number == _GRAPH and wire == BYTES:
                self._walk_graph(inner)
            elif number in _FUNCTIONS:
                self._leave_unread(inner)

    def _walk_graph(self, graph: memoryview) -> None:
        for number, _, _, inner in read_fields(graph):
            self._count()
            if number == _INITIALIZER:
                self._walk_tensor(inner)
            elif number == _NODE:
                self._walk_node(inner)
            elif number not in _GRAPH_TEXTS:
                self._leave_unread(inner)

    def _walk_node(self, node: memoryview) -> None:
        for part in _inner(node, _ATTRIBUTE, _NODE_METADATA):
            self._count()
            # In an attribute; metadata have two texts only.
            for number, wire, _, inner in read_fields(part):
                if number in _TENSORS and wire == BYTES:
                    self._count()
                    self._walk_tensor(inner)
                elif number in _MESSAGES:
                    self._count()
                    self._leave_unread(inner)

    def _count(self) -> None:
        self.objects += 1
        if self.objects > _MAX_OBJECTS:
            raise OnnxError(f"it has more than {_MAX_OBJECTS} nodes, attributes and tensors")

    def _leave_unread(self, message: memoryview) -> None:
        self.unread_bytes += len(message)
        if self.unread_bytes > _MAX_UNREAD:
            raise OnnxError(f"it has more than {_MAX_UNREAD} bytes of functions and types")

    def _walk_tensor(self, tensor: memoryview) -> None:
        for _ in _inner(tensor, *_ENTRIES):
            self._count()
        name, dimensions = text(tensor, _NAME), integers(tensor, _DIMS)
        kind = (integers(tensor, _TYPE) or [0])[-1]
        if kind not in _ITEM_BYTES:
            raise OnnxError(f"tensor {name} has values of the type {kind}, which are no numbers")
        if len(dimensions) > _MAX_DIMENSIONS:
            raise OnnxError(f"tensor {name} has more than {_MAX_DIMENSIONS} dimensions")
        count = math.prod(dimensions)
        if integers(tensor, _LOCATION) == [_EXTERNAL]:
            self.outside_bytes += count * _ITEM_BYTES[kind]
            if self.outside_bytes > _MAX_BYTES:
                raise OnnxError(f"its tensors have more than {_MAX_BYTES} bytes in other files")
            return
        found = {number: len(inner) for number, _, _, inner in read_fields(tensor)}
        self.value_bytes += sum(found.get(number, 0) for number in _VALUES)
        raw = found.get(_RAW, count * _ITEM_BYTES[kind])
        # Values that are not raw take a byte each at least.
        if count > len(tensor) or raw != count * _ITEM_BYTES[kind]:
            raise OnnxError(f"tensor {name} declares {count} values, and has {len(tensor)} bytes")


def _split_tensors(model: "onnx.ModelProto") -> Iterator["onnx.TensorProto"]:
    """The tensors whose values lie in other files."""
    in_nodes = (
        tensor
        for node in model.graph.node
        for attribute in node.attribute
        for tensor in (attribute.t, *attribute.tensors)
    )
    for tensor in (*model.graph.initializer, *in_nodes):
        if tensor.data_location == _EXTERNAL:
            yield tensor


def _part(tensor: "onnx.TensorProto", folder: Path) -> tuple[Path, int, int]:
    """The file of a tensor's values, where they begin in it, and how many bytes they have."""
    stated = {entry.key: entry.value for entry in tensor.external_data}
    name = stated.get("location", "")
    if Path(name).name != name or name in ("", ".", ".."):
        raise OnnxError(f"tensor {tensor.name} is in {name!r}, which is not a file beside it")
    declared = math.prod(tensor.dims) * _ITEM_BYTES[tensor.data_type]
    start, length = int(stated.get("offset", 0)), int(stated.get("length", declared))
    if start < 0 or length != declared:
        raise OnnxError(f"tensor {tensor.name} has {length} bytes in {name}, not {declared}")
    return folder / name, start, length


def _read_part(tensor: "onnx.TensorProto", folder: Path) -> bytes:
    path, start, length = _part(tensor, folder)
    with open_input_file(path) as file:
        if start + length > path.stat().st_size:
            raise OnnxError(f"tensor {tensor.name} lies beyond the end of {path.name}")
        file.seek(start)
        return file.read(length)
