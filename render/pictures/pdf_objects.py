"""Writes the objects of a PDF (ISO 32000-1, 7.3 and 7.5) one after another.

Libraries for PDF hold each stream in memory. Here a stream is written part by part, and its length
follows it as an object of its own, so a picture of any size passes through.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias


class Name(str):
    """A name, without its slash."""

    __slots__ = ()


class Reference(NamedTuple):
    """A reference to the object of this number."""

    number: int


Value: TypeAlias = (
    "bool | int | float | str | bytes | Name | Reference | Sequence[Value] | Mapping[str, Value]"
)
"""What an object can be. `str` is a text, printable ASCII; `bytes` is a string in hex digits."""

Dictionary: TypeAlias = Mapping[str, Value]

_ENTRY = struct.Struct(">B5sB")
"""An entry of the table of objects: its type, its offset (up to a terabyte), its generation."""


def encode_value(value: Value) -> bytes:
    """Write a value as PDF."""
    match value:
        case bool():
            text = "true" if value else "false"
        case Name():
            text = f"/{value}"
        case Reference():
            text = f"{value.number} 0 R"
        case int():
            text = str(value)
        case float():
            text = number_text(value)
        case bytes():
            text = f"<{value.hex()}>"
        case str():
            text = text_string(value)
        case Mapping():
            entries = (f"/{key} {encode_value(value[key]).decode('ascii')}" for key in value)
            text = f"<< {' '.join(entries)} >>"
        case _:
            text = f"[{' '.join(encode_value(one).decode('ascii') for one in value)}]"
    return text.encode("ascii")


def number_text(value: float) -> str:
    """A number as PDF writes it, to a millionth: a PDF has no exponents."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


def text_string(text: str) -> str:
    """A printable text in ASCII as PDF writes it, in parentheses."""
    escaped = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
    return f"({escaped})"


class PdfWriter:
    """Numbers the objects of a file, and knows where they begin.

    The methods return the bytes to write next, in the order of the calls.
    """

    def __init__(self) -> None:
        self._end = 0
        self._offsets: list[int] = []

    def header(self) -> bytes:
        """The first bytes. PDF/X-4 is PDF 1.6; the second line says that the file is binary."""
        return self._put(b"%PDF-1.6\n%\xe2\xe3\xcf\xd3\n")

    def reserve(self) -> Reference:
        """A number for an object that is written later."""
        self._offsets.append(0)
        return Reference(len(self._offsets))

    def object(self, at: Reference, value: Value) -> bytes:
        """Write an object under a reserved number."""
        return self._begin(at) + self._put(encode_value(value) + b"\nendobj\n")

    def stream(self, at: Reference, dictionary: Dictionary, content: bytes) -> bytes:
        """Write a small stream."""
        sized = {**dictionary, "Length": len(content)}
        head = self._begin(at) + self._put(encode_value(sized) + b"\nstream\n")
        return head + self._put(content + b"\nendstream\nendobj\n")

    def long_stream(
        self, at: Reference, dictionary: Dictionary, parts: Iterable[bytes]
    ) -> Iterator[bytes]:
        """Yield a stream of any length, made of parts."""
        length = self.reserve()
        sized = {**dictionary, "Length": length}
        yield self._begin(at) + self._put(encode_value(sized) + b"\nstream\n")
        start = self._end
        for part in parts:
            yield self._put(part)
        count = self._end - start
        yield self._put(b"\nendstream\nendobj\n")
        yield self.object(length, count)

    def end(self, root: Reference, info: Reference, file_id: bytes) -> bytes:
        """Write the table of all objects. Each reserved number must have been written."""
        table, start = self.reserve(), self._end
        self._offsets[-1] = start
        entries = [_ENTRY.pack(0, bytes(5), 255)]
        entries += [_ENTRY.pack(1, one.to_bytes(5, "big"), 0) for one in self._offsets]
        content = b"".join(entries)
        dictionary: Dictionary = {
            "Type": Name("XRef"),
            "Size": len(entries),
            "W": [1, 5, 1],
            "Root": root,
            "Info": info,
            "ID": [file_id, file_id],
        }
        return self.stream(table, dictionary, content) + b"startxref\n%d\n%%%%EOF\n" % start

    def _begin(self, at: Reference) -> bytes:
        self._offsets[at.number - 1] = self._end
        return self._put(b"%d 0 obj\n" % at.number)

    def _put(self, content: bytes) -> bytes:
        self._end += len(content)
        return content
