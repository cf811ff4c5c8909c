"""Which job this is: a name and a hash of all that decides its pixels and files, and nothing else.

Two requests with the same identity are the same job, wherever their files lie and whoever renders
them; an edited picture, other weights or a new pixel version make another job.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.spec.attachments import with_companions
from jobs.spec.poster import Spec
from jobs.text.errors import RequestError
from render.version import PIXEL_VERSION

_HASH_DIGITS = 12

_NONE: Mapping[Path, str] = {}

NO_PIXELS = frozenset({"name", "crew", "priority", "limits"})
"""Fields of a spec that decide nothing of what is made."""


@dataclass(frozen=True)
class Identity:
    """A job's identity.

    job_id: `NAME-HASH`, the spec's name and twelve hex digits of the document's SHA-256.
    document: what was hashed, as plain JSON values: the spec without crew, priority, limits and
        paths, with digests in their place, and the pixel version. It may be embedded in results,
        since no crew and no path changes it.
    """

    job_id: str
    document: dict[str, Any]


def identity(
    spec: Spec,
    *,
    weights: str,
    picture: str | None = None,
    companions: Mapping[Path, str] = _NONE,
) -> Identity:
    """The identity of a spec whose files have these digests (`file_digest`).

    weights: of the file that will be loaded, whichever way the spec chooses it.
    picture: of the input; None for noise and colours.
    companions: of masks and guides.

    Raises ValueError for an input picture without digest.
    """
    if (spec.input.path is None) != (picture is None):
        raise ValueError("an input picture needs its digest, and nothing else may have one")
    given = with_companions(spec.document(), lambda path: companions[Path(path)])
    document = {
        **{key: value for key, value in given.items() if key not in NO_PIXELS},
        "input": {"picture": picture} if picture else _present(given["input"]),
        "network": {"name": spec.network.name, "weights": weights},
        "outputs": sorted(given["outputs"], key=lambda output: str(output["format"])),
        "pixel_version": PIXEL_VERSION,
    }
    return identified(spec.name, document)


def identified(name: str, document: dict[str, Any]) -> Identity:
    """The identity of a job by that name, of which the document says all that decides it."""
    text = canonical(document)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Identity(f"{name}-{digest[:_HASH_DIGITS]}", json.loads(text))


def canonical(value: Any) -> str:
    """The one text of plain JSON values: keys sorted, no spaces, ASCII, and 2.0 written as 2.

    Other floats have the shortest text that reads back to the same number. Raises ValueError for
    what is no number.
    """
    return json.dumps(
        _whole(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    )


def file_digest(path: Path) -> str:
    """`sha256:` and the hex digest of a file, read in pieces. Raises RequestError."""
    try:
        with path.open("rb") as file:
            return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    except OSError as error:
        raise RequestError(f"{path}: {error.strerror}") from error


def _present(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _whole(value: Any) -> Any:
    match value:
        case dict():
            return {key: _whole(entry) for key, entry in value.items()}
        case list() | tuple():
            return [_whole(entry) for entry in value]
        case float() if value.is_integer():
            return int(value)
        case _:
            return value
