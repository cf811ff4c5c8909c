"""Addresses of stores."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.store.address import open_existing_store, open_store, open_store_to_fill
from jobs.store.folder import FolderStore
from jobs.store.s3 import S3Store
from jobs.store.store import Store
from jobs.text.errors import RequestError


@pytest.mark.parametrize(
    ("address", "known_as"),
    [
        ("s3://abc", "s3://abc"),
        ("s3://abc/", "s3://abc"),
        ("S3://my.bucket-7/a/b_c/", "s3://my.bucket-7/a/b_c"),
    ],
)
def test_bucket_addresses(address: str, known_as: str) -> None:
    store = open_store(address)
    assert isinstance(store, S3Store)
    assert store.address == known_as
    assert store.local_path("a") is None


def test_folder_addresses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for address, folder in {
        "dreams": tmp_path / "dreams",
        "a b/ü": tmp_path / "a b" / "ü",
        str(tmp_path / "c"): tmp_path / "c",
        "~/d": tmp_path / "home" / "d",
        f"file://{tmp_path}/a%20b": tmp_path / "a b",
        "FILE://localhost/e": Path("/e"),
    }.items():
        store = open_store(address)
        assert isinstance(store, FolderStore)
        # Absolute, so that processes in other folders find the same store.
        assert store.address == str(folder)
        assert store.local_path("x/y") == folder / "x" / "y"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("", "not the address of a store"),
        ("  ", "not the address of a store"),
        ("a\0b", "not the address of a store"),
        ("~no-such-user/a", "no such home folder"),
        ("s3://", "a bucket name"),
        ("s3:///a", "a bucket name"),
        ("s3://ab", "a bucket name"),
        ("s3://Dreams", "a bucket name"),
        ("s3://a_b_c", "a bucket name"),
        ("s3://a..b", "a bucket name"),
        ("s3://key:secret@abc", "a bucket name"),
        ("s3://abc/a//b", "a prefix"),
        ("s3://abc/../b", "a prefix"),
        ("s3://abc/a?b=c", "a prefix"),
        ("gs://abc", "unknown kind of store"),
        ("https://host/abc", "unknown kind of store"),
        ("file://elsewhere/abc", "not a local folder"),
        ("file://", "not a local folder"),
        ("s3:/x", "not the address of a store"),
        ("FILE:/tmp", "not the address of a store"),
    ],
)
def test_invalid_addresses_give_one_line_errors(address: str, message: str) -> None:
    with pytest.raises(RequestError, match=message) as caught:
        open_store(address)
    assert "\n" not in str(caught.value)
    assert "s3://BUCKET" in str(caught.value) or "PATH" in str(caught.value)


def test_folder_store_does_not_load_boto3() -> None:
    program = (
        "import sys, jobs.store.address as a, jobs.store.retrying, jobs.store.conditional_write\n"
        "a.open_store('dreams')\n"
        "loaded = {name.partition('.')[0] for name in sys.modules}\n"
        "assert not loaded & {'boto3', 'botocore', 's3transfer', 'urllib3'}, loaded\n"
        "a.open_store('s3://abc')\n"
        "assert 'boto3' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def open_to_fill(address: str) -> Store:
    return open_store_to_fill(address, may_create=True)


@pytest.mark.parametrize("open_it", [open_existing_store, open_to_fill])
def test_a_file_in_place_of_a_store_is_a_wrong_request(
    tmp_path: Path, open_it: Callable[[str], Store]
) -> None:
    (tmp_path / "photo.png").touch()
    (tmp_path / "leads-nowhere").symlink_to("gone")

    for name in ("photo.png", "leads-nowhere"):
        with pytest.raises(RequestError, match=f"{name}: is not a folder.*another with --store"):
            open_it(str(tmp_path / name))
