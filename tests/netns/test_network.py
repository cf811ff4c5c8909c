"""Hosts reach each other, share nothing, and can be disconnected and killed."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.netns.host import Host
from tests.netns.network import Network

pytestmark = pytest.mark.netns

_SERVE = "import socket\nserver = socket.create_server(('', 7))\nwhile True: server.accept()"
_CONNECT = "(exec 3<>/dev/tcp/{}/7)"


@pytest.fixture
def hosts(network: Network) -> Iterator[tuple[Host, Host]]:
    """Two idle hosts."""
    with tempfile.TemporaryDirectory(prefix="df-") as home, ExitStack() as held:
        found = []
        for number in (2, 3):
            network.plug(number)
            held.callback(network.unplug, number)
            host = Host(network, number, Path(home), {})
            held.callback(host.kill)
            host.boot({})
            found.append(host)
        yield found[0], found[1]


def reaches(one: Host, other: Host, seconds: float) -> bool:
    """Whether `other` accepts a connection within some seconds."""
    attempt = f"until {_CONNECT.format(other.address)}; do sleep 0.1; done"
    return one.run("timeout", str(seconds), "bash", "-c", attempt).returncode == 0


def test_a_host_is_disconnected_and_reconnected(hosts: tuple[Host, Host], tmp_path: Path) -> None:
    one, other = hosts
    with other.running(sys.executable, "-S", "-c", _SERVE, log=tmp_path / "log"):
        assert reaches(one, other, 60), (tmp_path / "log").read_text()
        other.cut()
        assert not reaches(one, other, 2)
        other.reconnect()
        assert reaches(one, other, 60)


def test_each_host_has_its_own_files_and_processes(
    hosts: tuple[Host, Host], tmp_path: Path
) -> None:
    one, other = hosts
    one.write("mine", "1")
    assert one.run("bash", "-c", "cat $HOME/mine; hostname").stdout == "1host2\n"
    assert other.run("bash", "-c", "cat $HOME/mine").returncode != 0

    with one.running("sleep", "99", log=tmp_path / "log"):
        assert "sleep\x0099" not in other.run("bash", "-c", "cat /proc/[0-9]*/cmdline").stdout


def test_a_killed_host_loses_its_files_and_processes(
    hosts: tuple[Host, Host], tmp_path: Path
) -> None:
    one, _ = hosts
    one.write("mine", "1")
    with one.running("sleep", "99", log=tmp_path / "log") as process:
        one.kill()
        assert process.wait(60) != 0
    one.boot({})
    assert one.run("bash", "-c", "cat $HOME/mine").returncode != 0
