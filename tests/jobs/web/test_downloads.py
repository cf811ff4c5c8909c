"""Downloads: whole, in ranges, and a DeepZoom as one zip."""

import asyncio
import hashlib
import threading
import time
import zipfile
from asyncio import AbstractEventLoop
from collections.abc import AsyncGenerator
from io import BytesIO
from pathlib import Path

import pytest
from starlette.types import Message

from jobs.store.folder import FolderStore
from jobs.web.downloads import parse_range, zip_chunks
from jobs.web.live_routes import EventStream
from jobs.web.problems import Problem
from tests.support.counting_store import CountingStore
from tests.support.rendered_poster import RenderedPoster, render_poster
from tests.support.web_client import WebClient, web_client


@pytest.fixture
def client(finished: RenderedPoster, loop: AbstractEventLoop) -> WebClient:
    return web_client(FolderStore(finished.store), loop)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (None, None),
        ("", None),
        ("bytes=0-", (0, 100)),
        ("bytes=10-19", (10, 20)),
        ("bytes=10-1000", (10, 100)),
        ("bytes=-10", (90, 100)),
        ("bytes=-1000", (0, 100)),
        ("bytes = 5 - 5", (5, 6)),
        ("bytes=-", None),
        ("bytes=0-1,5-6", None),
        ("lines=0-1", None),
        ("bytes=" + ",".join(f"{n}-" for n in range(1000)), None),
        (f"bytes=0-{'9' * 5000}", None),
    ],
)
def test_ranges(asked: str | None, found: tuple[int, int] | None) -> None:
    assert parse_range(asked, 100) == found


@pytest.mark.parametrize("asked", ["bytes=100-", "bytes=20-10", "bytes=-0", "bytes=999999999999-"])
def test_a_range_outside_is_refused(asked: str) -> None:
    with pytest.raises(Problem, match="has 100 bytes"):
        parse_range(asked, 100)


def test_a_file_is_downloaded_whole_and_in_parts(
    client: WebClient, finished: RenderedPoster
) -> None:
    (png,) = (
        one for one in client.json(f"/jobs/{finished.job}")["outputs"] if one["format"] == "png"
    )
    whole = client.request("GET", png["url"])
    content = whole.content
    assert f"sha256:{hashlib.sha256(content).hexdigest()}" == png["sha256"]
    assert whole.headers["content-type"] == "image/png"
    assert whole.headers["content-disposition"] == "attachment; filename*=UTF-8''sky.png"
    assert whole.headers["accept-ranges"] == "bytes"
    part = client.request("GET", png["url"], headers={"Range": "bytes=1000-1999"})
    assert (part.status_code, part.content) == (206, content[1000:2000])
    assert part.headers["content-range"] == f"bytes 1000-1999/{len(content)}"
    refused = client.request("GET", png["url"], headers={"Range": "bytes=99999999-"})
    assert refused.status_code == 416
    shown = client.request("GET", png["url"], params={"inline": True})
    assert shown.headers["content-disposition"].startswith("inline")


def test_a_deepzoom_comes_as_one_zip(client: WebClient, finished: RenderedPoster) -> None:
    answer = client.get(f"/jobs/{finished.job}/outputs/sky.zip")
    assert answer.headers["content-type"] == "application/zip"
    folder = finished.store / finished.keys.outputs(1)
    names = {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and path.name != "sky.png"
    }
    with zipfile.ZipFile(BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        assert set(archive.namelist()) == names
        for name in names:
            assert archive.read(name) == (folder / name).read_bytes()
    again = client.get(f"/jobs/{finished.job}/outputs/sky.zip")
    assert again.content == answer.content, "the same zip each time"


def test_an_iiif_comes_as_one_zip(
    picture: Path, weights: Path, tmp_path: Path, loop: AbstractEventLoop
) -> None:
    job = render_poster(picture, weights, tmp_path, "outputs=[iiif]")
    client = web_client(FolderStore(job.store), loop)
    (output,) = client.get(f"/jobs/{job.job}").json()["outputs"]
    assert output["url"].endswith(f"/jobs/{job.job}/outputs/sky-iiif.zip")
    answer = client.get(f"/jobs/{job.job}/outputs/sky-iiif.zip")
    with zipfile.ZipFile(BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        names = set(archive.namelist())
    assert {"sky-iiif.html", "sky-iiif_files/info.json"} <= names
    assert "sky-iiif_files/full/max/0/default.jpg" in names


@pytest.mark.parametrize("name", ["sky.dzi", "sky.tiff", "manifest.json", "sky_files", "000001"])
def test_what_is_no_result_is_not_downloaded(
    client: WebClient, finished: RenderedPoster, name: str
) -> None:
    assert client.get(f"/jobs/{finished.job}/outputs/{name}").status_code == 404


def test_downloads_have_a_limit(client: WebClient, finished: RenderedPoster) -> None:
    client.farm.downloads.count = client.farm.downloads.most
    answer = client.get(f"/jobs/{finished.job}/outputs/sky.png")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "2")
    client.farm.downloads.count -= 1
    assert client.get(f"/jobs/{finished.job}/outputs/sky.png").status_code == 200
    assert client.farm.downloads.count == client.farm.downloads.most - 1


def test_whoever_leaves_a_zip_waits_for_no_read() -> None:
    """Its end runs in the event loop, on which all others wait."""
    store, may_end = CountingStore(), threading.Event()
    store.put("a", b"x")

    def get_slowly(key: str) -> bytes:
        if key != "a":
            may_end.wait(20)
        return b"x"

    store.get = get_slowly  # type: ignore[method-assign]

    async def leave() -> float:
        chunks = zip_chunks(store, [(name, name) for name in "abcdefghij"])
        await anext(chunks)
        began = time.monotonic()
        await chunks.aclose()
        took = time.monotonic() - began
        may_end.set()
        return took

    assert asyncio.run(leave()) < 5


def test_a_stream_ends_with_its_connection() -> None:
    ended = []

    async def body() -> AsyncGenerator[bytes]:
        try:
            while True:
                yield b"x"
        finally:
            ended.append(1)

    async def send(message: Message) -> None:
        if message.get("body"):
            raise OSError("gone")

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def run() -> None:
        stream = EventStream(body(), {})
        with pytest.raises(OSError, match="gone"):
            await stream({"type": "http"}, receive, send)
        assert ended, "although something still refers to the stream"

    asyncio.run(run())


def test_previews_are_shown(client: WebClient, finished: RenderedPoster) -> None:
    shown = client.json(f"/jobs/{finished.job}")
    assert len(shown["previews"]) == 2
    newest = client.request("GET", shown["preview"])
    last = client.request("GET", shown["previews"][-1])
    assert newest.content == last.content
    assert newest.content.startswith(b"\xff\xd8")
    assert newest.headers["content-type"] == "image/jpeg"
    assert client.get(f"/jobs/{finished.job}/previews/3.jpg").status_code == 404
    for octave in ("0", "65", "x", "1.5"):
        assert client.get(f"/jobs/{finished.job}/previews/{octave}.jpg").status_code == 404
