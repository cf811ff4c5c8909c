"""Compares the encoders with libvips' own, from a committed canvas to a file on disk.

    python -m tests.bench.encode [--size 4096] [--threads 1 2] [--formats png tiff jpeg deepzoom]

Old is what the encoders replaced: float64 samples of whole bands, an uncompressed PNG through a
socket, and libvips' encoder. Each run has its own process, on as many cores as it has threads. Old
and new take turns, so that other load on the machine affects both alike; the figures are the least
of all rounds. Memory is the peak of a run above the process before it, and what a plan says.
"""

import argparse
import multiprocessing
import os
import socket
import struct
import tempfile
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jobs.planning.memory import WORKER_BYTES, encoding_memory
from jobs.spec.poster import Output
from render.geometry.grid import Grid
from render.geometry.rect import Rect
from render.pictures.colour import MEAN, STD
from render.pictures.export import export_bands
from render.pictures.output_format import FORMATS, Labels
from render.pictures.tiled_image import TiledImage, TileFile, TileLayout
from render.pictures.vips import libvips
from render.pictures.write import write_picture

_TILE = 1024

_LABELS = Labels(300.0, "{}")


@dataclass(frozen=True)
class Run:
    """One file. seconds: wall clock and CPU. size: bytes of the file or files. memory: bytes."""

    seconds: float
    cpu_seconds: float
    size: int
    memory: int


def dreamlike_canvas(folder: Path, side: int) -> TiledImage:
    """A square canvas with detail at every scale, and noise of one level, as dreams have."""
    grid = Grid(side, side, _TILE)
    file = TileFile(folder / "canvas", TileLayout(grid, "float32", tuple(range(len(grid)))))
    file.create()
    for tile in range(len(grid)):
        file.write(tile, _dreamlike_tile(grid.core(tile)))
    return TiledImage((file.as_tile_set(),))


def _dreamlike_tile(core: Rect) -> np.ndarray:
    random = np.random.default_rng(core.top * 65536 + core.left)
    y, x = np.ogrid[core.top : core.bottom, core.left : core.right]
    rgb = np.full((core.height, core.width, 3), 0.5)
    for scale in (3, 9, 27, 81, 243):
        for channel in range(3):
            rgb[..., channel] += 0.03 * np.log2(scale) * np.sin(x / scale + channel + y / scale**2)
            rgb[..., channel] *= 0.95 + 0.1 * np.cos(y / scale - x / (2 * scale))
    rgb += random.normal(0, 1 / 255, rgb.shape)
    return ((rgb.clip(0, 1) - MEAN) / STD).astype(np.float32)


def new_way(canvas: TiledImage, path: Path, output: Output, threads: int) -> None:
    """Write a canvas with the project's encoders."""
    size = (canvas.grid.height, canvas.grid.width)
    bands = export_bands(canvas, output.depth, threads)
    write_picture(path, output.format, size, output.depth, bands, _LABELS, threads)


def old_way(canvas: TiledImage, path: Path, output: Output, threads: int) -> None:
    """Write a canvas as before, with libvips."""
    libvips().vips_lib.vips_concurrency_set(threads)
    reader, writer = socket.socketpair()
    with ThreadPoolExecutor(1) as pool:
        saving = pool.submit(_old_save, reader, path, output)
        with writer:
            for chunk in _old_chunks(canvas, output.depth):
                writer.sendall(chunk)
        saving.result()


def _old_save(reader: socket.socket, path: Path, output: Output) -> None:
    vips = libvips()
    source = vips.Source.new_from_descriptor(reader.fileno())
    image: Any = vips.Image.pngload_source(source, access="sequential", unlimited=True)
    if output.format == "png":
        image.pngsave(str(path), compression=6, filter="paeth")
    elif output.format == "jpeg":
        image.jpegsave(str(path), Q=95, subsample_mode="off")
    elif output.format == "tiff":
        tiles = {"tile": True, "tile_width": 256, "tile_height": 256, "pyramid": True}
        image.tiffsave(
            str(path), compression="deflate", predictor="horizontal", subifd=True, **tiles
        )
    else:
        image.dzsave(str(path.with_suffix("")), suffix=".jpg[Q=90]", tile_size=254, overlap=1)


