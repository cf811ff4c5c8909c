"""`dreamfarm plan`: what a render would do and take."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobs.cli.arguments import (
    DREAMS,
    AsJson,
    LayerFlag,
    LookFlag,
    NetworkFlag,
    Out,
    Settings,
    SizeFlag,
    WeightsFlag,
    What,
)

if TYPE_CHECKING:
    from jobs.planning.estimate.request import Asked
    from jobs.planning.machine import Machine
    from jobs.planning.poster import Plan
    from jobs.spec.poster import Spec


def plan(
    what: What,
    size: SizeFlag = None,
    network: NetworkFlag = None,
    weights: WeightsFlag = None,
    layer: LayerFlag = None,
    look: LookFlag = None,
    out: Out = None,
    workers: Annotated[
        str | None,
        typer.Option("--workers", metavar="N[,N...]", help="Default: one a GPU, or a core."),
    ] = None,
    gpu: Annotated[
        str | None, typer.Option("--gpu", help="Foretell crews with h200, h100, a100, l40s, l4...")
    ] = None,
    gbps: Annotated[
        float | None,
        typer.Option("--network-gbps", help="... with this network between their machines."),
    ] = None,
    price: Annotated[
        float | None, typer.Option("--price", help="US dollars for a worker and hour.")
    ] = None,
    settings: Settings = None,
    probe: Annotated[
        bool, typer.Option("--probe/--no-probe", help="Measure this machine to estimate the time.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Work a render out: octaves, tiles, memory, bytes and time. Renders nothing.

    Of several --workers, a --gpu, a --network-gbps or a --price it says what crews would take,
    and where more workers stop paying.
    """
    from jobs.cli.spec_arguments import Flags, requested
    from jobs.planning.estimate.request import asked
    from jobs.planning.machine import this_machine
    from jobs.spec.dataset import DatasetSpec
    from jobs.text.errors import RequestError

    machine = this_machine()
    wanted = asked(workers, gpu, gbps, price)
    largest = max(wanted.workers, default=None)
    spec = requested(what, Flags(size, network, weights, layer, look), largest, settings or ())
    if isinstance(spec, DatasetSpec):
        if wanted.wants_crews:
            raise RequestError(
                "--gpu, --network-gbps, --price and several --workers are for posters; the "
                "workers of a dataset need nothing of each other"
            )
        from jobs.cli.plan_tables import show_dataset_plan
        from jobs.planning.dataset import make_dataset_plan

        show_dataset_plan(make_dataset_plan(spec, machine), as_json=as_json)
        return
    document = _poster(spec, machine, wanted, out, probe=probe)
    if as_json:
        typer.echo(json.dumps(document))
    else:
        _show(document)


def _poster(
    spec: "Spec", here: "Machine", asked: "Asked", out: Path | None, *, probe: bool
) -> dict[str, Any]:
    """The plan for the largest crew that is asked for, and what crews would take."""
    from jobs.planning.poster import make_plan

    made = make_plan(spec, asked.machine(here, spec.crew))
    if not asked.is_elsewhere:
        made.disk.check(out or DREAMS / made.identity.job_id)
    if not probe and not asked.wants_crews:
        return _document(made, None, None)
    from jobs.cli.plan_tables import scale_document
    from jobs.planning.estimate.comparison import outlook
    from jobs.planning.estimate.conditions import conditions_for
    from jobs.planning.estimate.prediction import predict

    conditions = conditions_for(made, asked, here.cores, probe=probe)
    scale = None
    if asked.wants_crews:
        found = outlook(made, conditions, asked.workers or (made.workers,))
        if asked.is_elsewhere and not asked.workers and spec.crew.workers == "auto":
            made = made.crewed(found.useful)
        scale = scale_document(found)
    return _document(made, predict(made, made.workers, conditions).seconds, scale)


