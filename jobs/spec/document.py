"""A spec on its way from words to values: plain nested JSON values, as the user may write them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from jobs.spec.atlas import AtlasSpec
from jobs.spec.atlas_expansion import dataset_document
from jobs.spec.attachments import with_companions
from jobs.spec.dataset import DatasetSpec
from jobs.spec.looks.look import with_look
from jobs.spec.poster import Spec
from jobs.text.errors import RequestError
from jobs.text.validation import one_line
from jobs.text.yaml_json import read_file, read_value

Document = dict[str, Any]


AnySpec = Spec | DatasetSpec
"""What a job may be asked for with, told apart by its `kind`."""


_Model = TypeVar("_Model", Spec, DatasetSpec, AtlasSpec)


_SHORTHANDS = {
    "input": "path",
    "inputs": "path",
    "start": "path",
    "network": "name",
    "tiles": "size",
    "output": "format",
}

_PATHS = (("input", "path"), ("inputs", "path"), ("start", "path"), ("network", "weights"))

_SWEPT_PATH = "network.weights"


def read_document(path: Path) -> Document:
    """The document in a spec file; its relative paths are relative to that file.

    Raises RequestError for a file that cannot be read, with the file and the line.
    """
    return _anchored(_expanded(read_file(path)), path.absolute().parent)


def spec_for_picture(
    picture: Path,
    *,
    size: str | None = None,
    network: str | None = None,
    weights: str | None = None,
    layer: str | None = None,
    look: str | None = None,
) -> Document:
    """The document for a picture and the command line's flags; what is None keeps its default."""
    chosen = {"name": network, "weights": weights}
    document = {
        "kind": "poster",
        "input": {"path": str(picture)},
        "size": size,
        "network": {key: value for key, value in chosen.items() if value is not None} or None,
        "objectives": None if layer is None else [{"layer": layer}],
        "look": look,
    }
    return {key: value for key, value in document.items() if value is not None}


def spec_for_folder(
    folder: Path,
    *,
    network: str | None,
    weights: str | None,
    layer: str | None,
    look: str | None,
) -> Document:
    """The document for all pictures of a folder, and the command line's flags."""
    document = spec_for_picture(folder, network=network, weights=weights, layer=layer, look=look)
    inputs = document.pop("input")
    return {**document, "kind": "dataset", "inputs": inputs}


def override(document: Document, settings: Sequence[str]) -> Document:
    """A copy of the document with `key=value` settings applied, the last one winning.

    Keys are dotted (`dream.steps`) and may count into lists (`objectives.0.layer`), one past the
    end adding an entry; values are YAML (`outputs=[png,tiff]`). Raises RequestError.
    """
    changed = document
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals or not all(key.strip().split(".")):
            raise RequestError(f"--set {setting}: write key=value, as dream.steps=4")
        try:
            changed = assigned(changed, key.strip(), _value(text))
        except RequestError as error:
            raise RequestError(f"--set {setting}: {error}") from error
    return changed


def assigned(document: Document, key: str, value: Any) -> Document:
    """A copy of the document in which a field, by its dotted name, has a value.

    Raises RequestError where there is no such place.
    """
    changed: Document = _assigned(_expanded(document), key.split("."), value)
    return changed


def spec_of(document: Document) -> Spec:
    """The poster's spec that a document stands for; paths still relative are so to the working
    directory.

    Raises RequestError: all complaints in one line, each with its place.
    """
    return _validated(Spec, document)


def any_spec_of(document: Document) -> AnySpec:
    """The spec that a document stands for, of whatever kind; an atlas is the dataset it becomes.

    Raises RequestError, and RenderError for an atlas of what a network does not have.
    """
    kind = document.get("kind", "poster")
    if kind == "poster":
        return _validated(Spec, document)
    if kind == "dataset":
        return _validated(DatasetSpec, document)
    if kind == "atlas":
        return _validated(DatasetSpec, dataset_document(_validated(AtlasSpec, document)))
    raise RequestError(f"kind: must be poster, dataset or atlas, not {kind!r}")


def _validated(model: type[_Model], document: Document) -> _Model:
    full = _anchored(_expanded(document), Path.cwd())
    try:
        # Through JSON, where strict means no silent conversions, but lists may become tuples.
        return model.model_validate_json(json.dumps(full))
    except ValidationError as error:
        raise RequestError(one_line(error, model, full)) from error


def _expanded(document: Document) -> Document:
    """The same with every shorthand (`tiles: 512`) written out (`tiles: {size: 512}`), and the
    look.
    """
    full = dict(document)
    for key, field in _SHORTHANDS.items():
        if isinstance(full.get(key), str | int | float):
            full[key] = {field: full[key]}
    if isinstance(full.get("outputs"), list):
        full["outputs"] = [
            {"format": output} if isinstance(output, str) else output for output in full["outputs"]
        ]
    return with_look(full)


def _anchored(document: Document, folder: Path) -> Document:
    full = dict(document)
    for part, key in _PATHS:
        if isinstance(full.get(part), dict) and key in full[part]:
            full[part] = full[part] | {key: _absolute(full[part][key], folder)}
    swept = full.get("sweep")
    if isinstance(swept, dict) and isinstance(swept.get(_SWEPT_PATH), list):
        paths = [_absolute(path, folder) for path in swept[_SWEPT_PATH]]
        full["sweep"] = swept | {_SWEPT_PATH: paths}
    anchored: Document = with_companions(full, lambda path: _companion(path, folder))
    return anchored


def _companion(path: str, folder: Path) -> str:
    if "://" in path:
        scheme = path.partition("://")[0]
        raise RequestError(f"{scheme}:// is not supported; fetch the picture, and give its path")
    return str(_absolute(path, folder))


def _absolute(path: Any, folder: Path) -> Any:
    """A path of this machine made absolute; whatever else stands there, as it is."""
    if not isinstance(path, str) or not path.strip() or path == "pretrained" or "://" in path:
        return path
    return str(folder / path)


def _value(text: str) -> Any:
    # A colour's hash would start a comment, which nobody writes on a command line.
    return text if text.startswith("#") else read_value(text)


def _assigned(here: Any, path: Sequence[str], value: Any) -> Any:
    if not path:
        return value
    first, *rest = path
    if here is None:
        here = [] if first.isdecimal() else {}
    if isinstance(here, dict):
        return here | {first: _assigned(here.get(first), rest, value)}
    if not isinstance(here, list):
        raise RequestError(f"no {first} can be set in {here!r}")
    if not first.isdecimal() or int(first) > len(here):
        raise RequestError(f"{first} is no place in a list of {len(here)}; write 0 to {len(here)}")
    index = int(first)
    entry = here[index] if index < len(here) else None
    return [*here[:index], _assigned(entry, rest, value), *here[index + 1 :]]
