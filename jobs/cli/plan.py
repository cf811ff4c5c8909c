"""`dreamfarm plan`: the octaves, tiles, memory and time of a render, without rendering."""

from typing import Annotated

import typer

from jobs.cli.arguments import (
    DREAMS,
    AsJson,
    FitFlag,
    FocusFlag,
    JobFlags,
    LayerFlag,
    LikeFlag,
    LookFlag,
    NetworkFlag,
    Out,
    SetFlags,
    SizeFlag,
    SpecOrPicture,
    WeightsFlag,
    read_spec,
)
from jobs.cli.completion import complete_gpus
from jobs.cli.format import echo_json, print_sections


def plan(
    path: SpecOrPicture,
    size: SizeFlag = None,
    fit: FitFlag = None,
    focus: FocusFlag = None,
    network: NetworkFlag = None,
    weights: WeightsFlag = None,
    layer: LayerFlag = None,
    look: LookFlag = None,
    like: LikeFlag = None,
    out: Out = None,
    workers: Annotated[
        str | None,
        typer.Option(
            "--workers", metavar="N[,N...]", help="Default: one for each GPU, or for each core."
        ),
    ] = None,
    gpu: Annotated[
        str | None,
        typer.Option(
            "--gpu",
            help="Predict crews with this GPU: h200, h100, a100, l40s, l4...",
            autocompletion=complete_gpus,
        ),
    ] = None,
    gbps: Annotated[
        float | None,
        typer.Option("--network-gbps", help="Predict crews with this network between machines."),
    ] = None,
    price: Annotated[
        float | None, typer.Option("--price", help="US dollars for one worker and hour.")
    ] = None,
    settings: SetFlags = None,
    probe: Annotated[
        bool, typer.Option("--probe/--no-probe", help="Measure this machine to estimate the time.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Plan a render without rendering: octaves, tiles, memory, bytes and time.

    Several --workers, --gpu, --network-gbps and --price add the time and cost of crews, and the
    size from which more workers stop paying.
    """
    from jobs.planning.estimate.request import parse_request
    from jobs.services.kinds import kind_of

    request = parse_request(workers, gpu, gbps, price)
    largest = max(request.workers, default=None)
    flags = JobFlags(size, fit, focus, network, weights, layer, look, like)
    spec = read_spec(path, largest, settings, flags)
    report = kind_of(spec).plan(spec, request, lambda job: out or DREAMS / job, probe=probe)
    if as_json:
        echo_json(report.document)
    else:
        print_sections(report.sections)
