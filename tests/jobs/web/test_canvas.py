"""The picture of a running poster: its newest checkpoint, at any zoom."""

import json
from asyncio import AbstractEventLoop
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from jobs.poster.submit import submit_poster
from jobs.records.keys import JobKeys
from jobs.runtime.checkpoints import valid_commits
from jobs.runtime.metrics.progress import Progress
from jobs.store.folder import FolderStore
from jobs.store.s3 import S3Store
from jobs.store.store import Store
from jobs.web.canvas import newest_canvas
from jobs.web.pyramid import TILE
from render.geometry.grid import Grid
from render.pictures.colour import values_to_samples
from tests.jobs.web.conftest import FINISHED_SETTINGS
from tests.support.counting_store import CountingStore
from tests.support.rendered_poster import RenderedPoster
from tests.support.s3_servers import BUCKET, Server, s3_environment
from tests.support.small_poster import claim_poster, plan_poster
from tests.support.web_client import WebClient, web_client


class Stopped(Exception):  # noqa: N818 - it is no error here
    """Stops a render."""


@pytest.fixture(scope="module")
def stopped(
    tmp_path_factory: pytest.TempPathFactory, picture: Path, weights: Path
) -> RenderedPoster:
    """A poster that was stopped in its last octave, after one of its steps."""
    folder = tmp_path_factory.mktemp("stopped")
    plan = plan_poster(picture, weights, *FINISHED_SETTINGS)
    submit_poster(FolderStore(folder / "store"), plan.spec)

    def watch(progress: Progress) -> None:
        if progress.phase == "dream" and progress.octave == 2 and progress.step == 2:
            raise Stopped

    with pytest.raises(Stopped):
        claim_poster(plan, folder, watch=watch, checkpoint_seconds=0.0).run()
    return RenderedPoster(folder / "store", plan.identity.job_id)


def committed_pixels(store: Store, job: str) -> np.ndarray:
    """The pixels of the newest commit, read as the workers read them."""
    keys = JobKeys(job)
    commit = valid_commits(store, keys)[0].commit
    plan = json.loads(store.get(keys.plan))["plan"]
    height, width = plan["octaves"][commit.octave]
    grid = Grid(height, width, plan["tiles"][commit.octave])
    canvas = np.empty((grid.height, grid.width, 3), np.float32)
    for part in commit.parts:
        layout, content = part.layout(grid), store.get(part.key)
        for tile in part.tiles:
            core = grid.core(tile)
            start, size = layout.offset(tile, 0), core.height * layout.row_bytes(tile)
            rows = layout.decode(tile, 0, content[start : start + size])
            assert rows is not None
            canvas[core.slices((0, 0))] = rows
    return values_to_samples(canvas, 8)


def show(client: WebClient, url: str) -> np.ndarray:
    answer = client.request("GET", url)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/jpeg"
    with Image.open(BytesIO(answer.content)) as tile:
        return np.asarray(tile).astype(int)


def tile_url(canvas: dict[str, Any], level: int, column: int, row: int) -> str:
    url: str = canvas["tiles"].format(level=level, column=column, row=row)
    return url


def test_a_tile_has_the_pixels_of_the_checkpoint(stopped: RenderedPoster) -> None:
    store = FolderStore(stopped.store)
    found = newest_canvas(store, stopped.job)
    assert found is not None
    view = found.view()
    assert (view.octave, view.octaves, view.step, view.steps, view.final) == (2, 2, 1, 2, False)
    assert (view.width, view.height) == (300, 204) == (view.canvas_width, view.canvas_height)
    pixels = committed_pixels(store, stopped.job)
    for column, row in ((0, 0), (1, 0)):
        part = pixels[row * TILE : (row + 1) * TILE, column * TILE : (column + 1) * TILE]
        assert np.array_equal(found.tile(view.max_level, column, row), part)


def test_the_pixels_are_those_of_the_final_file(finished: RenderedPoster) -> None:
    found = newest_canvas(FolderStore(finished.store), finished.job)
    assert found is not None
    assert found.view().final
    with Image.open(
        finished.store / finished.keys.folder / finished.manifest["outputs"][0]["path"]
    ) as file:
        pixels = np.asarray(file)
    assert np.array_equal(found.tile(found.view().max_level, 1, 0), pixels[:, 256:])


def test_the_api_shows_each_level(stopped: RenderedPoster, loop: AbstractEventLoop) -> None:
    client = web_client(FolderStore(stopped.store), loop)
    canvas = client.json(f"/jobs/{stopped.job}/canvas")
    pixels = committed_pixels(FolderStore(stopped.store), stopped.job)
    last = show(client, tile_url(canvas, canvas["max_level"], 0, 0))
    assert np.abs(last - pixels[:TILE, :TILE]).mean() < 6, "JPEG loses a little"
    assert show(client, tile_url(canvas, 0, 0, 0)).shape == (1, 1, 3)
    half = show(client, tile_url(canvas, canvas["max_level"] - 1, 0, 0))
    means = pixels.reshape(102, 2, 150, 2, 3).mean(axis=(1, 3))
    assert np.abs(half - means).mean() < 9
    answer = client.request("GET", tile_url(canvas, canvas["max_level"], 0, 0))
    assert "immutable" in answer.headers["cache-control"]


