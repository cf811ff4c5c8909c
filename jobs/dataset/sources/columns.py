"""What the columns of a manifest mean."""

from collections.abc import Iterable
from dataclasses import dataclass

from jobs.errors import RequestError
from render.nearest import nearest

KEY = "key"
"""The column that names a picture otherwise than by where it lies."""

_SETTABLE = frozenset({"dream", "name", "objectives", "resize"})
_FIXED = frozenset(
    {"crew", "input", "inputs", "kind", "limits", "network"}
    | {"output", "precision", "priority", "sweep", "tiles"}
)
"""Fields of the spec that are the same for all pictures of a job."""


def may_set(name: str) -> bool:
    """Whether a row may set a field of the spec, by its dotted name."""
    return name.partition(".")[0] in _SETTABLE


@dataclass(frozen=True)
class Columns:
    """manifest: its address. picture: the column that says where the picture lies."""

    manifest: str
    picture: str

    def check(self, names: Iterable[str]) -> None:
        """Raises RequestError where the picture's column is missing, or a row sets too much."""
        known = list(names)
        if self.picture not in known:
            close = nearest(self.picture, known)
            raise RequestError(
                f"{self.manifest}: no column {self.picture}; "
                + (f"nearest: {', '.join(close)}; " if close else "")
                + f"it has {', '.join(known)}; set inputs.column"
            )
        for name in known:
            if self.is_read(name) and known.count(name) > 1:
                raise RequestError(f"{self.manifest}: column {name} is there twice; rename one")
        self.check_settings(known)

    def check_settings(self, names: Iterable[str]) -> None:
        """Raises RequestError for a column that would set what all pictures share."""
        for name in names:
            field = name.partition(".")[0]
            if field in _FIXED and name not in {self.picture, KEY}:
                raise RequestError(
                    f"{self.manifest}: column {name}: {field} is the same for all pictures of a "
                    "job; set it in the spec, or rename the column"
                )

    def is_setting(self, name: str) -> bool:
        """Whether a column overrides a field of the spec."""
        return may_set(name) and name not in {self.picture, KEY}

    def is_read(self, name: str) -> bool:
        """Whether a column matters at all."""
        return name in {self.picture, KEY} or self.is_setting(name)
