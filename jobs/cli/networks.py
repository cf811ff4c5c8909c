"""`dreamfarm networks`: what can dream."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobs.cli.arguments import AsJson

if TYPE_CHECKING:
    from render.networks.exactness import Exactness


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
    from jobs.cli.format import show_table

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
    from render.networks.builtin import shipped, ships
    from render.networks.class_names import class_names
    from render.networks.safetensors_header import read_metadata
    from render.networks.weight_paths import downloaded

    if ships(name, None):
        where, licence = "shipped", read_metadata(shipped(name)).licence
    else:
        where, licence = "downloaded" if downloaded(name) else "elsewhere", ""
    count = len(class_names(name))
    return {"network": name, "weights": where, "licence": licence, "classes": count}


def _show_exactness(names: Sequence[str], as_json: bool) -> None:
    from jobs.cli.format import show_table

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

    from render.networks.exactness import exactness

    console = Console(stderr=True)
    watched = console.is_terminal
    for name in track(names, "looking", console=console, transient=True, disable=not watched):
        yield name, exactness(name)


def layers(
    network: Annotated[str, typer.Argument(metavar="NETWORK")],
    classes: Annotated[
        bool, typer.Option("--classes", help="The numbers and names of its classes instead.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List a network's layers: channels, stride, receptive field, halo, and if tiles are exact."""
    if classes:
        _show_classes(network, as_json)
    else:
        _show_layers(network, as_json)


def _show_classes(network: str, as_json: bool) -> None:
    from jobs.cli.format import show_table
    from render.networks.class_names import class_names

    names = class_names(network)
    if as_json:
        typer.echo(json.dumps(names))
        return
    show_table(("class", "name"), enumerate(names))


def _show_layers(network: str, as_json: bool) -> None:
    from jobs.cli.format import show_table
    from render.engine.network_profile import layers_of

    found = layers_of(network)
    if as_json:
        typer.echo(json.dumps(list(found)))
        return
    show_table(
        ("layer", "channels", "stride", "field", "halo", "exact tiles"),
        (
            (
                layer["name"],
                layer["channels"],
                layer["stride"],
                layer["field"],
                layer["halo"],
                f"no: {layer['reason']}" if layer["reason"] else "yes",
            )
            for layer in found
        ),
    )


def looks(as_json: AsJson = False) -> None:
    """List the looks that `--look` takes, and what they show."""
    from jobs.spec.looks.look import about, look, look_names

    found: list[dict[str, Any]] = [
        {"look": name, "network": look(name)["network"]["name"], "about": about(name)}
        for name in look_names()
    ]
    if as_json:
        typer.echo(json.dumps(found))
        return
    from jobs.cli.format import show_table

    show_table(("look", "network", "what it shows"), (list(row.values()) for row in found))
