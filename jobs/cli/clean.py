"""`dreamfarm clean` and `delete`: remove unneeded objects and whole jobs from a store."""

from typing import TYPE_CHECKING, Annotated

import typer

from jobs.cli.arguments import STORE, AsJson, JobNames, StoreFlag, Yes
from jobs.cli.format import confirm, echo, echo_json, print_table

if TYPE_CHECKING:
    from jobs.runtime.garbage import Garbage


_HOUR = 3600.0  # seconds
_KEPT_HOURS = 24.0


def clean(
    store: StoreFlag = STORE,
    yes: Yes = False,
    include_resumable: Annotated[
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
    ] = _KEPT_HOURS,
    as_json: AsJson = False,
) -> None:
    """Show the objects that the store no longer needs; with --yes, remove them.

    This includes checkpoints of succeeded jobs; `fetch --format` cannot make other formats without
    them. Once old, it also includes broken uploads, files without a job, outputs outside any
    manifest, and remains of deletions. Results, previews, events, logs and specs always stay.
    """
    from jobs.runtime.garbage import remove_garbage
    from jobs.services.clean.garbage import find_garbage
    from jobs.store.address import open_existing_store

    opened = open_existing_store(store)
    garbage = find_garbage(
        opened,
        older_than * _HOUR,
        include_resumable=include_resumable,
        report=lambda line: echo(f"dreamfarm: {line}", err=True),
    )
    if yes:
        garbage = [one for one in garbage if remove_garbage(opened, one)]
    if as_json:
        echo_json(_document(garbage, is_removed=yes))
    else:
        options = [
            *(["--all"] if include_resumable else []),
            *([f"--older-than {older_than:g}"] if older_than != _KEPT_HOURS else []),
        ]
        _print_garbage(garbage, " ".join(["clean", *options, "--yes"]), is_removed=yes)


def _document(garbage: "list[Garbage]", *, is_removed: bool) -> dict[str, object]:
    return {
        "version": 1,
        "removed": is_removed,
        "bytes": sum(one.bytes for one in garbage),
        "found": [
            {
                "what": one.description,
                "where": one.prefix,
                "objects": one.count,
                "bytes": one.bytes,
            }
            for one in garbage
        ],
    }


def _print_garbage(garbage: "list[Garbage]", command: str, *, is_removed: bool) -> None:
    """Print what was found. command: removes it, without `dreamfarm`."""
    from jobs.text.report import format_size

    if not garbage:
        echo("nothing to clean")
        return
    print_table(
        ("what", "where", "objects", "bytes"),
        ((one.description, one.prefix, one.count, one.bytes) for one in garbage),
    )
    total = format_size(sum(one.bytes for one in garbage))
    echo(f"  {total} removed" if is_removed else f"  {total}; `dreamfarm {command}` removes it")


def delete(
    jobs: JobNames, store: StoreFlag = STORE, yes: Yes = False, as_json: AsJson = False
) -> None:
    """Delete ended jobs and their results from the store, for good.

    Pictures and weights that no other job needs are deleted too if they are a day old; otherwise
    `clean` removes them later. If a deletion is interrupted, rerun the same command.
    """
    from jobs.records.job import find_job_id
    from jobs.services.clean.deletion import check_deletable, delete_job
    from jobs.store.address import open_existing_store
    from jobs.text.report import format_size

    opened = open_existing_store(store)
    job_ids = list(dict.fromkeys(find_job_id(opened, name) for name in jobs))
    for job in job_ids:
        check_deletable(opened, job)
    if not yes and not confirm(f"Delete {', '.join(job_ids)} and all results in the store?"):
        raise typer.Exit(1)
    for job in job_ids:
        removed = delete_job(opened, job)
        if as_json:
            echo_json({"job": job, "objects": removed.objects, "bytes": removed.bytes})
        else:
            size = f"{removed.objects} objects, {format_size(removed.bytes)}"
            echo(f"{job}: deleted ({size})")
