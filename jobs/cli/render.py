"""`dreamfarm render`: here, now, on a crew of this machine."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
    Workers,
)

if TYPE_CHECKING:
    from jobs.spec.dataset import DatasetSpec


def render(
    what: What,
    size: SizeFlag = None,
    network: NetworkFlag = None,
    weights: WeightsFlag = None,
    layer: LayerFlag = None,
    look: LookFlag = None,
    out: Out = None,
    workers: Workers = None,
    settings: Settings = None,
    in_process: Annotated[
        bool, typer.Option("--in-process", help="Without Ray, one worker after the other.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Render a picture or a spec here and now, and say where the results are."""
    from jobs.cli.spec_arguments import Flags, requested
    from jobs.planning.machine import this_machine
    from jobs.planning.poster import make_plan
    from jobs.spec.dataset import DatasetSpec

    if in_process and workers is None:
        workers = 1  # they would only take turns
    spec = requested(what, Flags(size, network, weights, layer, look), workers, settings or ())
    if isinstance(spec, DatasetSpec):
        _render_dataset(spec, out, in_process=in_process, as_json=as_json)
        return
    plan = make_plan(spec, this_machine())
    folder = out or DREAMS / plan.identity.job_id
    # Torch takes seconds, and what cannot be done has been refused by now.
    from jobs.cli.progress import Bar
    from jobs.cli.results import show_results
    from jobs.poster.local import render_here
    from jobs.runtime.backend import in_process as crew_in_process
    from jobs.runtime.backend import on_own_ray

    start = crew_in_process if in_process else on_own_ray
    with Bar() as bar:
        manifest = render_here(plan, folder, bar.show, start)
    show_results(manifest, folder, as_json=as_json)


def _render_dataset(
    spec: "DatasetSpec", out: Path | None, *, in_process: bool, as_json: bool
) -> None:
    from jobs.cli.progress import Bar
    from jobs.cli.results import show_items
    from jobs.dataset.local import dream_here
    from jobs.planning.dataset import make_dataset_plan
    from jobs.planning.machine import this_machine
    from jobs.runtime.backend import pool_in_process, pool_on_own_ray

    plan = make_dataset_plan(spec, this_machine())
    folder = out or DREAMS / plan.identity.job_id
    start = pool_in_process if in_process else pool_on_own_ray
    with Bar() as bar:
        manifest = dream_here(plan, folder, bar.show, start)
    show_items(manifest, folder, as_json=as_json)
