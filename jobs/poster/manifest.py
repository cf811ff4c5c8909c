"""The manifest: the last file written. What was made, from what, by what, with its checksums."""

from datetime import datetime
from typing import Any

from jobs.planning.poster import Plan
from jobs.runtime.environment import Machinery
from jobs.runtime.manifest import Written
from render.version import PIXEL_VERSION


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
