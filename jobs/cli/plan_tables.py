"""What `dreamfarm plan` says of a dataset."""

import json
from typing import TYPE_CHECKING, Any

import typer

from jobs.dataset.inputs.listing import listing
from jobs.planning.dataset import DatasetPlan

if TYPE_CHECKING:
    from jobs.planning.estimate.comparison import Outlook


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
    for name, text in _facts_dataset_plan(plan, document):
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


def _facts_dataset_plan(plan: DatasetPlan, document: dict[str, Any]) -> list[tuple[str, str]]:
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


_MINUTES_FROM = 600.0
"""Seconds."""


def scale_document(found: "Outlook") -> dict[str, Any]:
    """The outlook for programs: seconds, bytes and US dollars."""
    from jobs.planning.estimate.comparison import PAYS

    conditions = found.conditions
    return {
        "speed": conditions.speed.origin,
        "network_gbps": conditions.link.gbps,
        "price": conditions.price,
        "prices": conditions.listed,
        "crews": [
            {
                "workers": crew.workers,
                "seconds": round(crew.seconds, 2),
                "phases": {
                    name: round(getattr(crew, name), 2)
                    for name in ("start", "decode", "dream", "encode")
                },
                "step": {
                    name: round(getattr(crew.step, name), 6)
                    for name in ("seconds", "compute", "halo", "calls")
                },
                "halo_bytes_step": crew.step.halo_bytes,
                "halo_bytes": crew.halo_bytes,
                "efficiency": round(found.efficiency(crew), 4),
                "cost": None if crew.cost is None else round(crew.cost, 4),
            }
            for crew in found.crews
        ],
        "useful_workers": found.useful,
        "pays": PAYS,
    }


def show_scale(document: dict[str, Any]) -> None:
    """The same for people: a crew a line, and what it rests on."""
    from jobs.cli.format import show_table, spoken_size

    show_table(
        ("workers", "a step", "halos a step", "time", "efficiency", "USD"),
        (
            (
                crew["workers"],
                _spoken_step(crew["step"]["seconds"]),
                spoken_size(crew["halo_bytes_step"]),
                _spoken_whole(crew["seconds"]),
                f"{crew['efficiency']:.0%}",
                "?" if crew["cost"] is None else f"{crew['cost']:.2f}",
            )
            for crew in document["crews"]
        ),
    )
    for name, text in _facts(document):
        typer.echo(f"  {name:<18} {text}")


def _facts(document: dict[str, Any]) -> list[tuple[str, str]]:
    gbps, price = document["network_gbps"], document["price"]
    useful = document["useful_workers"]
    hourly = "unknown; give --price" if price is None else f"{price:g} USD a worker and hour"
    source = "" if document["prices"] is None else f" ({document['prices']})"
    return [
        ("speed", document["speed"]),
        ("network", "none: one machine" if gbps is None else f"{gbps:g} Gbit/s a worker"),
        ("price", f"{hourly}{source}"),
        (
            "stops paying",
            f"beyond {useful} worker{'' if useful == 1 else 's'}: from there on each adds less "
            f"than {document['pays']:.0%} of what one does alone",
        ),
    ]


def _spoken_step(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 10 else f"{seconds * 1000:.0f} ms"


def _spoken_whole(seconds: float) -> str:
    """In seconds as long as crews would otherwise look alike."""
    from jobs.cli.format import spoken_time

    return f"{seconds:.0f} s" if seconds < _MINUTES_FROM else spoken_time(seconds)
