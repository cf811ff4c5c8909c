"""Three hosts, once for all tests: to start them takes most of the time."""

import tempfile
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from jobs.store.address import open_store
from jobs.store.store import Store
from tests.faults.servers import Server
from tests.jobs.small import LAYER, NETWORK
from tests.jobs.store.s3 import BUCKET, settings
from tests.netns.ca import made_ca
from tests.netns.farm import TOKEN, Farm
from tests.netns.forward import forwarded
from tests.netns.poster import HOSTS
from tests.netns.wire import Wire, laid, why_not
from tests.render.engine import save_seeded


@pytest.fixture(scope="session")
def wire() -> Iterator[Wire]:
    """A network of this machine's own."""
    reason = why_not()
    if reason:
        pytest.skip(reason)
    with laid() as wire:
        yield wire


@pytest.fixture(scope="session")
def s3(ceph: Server, wire: Wire) -> Iterator[Server]:
    """The real S3 server, as the hosts see it."""
    with forwarded(wire.gateway, urlsplit(ceph.endpoint).port or 0) as address:
        yield ceph.behind(f"http://{address}")


@pytest.fixture(scope="session")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """The farm's own, as files below ~/.ray."""
    return made_ca(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="session")
def farm(wire: Wire, s3: Server, ca: Mapping[str, str]) -> Iterator[Farm]:
    """Hosts with Ray, one of them the head."""
    # Ray's sockets lie below it, and their paths must be short.
    with tempfile.TemporaryDirectory(prefix="df-") as home:
        farm = Farm(wire, Path(home), s3.environment(), {"auth_token": TOKEN, **ca}, first=11)
        try:
            farm.grow(HOSTS)
            yield farm
        finally:
            farm.close()


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seeded weights of the small network."""
    return save_seeded(NETWORK, (LAYER,), tmp_path_factory.mktemp("weights") / "w.safetensors")


@pytest.fixture
def bucket(ceph: Server) -> Iterator[Store]:
    """A store of its own on the real server."""
    with settings(ceph):
        yield open_store(f"s3://{BUCKET}/{uuid.uuid4().hex}")
