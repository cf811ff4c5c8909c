"""A dataset's manifest: written last, it says what became of the whole; rows tell of each item."""

from datetime import datetime
from typing import Any

from jobs.dataset.ledger_writer import Books
from jobs.planning.dataset import DatasetPlan
from jobs.runtime.environment import Machinery
from render.version import PIXEL_VERSION


def dataset_manifest(
    plan: DatasetPlan,
    used: Machinery,
    document: dict[str, Any],
    generation: int,
    books: Books,
    ledger: str,
    started: datetime,
    seconds: float,
) -> dict[str, Any]:
    """The manifest as JSON values.

    document: the spec as it was submitted. ledger: the merged one, from the manifest. started,
    seconds: of the holder that finished it.
    """
    return {
        "version": 1,
        "kind": "dataset",
        "job": plan.identity.job_id,
        "state": "succeeded",
        "spec": document,
        "identity": plan.identity.document,
        "plan": plan.pixels(),
        "weights": [{"sha256": one.weights_digest} for one in plan.variants],
        "generation": generation,
        "items": books.tally.document(),
        "ledger": ledger,
        "pixel_version": PIXEL_VERSION,
        "software": used.software,
        "device": used.name,
        "workers": plan.workers,
        "started": started.isoformat(timespec="seconds"),
        "seconds": {"total": round(seconds, 2)},
    }
