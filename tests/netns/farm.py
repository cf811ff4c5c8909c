"""A farm of hosts: Ray as infra's scripts start it, `work` beside its head, one store for all."""

import itertools
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.conftest import PROJECT
from tests.netns.host import Host
from tests.netns.wire import Wire

TOKEN = "0123456789abcdef" * 4

_NODES = PROJECT / "infra" / "nodes"

RAY, TLS = str(_NODES / "ray.sh"), str(_NODES / "tls.sh")
"""The scripts by which machines start Ray, and members of a cluster run."""

WORKER = "ray::_Actor"
"""How the command line of a crew's member begins, as Ray names it."""

_START = 240.0
"""Seconds for Ray to start on a host, or to answer there, at the most."""

_FRUGAL = {
    "RAY_enable_worker_prestart": "0",
    "RAY_prestart_worker_first_driver": "0",
    "RAY_worker_niceness": "0",
}
"""Ray would start processes for which nobody has asked yet, and let everything else on this machine
go before its workers."""


_LISTED = """
import sys, ray
ray.init(sys.argv[1], log_to_driver=False)
for node in ray.nodes():
    print(node["NodeID"], node["NodeManagerAddress"])
"""


class Farm:
    """Hosts with a worker's room each, of which the first is the head's.

    home: a folder that is there on this machine, of which each host has its own. environment: of
    all processes. secrets: of all hosts, files below ~/.ray. first: the number of the head's host;
    those of the others follow.
    """

    def __init__(
        self,
        wire: Wire,
        home: Path,
        environment: Mapping[str, str],
        secrets: Mapping[str, str],
        first: int,
    ) -> None:
        self._wire, self._home = wire, home
        self._environment = {**_FRUGAL, **environment}
        self._secrets = secrets
        self._held = ExitStack()
        self._numbers = itertools.count(first)
        self.hosts: list[Host] = []

    @property
    def head(self) -> Host:
        """The host of the head and of `work`."""
        return self.hosts[0]

    @property
    def others(self) -> list[Host]:
        """All hosts but the head's."""
        return self.hosts[1:]

    @property
    def address(self) -> str:
        """Of the cluster, HOST:PORT."""
        return f"{self.head.address}:6379"

    def grow(self, count: int) -> None:
        """To so many hosts, if there are fewer: the head first, then all others together."""
        new = [self._added() for _ in range(count - len(self.hosts))]
        if self.head in new:
            self._start_ray(new.pop(0))
        with ThreadPoolExecutor(count) as pool:
            list(pool.map(self._start_ray, new))

    @contextmanager
    def losing(self, host: Host) -> Iterator[None]:
        """A host is lost within, and not of the farm any more afterwards."""
        try:
            yield
        finally:
            host.kill()
            self.hosts.remove(host)

    def give_notice(self, host: Host, seconds: int) -> None:
        """Have the cluster told that a host goes in so many seconds, as clouds tell of theirs."""
        listed = self.asked(sys.executable, "-c", _LISTED, self.address)
        (line,) = [line for line in listed.splitlines() if line.endswith(f" {host.address}")]
        words = [
            *("drain-node", f"--address={self.address}", f"--node-id={line.split()[0]}"),
            *("--reason=DRAIN_NODE_REASON_PREEMPTION", "--reason-message=notice"),
            f"--deadline-remaining-seconds={seconds}",
        ]
        self.asked(f"{self._home}/farm/bin/ray", *words)

    def asked(self, *words: str) -> str:
        """What a member of the cluster says, on the head's host."""
        told = self.head.run("bash", TLS, "run", *words, timeout=_START, **self._token)
        assert told.returncode == 0, told.stdout
        return told.stdout

    def stranger(self, number: int, secrets: Mapping[str, str]) -> Host:
        """A host that is none of the farm's, without the store's keys."""
        self._plug(number)
        host = Host(self._wire, number, self._home, {})
        self._held.callback(host.kill)
        host.boot(secrets)
        return host

    @contextmanager
    def working(self, store: str, *options: str, log: Path) -> Iterator[None]:
        """`dreamfarm work` beside the head, until the end of the context."""
        words = ["bash", TLS, "run", sys.executable, "-m", "jobs.cli", "work", "--store", store]
        words += ["--address", self.address, "--poll", "0.5", *options]
        with self.head.running(*words, log=log, **self._token):
            yield

    def close(self) -> None:
        """End all hosts and remove them."""
        self._held.close()

    @property
    def _token(self) -> dict[str, str]:
        """The environment of those who may use the cluster."""
        return {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": f"{self._home}/.ray/auth_token"}

    def _added(self) -> Host:
        number = next(self._numbers)
        self._plug(number)
        host = Host(self._wire, number, self._home, self._environment)
        self._held.callback(host.kill)
        host.boot(self._secrets)
        self.hosts.append(host)
        return host

    def _plug(self, number: int) -> None:
        self._wire.plug(number)
        self._held.callback(self._wire.unplug, number)

    def _start_ray(self, host: Host) -> None:
        role = ["head"] if host is self.head else ["worker", self.head.address]
        options = ["--num-cpus=1", "--object-store-memory=100000000", f"--temp-dir={self._home}/r"]
        started = host.run("bash", RAY, *role, *options, timeout=_START)
        assert started.returncode == 0, started.stdout
