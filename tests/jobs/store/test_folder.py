"""Behaviour that only a store in a folder has."""

import errno
import os
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jobs.store.errors import (
    LinkOutsideStore,
    NotAnObject,
    ObjectNotFound,
    StoreRefused,
    StoreUnreachable,
)
from jobs.store.folder import FolderStore
from jobs.store.folder_files import store_error


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def store(root: Path) -> FolderStore:
    return FolderStore(root)


def below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_object_is_a_plain_file(store: FolderStore, root: Path) -> None:
    store.put("a/b", b"x")
    assert store.local_path("a/b") == root / "a" / "b"
    assert store.local_path("a/b").read_bytes() == b"x"
    assert below(root) == {".partial", "a", "a/b"}


def test_reading_creates_nothing(store: FolderStore, root: Path) -> None:
    with pytest.raises(ObjectNotFound):
        store.get_with_age("a")
    assert not [*store.list_objects(""), *store.list_folders(""), *store.unfinished_uploads("")]
    store.delete(["a/b"])
    assert not root.exists()


def test_empty_folders_are_removed(store: FolderStore, root: Path) -> None:
    for key in ("a/b/c", "a/d"):
        store.put(key, b"")
    store.delete(["a/b/c"])
    assert below(root) == {".partial", "a", "a/d"}
    store.delete(["a/d"])
    assert below(root) == {".partial"}


def test_concurrent_put_and_delete_lose_nothing(store: FolderStore) -> None:
    """The worker that deletes the last file also removes the folder, while others write into it."""

    def work(worker: int) -> None:
        for turn in range(100):
            key = f"a/b/c/{worker}"
            if turn % 2:
                store.put(key, b"x")
            else:
                assert store.put_if_absent(key, b"x")
            assert store.get(key) == b"x"
            store.delete([key])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert list(store.list_objects("")) == []


def test_age_uses_the_clock_of_the_file_system(store: FolderStore, root: Path) -> None:
    store.put("a", b"x")
    written = time.time() - 1000
    os.utime(root / "a", (written, written))
    assert 999 < store.get_with_age("a")[1] < 1060
    # A machine with a fast clock wrote it.
    written = time.time() + 1000
    os.utime(root / "a", (written, written))
    assert store.get_with_age("a")[1] == 0
    assert below(root) == {".partial", "a"}


def test_files_with_invalid_names_are_ignored(store: FolderStore, root: Path) -> None:
    store.put("a", b"x")
    for name in ("no key.txt", "b;c", "über"):
        (root / name).write_bytes(b"")
    (root / "empty" / "folder").mkdir(parents=True)
    assert [entry.key for entry in store.list_objects("")] == ["a"]
    assert list(store.list_folders("")) == []


def test_move_file_moves(store: FolderStore, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"x")
    number = source.stat().st_ino
    store.move_file(source, "a/b")
    assert store.local_path("a/b").stat().st_ino == number
    assert not source.exists()


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="needs a second file system")
def test_move_file_copies_between_disks(store: FolderStore, root: Path) -> None:
    root.mkdir()
    source = Path("/dev/shm") / f"dreamfarm-test-{os.getpid()}"
    if Path("/dev/shm").stat().st_dev == root.stat().st_dev:
        pytest.skip("temporary files are on the same file system")
    try:
        source.write_bytes(b"x")
        store.move_file(source, "a/b")
        assert store.get("a/b") == b"x"
    finally:
        source.unlink(missing_ok=True)


def test_killed_writer_leaves_no_partial_object(store: FolderStore, root: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from jobs.store.folder import FolderStore\n"
        "store = FolderStore(Path(sys.argv[1]))\n"
        "store.put('ready', b'')\n"
        "for turn in range(1 << 20): store.put('a/b', b'%d' % (turn % 10) * (1 << 22))"
    )
    process = subprocess.Popen([sys.executable, "-c", program, str(root)])
    try:
        while not store.local_path("a/b").exists():
            assert process.poll() is None
            time.sleep(0.01)
        time.sleep(0.1)
    finally:
        process.kill()
        process.wait()
    content = store.get("a/b")
    assert content == content[:1] * (1 << 22)
    leftovers = list(store.unfinished_uploads("a/"))
    assert {upload.key for upload in leftovers} <= {"a/b"}
    for upload in leftovers:
        assert abs(upload.started - time.time()) < 60
        store.abort_upload(upload)
    assert list(store.unfinished_uploads("")) == []


def test_file_in_place_of_a_folder_is_a_one_line_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    store = FolderStore(tmp_path / "file")
    for write in (lambda: store.put("a", b""), lambda: store.put_if_absent("a", b"")):
        with pytest.raises(StoreRefused, match=r"file.*there is a file in place of a folder"):
            write()

    store = FolderStore(tmp_path / "store")
    store.put("a/b", b"x")
    places = {"a": "a folder in place of a file", "a/b/c": "a file in place of a folder"}
    for key, place in places.items():
        with pytest.raises(NotAnObject, match=place):
            store.put(key, b"")
        with pytest.raises(NotAnObject, match=place):
            store.put_if_absent(key, b"")
    assert list(store.unfinished_uploads("")) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_read_only_folder_is_an_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StoreRefused, match="let this user"):
        FolderStore(tmp_path / "store").put("a", b"")


