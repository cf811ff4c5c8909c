"""Looks: named fragments of a spec, one YAML file each in this folder.

A look sets the network, the objectives and the parameters of the dream.
"""

from functools import cache
from pathlib import Path
from typing import Any

from jobs.text.errors import Fault, InvalidDocument, RequestError
from jobs.text.yaml_json import read_mapping_file
from render.errors import suggest

Document = dict[str, Any]


_FOLDER = Path(__file__).parent

_ABOUT = "about"


def look_names() -> list[str]:
    """The names of all looks, sorted."""
    return sorted(path.stem for path in _FOLDER.glob("*.yaml"))


def load_look(name: str) -> Document:
    """The spec fragment of a look. Raises RequestError for an unknown name."""
    return {key: value for key, value in _read(name).items() if key != _ABOUT}


def describe_look(name: str) -> str:
    """A description of a look in one line."""
    return str(_read(name)[_ABOUT])


@cache
def _read(name: str) -> Document:
    known = look_names()
    if name not in known:
        raise RequestError(f"look {name}: no such look; {suggest(name, known)}")
    return read_mapping_file(_FOLDER / f"{name}.yaml")


def apply_look(document: Document) -> Document:
    """Replace the `look` of a document by the fields of that look; the document's fields win.

    `dream` and `network` are merged field by field. Raises RequestError for an unknown look, or if
    the document chooses another network than the look's objectives need.
    """
    if "look" not in document:
        return document
    name = str(document["look"])
    try:
        fragment = load_look(name)
    except RequestError as error:
        raise _wrong_look(document, str(error)) from error
    fields = {key: value for key, value in document.items() if key != "look"}
    network = fields.get("network")
    if isinstance(network, dict) and "objectives" not in fields:
        expected, given = fragment["network"]["name"], network.get("name")
        if given not in (None, expected):
            raise _wrong_look(
                document,
                f"look {name}: needs network {expected}, not {given}; leave the network out, "
                "or set objectives",
            )
    return _fill_missing(fields, fragment)


def _wrong_look(document: Document, message: str) -> InvalidDocument:
    return InvalidDocument([Fault(("look",), message, names_field=True)], document)


def _fill_missing(fields: Document, fragment: Document) -> Document:
    full = dict(fields)
    for key, value in fragment.items():
        present = fields.get(key)
        if present is None:
            full[key] = value
        elif isinstance(present, dict) and isinstance(value, dict):
            full[key] = _fill_missing(present, value)
    return full
