"""The access policy: workers read only allowed folders and buckets."""

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


def refusal(access: AccessPolicy, address: str) -> str:
    """The message of the error for an address that is not allowed."""
    with pytest.raises(RequestError) as caught:
        access.resolve(address)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_path_in_an_allowed_folder_resolves_to_its_real_path(tmp_path: Path) -> None:
    photos, alias = tmp_path / "photos", tmp_path / "alias"
    (photos / "deep").mkdir(parents=True)
    alias.symlink_to(photos)
    for folder in (photos, alias):
        access = AccessPolicy((str(folder),))
        for address in (photos / "a.jpg", alias / "deep" / "b.jpg", photos):
            assert access.resolve(str(address)) == os.path.realpath(address)
        # Another folder may have a name with the same prefix.
        assert "may not read" in refusal(access, f"{photos}-private/a.jpg")
        assert "may not read" in refusal(access, str(tmp_path))


def test_links_are_resolved_at_each_check(tmp_path: Path) -> None:
    photos, secret = tmp_path / "photos", tmp_path / "secret"
    photos.mkdir()
    secret.mkdir()
    (secret / "key").write_text("key")
    (photos / "file").symlink_to(secret / "key")
    (photos / "folder").symlink_to(secret)
    access = AccessPolicy((str(photos),))
    for name in ("file", "folder/key", "folder"):
        message = refusal(access, f"{photos}/{name}")
        assert "a link leads to a path that `work` may not read" in message
        assert "secret" not in message, "the target of a link stays private"
    (photos / "file").unlink()
    (photos / "file").write_text("mine")
    assert access.resolve(f"{photos}/file") == f"{os.path.realpath(photos)}/file"


@pytest.mark.parametrize(
    "path",
    ["a.jpg", "", ".", "../a.jpg", "/photos/../etc/passwd", "/photos/..", "~/a.jpg", "/a\0b"],
)
def test_other_than_absolute_paths_are_refused(path: str) -> None:
    assert "must be an absolute path without `..`" in refusal(AccessPolicy(("/",)), path)


@pytest.mark.parametrize("address", METADATA)
def test_only_buckets_are_opened_over_the_network(address: str) -> None:
    for access in (DENY_ALL, AccessPolicy(("/", "s3://bucket", "s3://169.254.169.254"))):
        message = refusal(access, address)
        assert message.endswith(
            "is not opened by workers; fetch the file, and submit the job with it"
        )
        assert "credentials" not in message


def test_keys_below_an_allowed_prefix_are_allowed() -> None:
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
        assert "may not read" in refusal(access, address)


def test_deny_all_allows_nothing() -> None:
    for address in ("/etc/passwd", "s3://bucket/a.jpg", "/"):
        assert "may not read" in refusal(DENY_ALL, address)


def test_allow_all_allows_everything() -> None:
    for address in ("/etc/passwd", "a/../b", "s3://bucket/a.jpg"):
        assert ALLOW_ALL.resolve(address) == address


def test_allowed_folders_and_buckets_are_parsed(
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
