"""The memory of reading and writing depends on the width, not on the number of pixels."""

import subprocess
import sys
from pathlib import Path

import pytest

from render.pictures.output_format import FORMATS

PEAK = """
import sys
from pathlib import Path
import numpy as np
from render.pictures.output_format import Labels
from render.pictures.decode import open_picture
from render.pictures.write import write_picture
from tests.support.picture_files import noise_samples

def peak():
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024

folder, name, suffix, height, width, depth = sys.argv[1:]
height, width, depth = int(height), int(width), int(depth)
labels = Labels(300.0, "{}")
small = [noise_samples(64, 64, depth)]
write_picture(Path(folder, "warm" + suffix), name, (64, 64), depth, small, labels)
# Flat patches encode fast and need as much memory as other pictures.
band = np.repeat(noise_samples(64, width // 100, depth), 100, axis=1)
before = peak()
bands = (band[: min(64, height - y)] for y in range(0, height, 64))
path = Path(folder, "large" + suffix)
write_picture(path, name, (height, width), depth, bands, labels)
if name in ("png", "tiff", "jpeg"):
    for seen in open_picture(path).bands(64):
        pass
print(peak() - before)
"""

GIGAPIXEL = """
import sys
from pathlib import Path
import numpy as np
from render.pictures.output_format import Labels
from render.pictures.write import write_picture

side = 32_768
band = np.repeat(np.arange(64 * side // 8 * 3, dtype=np.uint8).reshape(64, -1, 3), 8, axis=1)
bands = (band for _ in range(0, side, 64))
write_picture(Path(sys.argv[1]), "tiff", (side, side), 8, bands, Labels(300.0, "{}"), 2)
status = Path("/proc/self/status").read_text()
print(int(status.split("VmHWM:")[1].split()[0]) / 1024)
"""

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="peak memory is read from Linux's /proc"
)


def _peak_mb(folder: Path, project: Path, name: str, size: tuple[int, int, int]) -> float:
    """MB above the import baseline to write and read a picture of (height, width, depth)."""
    arguments = [str(folder), name, FORMATS[name].suffix, *map(str, size)]
    done = subprocess.run(
        [sys.executable, "-c", PEAK, *arguments],
        capture_output=True,
        text=True,
        cwd=project,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return float(done.stdout)


@pytest.mark.parametrize(
    "name", [name for name, held in FORMATS.items() if held.max_pixels is None]
)
def test_a_tall_picture_is_never_held(tmp_path: Path, project: Path, name: str) -> None:
    # 90 MB of samples.
    assert _peak_mb(tmp_path, project, name, (15_000, 2_000, 8)) < 60


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "depth"),
    [("png", 8), ("png", 16), ("tiff", 8), ("tiff", 16), ("jpeg", 8), ("deepzoom", 8)],
)
def test_a_poster_is_never_held(tmp_path: Path, project: Path, name: str, depth: int) -> None:
    # 432 MB of samples at 8 bits, 864 MB at 16.
    assert _peak_mb(tmp_path, project, name, (12_000, 12_000, depth)) < 250


@pytest.mark.slow
def test_a_tiff_of_a_gigapixel_takes_less_than_a_gibibyte(tmp_path: Path, project: Path) -> None:
    # It is only written: reading it again takes another encoder's time.
    done = subprocess.run(
        [sys.executable, "-c", GIGAPIXEL, str(tmp_path / "a.tif")],
        capture_output=True,
        text=True,
        cwd=project,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 1024
