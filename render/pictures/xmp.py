"""The orientation that a packet of XMP states, which is XML.

A property is known by its namespace; the prefix of a name is the writer's choice. Writers of broken
packets use the customary prefix.
"""

import re
from collections.abc import Mapping
from xml.parsers import expat

_MAX_BYTES = 2**20
"""XMP is searched so far: a hostile packet must not take long."""

_ORIENTATION = "http://ns.adobe.com/tiff/1.0/ Orientation"
"""The property (XMP specification, part 2, section 3.2), as expat names it."""

_CUSTOMARY = re.compile(
    rb"""tiff:Orientation\s{0,20}+"""
    rb"""(?:=\s{0,20}+["']\s{0,20}+|(?:(?<=\s)[^<>]{0,200}+)?+>\s{0,20}+)"""
    rb"""([1-8])\s{0,20}+["'<]"""
)
"""Bounded, and without backtracking (`+` after a count), so that the search takes linear time."""


def xmp_orientation(xmp: bytes) -> int | None:
    """The orientation that a packet of XMP states in its first MiB, from 1 to 8, or None."""
    packet = xmp[:_MAX_BYTES]
    reader = _Reader()
    if not reader.read(packet) and reader.value is None:
        match = _CUSTOMARY.search(packet)
        return None if match is None else int(match[1])
    text = (reader.value or "").strip()
    return int(text) if text in set("12345678") else None


class _Reader:
    """Finds the first value of the property. value: its text; None if there is none so far."""

    def __init__(self) -> None:
        self.value: str | None = None
        self._is_inside = False

    def read(self, packet: bytes) -> bool:
        """Read a packet, which may be cut off. Returns whether it is XML."""
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._add
        # XMP has none, and only its entities could grow.
        parser.StartDoctypeDeclHandler = _refuse
        try:
            parser.Parse(packet, False)
        except (expat.ExpatError, ValueError):  # ValueError: an encoding that Python lacks
            return False
        return True

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        if self.value is None:
            self._is_inside = name == _ORIENTATION
            self.value = "" if self._is_inside else attributes.get(_ORIENTATION)

    def _end(self, _name: str) -> None:
        self._is_inside = False

    def _add(self, text: str) -> None:
        if self._is_inside:
            self.value = (self.value or "") + text


def _refuse(*_: object) -> None:
    raise expat.ExpatError("a document type")
