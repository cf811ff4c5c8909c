"""A disk cache for facts about networks that take seconds to compute.

The key holds the inputs, the versions of torch and torchvision, and a hash of this package's
source. So an entry never becomes stale. A damaged entry is computed again.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

_VERSIONED_PACKAGES = ("torch", "torchvision")


def cached_on_disk(kind: str, inputs: dict[str, Any], compute: Callable[[], dict[str, Any]]) -> Any:
    """Return the cached JSON result of `compute`, or compute it and cache it.

    kind: the name of the computation, which begins the file's name. inputs: its JSON arguments.
    """
    path = _path(kind, inputs)
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        answer = compute()
        _write_atomically(path, json.dumps(answer))
        return answer


def read_cached(kind: str, inputs: dict[str, Any]) -> Any:
    """Return a cached result of `cached_on_disk`; None if there is none."""
    try:
        return json.loads(_path(kind, inputs).read_text())
    except (OSError, ValueError):
        return None


def _path(kind: str, inputs: dict[str, Any]) -> Path:
    versions = {name: version(name) for name in _VERSIONED_PACKAGES}
    key = json.dumps([kind, inputs, versions, _source_digest()], sort_keys=True)
    return _cache_folder() / f"{kind}-{hashlib.sha256(key.encode()).hexdigest()[:24]}.json"


@cache
def _source_digest() -> str:
    """SHA-256 of all Python files of `render`."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _cache_folder() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "dreamfarm"


def _write_atomically(path: Path, text: str) -> None:
    """Replace the file atomically; do nothing if the folder is not writable."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent)
    except OSError:
        return
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink()
