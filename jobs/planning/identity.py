"""The identity of a job: its name, and a hash of everything that affects its results.

Requests with the same identity are the same job: paths and machines do not count. An edited
picture, other weights or a new pixel version make another job.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.spec.attachments import map_attachments
from jobs.spec.poster import PosterSpec
from jobs.spec.redo import nested_networks
from jobs.text.errors import RequestError
from render.input_file import open_input_file, read_problem
from render.version import PIXEL_VERSION

_HASH_DIGITS = 12

_NO_ATTACHMENTS: Mapping[Path, str] = {}

UNHASHED_FIELDS = frozenset({"name", "crew", "priority", "limits", "notify"})
"""Spec fields that do not affect results."""


@dataclass(frozen=True)
class Identity:
    """A job's identity.

    job_id: `NAME-HASH`: the spec's name, and twelve hex digits of the document's SHA-256.
    document: what was hashed, as plain JSON values: the spec with digests in place of paths, and
        the pixel version, without UNHASHED_FIELDS. Results may embed it, because it contains no
        path and nothing about the crew.
    """

    job_id: str
    document: dict[str, Any]


def poster_identity(
    spec: PosterSpec,
    *,
    weights: str,
    picture: str | None = None,
    attachment_digests: Mapping[Path, str] = _NO_ATTACHMENTS,
    older_weights: Sequence[str] = (),
) -> Identity:
    """The identity of a poster. Its arguments are digests from `file_digest`.

    Args:
        spec: The poster.
        weights: The weights file that will be loaded, built-in or not.
        picture: The input; None for noise and plain colours.
        attachment_digests: Of masks, guides and profiles, by path.
        older_weights: Of the older pictures of a redo, the newest first.

    Raises:
        ValueError: An input file has no digest, or another input has one.
    """
    if (spec.input.path is None) != (picture is None):
        raise ValueError("an input file needs a digest, and other inputs have none")
    given = map_attachments(spec.document(), lambda path: attachment_digests[Path(path)])
    for network, digest in zip(nested_networks(given), older_weights, strict=True):
        network["weights"] = digest
    document = {
        **{key: value for key, value in given.items() if key not in UNHASHED_FIELDS},
        "input": _input(given["input"], picture),
        "network": {"name": spec.network.name, "weights": weights},
        "outputs": sorted(
            given["outputs"],
            key=lambda output: (str(output["format"]), "panels" in output, canonical_json(output)),
        ),
        "pixel_version": PIXEL_VERSION,
    }
    return make_identity(spec.name, document)


def make_identity(name: str, document: dict[str, Any]) -> Identity:
    """The identity of a job of that name. document: everything that affects its results."""
    text = canonical_json(document)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Identity(f"{name}-{digest[:_HASH_DIGITS]}", json.loads(text))


def pixel_document(document: Mapping[str, Any]) -> dict[str, Any]:
    """What decides a poster's pixels, whatever files are made of them. document: its identity."""
    return {key: value for key, value in document.items() if key != "outputs"}


def canonical_json(value: Any) -> str:
    """The canonical text of plain JSON values: keys sorted, no spaces, ASCII, 2.0 written as 2.

    Other floats get the shortest text that reads back as the same number. Raises ValueError for
    NaN and infinity.
    """
    return json.dumps(
        _normalized(value),
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=True,
        allow_nan=False,
    )


def file_digest(path: Path) -> str:
    """`sha256:` and the hex digest of a file. Raises RequestError if it is unreadable."""
    try:
        with open_input_file(path) as file:
            return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    except OSError as error:
        raise RequestError(f"{path}: {read_problem(error)}") from error


def _input(given: dict[str, Any], picture: str | None) -> dict[str, Any]:
    """The input as hashed: a digest in place of a path."""
    values = {key: value for key, value in given.items() if value is not None}
    if picture is None:
        return values
    return {"picture": picture, **{key: values[key] for key in values if key != "path"}}


def _normalized(value: Any) -> Any:
    match value:
        case dict():
            return {key: _normalized(entry) for key, entry in value.items()}
        case list() | tuple():
            return [_normalized(entry) for entry in value]
        case float() if value.is_integer():
            return int(value)
        case _:
            return value
