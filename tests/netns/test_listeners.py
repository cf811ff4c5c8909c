"""Who listens on the network between hosts: he reads neither tokens nor pixels."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.netns.farm import TOKEN, Farm
from tests.netns.tap import Tap, tapped
from tests.netns.wire import Wire

pytestmark = [pytest.mark.netns, pytest.mark.timeout(900)]

PIXELS = "these are pixels"


@pytest.fixture
def farm_in_the_clear(wire: Wire) -> Iterator[Farm]:
    """A head and a worker without a CA."""
    with tempfile.TemporaryDirectory(prefix="df-") as home:
        farm = Farm(wire, Path(home), {}, {"auth_token": TOKEN}, first=51)
        try:
            farm.grow(2)
            yield farm
        finally:
            farm.close()


def heard(wire: Wire, farm: Farm) -> Tap:
    """What crosses the head's cable while a member joins there, and pixels go to another host."""
    with tapped(wire.cable(farm.head.number)) as tap:
        farm.asked(sys.executable, "-m", "tests.netns.parcel", farm.address, PIXELS)
    assert tap.size > 1 << 20
    return tap


def test_tokens_and_pixels_cannot_be_read(wire: Wire, farm: Farm) -> None:
    tap = heard(wire, farm)
    assert not tap.carried(TOKEN.encode())
    assert not tap.carried(PIXELS.encode() * 2)


def test_without_a_ca_they_can(wire: Wire, farm_in_the_clear: Farm) -> None:
    """Or else whoever finds nothing may have looked in the wrong place."""
    tap = heard(wire, farm_in_the_clear)
    assert tap.carried(TOKEN.encode())
    assert tap.carried(PIXELS.encode() * 2)
