"""`dreamfarm finish`: go on from a draft to the whole picture."""

from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from jobs.cli.arguments import STORE, AsJson, InProcess, Keep, Out, StoreFlag
from jobs.cli.completion import complete_jobs
from jobs.cli.format import echo, echo_json, print_results


def finish(
    job: Annotated[
        str,
        typer.Argument(
            metavar="JOB|SHEET",
            help="A job id, or its first characters; or the folder of a sheet of variations.",
            autocompletion=complete_jobs,
        ),
    ],
    number: Annotated[
        int | None,
        typer.Argument(metavar="NUMBER", help="The number of the variation on the sheet."),
    ] = None,
    store: StoreFlag = STORE,
    out: Out = None,
    keep: Keep = False,
    in_process: InProcess = False,
    as_json: AsJson = False,
) -> None:
    """Go on from the draft of a job: in its store, or here if `render` made the draft here.

    With a sheet of `variations`, go on from the draft of that number.
    """
    from jobs.cli.arguments import DREAMS
    from jobs.poster.local_draft import drafted_render

    drafted: tuple[dict[str, Any], Path] | None
    chosen = _chosen(job, number, out)
    if chosen is None:
        drafted = drafted_render(DREAMS if out is None else out, job)
    elif chosen.store is None:
        drafted = chosen.spec, chosen.folder
    else:
        job, store, drafted = chosen.job, chosen.store, None
    if drafted is None:
        _finish_stored(job, store, as_json=as_json)
    else:
        _finish_here(*drafted, keep=keep, in_process=in_process, as_json=as_json)


def _finish_stored(job: str, store: str, *, as_json: bool) -> None:
    from jobs.services import client

    found = client.Store.existing(store).job(job)
    state = found.finish()
    if as_json:
        echo_json({"job": found.id, "state": state})
    else:
        echo(f"{found.id}: {state}")


def _finish_here(
    document: dict[str, Any], folder: Path, *, keep: bool, in_process: bool, as_json: bool
) -> None:
    from cluster.ray_watch import allow_restart
    from jobs.cli.progress import RenderBar
    from jobs.services import client

    allow_restart()
    with RenderBar() as bar:
        results = client.render(document, folder, keep=keep, in_process=in_process, watch=bar.show)
    print_results(results, as_json=as_json)


class _Chosen(NamedTuple):
    """A variation on a sheet. folder: of its results. store: of its job; None: here."""

    job: str
    spec: dict[str, Any]
    folder: Path
    store: str | None


def _chosen(text: str, number: int | None, out: Path | None) -> _Chosen | None:
    """The variation of a number on a sheet; None if the text names no sheet."""
    from jobs.services.variations.sheet import entry_of, read_sheet, sheet_record
    from jobs.text.errors import RequestError

    record = sheet_record(text)
    if record is None:
        if number is not None:
            raise RequestError(
                f"{text}: is no sheet of variations; give the folder that `variations` printed, "
                "or a job without a number"
            )
        return None
    if out is not None:
        raise RequestError("--out: a sheet has a folder for each of its variations")
    sheet = read_sheet(record)
    entry = entry_of(sheet, record, number)
    return _Chosen(entry.job, entry.spec, record.parent / entry.job, sheet.store)
