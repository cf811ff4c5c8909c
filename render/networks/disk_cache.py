"""What was found out about networks, remembered on disk, since finding out takes seconds.

Only what follows from an architecture and the software, this package's own code included, is kept,
so an entry never goes stale; a damaged one is found out again.
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

_SOFTWARE = ("torch", "torchvision")


def remembered(kind: str, question: dict[str, Any], find_out: Callable[[], dict[str, Any]]) -> Any:
    """The JSON answer to a question, from the cache or found out now and cached."""
    versions = {name: version(name) for name in _SOFTWARE}
    key = json.dumps([kind, question, versions, _own_code()], sort_keys=True)
    path = _folder() / f"{kind}-{hashlib.sha256(key.encode()).hexdigest()[:24]}.json"
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        answer = find_out()
        _write(path, json.dumps(answer))
        return answer


@cache
def _own_code() -> str:
    """A hash of the code that finds things out: of all of this package but its data."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _folder() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "dreamfarm"


def _write(path: Path, text: str) -> None:
    """Replace the file as a whole; without a place to write, remember nothing."""
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
