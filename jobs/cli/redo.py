"""`dreamfarm redo`: dream a part of a picture again."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.cli.arguments import STORE, AsJson, InProcess, JobName, Out, SetFlags, StoreFlag
from jobs.cli.format import echo, echo_json, print_results

if TYPE_CHECKING:
    from jobs.poster.local_redo import RenderedHere
    from jobs.services.job_handle import Job
    from jobs.spec.redo import RedoRequest


def redo(
    job: JobName,
    region: Annotated[
        str | None,
        typer.Option(
            "--region", metavar="LEFT,TOP,WIDTHxHEIGHT", help="Only there: 20%,10%,15%x20%."
        ),
    ] = None,
    mask: Annotated[
        Path | None,
        typer.Option("--mask", metavar="PICTURE", help="Only where this grey picture is white."),
    ] = None,
    feather: Annotated[
        str | None,
        typer.Option(
            "--feather", help="Soft edge in the region, of its shorter side; default: 10%."
        ),
    ] = None,
    octaves: Annotated[
        str | None, typer.Option("--octaves", metavar="5..", help="Only from this octave on.")
    ] = None,
    settings: SetFlags = None,
    render_older: Annotated[
        bool,
        typer.Option(
            "--render-older", help="Render the picture again if its octaves were cleaned."
        ),
    ] = False,
    store: StoreFlag = STORE,
    out: Out = None,
    in_process: InProcess = False,
    as_json: AsJson = False,
) -> None:
    """Dream a region or the last octaves of a picture again, as a new job; the rest stays.

    Without --set it takes the next seed. A job of a store is queued there.

    What `render --keep` or `finish --keep` made here is rendered here.
    """
    from jobs.cli.arguments import DREAMS
    from jobs.poster.local_redo import rendered_here
    from jobs.runtime.access import is_folder
    from jobs.services import client
    from jobs.spec.redo import RedoRequest
    from jobs.text.errors import RequestError

    request = RedoRequest(region, mask, feather, octaves, tuple(settings or ()), render_older)
    here = rendered_here(job, DREAMS)
    if here is None or not is_folder(job):
        try:
            found = client.Store.existing(store).job(job)
        except RequestError:
            if here is None:
                raise
        else:
            _submit(found, request, as_json=as_json)
            return
    _render(here, request, out, in_process=in_process, as_json=as_json)


def _submit(job: "Job", request: "RedoRequest", *, as_json: bool) -> None:
    new = job.request_redo(request)
    if as_json:
        echo_json({"job": new.id, "state": new.state, "parent": job.id})
    else:
        echo(new.id)
        echo(f"{new.id}: {new.state}; `dreamfarm work` renders it", err=True)


def _render(
    here: "RenderedHere",
    request: "RedoRequest",
    out: Path | None,
    *,
    in_process: bool,
    as_json: bool,
) -> None:
    from cluster.ray_watch import allow_restart
    from jobs.cli.arguments import DREAMS
    from jobs.cli.progress import RenderBar
    from jobs.poster.local_redo import redo_of
    from jobs.runtime.publish import Target
    from jobs.services.kinds import kind_of

    def target_of(job: str) -> Target:
        folder = DREAMS / job if out is None else out
        return Target(folder, keeps_octaves=True, older=here.folder)

    allow_restart()
    spec = redo_of(here, request)
    with RenderBar() as bar:
        results = kind_of(spec).render_here(spec, target_of, bar.show, in_process=in_process)
    print_results(results, as_json=as_json)
