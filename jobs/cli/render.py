"""`dreamfarm render`: here, now, on a crew of this machine."""

from typing import Annotated

import typer

from jobs.cli.arguments import (
    DREAMS,
    AsJson,
    LayerFlag,
    NetworkFlag,
    Out,
    Settings,
    SizeFlag,
    WeightsFlag,
    What,
    Workers,
)


def render(
    what: What,
    size: SizeFlag = None,
    network: NetworkFlag = None,
    weights: WeightsFlag = None,
    layer: LayerFlag = None,
    out: Out = None,
    workers: Workers = None,
    settings: Settings = None,
    in_process: Annotated[
        bool, typer.Option("--in-process", help="Without Ray, one worker after the other.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Render a picture or a spec here and now, and say where the results are."""
    from jobs.cli.request import Flags, requested
    from jobs.machine import this_machine
    from jobs.plan import make_plan

    if in_process and workers is None:
        workers = 1  # they would only take turns
    spec = requested(what, Flags(size, network, weights, layer), workers, settings or ())
    plan = make_plan(spec, this_machine())
    folder = out or DREAMS / plan.identity.job_id
    # Torch takes seconds, and what cannot be done has been refused by now.
    from jobs.cli.progress import Bar
    from jobs.cli.results import show_results
    from jobs.holding import crews
    from jobs.local import render_here

    start = crews.in_process if in_process else crews.on_own_ray
    with Bar() as bar:
        manifest = render_here(plan, folder, bar.show, start)
    show_results(manifest, folder, as_json=as_json)
