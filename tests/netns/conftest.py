"""Three hosts, once for all tests: to start them takes most of the time."""

import tempfile
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from jobs.store.address import open_store
from jobs.store.store import Store
from tests.netns.ca import made_ca
from tests.netns.network import Network, laid, why_not
from tests.netns.port_forward import forwarded
from tests.netns.poster import HOSTS
from tests.netns.ray_hosts import TOKEN, RayHosts
from tests.support.s3_servers import BUCKET, Server, s3_environment
from tests.support.seeded_networks import save_seeded_weights
from tests.support.small_poster import LAYER, NETWORK


@pytest.fixture(scope="session")
def network() -> Iterator[Network]:
    """A network of this machine's own."""
    reason = why_not()
    if reason:
        pytest.skip(reason)
    with laid() as network:
        yield network


@pytest.fixture(scope="session")
def s3(ceph: Server, network: Network) -> Iterator[Server]:
    """The real S3 server, as the hosts see it."""
    with forwarded(network.gateway, urlsplit(ceph.endpoint).port or 0) as address:
        yield ceph.behind(f"http://{address}")


@pytest.fixture(scope="session")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """The farm's own, as files below ~/.ray."""
    return made_ca(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="session")
def ray_hosts(network: Network, s3: Server, ca: Mapping[str, str]) -> Iterator[RayHosts]:
    """Hosts with Ray, one of them the head."""
    # Ray's sockets lie below it, and their paths must be short.
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
    """A store of its own on the real server."""
    with s3_environment(ceph):
        yield open_store(f"s3://{BUCKET}/{uuid.uuid4().hex}")
