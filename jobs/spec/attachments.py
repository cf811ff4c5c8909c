"""The pictures that a spec names besides its input: masks and guides."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from render.dream.objective import Objective

_FIELDS = frozenset({"guide", "mask", "strength"})
"""Of objectives, and of a dream. Only these fields of a spec have such names."""


def with_companions(document: Any, change: Callable[[str], str]) -> Any:
    """A copy of a document with every companion's path changed, those in a sweep too."""
    if isinstance(document, list):
        return [with_companions(one, change) for one in document]
    if not isinstance(document, dict):
        return document
    return {
        key: _changed(value, change) if _names_companion(key) else with_companions(value, change)
        for key, value in document.items()
    }


def companions(document: Any) -> list[str]:
    """The paths of a document's companions, each once, in their order."""
    return list(dict.fromkeys(_found(document)))


def _found(document: Any) -> Iterator[str]:
    if isinstance(document, list):
        for one in document:
            yield from _found(one)
    elif isinstance(document, dict):
        for key, value in document.items():
            if not _names_companion(key):
                yield from _found(value)
            elif isinstance(value, list):
                yield from (one for one in value if isinstance(one, str))
            elif isinstance(value, str):
                yield value


def _names_companion(key: object) -> bool:
    """Whether a field holds a path; in a sweep its name is dotted."""
    return isinstance(key, str) and key.rpartition(".")[2] in _FIELDS


def _changed(value: Any, change: Callable[[str], str]) -> Any:
    """A path, or those that a sweep lists; whatever else a user wrote there, as it is."""
    if isinstance(value, list):
        return [_changed(one, change) for one in value]
    return change(value) if isinstance(value, str) else value


def described(objective: Objective, digests: Mapping[Path, str]) -> dict[str, Any]:
    """An objective as plain JSON values, with its companions' digests in place of their paths."""
    return {
        key: digests[value] if isinstance(value, Path) else value
        for key, value in asdict(objective).items()
    }
