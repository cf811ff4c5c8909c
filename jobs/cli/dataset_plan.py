"""What `dreamfarm plan` says of a dataset."""

import json
from typing import Any

import typer

from jobs.dataset.plan import DatasetPlan
from jobs.dataset.sources.listing import listing


def show_dataset_plan(plan: DatasetPlan, *, as_json: bool) -> None:
    """Print what a dataset consists of, and what it is worked on with. Lists its inputs."""
    pictures = unreadable = 0
    for found in listing(plan.spec.inputs):
        pictures += 1
        unreadable += found.complaint is not None
    document = _document(plan, pictures, unreadable)
    if as_json:
        typer.echo(json.dumps(document))
        return
    for name, text in _facts(plan, document):
        typer.echo(f"  {name:<18} {text}")


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


def _facts(plan: DatasetPlan, document: dict[str, Any]) -> list[tuple[str, str]]:
    unreadable = document["unreadable"]
    spoilt = f", {unreadable} of them unreadable" if unreadable else ""
    first = plan.manner(0, {})
    layers = ", ".join(one.seen for one in first.mix)
    return [
        ("job", document["job"]),
        ("pictures", f"{document['pictures']}{spoilt}"),
        ("variants", str(document["variants"])),
        ("items", str(document["items"])),
        ("resize", document["resize"]),
        ("network", f"{document['network']}: {layers}, {first.precision}"),
        ("workers", f"{document['workers']}, {document['batch']} pictures at once"),
        ("memory a worker", f"at most {document['memory_limit'] / 2**30:.2f} GiB"),
    ]
