"""A virtual network: a bridge, and for each host a namespace with a virtual cable."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_MAC = "02:df:00:00:00:01"
"""The bridge's MAC address. By default a bridge takes the lowest address of its cables, so another
cable could change it, and hosts would lose their connections for seconds."""


@dataclass(frozen=True)
class Network:
    """A bridge with a subnet 10.A.B.0/24. This process has the address `gateway` in it.

    number: makes the names and the subnet unique.
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
        """The address of a host. Numbers of hosts start at 2."""
        return f"10.{200 + self.number // 250 % 50}.{self.number % 250}.{host}"

    def namespace(self, host: int) -> str:
        """The name of a host's namespace, for `ip netns exec`."""
        return f"df{self.number}-{host}"

    def plug(self, host: int) -> None:
        """Create a host's namespace and its cable."""
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
        """Take a host's cable down: packets are lost without any error."""
        ip("link", "set", self.cable(host), "down")

    def reconnect(self, host: int) -> None:
        """Bring a host's cable up again."""
        ip("link", "set", self.cable(host), "up")

    def unplug(self, host: int) -> None:
        """Remove a host's cable and its namespace."""
        ip("link", "delete", self.cable(host))
        ip("netns", "delete", self.namespace(host))

    def cable(self, host: int) -> str:
        """The name of the near end of a host's cable."""
        return f"dfv{self.number}-{host}"


@contextmanager
def create_network() -> Iterator[Network]:
    """Create a network without hosts; removes it at the end of the context."""
    network = Network(os.getpid() % 12500)
    ip("link", "add", network.bridge, "address", _MAC, "type", "bridge")
    try:
        ip("addr", "add", f"{network.gateway}/24", "dev", network.bridge)
        ip("link", "set", network.bridge, "up")
        yield network
    finally:
        ip("link", "delete", network.bridge)


def unavailable_reason() -> str | None:
    """Why this process cannot create a network; None if it can."""
    if os.geteuid() != 0:
        return "NO NETWORK NAMESPACES: they need root"
    try:
        with create_network() as network:
            network.plug(2)
            network.unplug(2)
    except (FileNotFoundError, RuntimeError) as error:
        return f"NO NETWORK NAMESPACES: {error}"
    return None


def ip(*words: str) -> None:
    """Run iproute2's `ip`. Raises RuntimeError if it fails."""
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"ip {' '.join(words)}: {done.stderr.strip()}")
