"""The plan of a poster as `dreamfarm plan` shows it, with time and cost."""

from typing import Any

from jobs.planning.estimate.comparison import compare_crews
from jobs.planning.estimate.conditions import conditions_for
from jobs.planning.estimate.prediction import predict
from jobs.planning.estimate.report import comparison_document, comparison_sections
from jobs.planning.estimate.request import EstimateRequest
from jobs.planning.machine import Machine
from jobs.planning.poster import PosterPlan, make_plan
from jobs.poster.outputs import encoding_resources
from jobs.runtime.kind import FolderOf
from jobs.spec.poster import PosterSpec
from jobs.text.report import PlanReport, Properties, Table, format_time
from render.dream.config import Dream
from render.geometry.edges import axis_edges
from render.networks.published_weights import published_weights


def poster_plan_report(
    spec: PosterSpec,
    machine: Machine,
    request: EstimateRequest,
    folder_of: FolderOf,
    *,
    probe: bool,
) -> PlanReport:
    """Plan a poster for the largest requested crew, and compare the requested crews.

    Raises RequestError where the disk has no room for the render.
    """
    plan = make_plan(spec, request.machine(machine, spec.crew))
    if not request.is_remote:
        plan.disk.check(folder_of(plan.identity.job_id))
    if not probe and not request.compares_crews:
        return _report(plan, None, None)
    conditions = conditions_for(plan, request, machine.cores, probe=probe)
    comparison = None
    if request.compares_crews:
        crews = compare_crews(plan, conditions, request.workers or (plan.workers,))
        if request.is_remote and not request.workers and spec.crew.workers == "auto":
            plan = plan.with_workers(crews.useful_workers)
        comparison = comparison_document(crews)
    return _report(plan, predict(plan, plan.workers, conditions).seconds, comparison)


def _report(
    plan: PosterPlan, seconds: float | None, comparison: dict[str, Any] | None
) -> PlanReport:
    document = _document(plan, seconds, comparison)
    compared = () if comparison is None else comparison_sections(comparison)
    return PlanReport(document, (_octaves(document), Properties(_properties(document)), *compared))


def _document(
    plan: PosterPlan, seconds: float | None, comparison: dict[str, Any] | None
) -> dict[str, Any]:
    """A poster's plan as plain JSON values. seconds: its estimated time."""
    return {
        "version": 1,
        "job": plan.identity.job_id,
        "width": plan.extent.width,
        "height": plan.extent.height,
        "dpi": plan.extent.dpi,
        "network": plan.spec.network.label,
        "objectives": plan.pixel_settings()["objectives"],
        "precision": plan.precision,
        "stride": plan.profile.stride,
        "field": plan.profile.field,
        "halo": plan.profile.field - 1 + plan.spec.dream.margin,
        "tile": plan.octaves[-1].tile,
        "window": plan.octaves[-1].window,
        "halo_overhead": round(plan.octaves[-1].overhead, 4),
        "octaves": [
            {
                "width": octave.width,
                "height": octave.height,
                "columns": octave.columns,
                "rows": octave.rows,
                "halo_overhead": round(octave.overhead, 4),
                "megapixel_steps": round(octave.megapixel_steps, 3),
            }
            for octave in plan.octaves
        ],
        "megapixel_steps": round(plan.megapixel_steps, 3),
        "workers": plan.workers,
        "gpus_per_worker": plan.gpus_per_worker,
        "memory_per_worker": plan.memory.needed,
        "memory_limit": plan.memory.limit,
        "memory_for_files": encoding_resources(plan).memory,
        "tiles_on_disk": plan.memory.spills,
        "bytes_in": plan.disk.input,
        "bytes_scratch": plan.disk.scratch,
        "bytes_out": plan.disk.outputs,
        "seconds": None if seconds is None else round(seconds, 1),
        "scale": comparison,
        **_published(plan),
        **_edges(plan),
        **({"notes": list(plan.source.notes)} if plan.source.notes else {}),
    }


def _published(plan: PosterPlan) -> dict[str, str]:
    """What the weights are, if they are published ones."""
    name = published_weights(plan.weights, plan.weights_digest)
    return {} if name is None else {"weights": name}


def _edges(plan: PosterPlan) -> dict[str, str]:
    """What lies beyond the edges if it is not zeros, and at which size a torus closes exactly."""
    edges, stride = plan.spec.dream.edges, plan.profile.stride
    if edges == Dream.edges:
        return {}
    height, width = (
        max(round(side / stride), 1) * stride if edge == "wrap" else side
        for side, edge in zip(plan.size, axis_edges(edges), strict=True)
    )
    advice = "" if (height, width) == plan.size else f"; closes exactly at {width} x {height}"
    return {"edges": f"{edges}{advice}"}


def _octaves(document: dict[str, Any]) -> Table:
    rows = [
        (
            number,
            octave["width"],
            octave["height"],
            f"{octave['columns']} x {octave['rows']}",
            f"x {octave['halo_overhead']:.2f}",
            f"{octave['megapixel_steps']:.1f}",
        )
        for number, octave in enumerate(document["octaves"], 1)
    ]
    return Table(("octave", "width", "height", "tiles", "halo overhead", "megapixel-steps"), rows)


def _properties(document: dict[str, Any]) -> list[tuple[str, str]]:
    dpi = f" at {document['dpi']:g} dpi" if document["dpi"] else ""
    objectives = ", ".join(_format_objective(one) for one in document["objectives"])
    tiles = "on disk" if document["tiles_on_disk"] else "in memory"
    seconds = document["seconds"]
    return [
        ("job", document["job"]),
        ("size", f"{document['width']} x {document['height']} pixels{dpi}"),
        ("network", f"{document['network']}: {objectives}, {document['precision']}"),
        *([("weights", str(document["weights"]))] if "weights" in document else []),
        ("tiles", f"{document['tile']} px, windows of {document['window']} px"),
        *([("edges", str(document["edges"]))] if "edges" in document else []),
        ("halo", f"{document['halo']} px, stride {document['stride']} px"),
        ("work", f"{document['megapixel_steps']:.1f} megapixel-steps"),
        ("workers", f"{document['workers']}, tiles {tiles}"),
        ("memory a worker", f"{document['memory_per_worker'] / 2**30:.2f} GiB"),
        ("memory for files", f"{document['memory_for_files'] / 2**30:.2f} GiB"),
        ("input", f"{document['bytes_in'] / 1e6:.1f} MB decoded"),
        ("disk meanwhile", f"{document['bytes_scratch'] / 1e6:.1f} MB"),
        ("outputs", f"at most {document['bytes_out'] / 1e6:.1f} MB"),
        ("time", "not probed" if seconds is None else f"about {format_time(seconds)}"),
    ]


def _format_objective(objective: dict[str, Any]) -> str:
    """An objective in a word or two: its layer, or its classes."""
    if objective["classes"] is not None:
        return f"classes {', '.join(map(str, objective['classes']))}"
    return str(objective["layer"])
