"""Reads PDFs back with other programs: pikepdf, and qpdf, Poppler and Ghostscript if installed."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pikepdf
import pytest
import torch

from render.geometry.grid import Grid
from render.pictures.colour import to_canvas
from render.pictures.tiled_image import TiledImage, TileFile, TileLayout

MM = 25.4 / 72
"""Millimetres of a point."""


def tiled_canvas(folder: Path, samples: np.ndarray, tile: int) -> TiledImage:
    """Samples (h, w, 3) of uint8 as a canvas of tiles in a file."""
    canvas = to_canvas(samples, torch.float32)
    grid = Grid(samples.shape[0], samples.shape[1], tile)
    file = TileFile(folder / "canvas", TileLayout(grid, "float32", tuple(range(len(grid)))))
    file.create()
    for number in range(len(grid)):
        file.write(number, canvas[grid.core(number).slices()].numpy())
    return TiledImage((file.as_tile_set(),))


def pdf_samples(path: Path, page: int = 0) -> np.ndarray:
    """The samples of the picture of a page, (h, w, channels) of uint8, as qpdf decodes them."""
    with pikepdf.open(path) as pdf:
        image = pdf.pages[page].get_images()["/Im0"]
        shape = int(image.Height), int(image.Width), -1
        return np.frombuffer(image.read_bytes(), np.uint8).reshape(shape)


def box_in_mm(path: Path, name: str, page: int = 0) -> tuple[float, float, float, float]:
    """A box of a page, such as `TrimBox`, in millimetres: left, bottom, right, top."""
    with pikepdf.open(path) as pdf:
        sides = [float(side) * MM for side in pdf.pages[page].obj[f"/{name}"]]
    left, bottom, right, top = sides
    return left, bottom, right, top


def tool_says(tool: str, package: str, *arguments: str) -> str:
    """What a program prints. It must succeed; the test is skipped if it is not installed."""
    program = shutil.which(tool)
    if program is None:
        pytest.skip(f"NO {tool.upper()}: install Debian's package {package} to check PDFs")
    done = subprocess.run(
        [program, *arguments], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr
