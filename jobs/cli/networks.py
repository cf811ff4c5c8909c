"""`dreamfarm networks`: what can dream."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobs.cli.arguments import AsJson

if TYPE_CHECKING:
    from render.networks.overview import Exactness

_WHERE = {
    "shipped": "ship with dreamfarm",
    "downloaded": "pretrained: downloaded",
    "elsewhere": "a file, or pretrained",
}


def networks(
    every: Annotated[
        bool, typer.Option("--all", help="How far each one's tiles are exact; slow at first.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the networks there are, and where their weights come from."""
    from render.networks.catalogue import network_names

    names = network_names()
    if every:
        _show_exactness(names, as_json)
    else:
        _show_weights(names, as_json)


def _show_weights(names: Sequence[str], as_json: bool) -> None:
    from jobs.cli.table import show_table

    rows = [_weights(name) for name in names]
    if as_json:
        typer.echo(json.dumps(rows))
        return
    show_table(
        ("network", "weights", "licence", "classes"),
        ((row["network"], _WHERE[row["weights"]], row["licence"], row["classes"]) for row in rows),
    )


def _weights(name: str) -> dict[str, Any]:
    """Where a network's weights are, under what licence where that is ours to say, its classes."""
    from render.networks.class_names import class_names
    from render.networks.metadata import read_metadata
    from render.networks.whereabouts import downloaded, shipped, ships

    if ships(name, None):
        where, licence = "shipped", read_metadata(shipped(name)).licence
    else:
        where, licence = "downloaded" if downloaded(name) else "elsewhere", ""
    count = len(class_names(name))
    return {"network": name, "weights": where, "licence": licence, "classes": count}


def _show_exactness(names: Sequence[str], as_json: bool) -> None:
    from jobs.cli.table import show_table

    found = list(_exactness(names))
    if as_json:
        rows = ({"network": name, **asdict(seen), "halo": seen.halo} for name, seen in found)
        typer.echo(json.dumps(list(rows)))
        return
    show_table(
        ("network", "exact up to", "stride", "field", "halo", "classes", "no further, because"),
        (
            (
                name,
                seen.layer,
                seen.stride,
                seen.field,
                seen.halo,
                f"yes, field {seen.classes_field}" if seen.classes else "no",
                seen.reason,
            )
            for name, seen in found
        ),
    )


def _exactness(names: Sequence[str]) -> Iterator[tuple[str, "Exactness"]]:
    """Each network and how far its tiles are exact, with a bar for those who watch."""
    from rich.console import Console
    from rich.progress import track

    from render.networks.overview import exactness

    console = Console(stderr=True)
    watched = console.is_terminal
    for name in track(names, "looking", console=console, transient=True, disable=not watched):
        yield name, exactness(name)
