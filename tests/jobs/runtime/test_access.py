"""What a job that lies in a store may have read: what is allowed, and nothing beside it."""

import os
from pathlib import Path

import pytest

from jobs.runtime.access import ALLOW_ALL, DENY_ALL, AccessPolicy, parse_allowed
from jobs.text.errors import RequestError

METADATA = (
    "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
    "https://169.254.169.254/",
    "http://[fd00:ec2::254]/latest/",
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://2852039166/",
    "ftp://169.254.169.254/x",
    "file:///etc/passwd",
    "FILE:///etc/passwd",
    "S3://bucket/a.jpg",
)


def refused(access: AccessPolicy, address: str) -> str:
    with pytest.raises(RequestError) as caught:
        access.resolve(address)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_lies_in_an_allowed_folder_is_opened_by_its_real_path(tmp_path: Path) -> None:
    photos, alias = tmp_path / "photos", tmp_path / "alias"
    (photos / "deep").mkdir(parents=True)
    alias.symlink_to(photos)
    for place in (photos, alias):
        access = AccessPolicy((str(place),))
        for address in (photos / "a.jpg", alias / "deep" / "b.jpg", photos):
            assert access.resolve(str(address)) == os.path.realpath(address)
        # A name that begins alike is another folder's.
        assert "may not read" in refused(access, f"{photos}-private/a.jpg")
        assert "may not read" in refused(access, str(tmp_path))


def test_links_are_followed_before_they_are_judged_each_time(tmp_path: Path) -> None:
    photos, secret = tmp_path / "photos", tmp_path / "secret"
    photos.mkdir()
    secret.mkdir()
    (secret / "key").write_text("key")
    (photos / "file").symlink_to(secret / "key")
    (photos / "folder").symlink_to(secret)
    access = AccessPolicy((str(photos),))
    for name in ("file", "folder/key", "folder"):
        said = refused(access, f"{photos}/{name}")
        assert "lies through a link where" in said
        assert "secret" not in said, "where it leads is nobody's business"
    (photos / "file").unlink()
    (photos / "file").write_text("mine")
    assert access.resolve(f"{photos}/file") == f"{os.path.realpath(photos)}/file"


@pytest.mark.parametrize(
    "path",
    ["a.jpg", "", ".", "../a.jpg", "/photos/../etc/passwd", "/photos/..", "~/a.jpg", "/a\0b"],
)
def test_paths_that_lead_who_knows_where_are_refused(path: str) -> None:
    assert "must be an absolute path without `..`" in refused(AccessPolicy(("/",)), path)


@pytest.mark.parametrize("address", METADATA)
def test_nothing_but_buckets_is_opened_over_a_network(address: str) -> None:
    for access in (DENY_ALL, AccessPolicy(("/", "s3://bucket", "s3://169.254.169.254"))):
        said = refused(access, address)
        assert said.endswith("is not opened by workers; fetch the file, and submit the job with it")
        assert "credentials" not in said


def test_buckets_are_allowed_down_from_a_prefix() -> None:
    access = AccessPolicy(("s3://photos/2026", "s3://all"))
    for address in ("s3://photos/2026/a.jpg", "s3://photos/2026/", "s3://all/x", "s3://all"):
        assert access.resolve(address) == address
    for address in (
        "s3://photos/2025/a.jpg",
        "s3://photos/20260/a.jpg",
        "s3://photos",
        "s3://photos/2026/../2025/a.jpg",
        "s3://photos/2026/./a.jpg",
        "s3://all-others/x",
        "s3://169.254.169.254/latest",
        "s3:///etc/passwd",
    ):
        assert "may not read" in refused(access, address)


def test_nothing_is_allowed_unless_it_is_said() -> None:
    for address in ("/etc/passwd", "s3://bucket/a.jpg", "/"):
        assert "may not read" in refused(DENY_ALL, address)


def test_who_renders_what_is_his_own_reads_what_he_likes() -> None:
    for address in ("/etc/passwd", "a/../b", "s3://bucket/a.jpg"):
        assert ALLOW_ALL.resolve(address) == address


def test_operators_name_folders_and_buckets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    (tmp_path / "file").touch()
    assert (
        parse_allowed("photos")
        == parse_allowed(str(tmp_path / "photos"))
        == str(tmp_path / "photos")
    )
    assert parse_allowed("s3://bucket/a/b/") == "s3://bucket/a/b"
    for text in ("nowhere", "file", "", "http://host/", "file:///etc", "s3://B", "s3://"):
        with pytest.raises(RequestError, match="s3://BUCKET/PREFIX"):
            parse_allowed(text)
