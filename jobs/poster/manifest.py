"""The manifest of a poster: what was made, from what, with what, and the checksums."""

from datetime import datetime
from typing import Any

from jobs.planning.poster import PosterPlan
from jobs.runtime.environment import Environment
from jobs.runtime.manifest import OutputFile
from render.version import PIXEL_VERSION


def poster_manifest(
    plan: PosterPlan,
    used: Environment,
    document: dict[str, Any],
    folder: str,
    files: list[OutputFile],
    started: datetime,
    seconds: dict[str, float],
) -> dict[str, Any]:
    """The manifest as JSON values.

    used: the environment of the crew. document: the spec as the user submitted it.
    folder: the folder of the outputs, relative to the manifest, with its final `/`.
    started, seconds: of the holder that finished the job: in UTC, and wall times by phase.
    """
    return {
        "version": 1,
        "job": plan.identity.job_id,
        "state": "succeeded",
        "spec": document,
        "identity": plan.identity.document,
        "plan": plan.pixel_settings(),
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
        "outputs": [_output(plan, folder, one) for one in files],
    }


def _output(plan: PosterPlan, folder: str, one: OutputFile) -> dict[str, Any]:
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
