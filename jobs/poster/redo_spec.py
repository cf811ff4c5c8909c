"""The spec of a redo, made from the spec of the picture and what a user asks for."""

import re
from typing import Any

from jobs.spec.document import Document, apply_overrides, parse_poster_spec
from jobs.spec.poster import PosterSpec
from jobs.spec.redo import RedoRequest
from jobs.text.errors import RequestError

_CHANGEABLE = frozenset(
    {"network", "objectives", "dream", "outputs", "tiles", "crew", "priority", "limits", "notify"}
)
"""The fields that a redo may change."""

_FIXED_IN_DREAM = frozenset({"octaves", "octave_scale", "edges"})

_OCTAVES = re.compile(r"\s*([1-9][0-9]?)\s*(?:\.\.)?\s*", re.ASCII)


def redo_spec(spec: PosterSpec, job: str, request: RedoRequest) -> PosterSpec:
    """The spec that dreams a picture again.

    Args:
        spec: of the picture, with files of this machine.
        job: the id of the job that made it.
        request: what is dreamed again, and how.

    Raises RequestError.
    """
    before = spec.document()
    changed = apply_overrides(before, request.settings)
    _check_fixed(before, changed)
    if not request.settings:
        # The same dream would make the same picture again.
        changed = changed | {"dream": before["dream"] | {"seed": spec.dream.seed + 1}}
    older = {
        key: before[key] for key in ("network", "objectives", "dream", "redo") if key in before
    }
    redo: Document = {"parent": job, "before": older, "from_octave": _first_octave(request.octaves)}
    for key, value in (("region", request.region), ("feather", request.feather)):
        if value is not None:
            redo[key] = value
    if request.mask is not None:
        redo["mask"] = str(request.mask.absolute())
    return parse_poster_spec(changed | {"redo": redo})


def _check_fixed(before: Document, changed: Document) -> None:
    """Raise RequestError if a setting changes what a redo keeps."""
    for key in before | changed:
        if key not in _CHANGEABLE and before.get(key) != changed.get(key):
            raise _fixed(key)
    dream: Any = changed["dream"]
    for key in _FIXED_IN_DREAM:
        if isinstance(dream, dict) and before["dream"].get(key) != dream.get(key):
            raise _fixed(f"dream.{key}")


def _fixed(key: str) -> RequestError:
    return RequestError(f"--set {key}: a redo keeps it as it is; render a new picture instead")


def _first_octave(text: str | None) -> int:
    if text is None:
        return 1
    match = _OCTAVES.fullmatch(text)
    if match is None:
        raise RequestError(f"--octaves {text}: write the first octave to dream again, such as 5..")
    return int(match[1])
