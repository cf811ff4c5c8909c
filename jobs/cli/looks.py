"""`dreamfarm looks`: ready-made ways to dream."""

import json
from typing import Any

import typer

from jobs.cli.arguments import AsJson


def looks(as_json: AsJson = False) -> None:
    """List the looks that `--look` takes, and what they show."""
    from jobs.looks.look import about, look, look_names

    found: list[dict[str, Any]] = [
        {"look": name, "network": look(name)["network"]["name"], "about": about(name)}
        for name in look_names()
    ]
    if as_json:
        typer.echo(json.dumps(found))
        return
    from jobs.cli.table import show_table

    show_table(("look", "network", "what it shows"), (list(row.values()) for row in found))
