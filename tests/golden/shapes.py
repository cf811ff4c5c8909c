"""What records consist of, without what differs from run to run and from machine to machine."""

from typing import Any

ANY = "*"


def shape(value: Any) -> Any:
    """The names of all fields, with a star for each value; a list as what its members have."""
    if isinstance(value, dict):
        return {key: shape(part) for key, part in sorted(value.items())}
    if isinstance(value, list):
        together: Any = ANY
        for part in map(shape, value):
            together = _merged(together, part)
        return [together] if value else []
    return ANY


def starred(value: Any, *names: str) -> Any:
    """The same with a star for what these fields hold, however deep."""
    if isinstance(value, dict):
        return {key: ANY if key in names else starred(part, *names) for key, part in value.items()}
    if isinstance(value, list):
        return [starred(part, *names) for part in value]
    return value


def _merged(one: Any, other: Any) -> Any:
    if isinstance(one, dict) and isinstance(other, dict):
        both = one | other
        return {key: _merged(one.get(key, both[key]), both[key]) for key in sorted(both)}
    if isinstance(one, list) and isinstance(other, list):
        return [_merged(one[0], other[0])] if one and other else one or other
    return other if one == ANY else one
