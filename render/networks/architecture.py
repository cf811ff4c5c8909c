"""What decides the layers of a network: a name of the catalogue, or an ONNX file."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from render.errors import NetworkError
from render.input_file import read_problem
from render.networks.builtin import ONNX, ONNX_SUFFIX

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Architecture:
    """A network without its weights.

    classes: the number of classes of its weights; None means the network's usual number.
    file: of the network `onnx`; None for all others.
    """

    name: str
    classes: int | None = None
    file: Path | None = None

    @property
    def label(self) -> str:
        """What people call it: its name, or the path of its file."""
        return self.name if self.file is None else str(self.file)

    @property
    def argument(self) -> str:
        """The label as an argument of a command."""
        return shlex.quote(self.label)

    def cache_key(self) -> dict[str, Any]:
        """The inputs of a cached fact about it. Raises NetworkError if the file is unreadable."""
        key: dict[str, Any] = {"network": self.name, "classes": self.classes}
        if self.file is None:
            return key
        try:
            found = self.file.stat()
        except OSError as error:
            raise NetworkError(f"network {self.file}: {read_problem(error)}") from error
        return {**key, "file": [str(self.file.absolute()), found.st_size, found.st_mtime_ns]}

    def build(self) -> "nn.Module":
        """Build it in evaluation mode; parameters have no values, or those of the file.

        Raises NetworkError if the name is not known, or the file is no network.
        """
        if self.file is not None:
            from render.networks.onnx_network import load_onnx

            return load_onnx(self.file)
        from render.networks.catalogue import build_network

        return build_network(self.name, classes=self.classes)


def named_network(text: str) -> Architecture:
    """The network that a text means: a name, or the path of an `.onnx` file."""
    return Architecture(ONNX, file=Path(text)) if is_onnx_path(text) else Architecture(text)


def is_onnx_path(text: str) -> bool:
    """Whether a text, in place of a network's name, is the path of an ONNX file."""
    return text.lower().endswith(ONNX_SUFFIX)
