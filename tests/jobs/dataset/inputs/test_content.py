"""Reading inputs: exactly their bytes, or an error with the reason."""

import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.dataset.inputs.content import MAX_READ, local_file, read_content
from jobs.dataset.inputs.item import InputPlace
from jobs.dataset.inputs.s3 import s3_client
from jobs.records.keys import blob_key
from jobs.runtime.access import ALLOW_ALL, AccessPolicy
from jobs.store.errors import StoreRefused, StoreUnreachable
from jobs.store.folder import FolderStore
from jobs.store.s3 import S3Store
from jobs.store.store import Store
from render.errors import PictureError
from tests.support.faulty_proxy import Canned, Fault, Proxy, canned_error, faulty_proxy
from tests.support.listed_inputs import S3Prefix, unprivileged
from tests.support.s3_servers import BUCKET, Server, s3_environment

CONTENT = bytes(range(256)) * 10
DIGEST = "sha256:" + "ab" * 32


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Path]:
    """A folder that must be empty again after the test."""
    path = tmp_path / "scratch"
    path.mkdir()
    yield path
    assert not list(path.iterdir())


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


def input_error(source: InputPlace, store: Store, scratch: Path) -> str:
    """The message of the error for an invalid input."""
    with pytest.raises(PictureError) as caught, local_file(source, store, scratch, ALLOW_ALL):
        pass
    line = str(caught.value)
    assert line.startswith(source.address[:50])
    assert "\n" not in line
    return line


def test_a_whole_local_file_is_not_copied(tmp_path: Path, store: Store, scratch: Path) -> None:
    path = tmp_path / "a ä.jpg"
    path.write_bytes(CONTENT)
    with local_file(InputPlace(address=str(path)), store, scratch, ALLOW_ALL) as file:
        assert file == path
    assert path.read_bytes() == CONTENT


@given(st.integers(0, 3000), st.none() | st.integers(0, 3000))
def test_a_part_has_exactly_its_bytes(start: int, length: int | None) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "t.tar")
        path.write_bytes(CONTENT)
        source = InputPlace(address=str(path), start=start, length=length)
        store = FolderStore(Path(folder, "store"))
        wanted = CONTENT[start:] if length is None else CONTENT[start : start + length]
        if length is not None and len(wanted) < length:
            assert "ends too soon" in input_error(source, store, Path(folder))
        elif not wanted:
            assert "is empty" in input_error(source, store, Path(folder))
            assert read_content(source, store, Path(folder), ALLOW_ALL) == b""
        else:
            with local_file(source, store, Path(folder), ALLOW_ALL) as file:
                assert (
                    file.read_bytes()
                    == read_content(source, store, Path(folder), ALLOW_ALL)
                    == wanted
                )


def test_an_unreadable_file_is_an_input_error(tmp_path: Path, store: Store, scratch: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "loop.jpg").symlink_to(tmp_path / "loop.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    for name, words in (
        ("nowhere.jpg", "No such file"),
        ("empty.jpg", "is empty"),
        ("empty.jpg/a.jpg", "Not a directory"),
        ("scratch", "Is a directory"),
        ("loop.jpg", "symbolic links"),
        ("pipe.jpg", "is a pipe, not a file"),
        ("x" * 300, "too long"),
        ("a\nb", "No such file"),
    ):
        for length in (None, 10):
            source = InputPlace(address=f"{tmp_path}/{name}", length=length)
            message = input_error(source, store, scratch)
            assert words in message or (name == "empty.jpg" and "ends too soon" in message)


def test_a_forbidden_file_is_an_input_error(store: Store) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "a.jpg")
        path.write_bytes(CONTENT)
        path.chmod(0)
        Path(folder).chmod(0o755)
        with unprivileged():
            assert "Permission denied" in input_error(
                InputPlace(address=str(path)), store, Path(folder)
            )


