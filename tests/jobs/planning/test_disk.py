"""The disk space of a plan. tests/jobs/poster/test_local.py measures the real use."""

from pathlib import Path

import numpy as np
import pytest

from jobs.planning.disk import DiskUse, disk_use
from jobs.planning.output_writing import output_writing
from jobs.spec.poster import Output
from jobs.text.errors import RequestError
from render.pictures.output_format import FORMATS, Labels
from render.pictures.write import write_picture
from tests.support.picture_files import noise_samples
from tests.support.processes import disk_usage

KINDS = [
    Output(format="png"),
    Output(format="png", depth=16),
    Output(format="tiff"),
    Output(format="tiff", depth=16),
    Output(format="jpeg"),
    Output(format="deepzoom"),
    Output(format="deepzoom-zip"),
    Output(format="iiif"),
    Output(format="iiif-zip"),
    Output(format="tiff", compression="lzw"),
    Output(format="tiff", depth=16, compression="none"),
    Output(format="webp", quality=100),
    Output(format="avif", quality=100),
]


def poster_disk_use(
    size: tuple[int, int],
    outputs: tuple[Output, ...],
    *,
    source_depth: int = 8,
    spills: bool = False,
) -> DiskUse:
    """The use of a float32 poster of its input's size, whose steps store three times the canvas."""
    return disk_use(
        source=size,
        source_depth=source_depth,
        size=size,
        value_bytes=4,
        stored=3,
        spills=spills,
        outputs=outputs,
    )


@pytest.mark.parametrize("size", [(1, 1), (168, 300), (700, 500), (3000, 7), (7, 3000)])
@pytest.mark.parametrize(
    "output",
    KINDS,
    ids=lambda kind: f"{kind.format}-{kind.depth}-{kind.compression or kind.quality}",
)
def test_white_noise_stays_below_the_bound(
    tmp_path: Path, size: tuple[int, int], output: Output
) -> None:
    samples: np.ndarray = noise_samples(*size, output.depth)
    path = tmp_path / f"noise{FORMATS[output.format].suffix}"
    labels = Labels(300, "x" * 2000)
    writing = output_writing(output.format, output, labels, 1)
    write_picture(
        path, output.format, size, output.depth, [samples], labels, encoding=writing.encoding
    )

    assert disk_usage(tmp_path) <= poster_disk_use(size, (output,)).outputs


def test_spilling_stores_the_canvas_and_every_gradient() -> None:
    size, canvas = (100, 200), 100 * 200 * 3 * 4
    outputs = (Output(format="png"),)
    in_memory = poster_disk_use(size, outputs)
    spilled = poster_disk_use(size, outputs, spills=True)

    # The tiles' checksums take a little more.
    assert 4 * canvas <= spilled.scratch - in_memory.scratch <= 1.05 * 4 * canvas
    assert in_memory.input == 100 * 200 * 3
    assert poster_disk_use(size, outputs, source_depth=16).input == 2 * in_memory.input


def test_a_small_disk_fails_with_needed_and_free_bytes(tmp_path: Path) -> None:
    DiskUse(0, 1000, 1000).check(tmp_path)
    with pytest.raises(RequestError, match=r"rendering needs 2000000.0 GB and [\d.]+ GB are free"):
        DiskUse(0, 10**15, 10**15).check(tmp_path)
