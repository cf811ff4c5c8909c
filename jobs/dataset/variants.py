"""The combinations of a sweep, each as the fields that it sets."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

Settings = dict[str, Any]
"""Values by the dotted names of the spec's fields."""


def variants(sweep: Mapping[str, Sequence[Any]]) -> tuple[Settings, ...]:
    """All combinations, the last field changing fastest; without a sweep the one that sets nothing.

    The number of a variant is its place here.
    """
    names = list(sweep)
    return tuple(dict(zip(names, values, strict=True)) for values in product(*sweep.values()))
