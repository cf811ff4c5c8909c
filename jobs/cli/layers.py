"""`dreamfarm layers`: where a network can be made to dream."""

import json
from typing import Annotated

import typer

from jobs.cli.arguments import AsJson


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
    from jobs.cli.table import show_table
    from render.networks.class_names import class_names

    names = class_names(network)
    if as_json:
        typer.echo(json.dumps(names))
        return
    show_table(("class", "name"), enumerate(names))


def _show_layers(network: str, as_json: bool) -> None:
    from jobs.cli.table import show_table
    from render.survey import layers_of

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
