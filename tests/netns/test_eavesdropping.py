"""With TLS, an eavesdropper between hosts reads neither tokens nor pixels."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.netns.network import Network
from tests.netns.packet_capture import Capture, capture_packets
from tests.netns.ray_hosts import TOKEN, RayHosts

pytestmark = [pytest.mark.netns, pytest.mark.timeout(900)]

PIXELS = "these are pixels"


@pytest.fixture
def ray_hosts_without_tls(network: Network) -> Iterator[RayHosts]:
    """A head and a worker without a CA."""
    with tempfile.TemporaryDirectory(prefix="df-") as home:
        ray_hosts = RayHosts(network, Path(home), {}, {"auth_token": TOKEN}, first=51)
        try:
            ray_hosts.grow(2)
            yield ray_hosts
        finally:
            ray_hosts.close()


def capture_transfer(network: Network, ray_hosts: RayHosts) -> Capture:
    """Capture the head's packets while a driver joins there and sends pixels to another host."""
    with capture_packets(network.cable(ray_hosts.head.number)) as capture:
        ray_hosts.run_on_head(
            sys.executable, "-m", "tests.netns.object_transfer", ray_hosts.address, PIXELS
        )
    assert capture.size > 1 << 20
    return capture


def test_with_tls_no_secret_can_be_read(network: Network, ray_hosts: RayHosts) -> None:
    capture = capture_transfer(network, ray_hosts)
    assert not capture.contains(TOKEN.encode())
    assert not capture.contains(PIXELS.encode() * 2)


def test_without_tls_secrets_can_be_read(network: Network, ray_hosts_without_tls: RayHosts) -> None:
    """Shows that the capture would find the secrets."""
    capture = capture_transfer(network, ray_hosts_without_tls)
    assert capture.contains(TOKEN.encode())
    assert capture.contains(PIXELS.encode() * 2)
