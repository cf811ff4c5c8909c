"""Specs for the Python interface and the command line: from a file, a picture or a mapping."""

import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from jobs.dataset.inputs.files import has_wildcards, is_picture
from jobs.runtime.access import is_folder
from jobs.services.input_files import localize
from jobs.spec.document import (
    Document,
    expand_shorthands,
    naming_lines,
    read_document,
    set_field,
)
from jobs.spec.inputs import is_in_bucket
from jobs.spec.kinds import AnySpec, parse_spec
from jobs.text.errors import RequestError


@dataclass(frozen=True)
class SpecFile:
    """A spec file that is a copy of what its user wrote.

    path: of the copy. folder: where relative paths in it begin. name: what messages call it.
    """

    path: Path
    folder: Path
    name: str


SpecSource = AnySpec | Mapping[str, Any] | str | Path | SpecFile
"""A spec; a document of one; the path of a spec file, a picture or a folder of pictures; or text
with the `s3://` address of a picture, or of many."""

_SPEC_SUFFIXES = (".yaml", ".yml", ".json")

_PATH_OF_ADDRESS = re.compile(r"(s3|https?|ftp|file):/")
"""A Path joins the slashes of an address."""

_SHORTCUTS = {"network": "network.name", "weights": "network.weights", "workers": "crew.workers"}


def load_spec(source: SpecSource, **overrides: Any) -> AnySpec:
    """Make a spec, and replace some of its fields.

    Args:
        source: See `SpecSource`.
        overrides: Spec fields by name; None keeps a field. `dream__steps=4` and
            `dream={"steps": 4}` both change a nested field, and keep the other fields of `dream`.
            Shortcuts: `layer`; `network` and `weights` by name or path; `workers`. A `look` fills
            only the fields that the source leaves out. `like` is a `Recipe`, or what has one: an
            output, a manifest, a spec, or a job in `dreams`. It gives a picture, or a folder of
            pictures, all settings but the input.

    Raises:
        RequestError: A field is wrong, or the file is unreadable. The text names the field.
        RenderError: An atlas names a layer that its network does not have.
        TypeError: The source or a value has a type that no spec can hold.
    """
    if isinstance(source, AnySpec) and not overrides:
        return source
    with naming_source(source):
        return parse_spec(localize(load_document(source, **overrides)))


def load_document(source: SpecSource, **overrides: Any) -> Document:
    """Make the document of a spec, without validation. Arguments and errors: see `load_spec`."""
    document = _source_document(source)
    fields = {name: value for name, value in overrides.items() if value is not None}
    layer, look = fields.pop("layer", None), fields.pop("look", None)
    like = fields.pop("like", None)
    if like is not None:
        if look is not None:
            raise RequestError("look and like: both choose the settings; write one of them")
        names_weights = bool(fields.keys() & {"network", "weights"})
        document = _like(source, document, like, with_weights=not names_weights)
    if layer is not None:
        fields["objectives"] = [{"layer": layer}]
    for key, value in _flatten(fields):
        document = set_field(document, key, value)
    if look is None:
        return document
    if isinstance(source, AnySpec):
        raise RequestError(f"look {look}: the spec has all fields already; name the look in a file")
    return expand_shorthands({**document, "look": look})


def _like(source: object, document: Document, like: object, *, with_weights: bool) -> Document:
    """The document of a picture, or of a folder of pictures, with the settings of an output."""
    from jobs.services.recipe.like import settings_like
    from jobs.services.recipe.recipe import Recipe
    from jobs.services.recipe_source import read_recipe

    if not isinstance(source, str | Path) or is_spec_file(source):
        raise RequestError("like: for a picture or a folder; a spec has settings of its own")
    recipe = like if isinstance(like, Recipe) else read_recipe(str(like))
    return {**settings_like(recipe, document["kind"], with_weights=with_weights), **document}


def naming_source(source: object) -> AbstractContextManager[None]:
    """Name the spec file and the lines in errors of what it says; nothing for other sources."""
    if isinstance(source, str | Path) and is_spec_file(source):
        return naming_lines(Path(source))
    if isinstance(source, SpecFile):
        return naming_lines(source.path, source.name, source.folder)
    return nullcontext()


def names_many(path: str) -> bool:
    """Whether a path names a folder of pictures, or many pictures in a bucket."""
    if is_in_bucket(path):
        return not is_picture(path) or has_wildcards(path)
    return is_folder(path)


def is_spec_file(path: str | Path) -> bool:
    """Whether a path names a spec file, by its suffix."""
    return Path(path).suffix.lower() in _SPEC_SUFFIXES


def _source_document(source: object) -> Document:
    if isinstance(source, AnySpec):
        return source.document()
    match source:
        case Mapping():
            return {str(name): _as_json(str(name), value) for name, value in source.items()}
        case SpecFile():
            return read_document(source.path, source.name, source.folder)
        case str() | Path():
            return _path_document(source)
        case _:
            raise TypeError(
                f"source: must be a path, a mapping or a spec, not {type(source).__name__}; "
                "for arrays and PIL images call render.deepdream"
            )


def _path_document(source: str | Path) -> Document:
    text = str(source)
    if isinstance(source, Path) and _PATH_OF_ADDRESS.match(text):
        raise RequestError(f"{text}: a Path cannot be an address; pass text")
    if not text.strip():
        raise RequestError("an empty path: must be the path of a spec, a picture or a folder")
    if "://" in text and (is_spec_file(text) or not is_in_bucket(text)):
        # The rest of the address may contain a password or a signature.
        scheme = text.partition("://")[0]
        what = "for a spec" if is_in_bucket(text) else "supported"
        raise RequestError(f"{scheme}:// is not {what}; download the file, and give its path")
    path = Path(source)
    if is_spec_file(path):
        return read_document(path)
    if names_many(text):
        return {"kind": "dataset", "inputs": {"path": text}}
    # A Path would join the slashes of an address.
    return {"kind": "poster", "input": {"path": text if is_in_bucket(text) else str(path)}}


def _flatten(fields: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The dotted names of fields, with JSON values. None keeps a field."""
    for name, value in fields.items():
        key = prefix + name.replace("__", ".")
        # A mapping with dotted names is one value: the `sweep` of a dataset.
        if isinstance(value, Mapping) and not any("." in str(entry) for entry in value):
            yield from _flatten(value, f"{key}.")
        elif value is not None:
            is_list = isinstance(value, list | tuple)
            yield (key if is_list else _SHORTCUTS.get(key, key)), _as_json(key, value)


def _as_json(key: str, value: Any) -> Any:
    """Convert a value for JSON: paths to text, numbers to int or float, sequences to lists.

    Raises TypeError, with the key, for any other type.
    """
    match value:
        case None | bool() | str():
            return value
        case Path():
            return str(value)
        case Integral():
            return int(value)
        case Real():
            return float(value)
        case Mapping():
            return {str(name): _as_json(f"{key}.{name}", entry) for name, entry in value.items()}
        case list() | tuple():
            return [_as_json(f"{key}.{index}", entry) for index, entry in enumerate(value)]
        case _:
            raise TypeError(f"{key}: must be a plain value, not {type(value).__name__}")
