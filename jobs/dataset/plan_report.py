"""The plan of a dataset as `dreamfarm plan` shows it."""

from typing import Any

from jobs.dataset.inputs.item import LeftOut
from jobs.dataset.inputs.listing import list_images
from jobs.dataset.outputs import without_results
from jobs.planning.dataset import DatasetPlan
from jobs.planning.item_settings import ItemSettings
from jobs.text.report import PlanReport, Properties


def dataset_plan_report(plan: DatasetPlan) -> PlanReport:
    """List a dataset's inputs, and describe its plan."""
    pictures = unreadable = 0
    left_out = LeftOut()
    inputs, job = plan.spec.inputs, plan.identity.job_id
    for image in without_results(list_images(inputs, left_out), inputs, job, left_out):
        pictures += 1
        unreadable += image.error is not None
    first = plan.item_settings(0, {})
    document = _document(plan, first, pictures, unreadable)
    properties = _properties(first, document)
    if note := left_out.note():
        properties.append(("other files", note))
    return PlanReport(document, (Properties(properties),))


def _document(
    plan: DatasetPlan, first: ItemSettings, pictures: int, unreadable: int
) -> dict[str, Any]:
    """The plan as plain JSON values. first: the settings of the first variant."""
    return {
        "version": 1,
        "job": plan.identity.job_id,
        "pictures": pictures,
        "unreadable": unreadable,
        "variants": len(plan.variants),
        "items": pictures * len(plan.variants),
        "resize": str(plan.spec.resize),
        "network": plan.spec.network.label,
        "precision": first.precision,
        "workers": plan.workers,
        "gpus_per_worker": plan.gpus_per_worker,
        "batch": plan.batch,
        "memory_limit": plan.memory,
    }


def _properties(first: ItemSettings, document: dict[str, Any]) -> list[tuple[str, str]]:
    unreadable = document["unreadable"]
    suffix = f", {unreadable} of them unreadable" if unreadable else ""
    layers = ", ".join(one.target_layer for one in first.mix)
    return [
        ("job", document["job"]),
        ("pictures", f"{document['pictures']}{suffix}"),
        ("variants", str(document["variants"])),
        ("items", str(document["items"])),
        ("resize", document["resize"]),
        ("network", f"{document['network']}: {layers}, {document['precision']}"),
        ("workers", f"{document['workers']}, {document['batch']} pictures at once"),
        ("memory a worker", f"at most {document['memory_limit'] / 2**30:.2f} GiB"),
    ]
