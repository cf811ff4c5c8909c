"""What a command says of results that now lie in a folder."""

import json
from pathlib import Path
from typing import Any

import typer


def show_results(manifest: dict[str, Any], folder: Path, *, as_json: bool) -> None:
    """Print the paths of a manifest's outputs, or one JSON object that has them all."""
    paths = [folder / output["path"] for output in manifest["outputs"]]
    if as_json:
        typer.echo(json.dumps(_summary(manifest, paths, folder)))
        return
    for path in paths:
        typer.echo(path)


def show_items(manifest: dict[str, Any], folder: Path, *, as_json: bool) -> None:
    """Print where a dataset's results lie and how many there are, or one JSON object."""
    from jobs.cli.format import told_items
    from jobs.runtime.manifest import MANIFEST

    if as_json:
        told = {key: manifest[key] for key in ("job", "state", "items")}
        seconds = manifest["seconds"]["total"]
        place = str(folder / MANIFEST)
        typer.echo(
            json.dumps({**told, "seconds": seconds, "manifest": place, "folder": str(folder)})
        )
        return
    typer.echo(folder)
    typer.echo(f"{manifest['job']}: {told_items(manifest['items'])}", err=True)


def _summary(manifest: dict[str, Any], paths: list[Path], folder: Path) -> dict[str, Any]:
    from jobs.runtime.manifest import MANIFEST

    return {
        "job": manifest["job"],
        "state": manifest["state"],
        "seconds": manifest["seconds"]["total"],
        "manifest": str(folder / MANIFEST),
        "outputs": [
            {"path": str(path)}
            | {key: output[key] for key in ("format", "width", "height", "sha256")}
            for path, output in zip(paths, manifest["outputs"], strict=True)
        ],
    }
