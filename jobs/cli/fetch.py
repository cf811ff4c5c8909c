"""`dreamfarm fetch`: a job's results onto this disk."""

from typing import Annotated

import typer

from jobs.cli.arguments import DREAMS, STORE, AsJson, JobName, Out, StoreFlag


def fetch(
    job: JobName,
    store: StoreFlag = STORE,
    out: Out = None,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            metavar="FORMAT[:DEPTH]",
            help="png, jpeg, tiff or deepzoom, as tiff:16; repeatable. Default: all of the job's.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Bring a succeeded job's results here, checked, and say where they are.

    A format that the job has not made is made here, without rendering, while its last checkpoint
    is kept. What is here already is not fetched again, and a fetch that broke off goes on.
    """
    from jobs.cli.results import show_items, show_results
    from jobs.dataset.fetch import fetch_dataset
    from jobs.poster.fetch.fetch import fetch as bring
    from jobs.poster.fetch.sources import parse_wanted
    from jobs.records.job import find, look
    from jobs.store.address import open_store
    from jobs.text.errors import RequestError

    wanted = [parse_wanted(text) for text in formats or ()]
    opened = open_store(store)
    found = look(opened, find(opened, job))
    folder = out or DREAMS / found.id
    if found.is_dataset:
        if wanted:
            raise RequestError("--format: is for posters; a dataset's is its spec's output.format")
        show_items(fetch_dataset(opened, found, folder), folder, as_json=as_json)
    else:
        show_results(bring(opened, found, folder, wanted), folder, as_json=as_json)
