"""A store of each kind: a folder, and a bucket on moto's server, on Ceph and on SeaweedFS."""

import functools
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from jobs.store.folder import FolderStore
from jobs.store.folder_files import PartialFiles
from jobs.store.key import PARTIAL
from jobs.store.s3 import S3Store
from jobs.store.s3_client import make_client
from jobs.store.store import Store
from tests.support.s3_servers import BUCKET, Server, s3_environment

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@functools.cache
def client(server: Server) -> "S3Client":
    """One client for all tests: its creation takes longer than most of them."""
    with s3_environment(server):
        return make_client()


@pytest.fixture(scope="session", params=["folder", "moto", "ceph", "seaweedfs"])
def kind(request: pytest.FixtureRequest) -> str:
    """The kind of store; pytest runs all tests of one kind before those of the next."""
    return str(request.param)


@pytest.fixture
def store(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty store."""
    if kind == "folder":
        return FolderStore(tmp_path / "a store" / "not there yet")
    server: Server = request.getfixturevalue(kind)
    return S3Store(BUCKET, f"tests/{uuid.uuid4().hex}", lambda: client(server))


@pytest.fixture
def crashed_upload(
    kind: str, store: Store, request: pytest.FixtureRequest
) -> Iterator[Callable[[str], None]]:
    """Leaves an upload to a key unfinished, like a killed process."""
    with ExitStack() as stack:

        def crash(key: str) -> None:
            if kind == "folder":
                partial_files = PartialFiles(Path(store.address) / PARTIAL)
                stack.enter_context(partial_files.create(key)).write(b"half")
                return
            place = store.address.removeprefix(f"s3://{BUCKET}/")
            server: Server = request.getfixturevalue(kind)
            client(server).create_multipart_upload(Bucket=BUCKET, Key=f"{place}/{key}")

        yield crash
