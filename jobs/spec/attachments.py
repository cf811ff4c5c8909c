"""Attachments: the files of a spec besides its input: masks, guides, and profiles of presses."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from render.dream.objective import Objective
from render.pictures.encoding import BUILTIN_PROFILE

_FIELDS = frozenset({"guide", "mask", "strength", "profile"})
"""The fields that may contain a path. Only objectives, `dream` and outputs have such fields."""

_NAMES = frozenset({("profile", BUILTIN_PROFILE)})
"""Fields and values that are names, and not paths."""


def map_attachments(document: Any, change: Callable[[str], str]) -> Any:
    """Return a copy of a document with every attachment path changed, also in a sweep."""
    if isinstance(document, list):
        return [map_attachments(item, change) for item in document]
    if not isinstance(document, dict):
        return document
    return {
        key: _map_paths(key, value, change)
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
            else:
                values = value if isinstance(value, list) else [value]
                yield from (one for one in values if _is_path(key, one))


def _is_attachment_field(key: object) -> bool:
    """Whether a field may contain a path; the name is dotted in a sweep."""
    return isinstance(key, str) and key.rpartition(".")[2] in _FIELDS


def _map_paths(key: str, value: Any, change: Callable[[str], str]) -> Any:
    """Change a path, or each path in a list of a sweep; return any other value unchanged."""
    if isinstance(value, list):
        return [_map_paths(key, item, change) for item in value]
    return change(value) if _is_path(key, value) else value


def _is_path(key: str, value: Any) -> bool:
    return isinstance(value, str) and (key, value) not in _NAMES


def objective_document(objective: Objective, digests: Mapping[Path, str]) -> dict[str, Any]:
    """An objective as plain JSON values, with digests instead of the paths of attachments."""
    return {
        key: digests[value] if isinstance(value, Path) else value
        for key, value in asdict(objective).items()
    }