def _document(made: "Plan", seconds: float | None, scale: dict[str, Any] | None) -> dict[str, Any]:
    from jobs.poster.outputs import encoding_use

    last = made.octaves[-1]
    return {
        "version": 1,
        "job": made.identity.job_id,
        "width": made.extent.width,
        "height": made.extent.height,
        "dpi": made.extent.dpi,
        "network": made.spec.network.name,
        "objectives": made.pixels()["objectives"],
        "precision": made.precision,
        "stride": made.survey.stride,
        "field": made.survey.field,
        "halo": made.survey.field - 1 + made.spec.dream.margin,
        "tile": made.tile,
        "window": last.window,
        "halo_overhead": round(last.overhead, 4),
        "octaves": [
            {
                "width": octave.width,
                "height": octave.height,
                "columns": octave.columns,
                "rows": octave.rows,
                "halo_overhead": round(octave.overhead, 4),
                "megapixel_steps": round(octave.megapixel_steps, 3),
            }
            for octave in made.octaves
        ],
        "megapixel_steps": round(made.megapixel_steps, 3),
        "workers": made.workers,
        "gpus_per_worker": made.gpus_per_worker,
        "memory_per_worker": made.memory.needed,
        "memory_limit": made.memory.limit,
        "memory_for_files": encoding_use(made).memory,
        "tiles_on_disk": made.memory.spills,
        "bytes_in": made.disk.input,
        "bytes_scratch": made.disk.scratch,
        "bytes_out": made.disk.outputs,
        "seconds": None if seconds is None else round(seconds, 1),
        "scale": scale,
    }


def _show(document: dict[str, Any]) -> None:
    from jobs.cli.format import show_table
    from jobs.cli.plan_tables import show_scale

    show_table(
        ("octave", "width", "height", "tiles", "halo overhead", "megapixel-steps"),
        (
            (
                number,
                octave["width"],
                octave["height"],
                f"{octave['columns']} x {octave['rows']}",
                f"x {octave['halo_overhead']:.2f}",
                f"{octave['megapixel_steps']:.1f}",
            )
            for number, octave in enumerate(document["octaves"], 1)
        ),
    )
    for name, text in _facts(document):
        typer.echo(f"  {name:<18} {text}")
    if document["scale"] is not None:
        show_scale(document["scale"])


def _facts(document: dict[str, Any]) -> list[tuple[str, str]]:
    from jobs.cli.format import spoken_time

    dpi = f" at {document['dpi']:g} dpi" if document["dpi"] else ""
    layers = ", ".join(_asked(one) for one in document["objectives"])
    place = "on disk" if document["tiles_on_disk"] else "in memory"
    seconds = document["seconds"]
    return [
        ("job", document["job"]),
        ("size", f"{document['width']} x {document['height']} pixels{dpi}"),
        ("network", f"{document['network']}: {layers}, {document['precision']}"),
        ("tiles", f"{document['tile']} px, windows of {document['window']} px"),
        ("halo", f"{document['halo']} px, stride {document['stride']} px"),
        ("work", f"{document['megapixel_steps']:.1f} megapixel-steps"),
        ("workers", f"{document['workers']}, tiles {place}"),
        ("memory a worker", f"{document['memory_per_worker'] / 2**30:.2f} GiB"),
        ("memory for files", f"{document['memory_for_files'] / 2**30:.2f} GiB"),
        ("input", f"{document['bytes_in'] / 1e6:.1f} MB decoded"),
        ("disk meanwhile", f"{document['bytes_scratch'] / 1e6:.1f} MB"),
        ("outputs", f"at most {document['bytes_out'] / 1e6:.1f} MB"),
        ("time", "not probed" if seconds is None else f"about {spoken_time(seconds)}"),
    ]


def _asked(objective: dict[str, Any]) -> str:
    """An objective in a word or two."""
    if objective["classes"] is not None:
        return f"classes {', '.join(map(str, objective['classes']))}"
    return str(objective["layer"])