@pytest.mark.parametrize(
    ("number", "kind", "remedy"),
    [
        (errno.ENOSPC, StoreRefused, "free some space"),
        (errno.EACCES, StoreRefused, "let this user read and write"),
        (errno.EROFS, StoreRefused, "mount it for writing"),
        (errno.EPERM, StoreRefused, "hard links"),
        (errno.ENAMETOOLONG, NotAnObject, "another store"),
        (errno.EIO, StoreUnreachable, "check the disk or its server"),
        (errno.ESTALE, StoreUnreachable, "check the disk or its server"),
    ],
)
def test_os_errors_are_translated(number: int, kind: type[Exception], remedy: str) -> None:
    error = store_error(OSError(number, os.strerror(number), "/store/a/b"), "/store")
    assert type(error) is kind
    assert str(error).startswith(f"/store: /store/a/b: {os.strerror(number)}; ")
    assert remedy in str(error)


def test_links_out_of_the_store_are_not_followed(
    store: FolderStore, root: Path, tmp_path: Path
) -> None:
    secret, folder = tmp_path / "secret", tmp_path / "folder"
    secret.write_bytes(b"secret")
    folder.mkdir()
    (folder / "b").write_bytes(b"secret")
    store.put("a", b"x")
    (root / "file").symlink_to(secret)
    (root / "folder").symlink_to(folder)
    for key in ("file", "folder/b"):
        for act in (
            store.get,
            lambda key: store.get_range(key, 0, 1),
            store.get_with_age,
            lambda key: store.download(key, tmp_path / "got"),
            store.local_path,
        ):
            with pytest.raises(
                LinkOutsideStore, match=f"^{key}: is a link that leads out of {root}; "
            ):
                act(key)
    for write in (store.put, store.put_if_absent):
        with pytest.raises(LinkOutsideStore):
            write("folder/c", b"mine")
    with pytest.raises(LinkOutsideStore):
        store.delete(["folder/b"])
    assert below(folder) == {"b"}
    assert not (tmp_path / "got").exists()
    assert [entry.key for entry in store.list_objects("")] == ["a"]
    assert list(store.list_folders("")) == []

    store.put("file", b"mine")
    assert (secret.read_bytes(), store.get("file")) == (b"secret", b"mine")


def test_links_within_the_store_are_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "name").symlink_to(tmp_path / "real")
    store = FolderStore(tmp_path / "name")
    store.put("a", b"x")
    (tmp_path / "name" / "b").symlink_to("a")
    assert store.get("a") == store.get("b") == b"x"


@pytest.fixture
def occupied(root: Path) -> FolderStore:
    """A store with things that are no files, beside the object `a/ok`."""
    store = FolderStore(root)
    store.put("a/ok", b"x")
    os.mkfifo(root / "a" / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        # A socket's path may have about 100 characters.
        server.bind(f"/proc/self/fd/{os.open(root / 'a', os.O_RDONLY)}/socket")
    (root / "a" / "circle").symlink_to("circle")
    (root / "a" / "nowhere").symlink_to("missing")
    (root / "a" / "up").symlink_to("..")
    (root / "a" / "down").symlink_to(root / "a")
    return store


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", ["pipe", "socket", "circle", "nowhere"])
def test_only_files_are_opened(occupied: FolderStore, tmp_path: Path, name: str) -> None:
    key = f"a/{name}"
    for read in (
        occupied.get,
        occupied.get_with_age,
        lambda key: occupied.get_range(key, 0, 1),
        lambda key: occupied.download(key, tmp_path / "copy"),
    ):
        with pytest.raises(NotAnObject, match=key):
            read(key)
    occupied.delete([key])
    with pytest.raises(ObjectNotFound):
        occupied.get(key)


@pytest.mark.timeout(20)
def test_a_pipe_is_no_local_file_and_is_not_uploaded(occupied: FolderStore, root: Path) -> None:
    with pytest.raises(NotAnObject, match="is a pipe"):
        occupied.local_path("a/pipe")
    for send in (occupied.upload, occupied.move_file):
        with pytest.raises(OSError, match="is a pipe"):
            send(root / "a" / "pipe", "a/other")


@pytest.mark.timeout(20)
def test_a_listing_goes_on_past_what_is_no_file(occupied: FolderStore) -> None:
    """Links to folders are not followed: two of them in a circle would double at each level."""
    names = [entry.key for entry in occupied.list_objects("")]
    assert names == ["a/circle", "a/nowhere", "a/ok", "a/pipe", "a/socket"]
    assert list(occupied.list_folders("")) == ["a"]
    for act in (
        occupied.get,
        lambda key: occupied.put(key, b""),
        lambda key: occupied.delete([key]),
    ):
        with pytest.raises(LinkOutsideStore, match=r"a folder of .* is a link"):
            act("a/down/ok")
    assert occupied.get("a/ok") == b"x"
