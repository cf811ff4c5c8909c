"""What is rendered here and now, in one process: files, the manifest, pixels."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.golden.shapes import shape
from tests.golden.shell import Shell

POSTER = {
    "kind": "poster",
    "name": "poster",
    "input": {"noise": {"seed": 7}},
    "size": "64x48",
    "dream": {"octaves": 2, "steps": 2},
    "tiles": 32,
    # Rounded to 8 bits, so that no machine's instructions show.
    "precision": "float64",
    "outputs": ["png", {"format": "tiff", "depth": 16}, "jpeg", "deepzoom"],
}
ATLAS = {
    "kind": "atlas",
    "name": "atlas",
    "network": "lenet5",
    "of": {"classes": [1, 2]},
    "size": 32,
    "fourier": {"steps": 2},
}


def poster(shell: Shell) -> dict[str, Any]:
    """A poster in all formats."""
    told, folder = _rendered(shell, "poster", POSTER)
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    with Image.open(folder / "poster.png") as picture:
        pixels = np.asarray(picture)
    return {
        "told": told,
        "files": _files(folder),
        "manifest": shape(manifest),
        "plan": manifest["plan"],
        "identity": manifest["identity"],
        "pixels": [list(pixels.shape), hashlib.sha256(pixels.tobytes()).hexdigest()],
    }


def atlas(shell: Shell) -> dict[str, Any]:
    """Two pictures from nothing, and what stands beside them."""
    told, folder = _rendered(shell, "atlas", ATLAS)
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    return {
        "told": told,
        "files": _files(folder),
        "manifest": shape(manifest),
        "identity": manifest["identity"],
    }


def plans(shell: Shell) -> dict[str, Any]:
    """What programs are told of plans, in fields, and a poster's geometry."""
    spec = shell.written("poster.json", POSTER)
    one = shell("plan", spec, "--no-probe", "--json").told()
    crews = ("--workers", "1,2", "--gpu", "h200", "--network-gbps", "25")
    geometry = ("width", "height", "precision", "stride", "field", "halo", "tile", "window")
    dataset = shell("plan", "photos", "--set", "resize=32", "--no-probe", "--json").told()
    return {
        "poster": shape(one),
        "poster on crews": shape(shell("plan", spec, *crews, "--json").told()),
        "dataset": shape(dataset),
        "counts": {name: dataset[name] for name in ("pictures", "unreadable", "variants", "items")},
        "geometry": {name: one[name] for name in (*geometry, "octaves", "bytes_in")},
    }


def _rendered(shell: Shell, name: str, spec: dict[str, Any]) -> tuple[Any, Path]:
    path = shell.written(f"{name}.json", spec)
    told = shell("render", path, "--in-process", "--json", "--out", name).told()
    return shape(told) | {"job": told["job"], "state": told["state"]}, shell.folder / name


def _files(folder: Path) -> list[str]:
    """What people see there."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in found if not path.parts[0].startswith("."))