def test_an_object_is_read_whole_and_in_parts(
    prefix: S3Prefix, store: Store, scratch: Path
) -> None:
    address = prefix.put("a ä/b+c%20?.jpg", CONTENT)
    for start, length in ((0, None), (0, 2560), (10, 20), (2559, 1), (7, None)):
        source = InputPlace(address=address, start=start, length=length)
        wanted = CONTENT[start:] if length is None else CONTENT[start : start + length]
        with local_file(source, store, scratch, ALLOW_ALL) as file:
            assert file.read_bytes() == wanted
        assert not file.exists()
    assert (
        read_content(InputPlace(address=address, start=5, length=0), store, scratch, ALLOW_ALL)
        == b""
    )
    assert (
        read_content(InputPlace(address=prefix.put("empty", b"")), store, scratch, ALLOW_ALL) == b""
    )


def test_an_unreadable_object_is_an_input_error(
    prefix: S3Prefix, store: Store, scratch: Path
) -> None:
    address = prefix.put("a.jpg", CONTENT)
    for source, words in (
        (InputPlace(address=f"{prefix.address}/nowhere.jpg"), "no such object"),
        (InputPlace(address="s3://no-such-bucket/a.jpg"), "no such bucket"),
        (InputPlace(address="s3://No_Bucket"), "a bucket name"),
        (InputPlace(address=f"s3://{BUCKET}/"), "no object in it"),
        (InputPlace(address=prefix.put("empty.jpg", b"")), "is empty"),
        (InputPlace(address=address, start=2000, length=1000), "ends too soon"),
        (InputPlace(address=address, start=3000, length=1), "shorter than when it was listed"),
    ):
        assert words in input_error(source, store, scratch)


@pytest.fixture
def proxy(prefix: S3Prefix, moto: Server) -> Iterator[Proxy]:
    """A proxy between the client and the server."""
    with faulty_proxy(moto.endpoint) as proxy, s3_environment(moto.behind(proxy.endpoint)):
        s3_client.cache_clear()
        yield proxy


def test_a_forbidden_object_is_an_input_error(
    prefix: S3Prefix, proxy: Proxy, store: Store, scratch: Path
) -> None:
    source = InputPlace(address=prefix.put("a.jpg", CONTENT))
    proxy.script(canned_error(403, "AccessDenied"))
    assert "access denied" in input_error(source, store, scratch)
    proxy.script(canned_error(403, "InvalidObjectState"))
    assert "archived" in input_error(source, store, scratch)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (canned_error(503, "SlowDown"), StoreUnreachable),
        (Fault.DROPPED, StoreUnreachable),
        (Fault.CUT, StoreUnreachable),
        (canned_error(403, "SignatureDoesNotMatch"), StoreRefused),
        (canned_error(400, "ExpiredToken"), StoreRefused),
    ],
)
def test_a_failing_bucket_is_not_an_input_error(
    prefix: S3Prefix,
    proxy: Proxy,
    store: Store,
    scratch: Path,
    answer: Canned | Fault,
    kind: type[Exception],
) -> None:
    source = InputPlace(address=prefix.put("a.jpg", CONTENT))
    proxy.script(*[answer] * 3)
    with pytest.raises(kind) as caught, local_file(source, store, scratch, ALLOW_ALL):
        pass
    assert source.address in str(caught.value)
    assert "testsecret" not in str(caught.value)
    # The failed attempt must not affect the next one.
    proxy.reset(0)
    assert read_content(source, store, scratch, ALLOW_ALL) == CONTENT


def test_a_truncated_answer_is_requested_again(
    prefix: S3Prefix, proxy: Proxy, store: Store, scratch: Path
) -> None:
    source = InputPlace(address=prefix.put("a.jpg", CONTENT))
    proxy.script(Fault.CUT, Fault.CUT)
    assert read_content(source, store, scratch, ALLOW_ALL) == CONTENT


@pytest.mark.parametrize("kind", ["folder", "bucket"])
def test_an_uploaded_file_is_read_from_the_store(
    tmp_path: Path, prefix: S3Prefix, scratch: Path, kind: str
) -> None:
    store: Store = (
        FolderStore(tmp_path / "store") if kind == "folder" else S3Store(BUCKET, prefix.name)
    )
    store.put(blob_key(DIGEST), CONTENT)
    for start, length in ((0, None), (10, 20), (7, None)):
        source = InputPlace(address=f"blob:{DIGEST}", start=start, length=length)
        wanted = CONTENT[start:] if length is None else CONTENT[start : start + length]
        assert read_content(source, store, scratch, ALLOW_ALL) == wanted
    beyond = InputPlace(address=f"blob:{DIGEST}", start=2000, length=1000)
    assert "ends too soon" in input_error(beyond, store, scratch)
    for length in (None, 10):
        input_error(InputPlace(address=f"blob:{DIGEST[:-2]}cd", length=length), store, scratch)


def test_an_error_of_the_caller_is_not_translated(
    tmp_path: Path, store: Store, scratch: Path
) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(CONTENT)
    for source in (InputPlace(address=str(path)), InputPlace(address=str(path), length=5)):
        with (
            pytest.raises(FileNotFoundError, match="mine"),
            local_file(source, store, scratch, ALLOW_ALL),
        ):
            raise FileNotFoundError("mine")


def test_threads_read_in_parallel(prefix: S3Prefix, store: Store, scratch: Path) -> None:
    source = InputPlace(address=prefix.put("a.jpg", CONTENT), start=1)
    got: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: got.append(read_content(source, store, scratch, ALLOW_ALL)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [CONTENT[1:]] * 8


def refusal(source: InputPlace, store: Store, scratch: Path, access: AccessPolicy) -> str:
    """What is message of a source that may not be read."""
    with pytest.raises(PictureError) as caught, local_file(source, store, scratch, access):
        raise AssertionError("the file was opened")
    with pytest.raises(PictureError, match=re.escape(str(caught.value))):
        read_content(source, store, scratch, access)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("length", [None, 10])
def test_nothing_outside_the_allowed_paths_is_read(
    tmp_path: Path, store: Store, scratch: Path, length: int | None
) -> None:
    mine, other = tmp_path / "mine", tmp_path / "other"
    for folder in (mine, other):
        folder.mkdir()
        (folder / "a.jpg").write_bytes(CONTENT)
    (mine / "link.jpg").symlink_to(other / "a.jpg")
    (mine / "near.jpg").symlink_to(mine / "a.jpg")
    access = AccessPolicy((store.address, str(mine)))

    for name in ("a.jpg", "near.jpg"):
        source = InputPlace(address=f"{mine}/{name}", length=length)
        with local_file(source, store, scratch, access) as file:
            assert file.read_bytes() == CONTENT[:length]
            assert not file.is_symlink()
    for address, words in (
        (f"{other}/a.jpg", "`work` may not read this path"),
        (f"{mine}/link.jpg", "a link leads to a path that `work` may not read"),
        (f"{mine}/../other/a.jpg", "must be an absolute path without `..`"),
        ("file:///etc/passwd", "file:// is not opened by workers"),
        ("http://169.254.169.254/latest/meta-data/", "http:// is not opened by workers"),
        ("s3://elsewhere/a.jpg", "`work` may not read this path"),
    ):
        message = refusal(InputPlace(address=address, length=length), store, scratch, access)
        assert words in message, address


def test_a_blob_may_not_be_a_link_out_of_the_store(
    tmp_path: Path, store: FolderStore, scratch: Path
) -> None:
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(CONTENT)
    store.put(blob_key(DIGEST), CONTENT)
    access = AccessPolicy((store.address,))
    assert read_content(InputPlace(address=f"blob:{DIGEST}"), store, scratch, access) == CONTENT

    store.local_path(blob_key(DIGEST)).unlink()
    store.local_path(blob_key(DIGEST)).symlink_to(secret)
    message = refusal(InputPlace(address=f"blob:{DIGEST}"), store, scratch, access)
    assert "is a link that leads out of" in message
    for digest in ("sha256:../../../../secret.jpg", "sha256:", "", "/etc/passwd"):
        assert "is not the digest" in refusal(
            InputPlace(address=f"blob:{digest}"), store, scratch, access
        )


def test_a_large_extra_is_refused(tmp_path: Path, store: Store, scratch: Path) -> None:
    path = tmp_path / "a.json"
    with path.open("wb") as file:
        file.truncate(MAX_READ + 1)
    with pytest.raises(
        PictureError, match=f"has {MAX_READ + 1} bytes; a file beside a picture may have at most"
    ):
        read_content(InputPlace(address=str(path)), store, scratch, ALLOW_ALL)
    assert read_content(
        InputPlace(address=str(path), length=9), store, scratch, ALLOW_ALL
    ) == bytes(9)
