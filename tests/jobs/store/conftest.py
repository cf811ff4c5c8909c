"""A store of each kind: a folder, a bucket of moto's server, a bucket of Ceph's."""

import functools
import shutil
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from jobs.store.drafts import Drafts
from jobs.store.folder import FolderStore
from jobs.store.key import PARTIAL
from jobs.store.s3 import S3Store
from jobs.store.s3_client import make_client
from jobs.store.store import Store
from tests.faults.servers import Server, moto_server, radosgw
from tests.jobs.store.s3 import BUCKET, settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@pytest.fixture(scope="session")
def moto() -> Iterator[Server]:
    """moto's server, with a bucket."""
    with moto_server() as server:
        server.create_bucket(BUCKET)
        yield server


@pytest.fixture(scope="session")
def starting_ceph(shared: Path) -> Iterator[Future[Server]]:
    """Ceph's server, which takes its time to start while other tests run."""
    tool = shared / "tools" / "rgw"
    if not tool.exists() or not shutil.which("radosgw"):
        pytest.skip(f"NO REAL S3 SERVER: radosgw is not installed, or {tool} is not there")
    with ExitStack() as held, ThreadPoolExecutor(1) as pool:
        starting = pool.submit(lambda: held.enter_context(radosgw(tool)))
        yield starting


@pytest.fixture(scope="session")
def ceph(starting_ceph: Future[Server]) -> Server:
    """Ceph's server, with a bucket."""
    server = starting_ceph.result()
    server.create_bucket(BUCKET)
    return server


@functools.cache
def client(server: Server) -> "S3Client":
    """One for all tests: making it takes longer than most of them."""
    with settings(server):
        return make_client()


@pytest.fixture(scope="session", params=["folder", "moto", "ceph"])
def kind(request: pytest.FixtureRequest) -> str:
    """The kind of a store; pytest runs all tests of one before those of the next."""
    return str(request.param)


@pytest.fixture
def store(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty store."""
    if kind == "folder":
        return FolderStore(tmp_path / "a store" / "not there yet")
    server: Server = request.getfixturevalue(kind)
    return S3Store(BUCKET, f"tests/{uuid.uuid4().hex}", lambda: client(server))
