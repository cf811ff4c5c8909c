"""Who listens on the network between hosts: he reads neither tokens nor pixels."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.netns.network import Network
from tests.netns.packet_capture import Tap, tapped
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


def heard(network: Network, ray_hosts: RayHosts) -> Tap:
    """What crosses the head's cable while a member joins there, and pixels go to another host."""
    with tapped(network.cable(ray_hosts.head.number)) as tap:
        ray_hosts.asked(
            sys.executable, "-m", "tests.netns.object_transfer", ray_hosts.address, PIXELS
        )
    assert tap.size > 1 << 20
    return tap


def test_tokens_and_pixels_cannot_be_read(network: Network, ray_hosts: RayHosts) -> None:
    tap = heard(network, ray_hosts)
    assert not tap.carried(TOKEN.encode())
    assert not tap.carried(PIXELS.encode() * 2)


def test_without_a_ca_they_can(network: Network, ray_hosts_without_tls: RayHosts) -> None:
    """Or else whoever finds nothing may have looked in the wrong place."""
    tap = heard(network, ray_hosts_without_tls)
    assert tap.carried(TOKEN.encode())
    assert tap.carried(PIXELS.encode() * 2)
