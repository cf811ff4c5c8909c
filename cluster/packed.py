"""Values as they cross from one process to another, for members that are in the same one."""

import pickle
from typing import Any


class Packed:
    """A value as bytes, so that nobody can write into what another holds."""

    def __init__(self, value: object) -> None:
        buffers: list[pickle.PickleBuffer] = []
        self._body = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
        self._buffers = [buffer.raw().tobytes() for buffer in buffers]

    def value(self) -> Any:
        """The value; the memory of its arrays is immutable."""
        return pickle.loads(self._body, buffers=self._buffers)
