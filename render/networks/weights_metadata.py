"""What a weights file states about its network: the metadata of safetensors, also in shards."""

import json
from dataclasses import dataclass
from pathlib import Path

from render.errors import WeightsError
from render.input_file import read_problem
from render.networks.safetensors_header import check_header, is_safetensors
from render.networks.shards import is_shard_index, read_shard_index

_KNOWN = ("architecture", "classes", "licence", "input_convention")


@dataclass(frozen=True)
class WeightsMetadata:
    """What a weights file states about its network. A missing or malformed entry is empty.

    classes: names in the order of the scores.
    input_convention: the name of one (`networks.normalisation`); empty means the network's own.
    """

    architecture: str = ""
    classes: tuple[str, ...] = ()
    licence: str = ""
    input_convention: str = ""


def read_metadata(path: Path) -> WeightsMetadata:
    """Read the metadata of a weights file, or of the shards of an index.

    It is empty for files other than safetensors. Raises WeightsError if a file cannot be read.
    """
    stated = stated_entries(path)
    return WeightsMetadata(
        stated.get("architecture", "").removeprefix("torchvision "),
        _parse_class_names(stated.get("classes", "")),
        stated.get("licence", ""),
        stated.get("input_convention", ""),
    )


def stated_entries(path: Path) -> dict[str, str]:
    """The entries of the metadata of a weights file that are known here, as text.

    Of the shards of an index, the first that states an entry counts. Raises like `read_metadata`.
    """
    try:
        parts = [path]
        if not is_safetensors(path):
            parts = read_shard_index(path) if is_shard_index(path) else []
        found: dict[str, str] = {}
        for part in parts:
            found = {**_entries(part), **found}
    except OSError as error:
        raise WeightsError(f"weights {path}: {read_problem(error)}") from error
    except ValueError as error:
        raise WeightsError(
            f"weights {path}: cannot be read ({error}); is it a whole weights file?"
        ) from error
    return {name: found[name] for name in _KNOWN if found.get(name)}


def _entries(path: Path) -> dict[str, str]:
    from safetensors import SafetensorError, safe_open

    check_header(path)
    try:
        with safe_open(path, framework="np") as opened:
            return dict(opened.metadata() or {})
    except SafetensorError as error:
        raise WeightsError(
            f"weights {path}: cannot be read ({error}); is it a whole weights file?"
        ) from error


def _parse_class_names(text: str) -> tuple[str, ...]:
    """Parse a JSON list of strings. Return an empty tuple for anything else."""
    try:
        words = json.loads(text)
    except (ValueError, RecursionError):
        return ()
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        return ()
    return tuple(words)
