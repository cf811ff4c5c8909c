"""The plan of a dataset as `dreamfarm plan` shows it."""

from typing import Any

from jobs.dataset.inputs.listing import list_images
from jobs.planning.dataset import DatasetPlan
from jobs.text.report import PlanReport, Properties


def dataset_plan_report(plan: DatasetPlan) -> PlanReport:
    """List a dataset's inputs, and describe its plan."""
    pictures = unreadable = 0
    for image in list_images(plan.spec.inputs):
        pictures += 1
        unreadable += image.error is not None
    document = _document(plan, pictures, unreadable)
    return PlanReport(document, (Properties(_properties(plan, document)),))


def _document(plan: DatasetPlan, pictures: int, unreadable: int) -> dict[str, Any]:
    return {
        "version": 1,
        "job": plan.identity.job_id,
        "pictures": pictures,
        "unreadable": unreadable,
        "variants": len(plan.variants),
        "items": pictures * len(plan.variants),
        "resize": str(plan.spec.resize),
        "network": plan.spec.network.name,
        "precision": plan.precision,
        "workers": plan.workers,
        "gpus_per_worker": plan.gpus_per_worker,
        "batch": plan.batch,
        "memory_limit": plan.memory,
    }


def _properties(plan: DatasetPlan, document: dict[str, Any]) -> list[tuple[str, str]]:
    unreadable = document["unreadable"]
    suffix = f", {unreadable} of them unreadable" if unreadable else ""
    first = plan.item_settings(0, {})
    layers = ", ".join(one.target_layer for one in first.mix)
    return [
        ("job", document["job"]),
        ("pictures", f"{document['pictures']}{suffix}"),
        ("variants", str(document["variants"])),
        ("items", str(document["items"])),
        ("resize", document["resize"]),
        ("network", f"{document['network']}: {layers}, {first.precision}"),
        ("workers", f"{document['workers']}, {document['batch']} pictures at once"),
        ("memory a worker", f"at most {document['memory_limit'] / 2**30:.2f} GiB"),
    ]
