"""A look: a network, its objectives, and how the dream is driven."""

from functools import cache
from pathlib import Path
from typing import Any

from jobs.text.errors import RequestError
from jobs.text.yaml_json import read_file
from render.errors import suggestion

Document = dict[str, Any]


_FOLDER = Path(__file__).parent

_ABOUT = "about"


def look_names() -> list[str]:
    """Every look there is, by name, in order."""
    return sorted(path.stem for path in _FOLDER.glob("*.yaml"))


def look(name: str) -> Document:
    """The fragment of a look. RequestError, naming the nearest, where there is none."""
    return {key: value for key, value in _read(name).items() if key != _ABOUT}


def about(name: str) -> str:
    """What a look shows, in a line."""
    return str(_read(name)[_ABOUT])


@cache
def _read(name: str) -> Document:
    known = look_names()
    if name not in known:
        raise RequestError(f"look {name}: no such look; {suggestion(name, known)}")
    return read_file(_FOLDER / f"{name}.yaml")


def with_look(document: Document) -> Document:
    """A document with what its look says wherever it says nothing itself, and no `look` any more.

    Of `dream` and `network` each field counts for itself. RequestError where there is no such look,
    or where its objectives are of another network.
    """
    if "look" not in document:
        return document
    name = str(document["look"])
    fragment = look(name)
    said = {key: value for key, value in document.items() if key != "look"}
    named = said.get("network")
    if isinstance(named, dict) and "objectives" not in said:
        wanted, given = fragment["network"]["name"], named.get("name")
        if given not in (None, wanted):
            raise RequestError(
                f"look {name}: is of {wanted}, not of {given}; leave the network out, "
                "or name a layer of it"
            )
    return _filled(said, fragment)


def _filled(said: Document, fragment: Document) -> Document:
    full = dict(said)
    for key, value in fragment.items():
        there = said.get(key)
        if there is None:
            full[key] = value
        elif isinstance(there, dict) and isinstance(value, dict):
            full[key] = _filled(there, value)
    return full
