"""Pictures on the submitter's disk: each is a blob of a bucket; for a folder it stays there."""

import hashlib
import os
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.dataset.inputs.item import ByteRange, ListedImage, SampleFile
from jobs.dataset.submit import Uploader
from jobs.runtime.upload import send_blob
from jobs.store.address import open_store
from jobs.store.errors import StoreUnreachable
from jobs.store.folder import FolderStore
from jobs.store.store import Store
from tests.support.s3_servers import BUCKET, Server, s3_environment


@pytest.fixture
def bucket(moto: Server) -> Iterator[Store]:
    with s3_environment(moto):
        yield open_store(f"s3://{BUCKET}/{uuid.uuid4().hex}")


class Sent:
    """A sender, and how often it uploads each file."""

    def __init__(self, store: Store) -> None:
        self.uploads: Counter[str] = Counter()
        self._store = store
        self.sender = Uploader(store, self._upload)

    def _upload(self, path: Path, digest: str) -> None:
        self.uploads[path.name] += 1
        send_blob(self._store, path, digest)


def place(path: Path, start: int = 0, length: int | None = None) -> ByteRange:
    return ByteRange(address=str(path), start=start, length=length)


def address_of(content: bytes) -> str:
    return f"blob:sha256:{hashlib.sha256(content).hexdigest()}"


def blob_of(store: Store, address: str) -> bytes:
    return store.get(f"blobs/sha256/{address.removeprefix('blob:sha256:')}")


def test_each_picture_becomes_a_blob(bucket: Store, tmp_path: Path) -> None:
    page = []
    for number in range(40):
        path = tmp_path / f"{number}.jpg"
        # Every second one is there twice.
        path.write_bytes(b"picture %d" % (number // 2))
        page.append(ListedImage(key=path.name, place=place(path), settings={"dream.steps": 2}))
    moved = Sent(bucket).sender(page)

    for number, (before, after) in enumerate(zip(page, moved, strict=True)):
        content = b"picture %d" % (number // 2)
        assert after.place.address == address_of(content)
        assert blob_of(bucket, after.place.address) == content
        assert after.model_copy(update={"place": before.place}) == before
    assert len(list(bucket.list_objects("blobs/"))) == 20


def test_a_tar_goes_once_with_all_that_is_in_it(bucket: Store, tmp_path: Path) -> None:
    tar = tmp_path / "train.tar"
    tar.write_bytes(bytes(range(200)))
    page = [
        ListedImage(
            key=f"train/{number}",
            shard="train",
            place=place(tar, number, 1),
            extras=(SampleFile(suffix="cls", place=place(tar, number + 1, 1)),),
        )
        for number in range(100)
    ]
    sent = Sent(bucket)
    moved = [one for half in (page[:50], page[50:]) for one in sent.sender(half)]

    assert sent.uploads == {"train.tar": 1}
    there = address_of(tar.read_bytes())
    for before, after in zip(page, moved, strict=True):
        assert after.place == before.place.model_copy(update={"address": there})
        assert [one.place.address for one in after.extras] == [there]
        assert after.extras[0].place.start == before.extras[0].place.start


def test_what_cannot_be_read_says_why_and_the_others_go(bucket: Store, tmp_path: Path) -> None:
    good, pipe = tmp_path / "good.jpg", tmp_path / "pipe.jpg"
    good.write_bytes(b"good")
    os.mkfifo(pipe)
    gone = tmp_path / "gone.jpg"
    beside = SampleFile(suffix="json", place=place(gone))
    moved = Sent(bucket).sender(
        [
            ListedImage(key="gone", place=place(gone)),
            ListedImage(key="pipe", place=place(pipe)),
            ListedImage(key="folder", place=place(tmp_path)),
            ListedImage(key="beside", place=place(good), extras=(beside,)),
            ListedImage(key="good", place=place(good)),
        ]
    )

    assert [one.complaint for one in moved] == [
        f"{gone}: No such file or directory",
        f"{pipe}: is not a file; check the path",
        f"{tmp_path}: is not a file; check the path",
        f"{gone}: No such file or directory",
        None,
    ]
    assert moved[0].place == place(gone)
    assert moved[3].extras == ()
    assert [entry.size for entry in bucket.list_objects("blobs/")] == [4]


def test_what_is_elsewhere_or_spoilt_already_is_not_looked_at(
    bucket: Store, tmp_path: Path
) -> None:
    page = [
        ListedImage(key="far", place=ByteRange(address="s3://bucket/far.jpg")),
        ListedImage(key="spoilt", place=place(tmp_path / "gone.jpg"), complaint="is spoilt"),
    ]
    sent = Sent(bucket)

    assert sent.sender(page) == page
    assert not sent.uploads


def test_into_a_folder_nothing_is_sent(tmp_path: Path) -> None:
    page = [ListedImage(key="gone", place=place(tmp_path / "gone.jpg"))]
    sent = Sent(FolderStore(tmp_path / "store"))

    assert sent.sender(page) == page
    assert not sent.uploads


def test_a_store_that_fails_is_no_picture_s_fault(bucket: Store, tmp_path: Path) -> None:
    path = tmp_path / "sky.jpg"
    path.write_bytes(b"sky")

    def fail(path: Path, digest: str) -> None:
        raise StoreUnreachable("nobody there")

    with pytest.raises(StoreUnreachable):
        Uploader(bucket, fail)([ListedImage(key="sky", place=place(path))])
