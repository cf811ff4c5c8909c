"""`dreamfarm clean` and `delete`: remove unneeded objects and whole jobs from a store."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.cli.arguments import STORE, AsJson, JobNames, StoreFlag, Yes

if TYPE_CHECKING:
    from jobs.runtime.garbage import Garbage


_HOUR = 3600.0  # seconds


def clean(
    store: StoreFlag = STORE,
    yes: Yes = False,
    of_all: Annotated[
        bool,
        typer.Option(
            "--all",
            help="Also checkpoints of failed and cancelled jobs. A retry then starts from scratch.",
        ),
    ] = False,
    older_than: Annotated[
        float,
        typer.Option(
            "--older-than",
            metavar="HOURS",
            help="Keep uploads, blobs and stray outputs younger than this: they may be in use.",
            min=0,
        ),
    ] = 24.0,
    as_json: AsJson = False,
) -> None:
    """Show the objects that the store no longer needs; with --yes, remove them.

    This includes checkpoints of succeeded jobs; `fetch --format` cannot make other formats without
    them. Once old, it also includes broken uploads, files without a job, outputs outside any
    manifest, and remains of deletions. Results, previews, events, logs and specs always stay.
    """
    from jobs.runtime.garbage import remove_garbage
    from jobs.services.clean.garbage import find_garbage
    from jobs.store.address import open_store

    opened = open_store(store)
    found = find_garbage(opened, older_than * _HOUR, of_all=of_all)
    if yes:
        found = [garbage for garbage in found if remove_garbage(opened, garbage)]
    if as_json:
        typer.echo(json.dumps(_document(found, is_removed=yes)))
    else:
        _print_garbage(found, is_removed=yes)


def _document(found: "list[Garbage]", *, is_removed: bool) -> dict[str, object]:
    return {
        "version": 1,
        "removed": is_removed,
        "bytes": sum(garbage.bytes for garbage in found),
        "found": [
            {
                "what": garbage.description,
                "where": garbage.prefix,
                "objects": garbage.objects,
                "bytes": garbage.bytes,
            }
            for garbage in found
        ],
    }


def _print_garbage(found: "list[Garbage]", *, is_removed: bool) -> None:
    from jobs.cli.format import print_table
    from jobs.text.report import format_size

    if not found:
        typer.echo("nothing to clean")
        return
    print_table(
        ("what", "where", "objects", "bytes"),
        ((one.description, one.prefix, one.objects, one.bytes) for one in found),
    )
    total = format_size(sum(garbage.bytes for garbage in found))
    typer.echo(f"  {total} removed" if is_removed else f"  {total}; `clean --yes` removes it")


def delete(
    jobs: JobNames, store: StoreFlag = STORE, yes: Yes = False, as_json: AsJson = False
) -> None:
    """Delete ended jobs and their results from the store, for good.

    Pictures and weights that no other job needs are deleted too if they are a day old; otherwise
    `clean` removes them later. If a deletion is interrupted, rerun the same command.
    """
    from jobs.cli.format import confirm
    from jobs.records.job import find_job_id
    from jobs.services.clean.deletion import check_deletable, delete_job
    from jobs.store.address import open_store
    from jobs.text.report import format_size

    opened = open_store(store)
    found = list(dict.fromkeys(find_job_id(opened, name) for name in jobs))
    for job in found:
        check_deletable(opened, job)
    if not yes and not confirm(f"Delete {', '.join(found)} and all results in the store?"):
        raise typer.Exit(1)
    for job in found:
        removed = delete_job(opened, job)
        if as_json:
            document = {"job": job, "objects": removed.objects, "bytes": removed.bytes}
            typer.echo(json.dumps(document))
        else:
            size = f"{removed.objects} objects, {format_size(removed.bytes)}"
            typer.echo(f"{job}: deleted ({size})")
