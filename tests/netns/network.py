"""A network of this machine's own: a bridge, and a namespace with one cable for each host."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_MAC = "02:df:00:00:00:01"
"""Of the gateway. Left to itself a bridge takes the lowest of its cables', so that a cable more may
change it, and hosts then speak to nobody for seconds."""


@dataclass(frozen=True)
class Network:
    """A bridge on which this process has the address `gateway`; names and subnet are its own.

    The subnet is 10.A.B.0/24.
    """

    number: int

    @property
    def bridge(self) -> str:
        """The bridge's name."""
        return f"dfb{self.number}"

    @property
    def gateway(self) -> str:
        """The address of this process."""
        return self.address(1)

    def address(self, host: int) -> str:
        """The address of a host, from 2 on."""
        return f"10.{200 + self.number // 250 % 50}.{self.number % 250}.{host}"

    def namespace(self, host: int) -> str:
        """The name of a host's namespace, for `ip netns exec`."""
        return f"df{self.number}-{host}"

    def plug(self, host: int) -> None:
        """Make a host's namespace, and lay its cable."""
        space, near, far = self.namespace(host), self.cable(host), f"dfp{self.number}-{host}"
        ip("netns", "add", space)
        ip("link", "add", near, "type", "veth", "peer", "name", far)
        ip("link", "set", far, "netns", space, "name", "eth0")
        ip("link", "set", near, "master", self.bridge, "up")
        ip("-n", space, "addr", "add", f"{self.address(host)}/24", "dev", "eth0")
        for device in ("lo", "eth0"):
            ip("-n", space, "link", "set", device, "up")
        ip("-n", space, "route", "add", "default", "via", self.gateway)

    def cut(self, host: int) -> None:
        """Pull a host's cable: nothing arrives any more, and nobody is told."""
        ip("link", "set", self.cable(host), "down")

    def mend(self, host: int) -> None:
        """Put it back."""
        ip("link", "set", self.cable(host), "up")

    def unplug(self, host: int) -> None:
        """Remove a host's cable and its namespace."""
        ip("link", "delete", self.cable(host))
        ip("netns", "delete", self.namespace(host))

    def cable(self, host: int) -> str:
        """This process's end of a host's cable, by its name."""
        return f"dfv{self.number}-{host}"


@contextmanager
def laid() -> Iterator[Network]:
    """A wire without hosts, removed afterwards."""
    network = Network(os.getpid() % 12500)
    ip("link", "add", network.bridge, "address", _MAC, "type", "bridge")
    try:
        ip("addr", "add", f"{network.gateway}/24", "dev", network.bridge)
        ip("link", "set", network.bridge, "up")
        yield network
    finally:
        ip("link", "delete", network.bridge)


def why_not() -> str | None:
    """Why there can be no such network here; None where there can."""
    if os.geteuid() != 0:
        return "NO NETWORK NAMESPACES: they need root"
    try:
        with laid() as network:
            network.plug(2)
            network.unplug(2)
    except (FileNotFoundError, RuntimeError) as error:
        return f"NO NETWORK NAMESPACES: {error}"
    return None


def ip(*words: str) -> None:
    """Run iproute2's `ip`; RuntimeError where it refuses."""
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"ip {' '.join(words)}: {done.stderr.strip()}")
