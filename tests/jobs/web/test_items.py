"""The items of a dataset: pages of the ledger, and small pictures."""

from asyncio import AbstractEventLoop
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from jobs.dataset.inputs.index import DatasetKeys
from jobs.store.folder import FolderStore
from jobs.web.settings import ServeSettings
from tests.support.counting_store import CountingStore
from tests.support.dreamed_dataset import COUNTS, GOOD_INPUTS, DreamedDataset, dream_dataset
from tests.support.stored_jobs import job_name, write_finished_job
from tests.support.web_client import WebClient, web_client


@pytest.fixture(scope="session")
def dreamed(tmp_path_factory: pytest.TempPathFactory, weights: Path) -> DreamedDataset:
    """A dreamed dataset. Tests must not change it."""
    return dream_dataset(tmp_path_factory.mktemp("album"), weights)


@pytest.fixture
def client(dreamed: DreamedDataset, loop: AbstractEventLoop) -> WebClient:
    return web_client(FolderStore(dreamed.store), loop)


def test_a_dataset_is_shown_with_its_counts(client: WebClient, dreamed: DreamedDataset) -> None:
    shown = client.json(f"/jobs/{dreamed.job}")
    assert (shown["kind"], shown["state"], shown["items"]) == ("dataset", "succeeded", COUNTS)
    assert shown["requests"] == ["retry", "delete"]
    sheet = client.request("GET", shown["preview"])
    assert sheet.content.startswith(b"\xff\xd8")


def test_rows_are_filtered_and_paged(client: WebClient, dreamed: DreamedDataset) -> None:
    path = f"/jobs/{dreamed.job}/ledger"
    rows = client.json(path)["rows"]
    assert [one["number"] for one in rows] == [0, 1, 2, 3]
    first = client.json(path, params={"limit": 3})
    rest = client.json(path, params={"limit": 3, "after": first["next"]})
    assert first["rows"] + rest["rows"] == rows
    assert rest["next"] is None
    done = client.json(path, params={"state": "done"})["rows"]
    assert {one["key"] for one in done} == GOOD_INPUTS
    for query in ({"state": "failed"}, {"failure": "input"}, {"text": "BAD"}):
        (bad,) = client.json(path, params=query)["rows"]
        assert (bad["key"], bad["failure"], bad["after"]) == ("a/bad.jpg", "input", None)
    assert client.json(path, params={"failure": "memory"})["rows"] == []
    assert bad["row"]["attempts"] >= 1
    assert client.get(path, params={"limit": 501}).status_code == 422


def test_items_have_pictures_before_and_after(client: WebClient, dreamed: DreamedDataset) -> None:
    rows = client.json(f"/jobs/{dreamed.job}/ledger", params={"state": "done"})["rows"]
    for row in rows:
        for url in (row["before"], row["after"]):
            answer = client.request("GET", url)
            assert answer.status_code == 200, answer.text
            with Image.open(BytesIO(answer.content)) as picture:
                assert picture.format == "JPEG"


def test_without_a_thumbnail_the_result_itself_is_shrunk(
    dreamed: DreamedDataset, tmp_path: Path, loop: AbstractEventLoop
) -> None:
    copy = dreamed.copied(tmp_path)
    store, keys = FolderStore(copy.store), DatasetKeys(copy.job)
    client = web_client(store, loop)
    (row, *_) = client.json(f"/jobs/{copy.job}/ledger", params={"state": "done"})["rows"]
    for when in ("before", "after"):
        store.delete([keys.thumbnail(row["number"], when)])
    answer = client.request("GET", f"{row['after']}&side=64")
    with Image.open(BytesIO(answer.content)) as picture:
        assert max(picture.size) == 64
    # The store is a folder, so the input is a file of this machine, which nobody has allowed.
    assert client.request("GET", row["before"]).status_code == 404
    allowed = str(Path(row["row"]["input"]).parents[2])
    settings = ServeSettings(refresh_seconds=0.0, allowed=(allowed,))
    assert web_client(store, loop, settings).request("GET", row["before"]).status_code == 200


def test_what_is_no_item_has_no_picture(client: WebClient, dreamed: DreamedDataset) -> None:
    base = f"/jobs/{dreamed.job}/items"
    for path in ("99/after.jpg", "-1/after.jpg", "x/after.jpg", "0/during.jpg"):
        assert client.get(f"{base}/{path}").status_code == 404, path
    for side in (15, 1025, "x"):
        assert client.get(f"{base}/0/after.jpg", params={"side": side}).status_code == 422


def test_a_poster_has_no_ledger(server: WebClient, store: CountingStore) -> None:
    keys = write_finished_job(store, job_name(1))
    answer = server.get(f"/jobs/{keys.job}/ledger")
    assert answer.status_code == 404
    assert "which has no items" in answer.json()["detail"]
