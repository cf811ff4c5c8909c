"""A farm of hosts: Ray as infra's scripts start it, `work` beside its head, one store for all."""

import itertools
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.conftest import PROJECT
from tests.netns.host import Host
from tests.netns.network import Network

TOKEN = "0123456789abcdef" * 4

_NODES = PROJECT / "infra" / "nodes"

RAY, TLS = str(_NODES / "ray.sh"), str(_NODES / "tls.sh")
UNTIL_NOTICE = str(_NODES / "until-notice.sh")
"""The scripts by which machines start Ray, members of a cluster run, and services end in time."""

WORKER = "ray::CrewActor"
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


_SERVICE = """
echo $$ >"$HOME/service"
exec "$@"
"""

_NOTICED = """
import sys, time, ray
from ray._private.state import state
ray.init(sys.argv[1], log_to_driver=False)
print("ready", flush=True)
while not state.get_draining_nodes():
    time.sleep(0.1)
"""


class RayHosts:
    """Hosts with a worker's room each, of which the first is the head's.

    home: a folder that is there on this machine, of which each host has its own. environment: of
    all processes. secrets: of all hosts, files below ~/.ray. first: the number of the head's host;
    those of the others follow.
    """

    def __init__(
        self,
        network: Network,
        home: Path,
        environment: Mapping[str, str],
        secrets: Mapping[str, str],
        first: int,
    ) -> None:
        self._wire, self._home = network, home
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

    def give_notice(self, host: Host, log: Path) -> None:
        """Have a host told to end, as clouds tell theirs; returns when its cluster knows of it."""
        words = ["bash", TLS, "run", sys.executable, "-c", _NOTICED, self.address]
        with self.head.running(*words, log=log, **self._token) as witness:
            said(log, "ready")
            told = host.run("bash", "-c", 'kill -TERM "$(cat "$HOME/service")"')
            assert told.returncode == 0, told.stdout
            assert witness.wait(_START) == 0, log.read_text()

    def asked(self, *words: str) -> str:
        """What a member of the cluster says, on the head's host."""
        told = self.head.run("bash", TLS, "run", *words, timeout=_START, **self._token)
        assert told.returncode == 0, told.stdout
        return told.stdout

    def outsider(self, number: int, secrets: Mapping[str, str]) -> Host:
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
        options = ["--num-cpus=1", "--object-store-memory=100000000", f"--temp-dir={self._home}/r"]
        if host is self.head:
            started = host.run("bash", RAY, "head", *options, timeout=_START)
            assert started.returncode == 0, started.stdout
            return
        # As `worker.sh` has it done: a service, which hands on what the machine is told.
        ray = ["bash", RAY, "worker", self.head.address, "--block", *options]
        words = ["bash", "-c", _SERVICE, "service", "bash", UNTIL_NOTICE, *ray]
        log = self._home / f"service-{host.number}.log"
        self._held.enter_context(host.running(*words, log=log))
        said(log, "Ray runtime started")


def said(log: Path, words: str) -> None:
    """Wait until a program's log has these words."""
    deadline = time.monotonic() + _START
    while words not in log.read_text():
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)
