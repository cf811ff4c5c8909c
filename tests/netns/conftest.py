"""Fixtures: three hosts for the whole run, because starting them takes most of the time."""

import tempfile
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from jobs.store.address import open_store
from jobs.store.store import Store
from tests.netns.ca import create_ca
from tests.netns.network import Network, create_network, unavailable_reason
from tests.netns.port_forward import forward_port
from tests.netns.poster import HOSTS
from tests.netns.ray_hosts import TOKEN, RayHosts
from tests.support.s3_servers import BUCKET, Server, s3_environment
from tests.support.seeded_networks import save_seeded_weights
from tests.support.small_poster import LAYER, NETWORK


@pytest.fixture(scope="session")
def network() -> Iterator[Network]:
    """A network for hosts."""
    reason = unavailable_reason()
    if reason:
        pytest.skip(reason)
    with create_network() as network:
        yield network


@pytest.fixture(scope="session")
def s3(ceph: Server, network: Network) -> Iterator[Server]:
    """The real S3 server, at an address that the hosts reach."""
    with forward_port(network.gateway, urlsplit(ceph.endpoint).port or 0) as address:
        yield ceph.behind(f"http://{address}")


@pytest.fixture(scope="session")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """The CA of the Ray hosts: its files by their names below ~/.ray."""
    return create_ca(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="session")
def ray_hosts(network: Network, s3: Server, ca: Mapping[str, str]) -> Iterator[RayHosts]:
    """Hosts in one Ray cluster; the first is its head."""
    # Paths of Ray's sockets below it must be short.
    with tempfile.TemporaryDirectory(prefix="df-") as home:
        ray_hosts = RayHosts(
            network, Path(home), s3.environment(), {"auth_token": TOKEN, **ca}, first=11
        )
        try:
            ray_hosts.grow(HOSTS)
            yield ray_hosts
        finally:
            ray_hosts.close()


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seeded weights of the small network."""
    return save_seeded_weights(
        NETWORK, (LAYER,), tmp_path_factory.mktemp("weights") / "w.safetensors"
    )


@pytest.fixture
def bucket(ceph: Server) -> Iterator[Store]:
    """A new store on the real S3 server."""
    with s3_environment(ceph):
        yield open_store(f"s3://{BUCKET}/{uuid.uuid4().hex}")
