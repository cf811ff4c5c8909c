"""Uploading pictures: to a bucket as blobs; into a folder store not at all."""

import hashlib
import os
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.dataset.inputs.item import InputPlace, ListedImage, SampleFile
from jobs.dataset.submit import Uploader
from jobs.runtime.upload import upload_blob
from jobs.store.address import open_store
from jobs.store.errors import StoreUnreachable
from jobs.store.folder import FolderStore
from jobs.store.store import Store
from tests.support.s3_servers import BUCKET, Server, s3_environment


@pytest.fixture
def bucket(moto: Server) -> Iterator[Store]:
    with s3_environment(moto):
        yield open_store(f"s3://{BUCKET}/{uuid.uuid4().hex}")


class CountingUploader:
    """An uploader that counts the uploads of each file."""

    def __init__(self, store: Store) -> None:
        self.uploads: Counter[str] = Counter()
        self._store = store
        self.upload = Uploader(store, self._upload)

    def _upload(self, path: Path, digest: str) -> None:
        self.uploads[path.name] += 1
        upload_blob(self._store, path, digest)


def place(path: Path, start: int = 0, length: int | None = None) -> InputPlace:
    return InputPlace(address=str(path), start=start, length=length)


def address_of(content: bytes) -> str:
    return f"blob:sha256:{hashlib.sha256(content).hexdigest()}"


def blob_of(store: Store, address: str) -> bytes:
    return store.get(f"blobs/sha256/{address.removeprefix('blob:sha256:')}")


def test_each_picture_is_uploaded_as_a_blob(bucket: Store, tmp_path: Path) -> None:
    images = []
    for number in range(40):
        path = tmp_path / f"{number}.jpg"
        # Each content is in two files.
        path.write_bytes(b"picture %d" % (number // 2))
        images.append(ListedImage(key=path.name, place=place(path), settings={"dream.steps": 2}))
    moved = CountingUploader(bucket).upload(images)

    for number, (before, after) in enumerate(zip(images, moved, strict=True)):
        content = b"picture %d" % (number // 2)
        assert after.place.address == address_of(content)
        assert blob_of(bucket, after.place.address) == content
        assert after.model_copy(update={"place": before.place}) == before
    assert len(list(bucket.list_objects("blobs/"))) == 20


def test_a_tar_is_uploaded_once_for_all_its_samples(bucket: Store, tmp_path: Path) -> None:
    tar = tmp_path / "train.tar"
    tar.write_bytes(bytes(range(200)))
    images = [
        ListedImage(
            key=f"train/{number}",
            input_tar="train",
            place=place(tar, number, 1),
            extras=(SampleFile(suffix="cls", place=place(tar, number + 1, 1)),),
        )
        for number in range(100)
    ]
    uploader = CountingUploader(bucket)
    moved = [one for half in (images[:50], images[50:]) for one in uploader.upload(half)]

    assert uploader.uploads == {"train.tar": 1}
    there = address_of(tar.read_bytes())
    for before, after in zip(images, moved, strict=True):
        assert after.place == before.place.model_copy(update={"address": there})
        assert [one.place.address for one in after.extras] == [there]
        assert after.extras[0].place.start == before.extras[0].place.start


def test_unreadable_files_get_an_error_and_the_others_are_uploaded(
    bucket: Store, tmp_path: Path
) -> None:
    good, pipe = tmp_path / "good.jpg", tmp_path / "pipe.jpg"
    good.write_bytes(b"good")
    os.mkfifo(pipe)
    gone = tmp_path / "gone.jpg"
    beside = SampleFile(suffix="json", place=place(gone))
    moved = CountingUploader(bucket).upload(
        [
            ListedImage(key="gone", place=place(gone)),
            ListedImage(key="pipe", place=place(pipe)),
            ListedImage(key="folder", place=place(tmp_path)),
            ListedImage(key="beside", place=place(good), extras=(beside,)),
            ListedImage(key="good", place=place(good)),
        ]
    )

    missing = "cannot be read (No such file or directory); check the path and its permissions"
    is_folder = "cannot be read (Is a directory); check the path and its permissions"
    is_pipe = "is a pipe, not a file; save it to a file first, and give the path of that file"
    assert [one.error for one in moved] == [
        f"{gone}: {missing}",
        f"{pipe}: {is_pipe}",
        f"{tmp_path}: {is_folder}",
        f"{gone}: {missing}",
        None,
    ]
    assert moved[0].place == place(gone)
    assert moved[3].extras == ()
    assert [entry.size for entry in bucket.list_objects("blobs/")] == [4]


def test_objects_in_buckets_and_images_with_errors_are_not_uploaded(
    bucket: Store, tmp_path: Path
) -> None:
    images = [
        ListedImage(key="far", place=InputPlace(address="s3://bucket/far.jpg")),
        ListedImage(key="unreadable", place=place(tmp_path / "gone.jpg"), error="is unreadable"),
    ]
    uploader = CountingUploader(bucket)

    assert uploader.upload(images) == images
    assert not uploader.uploads


def test_nothing_is_uploaded_into_a_folder_store(tmp_path: Path) -> None:
    images = [ListedImage(key="gone", place=place(tmp_path / "gone.jpg"))]
    uploader = CountingUploader(FolderStore(tmp_path / "store"))

    assert uploader.upload(images) == images
    assert not uploader.uploads


def test_a_failing_store_raises(bucket: Store, tmp_path: Path) -> None:
    path = tmp_path / "sky.jpg"
    path.write_bytes(b"sky")

    def fail(path: Path, digest: str) -> None:
        raise StoreUnreachable("no connection")

    with pytest.raises(StoreUnreachable):
        Uploader(bucket, fail)([ListedImage(key="sky", place=place(path))])
