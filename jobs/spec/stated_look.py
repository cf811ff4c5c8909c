"""Which look a spec has: stored specs have the fields of a look, and not its name."""

import functools
from collections.abc import Mapping
from typing import Any

from jobs.spec.document import expand_shorthands
from jobs.spec.looks import load_look, look_names


def find_look(document: Mapping[str, Any]) -> str | None:
    """The look whose every field a spec document has; None if there is none.

    document: with shorthands expanded, as specs are stored.
    """
    return next((name for name, look in _looks() if _has(document, look)), None)


@functools.cache
def _looks() -> tuple[tuple[str, dict[str, Any]], ...]:
    looks = ((name, expand_shorthands(load_look(name))) for name in look_names())
    # A look with more fields says more about a spec that has all of them.
    return tuple(sorted(looks, key=lambda one: (-len(str(one[1])), one[0])))


def _has(value: Any, wanted: Any) -> bool:
    """Whether a value has everything that is wanted. Other fields of mappings do not matter."""
    if isinstance(wanted, Mapping):
        return isinstance(value, Mapping) and all(
            key in value and _has(value[key], one) for key, one in wanted.items()
        )
    if isinstance(wanted, list):
        return (
            isinstance(value, list) and len(value) == len(wanted) and all(map(_has, value, wanted))
        )
    return bool(value == wanted)
