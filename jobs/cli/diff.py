"""`dreamfarm diff`: what differs between the making of two things."""

from typing import Annotated

import typer

from jobs.cli.arguments import STORE, AsJson, StoreFlag
from jobs.cli.format import echo, echo_json, print_table

_Made = Annotated[
    str,
    typer.Argument(
        metavar="OUTPUT|MANIFEST|SPEC|JOB", help="An output, a manifest.json, a spec, or a job id."
    ),
]


def diff(first: _Made, second: _Made, store: StoreFlag = STORE, as_json: AsJson = False) -> None:
    """Say what differs between two outputs, jobs, manifests or specs: fields, files, versions.

    The exit code is 0 also if they differ.
    """
    from jobs.services.recipe.difference import differences
    from jobs.services.recipe_source import read_recipe

    found = differences(read_recipe(first, store), read_recipe(second, store))
    if as_json:
        echo_json(
            {
                "equal": not found,
                "differences": [
                    {"field": one.field, "first": one.first, "second": one.second} for one in found
                ],
            }
        )
    elif found:
        print_table(("field", first, second), ((one.field, *one.texts()) for one in found))
    else:
        echo(f"{first} and {second}: the same spec, files and version")
