"""The page beside tiles, opened from a disk: it shows the deepest level, and needs no network."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, Request, expect

from jobs.planning.output_writing import output_writing
from jobs.spec.poster import Output
from render.pictures.output_format import Labels
from render.pictures.write import write_picture
from tests.support.picture_files import gradient_samples

HEIGHT, WIDTH = 900, 1400

FINE = (slice(400, 500), slice(650, 750))
"""Where the picture has stripes of one pixel, in its middle."""

_AT_FULL_SIZE = """() => {
  viewer.viewport.zoomTo(viewer.viewport.getMaxZoom(), null, true);
  viewer.viewport.applyConstraints(true);
}"""

_IS_DRAWN = "() => viewer.isOpen() && viewer.world.getItemAt(0).getFullyLoaded()"


@pytest.fixture
def striped() -> np.ndarray:
    """A gradient with stripes that only the deepest level has; others show their mean, grey."""
    samples = gradient_samples(HEIGHT, WIDTH)
    samples[FINE] = 0
    samples[FINE][:, ::2] = 255
    return samples


def _write(folder: Path, output: Output, samples: np.ndarray) -> Path:
    """Write an output. Returns the page beside its tiles."""
    writing = output_writing(output.format, output, Labels(300.0, "{}"), 1)
    path = folder / output.file_name("sky", output.format)
    size = samples.shape[:2]
    write_picture(path, output.format, size, 8, [samples], writing.labels, 1, writing.encoding)
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            archive.extractall(folder)
        return folder / path.stem / "index.html"
    return folder / "sky_files" / "index.html" if output.page else path


OUTPUTS = {
    "deepzoom": (Output(format="deepzoom", page=True), "/11/2_1.jpg"),
    "deepzoom-zip": (Output(format="deepzoom-zip"), "/11/2_1.jpg"),
    "iiif": (Output(format="iiif"), "/512,256,256,256/256,256/0/default.jpg"),
    "iiif-zip": (Output(format="iiif-zip"), "/512,256,256,256/256,256/0/default.jpg"),
}


@pytest.mark.parametrize("name", OUTPUTS)
def test_the_page_shows_the_deepest_level(
    page: Page, tmp_path: Path, striped: np.ndarray, name: str
) -> None:
    output, deepest = OUTPUTS[name]
    asked: list[str] = []
    failed: list[str] = []

    def fail(request: Request) -> None:
        failed.append(request.url)

    page.on("request", lambda request: asked.append(request.url))
    page.on("requestfailed", fail)
    page.goto(_write(tmp_path, output, striped).as_uri())
    expect(page.locator("canvas").first).to_be_visible()
    page.wait_for_function(_IS_DRAWN)
    whole = _screenshot(page)
    page.evaluate(_AT_FULL_SIZE)
    page.wait_for_function(_IS_DRAWN)
    page.wait_for_timeout(200)
    close = _screenshot(page)

    assert any(address.endswith(deepest) for address in asked)
    assert all(address.startswith("file://") for address in asked)
    assert failed == []
    height, width = close.shape[:2]
    middle = close[height // 2 - 60 : height // 2 + 60, width // 2 - 60 : width // 2 + 60]
    assert middle.min() < 60
    assert middle.max() > 195
    # The whole fits the window: its upper left corner is dark, and the lower right one is light.
    top = (height - width * HEIGHT // WIDTH) // 2
    assert whole[top + 20, 20].max() < 40
    assert whole[height - top - 20, width - 20].min() > 210


def _screenshot(page: Page) -> np.ndarray:
    with Image.open(io.BytesIO(page.screenshot())) as shot:
        return np.asarray(shot.convert("RGB"))
