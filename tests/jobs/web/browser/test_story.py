"""From a dropped picture to a saved file, in a browser, on a real S3 server and a real `work`."""

import io
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from jobs.store.address import open_store
from jobs.store.store import Store
from tests.support.page_server import serving
from tests.support.s3_servers import BUCKET, Server, s3_environment
from tests.support.work_processes import work_processes

_RENDERING_MS = 120_000
"""`work` and its Ray need time to start."""


@pytest.fixture
def bucket(ceph: Server) -> Iterator[Store]:
    """A store of its own on the real server."""
    with s3_environment(ceph):
        yield open_store(f"s3://{BUCKET}/{uuid.uuid4().hex}")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A small photograph."""
    samples = np.random.default_rng(3).integers(0, 256, (60, 90, 3), np.uint8)
    path = tmp_path / "meadow.png"
    Image.fromarray(samples).save(path)
    return path


def _drop(page: Page, photo: Path) -> None:
    """Drop a file onto the form, as a mouse does."""
    transfer = page.evaluate_handle(
        """([bytes, name]) => {
          const dropped = new DataTransfer();
          dropped.items.add(new File([new Uint8Array(bytes)], name, { type: "image/png" }));
          return dropped;
        }""",
        [list(photo.read_bytes()), photo.name],
    )
    page.dispatch_event(".drop", "drop", {"dataTransfer": transfer})


def _pixels(canvas: Locator) -> np.ndarray:
    """What is on the screen where the picture is, without its controls."""
    shot = Image.open(io.BytesIO(canvas.screenshot())).convert("RGB")
    return np.asarray(shot.crop((20, 20, shot.width - 20, shot.height // 2)), np.int16)


def _wait_until_changed(page: Page, canvas: Locator, before: np.ndarray) -> None:
    """Wait until another picture is on the screen."""
    for _ in range(100):
        if np.abs(_pixels(canvas) - before).mean() > 1:
            return
        page.wait_for_timeout(100)
    raise AssertionError("the picture on the screen stays the same")


def test_a_picture_is_dropped_watched_paused_resumed_and_saved(
    page: Page, bucket: Store, photo: Path, tmp_path: Path
) -> None:
    options = ("--checkpoint", "0.2")
    with (
        serving(bucket) as site,
        work_processes(bucket.address, [{}], *options, log=tmp_path / "work.log"),
    ):
        page.goto(site)
        page.get_by_role("link", name="Start a dream").click()
        _fill_form(page, photo)
        page.get_by_role("button", name="Submit").click()
        heading = page.get_by_role("heading", level=1)
        expect(heading).to_have_text("meadow", timeout=_RENDERING_MS)

        _watch_and_zoom(page)
        _pause_and_resume(page)
        _see_it_end_and_save_it(page)


def _fill_form(page: Page, photo: Path) -> None:
    _drop(page, photo)
    expect(page.get_by_text("meadow.png, 90 × 60 px")).to_be_visible()
    page.get_by_label("Unit").select_option(label="pixels")
    page.get_by_label("Width").fill("360")
    expect(page.get_by_text("360 × 240 px")).to_be_visible()
    page.get_by_text("All other settings").click()
    more = page.locator(".more")
    more.locator("summary", has_text="Dream").click()
    more.get_by_label("Steps", exact=True).first.fill("30")
    plan = page.get_by_label("Plan", exact=True)
    expect(plan.get_by_text("360 × 240 px")).to_be_visible(timeout=_RENDERING_MS)
    expect(plan).to_contain_text("USD with 1 worker")


def _watch_and_zoom(page: Page) -> None:
    """See the progress, and the tiles of one checkpoint replaced by those of the next."""
    state = page.locator(".job-state")
    expect(state).to_contain_text("Running", timeout=_RENDERING_MS)
    note = page.locator(".stage-note")
    expect(note).to_contain_text("enlarged", timeout=_RENDERING_MS)
    canvas = page.locator(".zoom-canvas")
    # Without motion the zoom is at its end with the next frame.
    page.emulate_media(reduced_motion="reduce")
    page.get_by_role("button", name="Zoom in").click()
    before, told = _pixels(canvas), note.inner_text()
    expect(note).not_to_have_text(told, timeout=_RENDERING_MS)
    _wait_until_changed(page, canvas, before)


def _pause_and_resume(page: Page) -> None:
    state = page.locator(".job-state")
    page.get_by_role("button", name="Pause").click()
    expect(state).to_contain_text("Paused", timeout=_RENDERING_MS)
    page.get_by_role("button", name="Resume").click()
    expect(state).to_contain_text("Running", timeout=_RENDERING_MS)


def _see_it_end_and_save_it(page: Page) -> None:
    expect(page.locator(".job-state")).to_contain_text("Done", timeout=_RENDERING_MS)
    expect(page.get_by_text("The finished picture.")).to_be_visible()
    expect(page.get_by_label("Events").get_by_text("Done", exact=True)).to_be_visible()
    with page.expect_download() as started:
        page.get_by_role("link", name="Save PNG").click()
    with Image.open(started.value.path()) as saved:
        assert saved.size == (360, 240)
