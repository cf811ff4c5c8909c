"""A poster of 400 megapixels is written in each format within a GiB, in real processes."""

import subprocess
import sys
from pathlib import Path

import pytest

from jobs.planning.memory import WORKER_BYTES

WRITE = """
import sys, time
from pathlib import Path
import numpy as np
from render.pictures.encoding import Encoding, Viewer
from render.pictures.ink import Gamut, Press, ink_bands, proof_bands
from render.pictures.output_format import FORMATS, Labels
from render.pictures.write import write_picture
from tests.support.picture_files import noise_samples

folder, name, depth, height, width, kind = sys.argv[1:]
depth, height, width = int(depth), int(height), int(width)
# Patches encode faster than noise, and take as much memory.
patches = np.repeat(noise_samples(8, width // 8, depth), 8, axis=1)
band = np.repeat(patches, 8, axis=0)
bands = (band[: min(64, height - y)] for y in range(0, height, 64))
press = Press(None)
encoding = Encoding(viewer=Viewer(b"", b""), compression="lzw" if kind == "lzw" else "deflate")
if kind == "cmyk":
    bands, encoding = ink_bands(press, bands, 2), Encoding(profile=press.content())
if kind == "proof":
    bands = proof_bands(press, bands, Gamut(), 2)
path = Path(folder, f"a{FORMATS[name].suffix}")
start = time.monotonic()
write_picture(path, name, (height, width), depth, bands, Labels(300.0, "{}"), 2, encoding)
status = Path("/proc/self/status").read_text()
print(int(status.split("VmHWM:")[1].split()[0]) / 1024, time.monotonic() - start)
"""

SIDE = 20_000

STREAMED = [
    *(("png", 8, ""), ("tiff", 8, "lzw"), ("tiff", 16, ""), ("tiff", 8, "cmyk")),
    *(("tiff", 16, "cmyk"), ("jpeg", 8, ""), ("jpeg", 8, "cmyk"), ("png", 8, "proof")),
    *(("deepzoom", 8, ""), ("deepzoom-zip", 8, ""), ("iiif", 8, ""), ("iiif-zip", 8, "")),
]

WHOLE = [("webp", (10_000, 5_000)), ("avif", (4_000, 3_000))]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not Path("/proc/self/status").exists(), reason="peak memory is read from Linux's /proc"
    ),
]


def peak_mb(
    folder: Path, project: Path, name: str, depth: int, size: tuple[int, int], kind: str
) -> float:
    """The peak of a process that writes a picture of (height, width), in MiB."""
    arguments = [str(folder), name, str(depth), *map(str, size), kind]
    done = subprocess.run(
        [sys.executable, "-c", WRITE, *arguments],
        capture_output=True,
        text=True,
        cwd=project,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return float(done.stdout.split()[0])


@pytest.mark.parametrize(("name", "depth", "kind"), STREAMED)
def test_a_poster_of_400_megapixels_takes_less_than_a_gibibyte(
    tmp_path: Path, project: Path, name: str, depth: int, kind: str
) -> None:
    # A proof takes a minute for each hundred of them, and memory follows from the width.
    height = SIDE // 4 if kind == "proof" else SIDE
    assert peak_mb(tmp_path, project, name, depth, (height, SIDE), kind) < 1024


@pytest.mark.parametrize(("name", "size"), WHOLE)
def test_the_largest_picture_of_a_format_that_is_held_takes_less_than_a_gibibyte(
    tmp_path: Path, project: Path, name: str, size: tuple[int, int]
) -> None:
    # A process that renders holds torch as well.
    assert peak_mb(tmp_path, project, name, 8, size, "") < 1024 - WORKER_BYTES / 2**20
