"""A text in lines, of which none may fill the memory."""

from collections.abc import Iterator
from typing import BinaryIO

from jobs.errors import RequestError

_LONGEST = 64 << 20


def lines(file: BinaryIO, address: str) -> Iterator[str]:
    """The lines with their ends; bytes that are no UTF-8 become lone surrogates.

    Raises RequestError for a line of more than 64 MiB.
    """
    encoding = "utf-8-sig"
    while line := file.readline(_LONGEST + 1):
        if len(line) > _LONGEST:
            raise RequestError(f"{address}: a line is longer than 64 MiB; write one row a line")
        yield line.decode(encoding, "surrogateescape")
        encoding = "utf-8"
