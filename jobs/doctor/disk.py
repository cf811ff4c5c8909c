"""Whether there is room for work in progress."""

import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from jobs.doctor.finding import Finding, failed, ok, size, warning

_LEAST = 1 << 30
_ENOUGH = 10 << 30


def disks(places: Iterable[tuple[str, Path]]) -> list[Finding]:
    """A check of each folder, there or not yet, by what it is for."""
    return [_disk(f"disk for {what}", folder) for what, folder in places]


def _disk(check: str, folder: Path) -> Finding:
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    try:
        free = shutil.disk_usage(there).free
        with tempfile.TemporaryFile(dir=there) as trial:
            trial.write(b"\0")
            trial.flush()
    except OSError as error:
        return failed(
            check,
            f"{folder}: nothing can be written there ({error.strerror or error})",
            f"make it writable for this user, or name another place{_other(check)}",
        )
    found = f"{folder}: {size(free)} free"
    if free < _LEAST:
        return failed(check, found, f"free some, or name another place{_other(check)}")
    if free < _ENOUGH:
        return warning(check, found, "large posters need more: `dreamfarm plan` says how much")
    return ok(check, found)


def _other(check: str) -> str:
    return " by TMPDIR" if check.endswith("scratch") else " by XDG_CACHE_HOME"
