"""Hosts in one Ray cluster, started by the scripts of `infra/nodes`, with `work` on the head."""

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
"""The scripts that start Ray, run programs with a certificate, and pass on a notice to end."""

WORKER = "ray::CrewActor"
"""The start of the command line of a crew's member, as Ray sets it."""

_START = 240.0
"""Seconds for Ray to start or to answer on a host."""

_FRUGAL = {
    "RAY_enable_worker_prestart": "0",
    "RAY_prestart_worker_first_driver": "0",
    "RAY_worker_niceness": "0",
}
"""Without these, Ray starts spare processes, and its workers have the lowest priority here."""


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
    """Hosts for one worker each. The first is the head.

    home: an existing folder, which each host replaces by its own. environment: of all processes.
    secrets: files below ~/.ray of all hosts, by name. first: the number of the first host; the
    others follow.
    """

    def __init__(
        self,
        network: Network,
        home: Path,
        environment: Mapping[str, str],
        secrets: Mapping[str, str],
        first: int,
    ) -> None:
        self._network, self._home = network, home
        self._environment = {**_FRUGAL, **environment}
        self._secrets = secrets
        self._held = ExitStack()
        self._numbers = itertools.count(first)
        self.hosts: list[Host] = []

    @property
    def head(self) -> Host:
        """The host that runs the head and `work`."""
        return self.hosts[0]

    @property
    def others(self) -> list[Host]:
        """All hosts but the head."""
        return self.hosts[1:]

    @property
    def address(self) -> str:
        """The cluster's address, HOST:PORT."""
        return f"{self.head.address}:6379"

    def grow(self, count: int) -> None:
        """Add hosts up to `count`: the head first, then the others at the same time."""
        new = [self._add_host() for _ in range(count - len(self.hosts))]
        if self.head in new:
            self._start_ray(new.pop(0))
        with ThreadPoolExecutor(count) as pool:
            list(pool.map(self._start_ray, new))

    @contextmanager
    def losing(self, host: Host) -> Iterator[None]:
        """Remove a host at the end of the context, in which a test loses it."""
        try:
            yield
        finally:
            host.kill()
            self.hosts.remove(host)

    def give_notice(self, host: Host, log: Path) -> None:
        """Send a host's service SIGTERM, as clouds do; wait until the cluster knows."""
        words = ["bash", TLS, "run", sys.executable, "-c", _NOTICED, self.address]
        with self.head.running(*words, log=log, **self._token) as witness:
            wait_for_text(log, "ready")
            kill = host.run("bash", "-c", 'kill -TERM "$(cat "$HOME/service")"')
            assert kill.returncode == 0, kill.stdout
            assert witness.wait(_START) == 0, log.read_text()

    def run_on_head(self, *words: str) -> str:
        """Run a program on the head with token and certificate; returns its output."""
        done = self.head.run("bash", TLS, "run", *words, timeout=_START, **self._token)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def outsider(self, number: int, secrets: Mapping[str, str]) -> Host:
        """Start a host outside the cluster, without the store's keys."""
        self._plug(number)
        host = Host(self._network, number, self._home, {})
        self._held.callback(host.kill)
        host.boot(secrets)
        return host

    @contextmanager
    def working(self, store: str, *options: str, log: Path) -> Iterator[None]:
        """Run `dreamfarm work` on the head within this context."""
        words = ["bash", TLS, "run", sys.executable, "-m", "jobs.cli", "work", "--store", store]
        words += ["--address", self.address, "--poll", "0.5", *options]
        with self.head.running(*words, log=log, **self._token):
            yield

    def close(self) -> None:
        """Kill all hosts and remove them."""
        self._held.close()

    @property
    def _token(self) -> dict[str, str]:
        """The environment of a program that may use the cluster."""
        return {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": f"{self._home}/.ray/auth_token"}

    def _add_host(self) -> Host:
        number = next(self._numbers)
        self._plug(number)
        host = Host(self._network, number, self._home, self._environment)
        self._held.callback(host.kill)
        host.boot(self._secrets)
        self.hosts.append(host)
        return host

    def _plug(self, number: int) -> None:
        self._network.plug(number)
        self._held.callback(self._network.unplug, number)

    def _start_ray(self, host: Host) -> None:
        options = ["--num-cpus=1", "--object-store-memory=100000000", f"--temp-dir={self._home}/r"]
        if host is self.head:
            started = host.run("bash", RAY, "head", *options, timeout=_START)
            assert started.returncode == 0, started.stdout
            return
        # A service that passes on the notice to end, as `worker.sh` starts it.
        ray = ["bash", RAY, "worker", self.head.address, "--block", *options]
        words = ["bash", "-c", _SERVICE, "service", "bash", UNTIL_NOTICE, *ray]
        log = self._home / f"service-{host.number}.log"
        self._held.enter_context(host.running(*words, log=log))
        wait_for_text(log, "Ray runtime started")


def wait_for_text(log: Path, text: str) -> None:
    """Wait until a log contains a text."""
    deadline = time.monotonic() + _START
    while text not in log.read_text():
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)
