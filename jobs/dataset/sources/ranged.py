"""An object of a bucket as a file in which one can jump."""

import io
import os
from typing import TYPE_CHECKING

from jobs.dataset.sources.objects import get, size

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class Ranged(io.RawIOBase):
    """The object at an `s3://` address; each read is a request, so that it wants a large buffer.

    All methods raise RequestError where there is no such object, and StoreError.
    """

    def __init__(self, address: str) -> None:
        super().__init__()
        self._address = address
        self._size = size(address)
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: "WriteableBuffer") -> int:
        with memoryview(buffer) as view:
            length = min(len(view), self._size - self._at)
            if length <= 0:
                return 0
            content = get(self._address, self._at, length)
            view[: len(content)] = content
        self._at += len(content)
        return len(content)
