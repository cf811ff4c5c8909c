"""`dreamfarm clean`: what a store need not keep."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.cli.arguments import STORE, AsJson, StoreFlag, Yes

if TYPE_CHECKING:
    from jobs.cleaning.waste import Waste

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
    from jobs.cleaning.cleaning import find_waste
    from jobs.cleaning.waste import remove
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
    from jobs.cli.table import show_table
    from jobs.cli.words import spoken_size

    if not found:
        typer.echo("nothing to clean")
        return
    show_table(
        ("what", "where", "objects", "bytes"),
        ((waste.what, waste.where, waste.objects, waste.bytes) for waste in found),
    )
    total = spoken_size(sum(waste.bytes for waste in found))
    typer.echo(f"  {total} removed" if is_removed else f"  {total}; `clean --yes` removes it")
