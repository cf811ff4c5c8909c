"""Reads protobuf messages without their schema, and without copying.

A message is a list of fields: a number, a wire type, and a value (protobuf.dev, "Encoding"). Every
length is checked against the bytes that are there, so nothing is allocated for a false one.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # commands that only recognise files do without numpy
    import numpy as np

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
"""Wire types."""

_VARINT_BYTES = 10  # 64 bits, seven in each
_MAX_FIELDS = 10_000_000  # of one message; networks have thousands
_MAX_INTEGERS = 1000  # of one field, such as a shape


class WireError(ValueError):
    """The bytes are not a protobuf message."""


Field = tuple[int, int, int, memoryview]
"""Number, wire type, value of a varint (else 0), and the bytes of other types (else empty)."""


def read_fields(data: memoryview) -> Iterator[Field]:
    """Yield the fields of a message, in order. Raises WireError if it is damaged."""
    at, count = 0, 0
    while at < len(data):
        count += 1
        if count > _MAX_FIELDS:
            raise WireError(f"a message has more than {_MAX_FIELDS} fields")
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        if number == 0:
            raise WireError("a field has the number 0")
        value, length = 0, {FIXED64: 8, FIXED32: 4}.get(wire, 0)
        if wire == VARINT:
            value, at = _varint(data, at)
        elif wire == BYTES:
            length, at = _varint(data, at)
        elif not length:
            raise WireError(f"a field has the unknown type {wire}")
        if length > len(data) - at:
            raise WireError(f"a field claims {length} bytes, and {len(data) - at} are left")
        yield number, wire, value, data[at : at + length]
        at += length


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    """The number that begins at a byte, and the place after it."""
    value = 0
    for index, byte in enumerate(data[at : at + _VARINT_BYTES]):
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value, at + index + 1
    raise WireError("a number does not end")


def messages(data: memoryview, number: int) -> Iterator[memoryview]:
    """Yield the bytes of every field of a number: a message or a string each."""
    for found, wire, _, inner in read_fields(data):
        if found == number:
            if wire != BYTES:
                raise WireError(f"field {number} has the type {wire}, not bytes")
            yield inner


def text(data: memoryview, number: int) -> str:
    """Return the last string of a number, or an empty one."""
    last = b""
    for inner in messages(data, number):
        last = bytes(inner)
    return last.decode("utf-8", "replace")


def integers(data: memoryview, number: int) -> list[int]:
    """Return all numbers of a field, whether they are packed or not.

    Raises WireError if there are more than any shape has.
    """
    found: list[int] = []
    for this, wire, value, inner in read_fields(data):
        if this != number:
            continue
        if wire == VARINT:
            found.append(value)
        elif wire == BYTES:
            at = 0
            while at < len(inner):
                packed, at = _varint(inner, at)
                found.append(packed)
                _check_count(found, number)
        else:
            raise WireError(f"field {number} has the type {wire}, not a number")
        _check_count(found, number)
    return found


def _check_count(found: list[int], number: int) -> None:
    if len(found) > _MAX_INTEGERS:
        raise WireError(f"field {number} has more than {_MAX_INTEGERS} numbers")


def floats(data: memoryview, number: int, *, double: bool = False) -> "np.ndarray":
    """Return all floats of a field as float32, whether they are packed or not.

    double: the field has float64.
    """
    import numpy as np

    kind, single = ("<f8", FIXED64) if double else ("<f4", FIXED32)
    # Not a list of the fields: floats that are not packed are millions of them.
    whole = bytearray()
    for this, wire, _, inner in read_fields(data):
        if this != number:
            continue
        if wire not in (single, BYTES) or len(inner) % np.dtype(kind).itemsize:
            raise WireError(f"field {number} is not a list of floats")
        whole += inner
    return np.frombuffer(whole, kind).astype(np.float32)