def test_what_is_not_there_is_no_tile(stopped: RenderedPoster, loop: AbstractEventLoop) -> None:
    client = web_client(FolderStore(stopped.store), loop)
    base = f"/jobs/{stopped.job}/tiles"
    version = client.json(f"/jobs/{stopped.job}/canvas")["version"]
    for place in ("9/2_0", "9/0_1", "10/0_0", "25/0_0", "9999999999/0_0", "9/0_0_0", "9/-1_0"):
        assert client.get(f"{base}/{version}/{place}.jpg").status_code == 404, place
    assert client.get(f"{base}/000099-0001/0/0_0.jpg").status_code == 410
    assert client.get(f"{base}/{version}x/0/0_0.jpg").status_code == 404
    assert client.get(f"/jobs/none-{'0' * 12}/canvas").status_code == 404


def test_a_tile_of_a_checkpoint_that_was_replaced_is_gone(
    stopped: RenderedPoster, tmp_path: Path, loop: AbstractEventLoop
) -> None:
    copy = stopped.copied(tmp_path)
    store = FolderStore(copy.store)
    client = web_client(store, loop)
    canvas = client.json(f"/jobs/{copy.job}/canvas")
    show(client, tile_url(canvas, 9, 0, 0))
    store.delete([entry.key for entry in store.list_objects(copy.keys.checkpoints)])
    assert client.request("GET", tile_url(canvas, 9, 1, 0)).status_code == 410
    assert client.request("GET", tile_url(canvas, 9, 0, 0)).status_code == 200, "it is cached"
    assert client.get(f"/jobs/{copy.job}/canvas").status_code == 404


def test_a_damaged_checkpoint_shows_the_one_before(stopped: RenderedPoster, tmp_path: Path) -> None:
    copy = stopped.copied(tmp_path)
    store = FolderStore(copy.store)
    newest, older, *_ = valid_commits(store, copy.keys)
    store.delete([newest.commit.parts[0].key])
    found = newest_canvas(store, copy.job)
    assert found is not None
    assert (found.commit, found.commit != newest.commit) == (older.commit, True)


def test_a_deepzoom_takes_the_place_of_a_canvas_that_was_cleaned(
    finished: RenderedPoster, tmp_path: Path, loop: AbstractEventLoop
) -> None:
    copy = finished.copied(tmp_path)
    store = FolderStore(copy.store)
    store.delete([entry.key for entry in store.list_objects(copy.keys.checkpoints)])
    client = web_client(store, loop)
    canvas = client.json(f"/jobs/{copy.job}/canvas")
    assert (canvas["tile"], canvas["overlap"], canvas["max_level"]) == (254, 1, 9)
    with Image.open(copy.store / copy.keys.folder / copy.manifest["outputs"][0]["path"]) as file:
        pixels = np.asarray(file).astype(int)
    tile = show(client, tile_url(canvas, 9, 1, 0))
    assert np.abs(tile - pixels[: tile.shape[0], 253 : 253 + tile.shape[1]]).mean() < 6
    assert client.request("GET", tile_url(canvas, 9, 9, 9)).status_code == 410


def test_a_canvas_that_is_known_takes_one_listing(stopped: RenderedPoster) -> None:
    source, store = FolderStore(stopped.store), CountingStore()
    for entry in source.list_objects(stopped.keys.folder):
        store.put(entry.key, source.get(entry.key))
    known = newest_canvas(store, stopped.job)
    store.forget()
    assert newest_canvas(store, stopped.job, known) is known
    assert (store.listings.total(), store.reads.total()) == (1, 0)


def test_a_bucket_shows_the_same(stopped: RenderedPoster, moto: Server) -> None:
    with s3_environment(moto):
        source, bucket = FolderStore(stopped.store), S3Store(BUCKET, "zoom")
        for entry in source.list_objects(stopped.keys.folder):
            bucket.put(entry.key, source.get(entry.key))
        here, there = newest_canvas(source, stopped.job), newest_canvas(bucket, stopped.job)
        assert here is not None
        assert there is not None
        for place in ((9, 1, 0), (8, 0, 0), (0, 0, 0)):
            assert np.array_equal(here.tile(*place), there.tile(*place))


def test_a_strange_plan_or_commit_shows_nothing(
    stopped: RenderedPoster, tmp_path: Path, loop: AbstractEventLoop
) -> None:
    """Anybody with access to the store may have written them."""
    copy = stopped.copied(tmp_path)
    client, plan = web_client(FolderStore(copy.store), loop), copy.store / copy.keys.plan
    document = json.loads(plan.read_text())
    strange: list[dict[str, object]] = [{"size": [10**12, 4]}, {"octaves": []}]
    strange += [{"tiles": [0]}, {"octaves": "x"}]
    for wrong in strange:
        plan.write_text(json.dumps({**document, "plan": {**document["plan"], **wrong}}))
        assert client.get(f"/jobs/{copy.job}/canvas").status_code == 404, wrong