def _old_chunks(canvas: TiledImage, depth: int) -> Iterator[bytes]:
    grid = canvas.grid
    header = struct.pack(">IIBBBBB", grid.width, grid.height, depth, 2, 0, 0, 0)
    yield b"\x89PNG\r\n\x1a\n" + _old_chunk(b"IHDR", header)
    stored = zlib.compressobj(level=0)
    rows = max(1, (1 << 20) // grid.width)
    for top in range(0, grid.height, rows):
        rect = Rect(top, 0, min(top + rows, grid.height), grid.width)
        rgb = np.clip(canvas.read(rect).astype(np.float64) * STD + MEAN, 0.0, 1.0)
        samples = np.rint(rgb * (2**depth - 1)).astype(f">u{depth // 8}")
        lines = np.zeros((rect.height, 1 + grid.width * 3 * depth // 8), np.uint8)
        lines[:, 1:] = samples.view(np.uint8).reshape(rect.height, -1)
        yield _old_chunk(b"IDAT", stored.compress(lines.tobytes()))
    yield _old_chunk(b"IDAT", stored.flush()) + _old_chunk(b"IEND", b"")


def _old_chunk(kind: bytes, data: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(data, zlib.crc32(kind)))
    return struct.pack(">I", len(data)) + kind + data + checksum


WAYS = {"old": old_way, "new": new_way}

_OLD_FORMATS = ("png", "jpeg", "tiff", "deepzoom")
"""Those that there was another way to write."""


def _run(way: str, canvas: TiledImage, output: Output, threads: int) -> Run:
    """Write one file in this process, which has a few cores and has written nothing yet."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    suffix = FORMATS[output.format].suffix
    with tempfile.TemporaryDirectory() as folder:
        _warm_up(way, Path(folder, f"warm{suffix}"), output)
        path, before, cpu = Path(folder, f"a{suffix}"), _start_peak(), time.process_time()
        started = time.perf_counter()
        WAYS[way](canvas, path, output, threads)
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
        files = [one for one in path.parent.rglob("*") if one.is_file() and "warm" not in str(one)]
        size = sum(one.stat().st_size for one in files)
    return Run(seconds, cpu, size, _status_bytes("VmHWM") - before)


def _warm_up(way: str, path: Path, output: Output) -> None:
    with tempfile.TemporaryDirectory() as folder:
        WAYS[way](dreamlike_canvas(Path(folder), 64), path, output, 1)


def _start_peak() -> int:
    """Forget this process's peak of memory (Linux), and return the bytes that it has now."""
    Path("/proc/self/clear_refs").write_text("5", "ascii")
    return _status_bytes("VmRSS")


def _status_bytes(name: str) -> int:
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.split(f"{name}:")[1].split()[0]) * 1024


def best_run(way: str, canvas: TiledImage, output: Output, threads: int) -> Run:
    """Write one file in a new process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_run, (way, canvas, output, threads))


def compare(canvas: TiledImage, output: Output, threads: int, rounds: int) -> str:
    """One line of the table."""
    runs: dict[str, list[Run]] = {"old": [], "new": []}
    for _ in range(rounds):
        for way, done in runs.items():
            done.append(best_run(way, canvas, output, threads))
    old, new = runs["old"], runs["new"]
    pixels = canvas.grid.width * canvas.grid.height
    wall, cpu = (
        [min(getattr(one, field) for one in done) / pixels * 1e9 for done in (old, new)]
        for field in ("seconds", "cpu_seconds")
    )
    size = canvas.grid.height, canvas.grid.width
    planned = encoding_memory(size, (output,), 1, threads) - WORKER_BYTES
    measured = max(one.memory for one in new)
    return (
        f"| {output.format} {output.depth} | {threads} | {wall[0]:.1f} | {wall[1]:.1f}"
        f" | {wall[0] / wall[1]:.2f} | {cpu[0]:.1f} | {cpu[1]:.1f} | {cpu[0] / cpu[1]:.2f}"
        f" | {new[0].size / old[0].size:.3f} | {planned / 2**20:.0f} | {measured / 2**20:.0f} |"
    )


def main() -> None:
    """Print a table for each format and number of threads."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=4096)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--formats", nargs="+", default=_OLD_FORMATS, choices=_OLD_FORMATS)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    print(
        "| file | threads | old ns/px | new | ratio | old CPU | new | ratio | size new/old", end=""
    )
    print(" | planned MiB | measured |")
    print("|---" * 11 + "|")
    with tempfile.TemporaryDirectory() as folder:
        canvas = dreamlike_canvas(Path(folder), arguments.size)
        for name in arguments.formats:
            for depth in FORMATS[name].depths:
                output = Output.model_validate({"format": name, "depth": depth})
                for threads in arguments.threads:
                    print(compare(canvas, output, threads, arguments.rounds), flush=True)


if __name__ == "__main__":
    main()
