"""`dreamfarm like`: the spec that something was made with."""

from typing import Annotated

import typer

from jobs.cli.arguments import STORE, AsJson, StoreFlag
from jobs.cli.format import echo, echo_json


def like(
    made: Annotated[
        str,
        typer.Argument(
            metavar="OUTPUT|MANIFEST|JOB", help="An output, a manifest.json, or a job id."
        ),
    ],
    store: StoreFlag = STORE,
    as_json: AsJson = False,
) -> None:
    """Print the spec that an output was made with. `render` takes it, also for another picture.

    Fields with their default are left out. Its files are found by their checksums: beside the
    output, in the working directory, in the caches of this machine, and in the job's store.
    """
    from jobs.services.recipe.like import same_spec
    from jobs.services.recipe_source import read_recipe

    found = same_spec(read_recipe(made, store))
    if as_json:
        echo_json(found.document)
    else:
        for line in found.yaml().splitlines():
            echo(line)
    for note in found.notes:
        echo(note, err=True)
