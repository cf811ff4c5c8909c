"""`dreamfarm init` and `dreamfarm schema`: a spec to begin with, and what a spec may contain."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from jobs.cli.arguments import LookFlag
from jobs.cli.completion import complete_kinds
from jobs.cli.format import echo

_SCHEMA = "dreamfarm.schema.json"
"""The name of the schema beside specs. All specs of a folder share it."""

_KIND_HELP = "poster, dataset or atlas."


def schema(
    kind: Annotated[
        str | None,
        typer.Argument(
            metavar="KIND",
            help=f"{_KIND_HELP} Default: all, chosen by the field `kind`.",
            autocompletion=complete_kinds,
        ),
    ] = None,
) -> None:
    """Print the JSON schema of specs, by which editors complete and check them."""
    for line in _schema_text(kind).splitlines():
        echo(line)


def init(
    kind: Annotated[
        str,
        typer.Argument(metavar="KIND", help=_KIND_HELP, autocompletion=complete_kinds),
    ] = "poster",
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="A new .yaml file; default: KIND.yaml.")
    ] = None,
    look: LookFlag = None,
) -> None:
    """Write a commented spec with all fields into a new file, and its schema for editors beside it.

    An atlas takes the network, the layers and the dream of a look.
    """
    from jobs.spec.template import spec_template
    from jobs.text.errors import RequestError

    if file is None and Path(kind).suffix:
        kind, file = "poster", Path(kind)
    path = Path(f"{kind}.yaml") if file is None else file
    if path.suffix.lower() not in (".yaml", ".yml"):
        raise RequestError(f"{path}: must end in .yaml, because JSON has no comments")
    text = spec_template(kind, look, _SCHEMA, str(path))
    _create(path, text)
    _write_schema(path.with_name(_SCHEMA))
    echo(str(path))
    echo(f"{path}: name your picture in it; then plan, render or submit it", err=True)


def _schema_text(kind: str | None) -> str:
    from jobs.spec.schema import spec_schema

    return json.dumps(spec_schema(kind), indent=2)


def _write_schema(path: Path) -> None:
    """Write the schema, unless there is one already. It may be that of another version."""
    text = f"{_schema_text(None)}\n"
    if not os.path.lexists(path):
        _create(path, text)
    elif not _has_text(path, text):
        echo(
            f"{path}: is of another version, and stays; dreamfarm schema prints this one", err=True
        )


def _has_text(path: Path, text: str) -> bool:
    from jobs.text.errors import RequestError
    from jobs.text.yaml_json import read_text

    try:
        return read_text(path) == text
    except (OSError, RequestError, UnicodeDecodeError):
        return False


def _create(path: Path, text: str) -> None:
    """Write a new file. Raises RequestError if there is one, or none can be written."""
    from jobs.text.errors import RequestError

    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise RequestError(f"{path}: exists already; name another file") from error
    except OSError as error:
        reason = error.strerror
        raise RequestError(f"{path}: cannot be written ({reason}); check the folder") from error
