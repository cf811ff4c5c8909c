"""Uploads: of any size, from anybody, and never half."""

import hashlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from asyncio import AbstractEventLoop
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from jobs.store.folder import FolderStore
from jobs.web.guard import API
from jobs.web.settings import ServeSettings
from render.pictures.colour_profile import srgb_profile
from render.pictures.ink import Press
from tests.support.web_client import WebClient, web_client
from tests.support.web_server import web_server


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of temporary files."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def target(tmp_path: Path) -> FolderStore:
    """An empty store in a folder."""
    (tmp_path / "store").mkdir()
    return FolderStore(tmp_path / "store")


@pytest.fixture
def client(target: FolderStore, scratch: Path, loop: AbstractEventLoop) -> WebClient:
    return web_client(target, loop, ServeSettings(max_upload=1 << 20))


def files(*folders: Path) -> list[str]:
    # Unlike `rglob`, it goes on where a folder is removed meanwhile.
    return [
        f"{at}/{name}" for folder in folders for at, _, names in os.walk(folder) for name in names
    ]


def test_a_picture_lies_in_the_store_by_its_digest(
    client: WebClient, target: FolderStore, scratch: Path, picture: Path
) -> None:
    content = picture.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    answer = client.upload("/uploads?name=Mein Himmel.png", content)
    assert answer.status_code == 201, answer.text
    assert answer.json() == {
        "reference": f"sha256:{digest}/Mein Himmel.png",
        "name": "Mein Himmel.png",
        "bytes": len(content),
        "format": "png",
        "width": 100,
        "height": 68,
        "notes": [],
    }
    assert target.get(f"blobs/sha256/{digest}") == content
    assert files(scratch) == []


@pytest.mark.parametrize("content", [b"", b"hello", b"\x89PNG\r\n\x1a\n" + bytes(100), b"GIF89a"])
def test_what_is_no_picture_is_refused_and_not_kept(
    client: WebClient, target: FolderStore, scratch: Path, content: bytes
) -> None:
    answer = client.upload("/uploads?name=sky.png", content)
    assert answer.status_code == 422
    assert "upload.png" in answer.json()["detail"]
    assert files(Path(target.address), scratch) == []


def test_weights_are_safetensors_only(
    client: WebClient, target: FolderStore, weights: Path
) -> None:
    header = b"{}".ljust(8)
    small = len(header).to_bytes(8, "little") + header
    answer = client.upload("/uploads?name=w.safetensors&use=weights", small)
    assert (answer.status_code, answer.json()["format"]) == (201, "safetensors")
    for name, content in (
        ("w.pth", small),
        ("w.safetensors", b"\x80\x02}q\x00." + bytes(99)),
        ("w.safetensors", (1 << 40).to_bytes(8, "little") + b"{}"),
    ):
        answer = client.upload(f"/uploads?name={name}&use=weights", content)
        assert answer.status_code == 422, answer.text
    assert len(files(Path(target.address))) == 1


def test_a_profile_is_that_of_a_press(client: WebClient, target: FolderStore) -> None:
    answer = client.upload("/uploads?name=shop.icc&use=profile", Press(None).content())
    assert (answer.status_code, answer.json()["format"]) == (201, "icc"), answer.text
    for content, reason in ((srgb_profile(), "not for CMYK"), (b"no profile", "is not an ICC")):
        answer = client.upload("/uploads?name=shop.icc&use=profile", content)
        assert answer.status_code == 422, answer.text
        assert reason in answer.json()["detail"]
    assert len(files(Path(target.address))) == 1


def test_an_upload_that_announces_too_much_is_refused_at_once(
    client: WebClient, scratch: Path
) -> None:
    answer = client.upload("/uploads?name=sky.png", bytes((1 << 20) + 1))
    assert answer.status_code == 413
    assert "at most 1.0 MB" in answer.json()["detail"]


def test_an_upload_without_an_end_is_stopped_at_the_limit(
    client: WebClient, target: FolderStore, scratch: Path
) -> None:
    sent = [0]

    async def endless() -> AsyncIterator[bytes]:
        while True:
            sent[0] += 65_536
            yield bytes(65_536)

    answer = client.upload("/uploads?name=sky.png", endless())
    assert answer.status_code == 413
    assert sent[0] < 4 << 20
    assert files(Path(target.address), scratch) == []


@pytest.mark.parametrize("name", ["", ".", "..", "a/b.png", "a\\b.png", "a\nb.png", "x" * 201])
def test_a_name_is_a_plain_file_name(client: WebClient, name: str) -> None:
    answer = client.upload("/uploads", b"x", params={"name": name})
    assert answer.status_code == 422


def begin_upload(port: int) -> socket.socket:
    """Announce 50 GB, and send 3 MB."""
    broken = socket.create_connection(("127.0.0.1", port))
    path = f"{API}/uploads?name=sky.png"
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {50 << 30}\r\n"
    broken.sendall(f"{head}Content-Type: image/png\r\n\r\n".encode())
    for _ in range(48):
        broken.sendall(os.urandom(65_536))
    return broken


def wait_for_file(folder: Path) -> None:
    deadline = time.monotonic() + 20
    while not any(path.stat().st_size for path in folder.rglob("upload.png")):
        assert time.monotonic() < deadline, "it is written to disk, not kept in memory"
        time.sleep(0.01)


def test_an_upload_that_stops_half_way_leaves_nothing(
    target: FolderStore, scratch: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = ServeSettings(max_upload=60 << 30)
    with web_server(target, settings) as server:
        with begin_upload(server.port):
            wait_for_file(scratch)
        deadline = time.monotonic() + 10
        while files(scratch):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert files(Path(target.address)) == []
        assert server.json("/jobs")["matching"] == 0, "the server goes on"
    assert not caplog.records, "a client that leaves is no defect"


def test_what_a_killed_server_leaves_is_removed_by_the_next_upload(
    client: WebClient, target: FolderStore, scratch: Path, picture: Path
) -> None:
    command = [sys.executable, "-m", "jobs.cli", "serve", "--port", "0", "--max-upload", "60GiB"]
    with subprocess.Popen(
        [*command, "--store", target.address],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(scratch)},
    ) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline().strip().strip("/").rpartition(":")[2])
            with begin_upload(port):
                wait_for_file(scratch)
        finally:
            process.kill()
    assert client.upload("/uploads?name=sky.png", picture.read_bytes()).status_code == 201
    assert list(scratch.iterdir()) == []


def test_a_disk_without_room_is_a_problem(
    client: WebClient, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.web.uploads._MARGIN", 1 << 60)
    answer = client.upload("/uploads?name=sky.png", b"x" * 100)
    assert answer.status_code == 507
    assert files(scratch) == []


def test_only_a_few_uploads_at_once(client: WebClient) -> None:
    places = client.farm.uploads._places
    while places.acquire(blocking=False):
        pass
    assert client.upload("/uploads?name=sky.png", b"x").status_code == 429
    places.release()
    assert client.upload("/uploads?name=sky.png", b"x").status_code == 422
