"""`dreamfarm clean`: what a store need not keep."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.cli.arguments import STORE, AsJson, JobNames, StoreFlag, Yes

if TYPE_CHECKING:
    from jobs.runtime.garbage import Waste


_HOUR = 3600.0


def clean(
    store: StoreFlag = STORE,
    yes: Yes = False,
    of_all: Annotated[
        bool,
        typer.Option(
            "--all", help="Also checkpoints of failed and cancelled jobs: a retry starts anew then."
        ),
    ] = False,
    older_than: Annotated[
        float,
        typer.Option(
            "--older-than",
            metavar="HOURS",
            help="Age of what may belong to somebody at work: uploads, blobs, stray outputs.",
            min=0,
        ),
    ] = 24.0,
    as_json: AsJson = False,
) -> None:
    """Show what the store need not keep; with --yes, remove it.

    That is: checkpoints of succeeded jobs, of which `fetch --format` can make no other formats
    then; and, once old, uploads that broke off, files that no job refers to, outputs that no
    manifest names, and what deletions have left. Never results, previews, events, logs or specs.
    """
    from jobs.runtime.garbage import remove
    from jobs.services.clean.garbage import find_waste
    from jobs.store.address import open_store

    opened = open_store(store)
    found = find_waste(opened, older_than * _HOUR, of_all=of_all)
    if yes:
        found = [waste for waste in found if remove(opened, waste)]
    if as_json:
        typer.echo(json.dumps(_document(found, is_removed=yes)))
    else:
        _show(found, is_removed=yes)


def _document(found: "list[Waste]", *, is_removed: bool) -> dict[str, object]:
    return {
        "version": 1,
        "removed": is_removed,
        "bytes": sum(waste.bytes for waste in found),
        "found": [
            {
                "what": waste.what,
                "where": waste.where,
                "objects": waste.objects,
                "bytes": waste.bytes,
            }
            for waste in found
        ],
    }


def _show(found: "list[Waste]", *, is_removed: bool) -> None:
    from jobs.cli.format import show_table, spoken_size

    if not found:
        typer.echo("nothing to clean")
        return
    show_table(
        ("what", "where", "objects", "bytes"),
        ((waste.what, waste.where, waste.objects, waste.bytes) for waste in found),
    )
    total = spoken_size(sum(waste.bytes for waste in found))
    typer.echo(f"  {total} removed" if is_removed else f"  {total}; `clean --yes` removes it")


def delete(
    jobs: JobNames, store: StoreFlag = STORE, yes: Yes = False, as_json: AsJson = False
) -> None:
    """Remove jobs that have ended from the store, with their results, for good.

    Pictures and weights that no other job needs go with them once they are a day old; `clean`
    removes what is left. A deletion that broke off is ended by the same again.
    """
    from jobs.cli.format import consents, spoken_size
    from jobs.records.job import find
    from jobs.services.clean.deletion import check_ended
    from jobs.services.clean.deletion import delete as remove
    from jobs.store.address import open_store

    opened = open_store(store)
    found = list(dict.fromkeys(find(opened, name) for name in jobs))
    for job in found:
        check_ended(opened, job)
    if not yes and not consents(f"Delete {', '.join(found)} and all results in the store?"):
        raise typer.Exit(1)
    for job in found:
        gone = remove(opened, job)
        if as_json:
            told = {"job": job, "objects": gone.objects, "bytes": gone.bytes}
            typer.echo(json.dumps(told))
        else:
            what = f"{gone.objects} objects, {spoken_size(gone.bytes)}"
            typer.echo(f"{job}: deleted ({what})")
