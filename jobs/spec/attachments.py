"""Attachments: the masks and guides of a spec, pictures besides its input."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from render.dream.objective import Objective

_FIELDS = frozenset({"guide", "mask", "strength"})
"""The fields that may contain a path. Only objectives and `dream` have fields with these names."""


def map_attachments(document: Any, change: Callable[[str], str]) -> Any:
    """Return a copy of a document with every attachment path changed, also in a sweep."""
    if isinstance(document, list):
        return [map_attachments(item, change) for item in document]
    if not isinstance(document, dict):
        return document
    return {
        key: _map_paths(value, change)
        if _is_attachment_field(key)
        else map_attachments(value, change)
        for key, value in document.items()
    }


def attachment_paths(document: Any) -> list[str]:
    """The paths of all attachments in a document, in order, without duplicates."""
    return list(dict.fromkeys(_find_paths(document)))


def _find_paths(document: Any) -> Iterator[str]:
    if isinstance(document, list):
        for item in document:
            yield from _find_paths(item)
    elif isinstance(document, dict):
        for key, value in document.items():
            if not _is_attachment_field(key):
                yield from _find_paths(value)
            elif isinstance(value, list):
                yield from (item for item in value if isinstance(item, str))
            elif isinstance(value, str):
                yield value


def _is_attachment_field(key: object) -> bool:
    """Whether a field may contain a path; the name is dotted in a sweep."""
    return isinstance(key, str) and key.rpartition(".")[2] in _FIELDS


def _map_paths(value: Any, change: Callable[[str], str]) -> Any:
    """Change a path, or each path in a list of a sweep; return any other value unchanged."""
    if isinstance(value, list):
        return [_map_paths(item, change) for item in value]
    return change(value) if isinstance(value, str) else value


def objective_document(objective: Objective, digests: Mapping[Path, str]) -> dict[str, Any]:
    """An objective as plain JSON values, with digests instead of the paths of attachments."""
    return {
        key: digests[value] if isinstance(value, Path) else value
        for key, value in asdict(objective).items()
    }
