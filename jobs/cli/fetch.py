"""`dreamfarm fetch`: download a job's results."""

from typing import Annotated

import typer

from jobs.cli.arguments import STORE, AsJson, JobName, Out, Overwrite, StoreFlag


def fetch(
    job: JobName,
    store: StoreFlag = STORE,
    out: Out = None,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            metavar="FORMAT[:DEPTH]",
            help="png, jpeg, tiff or deepzoom, such as tiff:16. Repeatable. Default: the job's.",
        ),
    ] = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Download the results of a succeeded job, verify them, and print their paths.

    While the store has the job's last checkpoint, `--format` can also make other formats here,
    without rendering. Files that are already here are not downloaded again, and an interrupted
    fetch resumes.
    """
    from jobs.cli.format import print_results
    from jobs.poster.fetch.outputs import parse_format
    from jobs.services.client import Store

    for text in formats or ():
        parse_format(text)  # refuses a wrong format before the store is needed
    print_results(
        Store.existing(store).job(job).fetch(out, formats or (), overwrite=overwrite),
        as_json=as_json,
    )
