"""A farm of hosts: Ray as infra's scripts start it, `work` beside its head, one store for all."""

import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.conftest import PROJECT
from tests.netns.host import Host
from tests.netns.wire import Wire

TOKEN = "0123456789abcdef" * 4

HEAD, FIRST = 11, 12
"""Numbers of hosts: the head's, and the first of its neighbours."""

_START = 240.0
"""Seconds for Ray to start on a host, at the most."""

_FRUGAL = {
    "RAY_enable_worker_prestart": "0",
    "RAY_prestart_worker_first_driver": "0",
    "RAY_worker_niceness": "0",
}
"""Ray would start processes for which nobody has asked yet, and let everything else on this machine
go before its workers."""


class Farm:
    """Hosts with a worker's room each, of which the first is the head's.

    home: a folder that is there on this machine, of which each host has its own. store: the
    environment in which processes find the store.
    """

    def __init__(self, wire: Wire, home: Path, store: Mapping[str, str]) -> None:
        self._wire, self._home = wire, home
        self._environment = {**_FRUGAL, **store}
        self._held = ExitStack()
        self.hosts: dict[int, Host] = {}

    @property
    def head(self) -> Host:
        """The host of the head and of `work`."""
        return self.hosts[HEAD]

    @property
    def address(self) -> str:
        """Of the cluster, HOST:PORT."""
        return f"{self._wire.address(HEAD)}:6379"

    def start(self, count: int) -> None:
        """So many hosts: the head first, then all others at the same time."""
        numbers = [self._added(HEAD + at).number for at in range(count)]
        self._start_ray(numbers[0])
        with ThreadPoolExecutor(count) as pool:
            list(pool.map(self._start_ray, numbers[1:]))

    def stranger(self, number: int) -> Host:
        """A host with everything but the token and the store's keys."""
        self._plug(number)
        host = Host(self._wire, number, self._home, {})
        self._held.callback(host.kill)
        host.boot(token=None)
        return host

    @contextmanager
    def working(self, store: str, *options: str, log: Path) -> Iterator[None]:
        """`dreamfarm work` beside the head, until the end of the context."""
        words = ["-m", "jobs.cli", "work", "--store", store, "--address", self.address]
        token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": f"{self._home}/.ray/auth_token"}
        with self.head.running(sys.executable, *words, "--poll", "0.5", *options, log=log, **token):
            yield

    def close(self) -> None:
        """End all hosts and remove them."""
        self._held.close()

    def _added(self, number: int) -> Host:
        self._plug(number)
        host = Host(self._wire, number, self._home, self._environment)
        self._held.callback(host.kill)
        host.boot(TOKEN)
        self.hosts[number] = host
        return host

    def _plug(self, number: int) -> None:
        self._wire.plug(number)
        self._held.callback(self._wire.unplug, number)

    def _start_ray(self, number: int) -> None:
        role = ["head"] if number == HEAD else ["worker", self._wire.address(HEAD)]
        options = ["--num-cpus=1", "--object-store-memory=100000000", f"--temp-dir={self._home}/r"]
        script = str(PROJECT / "infra" / "nodes" / "ray.sh")
        started = self.hosts[number].run("bash", script, *role, *options, timeout=_START)
        assert started.returncode == 0, started.stdout
