"""Spec documents: the nested plain values of a spec file, before validation.

This module expands shorthands, applies looks and command-line settings, and makes paths absolute.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from jobs.spec.attachments import attachment_paths, map_attachments
from jobs.spec.base import SpecModel
from jobs.spec.inputs import is_in_bucket
from jobs.spec.looks import apply_look
from jobs.spec.poster import PosterSpec
from jobs.text.errors import Fault, InvalidDocument, RequestError
from jobs.text.lines import with_lines
from jobs.text.validation import find_faults
from jobs.text.yaml_json import MAX_DEPTH, check_depth, parse_yaml, read_mapping_file
from render.networks.architecture import is_onnx_path
from render.networks.builtin import ONNX, PRETRAINED

Document = dict[str, Any]


_Model = TypeVar("_Model", bound=SpecModel)


SHORTHANDS = {
    "input": "path",
    "inputs": "path",
    "start": "path",
    "network": "name",
    "tiles": "size",
    "output": "format",
}
"""The field that a plain value stands for, by the field that may have it."""


_PATH_FIELDS = (("input", "path"), ("inputs", "path"), ("start", "path"), ("network", "weights"))


_INDEX_DIGITS = 9
"""The most digits of a list index in a dotted key."""


_SWEPT_PATH_FIELD = "network.weights"

STANDARD_INPUT = "-"
"""In place of a path: what is piped into a command."""

_NO_PATHS = frozenset({PRETRAINED, STANDARD_INPUT})
"""What stands in place of a path."""


def read_document(path: Path, name: str | None = None, folder: Path | None = None) -> Document:
    """Read a spec file. Raises RequestError with the file and the line.

    name, folder: what messages call the file, and where relative paths in it begin; by default its
    path and its folder.
    """
    with naming_lines(path, name, folder):
        return _full_document(path, name, folder)


@contextmanager
def naming_lines(path: Path, name: str | None = None, folder: Path | None = None) -> Iterator[None]:
    """Name the file and the lines in errors of a document that was made from a spec file.

    name, folder: see `read_document`.
    """
    try:
        yield
    except InvalidDocument as error:
        given: object
        try:
            given = _full_document(path, name, folder)
        except InvalidDocument as same:
            given = same.document
        raise with_lines(error, path, name or str(path), given) from error


def _full_document(path: Path, name: str | None, folder: Path | None) -> Document:
    mapping = read_mapping_file(path, name)
    return _resolve_paths(expand_shorthands(mapping), folder or path.absolute().parent)


def apply_overrides(document: Document, settings: Sequence[str]) -> Document:
    """Return a copy of the document with `key=value` settings applied in order.

    Keys are dotted (`dream.steps`) and may contain list indices (`objectives.0.layer`). The index
    after the last one appends an entry. Values are YAML (`outputs=[png,tiff]`).

    Raises RequestError for a setting without a key, an invalid value, or an unknown list index.
    """
    changed = document
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals or not all(key.strip().split(".")):
            raise RequestError(f"--set {setting}: write key=value, such as dream.steps=4")
        try:
            changed = set_field(changed, key.strip(), _parse_value(text))
        except RequestError as error:
            raise RequestError(f"--set {setting:.100}: {error}") from error
    return changed


def set_field(document: Document, key: str, value: Any) -> Document:
    """Return a copy of the document with a field, given by its dotted name, set to a value.

    Raises RequestError if there is no such field.
    """
    path = key.split(".")
    if len(path) > MAX_DEPTH:
        raise RequestError(f"a key has at most {MAX_DEPTH} parts, not {len(path)}")
    changed: Document = _set_nested(expand_shorthands(document), path, value)
    return changed


def parse_poster_spec(document: Document) -> PosterSpec:
    """Parse and validate the spec of a poster.

    Relative paths are relative to the working directory. Raises RequestError with all errors in
    one line, each with its field.
    """
    return validate_as(PosterSpec, document)


def with_stated_network(document: Document) -> Document:
    """Name the network that the weights file states, if the document names none.

    Raises WeightsError if the file cannot be read.
    """
    network = document.get("network")
    if not isinstance(network, dict) or network.keys() != {"weights"}:
        return document
    weights = network["weights"]
    if not isinstance(weights, str) or not weights.strip() or weights == "pretrained":
        return document
    has_surrogates = any("\ud800" <= letter <= "\udfff" for letter in weights)
    if has_surrogates or "\0" in weights or "://" in weights:  # the validation refuses these
        return document
    # Only such documents need to open a file.
    from render.networks.weights_metadata import read_metadata

    stated = read_metadata(Path(weights)).architecture
    return document | {"network": {"name": stated, **network}} if stated else document


def validate_as(model: type[_Model], document: Document) -> _Model:
    """Parse and validate a document as one kind of spec. Raises RequestError."""
    full = _resolve_paths(expand_shorthands(document), Path.cwd())
    for path in attachment_paths(full):
        if "://" in path:
            raise _not_supported(path)
    _check_encoding(full)
    try:
        # Via JSON: strict validation of JSON allows lists for tuples, but no other conversion.
        return model.model_validate_json(json.dumps(full))
    except ValidationError as error:
        raise InvalidDocument(find_faults(error, model, full), full) from error
    except ValueError as error:  # a whole number of thousands of digits
        raise RequestError(f"a number is too large: {error}") from error


def expand_shorthands(document: Document) -> Document:
    """Write out every shorthand (`tiles: 512` as `tiles: {size: 512}`), and apply the look.

    Raises RequestError for a document that is nested too deeply, and for an unknown look.
    """
    full = dict(check_depth(document))
    for key, field in SHORTHANDS.items():
        if isinstance(full.get(key), str | int | float):
            full[key] = {field: full[key]}
    if isinstance(network := full.get("network"), dict):
        full["network"] = _expand_onnx(network)
    if isinstance(full.get("outputs"), list):
        full["outputs"] = [
            {"format": output} if isinstance(output, str) else output for output in full["outputs"]
        ]
    return apply_look(full)


def _expand_onnx(network: Document) -> Document:
    """Write `{onnx: FILE}`, or a name that ends with .onnx, as the network `onnx` of that file."""
    name = network.get("name")
    is_path = isinstance(name, str) and is_onnx_path(name)
    if not is_path and ONNX not in network:
        return network
    file, others = network.get(ONNX, name), {"weights", "name"} - ({"name"} if is_path else set())
    for other in sorted(others & network.keys()):
        if network[other] is not None:
            problem = (
                f"{file} is an ONNX file, which has a network and weights of its own; leave "
                f"{other} out"
            )
            document = {"network": network}
            raise InvalidDocument([Fault(("network", other), problem)], document)
    return {"name": ONNX, "weights": file}


def _check_encoding(value: Any, key: str = "") -> None:
    """Check that all text of a document can be encoded. File names may hold other bytes.

    Raises RequestError.
    """
    if isinstance(value, str):
        shown = value.encode("utf-8", "backslashreplace").decode()
        if shown != value:
            where = f"{key}: " if key else ""
            # Paths are absolute by now.
            is_path = value.startswith("/")
            advice = "the name is not UTF-8; rename it" if is_path else "is not UTF-8; correct it"
            raise RequestError(f"{where}{shown}: {advice}")
    elif isinstance(value, list):
        value = dict(enumerate(value))
    for name, entry in value.items() if isinstance(value, dict) else ():
        _check_encoding(str(name), key)
        _check_encoding(entry, f"{key}.{name}" if key else str(name))


def _resolve_paths(document: Document, folder: Path) -> Document:
    full = dict(document)
    for part, key in _PATH_FIELDS:
        if isinstance(full.get(part), dict) and key in full[part]:
            full[part] = full[part] | {key: _absolute_path(full[part][key], folder)}
    swept = full.get("sweep")
    if isinstance(swept, dict) and isinstance(swept.get(_SWEPT_PATH_FIELD), list):
        paths = [_absolute_path(path, folder) for path in swept[_SWEPT_PATH_FIELD]]
        full["sweep"] = swept | {_SWEPT_PATH_FIELD: paths}
    resolved: Document = map_attachments(full, lambda path: _attachment_path(path, folder))
    return resolved


def _attachment_path(path: str, folder: Path) -> str:
    if "://" in path and not is_in_bucket(path):
        raise _not_supported(path)
    return str(_absolute_path(path, folder))


def _not_supported(address: str) -> RequestError:
    scheme = address.partition("://")[0]
    return RequestError(f"{scheme}:// is not supported; download the picture, and give its path")


def _absolute_path(path: Any, folder: Path) -> Any:
    """Make a local path absolute; return any other value unchanged."""
    if not isinstance(path, str) or not path.strip() or path in _NO_PATHS or "://" in path:
        return path
    return str(folder / path)


def _parse_value(text: str) -> Any:
    # YAML would read the colour `#rrggbb` as a comment, and `-` as a list.
    return text if text.startswith("#") or text == STANDARD_INPUT else parse_yaml(text)


def _set_nested(node: Any, path: Sequence[str], value: Any) -> Any:
    if not path:
        return value
    first, *rest = path
    if node is None:
        node = [] if first.isdecimal() else {}
    if isinstance(node, dict):
        return node | {first: _set_nested(node.get(first), rest, value)}
    if not isinstance(node, list):
        raise RequestError(f"cannot set {first} in {node!r:.60}")
    if not first.isdecimal() or len(first) > _INDEX_DIGITS or int(first) > len(node):
        raise RequestError(
            f"{first} is not an index in a list of {len(node)}; write 0 to {len(node)}"
        )
    index = int(first)
    entry = node[index] if index < len(node) else None
    return [*node[:index], _set_nested(entry, rest, value), *node[index + 1 :]]
