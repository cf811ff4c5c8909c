"""The disk that a plan needs, and whether it is there. What is really used is in test_local."""

from pathlib import Path

import numpy as np
import pytest

from jobs.planning.disk import Disk, disk_use
from jobs.spec.poster import Output
from jobs.text.errors import RequestError
from render.pictures.output_format import FORMATS, Labels
from render.pictures.write import write_picture
from tests.jobs.test_local import bytes_below
from tests.render.pictures.files import noise

KINDS = [
    Output(format="png"),
    Output(format="png", depth=16),
    Output(format="tiff"),
    Output(format="tiff", depth=16),
    Output(format="jpeg"),
    Output(format="deepzoom"),
]


@pytest.mark.parametrize("size", [(1, 1), (168, 300), (700, 500), (3000, 7), (7, 3000)])
@pytest.mark.parametrize("output", KINDS, ids=lambda kind: f"{kind.format}-{kind.depth}")
def test_not_even_white_noise_takes_more(
    tmp_path: Path, size: tuple[int, int], output: Output
) -> None:
    samples: np.ndarray = noise(*size, output.depth)
    path = tmp_path / f"noise{FORMATS[output.format].suffix}"
    labels = Labels(300, "x" * 2000)
    write_picture(path, output.format, size, output.depth, [samples], labels)

    assert bytes_below(tmp_path) <= disk_use(size, 8, size, 4, 1, False, (output,)).outputs


def test_spilling_keeps_the_canvas_and_every_gradient() -> None:
    size, canvas = (100, 200), 100 * 200 * 3 * 4
    outputs = (Output(format="png"),)
    held = disk_use(size, 8, size, 4, 3, False, outputs)
    spilt = disk_use(size, 8, size, 4, 3, True, outputs)

    assert spilt.scratch - held.scratch == 4 * canvas
    assert held.input == 100 * 200 * 3
    assert disk_use(size, 16, size, 4, 3, False, outputs).input == 2 * held.input


def test_a_disk_that_is_too_small_is_refused_with_the_figures(tmp_path: Path) -> None:
    Disk(0, 1000, 1000).check(tmp_path)
    with pytest.raises(RequestError, match=r"rendering needs 2000000.0 GB and [\d.]+ GB are free"):
        Disk(0, 10**15, 10**15).check(tmp_path)
