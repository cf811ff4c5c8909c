"""`dreamfarm render`: here, now, on a crew of this machine."""

import json
from pathlib import Path
from typing import Annotated, Any

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
    from jobs.holding import crews
    from jobs.local import render_here

    start = crews.in_process if in_process else crews.on_own_ray
    with Bar() as bar:
        manifest = render_here(plan, folder, bar.show, start)
    paths = [folder / output["path"] for output in manifest["outputs"]]
    if as_json:
        typer.echo(json.dumps(_summary(manifest, paths, folder)))
        return
    for path in paths:
        typer.echo(path)


def _summary(manifest: dict[str, Any], paths: list[Path], folder: Path) -> dict[str, Any]:
    from jobs.manifest import MANIFEST

    return {
        "job": manifest["job"],
        "state": manifest["state"],
        "seconds": manifest["seconds"]["total"],
        "manifest": str(folder / MANIFEST),
        "outputs": [
            {"path": str(path)}
            | {key: output[key] for key in ("format", "width", "height", "sha256")}
            for path, output in zip(paths, manifest["outputs"], strict=True)
        ],
    }
