"""What was found out about networks, remembered on disk, since finding out takes seconds.

Only what follows from an architecture and the versions of the software is kept, so an entry never
goes stale; a damaged or unwritable one is found out again.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from render.version import PIXEL_VERSION

_SOFTWARE = ("torch", "torchvision")


def remembered(kind: str, question: dict[str, Any], find_out: Callable[[], dict[str, Any]]) -> Any:
    """The JSON answer to a question, from the cache or found out now and cached."""
    versions = {name: version(name) for name in _SOFTWARE}
    key = json.dumps([kind, question, versions, PIXEL_VERSION], sort_keys=True)
    path = _folder() / f"{kind}-{hashlib.sha256(key.encode()).hexdigest()[:24]}.json"
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        answer = find_out()
        _write(path, json.dumps(answer))
        return answer


def _folder() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "dreamfarm"


def _write(path: Path, text: str) -> None:
    """Replace the file as a whole; without a place to write, remember nothing."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "w") as file:
            file.write(text)
        Path(temporary).replace(path)
    except OSError:
        return
