"""Any name of a file, spelled so that a store can hold it, and no two names alike."""

import hashlib
import re

_OTHER = re.compile(r"[^A-Za-z0-9._@+-]")
_SHORTENED = "=-"
"""Between the beginning of a long name and its hash. Spelled characters give `=` and two digits
only, so no name that was not shortened holds it."""

_HASH = 32
"""Hex digits, 128 bits: two names in 10^15 would hardly share one."""

_LEAST_ROOM = len(_SHORTENED) + _HASH


def spelled(text: str) -> str:
    """A text as `=XX` for every byte of its UTF-8."""
    return "".join(f"={byte:02X}" for byte in text.encode("utf-8", "surrogatepass"))


def safe_key(name: str, room: int) -> str:
    """The rest of a key below some folder: at most `room` characters, letters, digits, `._@=+-`
    and the slashes of the name.

    Other characters, `=` too, are spelled `=XX`; so are the parts `.` and `..`; an empty part is a
    lone `=`. What is too long ends in a hash of the whole. Raises ValueError for less than 34.
    """
    if room < _LEAST_ROOM:
        raise ValueError(f"a key needs room for {_LEAST_ROOM} characters, not {room}")
    key = "/".join(map(_part, name.split("/")))
    if len(key) <= room:
        return key
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{key[: room - _LEAST_ROOM]}{_SHORTENED}{digest[:_HASH]}"


def _part(part: str) -> str:
    if part in {".", ".."}:
        return spelled(part)
    return _OTHER.sub(lambda found: spelled(found[0]), part) or "="
