"""`dreamfarm networks`: what can dream."""

import json

import typer

from jobs.cli.arguments import AsJson


def networks(as_json: AsJson = False) -> None:
    """List the networks there are, and where their weights come from."""
    from jobs.cli.table import show_table
    from render.networks.catalogue import network_names
    from render.networks.whereabouts import PAREIDOLIA

    names = network_names()
    if as_json:
        typer.echo(json.dumps(names))
        return
    show_table(
        ("network", "weights"),
        (
            (name, "ship with dreamfarm" if name == PAREIDOLIA else "a file, or pretrained")
            for name in names
        ),
    )
