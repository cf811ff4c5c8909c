"""The manifest: the last file written. What was made, from what, by what, with its checksums."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from jobs.plan import Plan
from jobs.poster.machinery import Machinery
from jobs.poster.written import Written
from render.version import PIXEL_VERSION

MANIFEST = "manifest.json"


def manifest(
    plan: Plan,
    used: Machinery,
    document: dict[str, Any],
    folder: str,
    written: list[Written],
    started: datetime,
    seconds: dict[str, float],
) -> dict[str, Any]:
    """The manifest as JSON values.

    used: what the crew computed with. document: the spec as it was submitted. folder: where the
        outputs lie, from the manifest, with its `/`. started: of the holder that finished it, in
        UTC. seconds: wall times by phase, of that holder.
    """
    return {
        "version": 1,
        "job": plan.identity.job_id,
        "state": "succeeded",
        "spec": document,
        "identity": plan.identity.document,
        "plan": plan.pixels(),
        "input": {
            "height": plan.source.height,
            "width": plan.source.width,
            "depth": plan.source.depth,
            "sha256": plan.source.digest,
        },
        "weights": {"sha256": plan.weights_digest},
        "pixel_version": PIXEL_VERSION,
        "software": used.software,
        "device": used.name,
        "workers": plan.workers,
        "started": started.isoformat(timespec="seconds"),
        "seconds": {phase: round(time, 2) for phase, time in seconds.items()},
        "megapixel_steps": round(plan.megapixel_steps, 3),
        "outputs": [_output(plan, folder, one) for one in written],
    }


def _output(plan: Plan, folder: str, one: Written) -> dict[str, Any]:
    return {
        "path": f"{folder}{one.name}",
        "format": one.format,
        "width": plan.extent.width,
        "height": plan.extent.height,
        "depth": one.depth,
        "dpi": plan.extent.dpi,
        "bytes": one.size,
        "sha256": one.digest,
    }


def encoded(content: dict[str, Any]) -> bytes:
    """The manifest's one form in files and stores."""
    return f"{json.dumps(content, indent=2)}\n".encode()


def write_manifest(folder: Path, content: dict[str, Any]) -> Path:
    """Put the manifest into a folder, whole or not at all."""
    path = folder / MANIFEST
    partial = path.with_name(f".{MANIFEST}.partial")
    partial.write_bytes(encoded(content))
    partial.replace(path)
    return path
