"""A host: namespaces with their own network, processes, scratch space and shared memory."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import PROJECT
from tests.netns.network import Network

_TIMEOUT = 120.0

# Each host has the same home path with its own content, as on identical machines. There is no name
# server: Ray asks for names of clouds when it starts, and would wait for a remote server.
_BOOT = """
mount --make-rprivate /
mount -t proc proc /proc
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs "$HOME"
mkdir "$HOME/tmp"
echo "nameserver 127.0.0.1" >"$HOME/resolv.conf"
mount --bind "$HOME/resolv.conf" /etc/resolv.conf
hostname "$1"
touch "$HOME/up"
sleep infinity &
wait
"""

# The script `ray` of this interpreter, which may get `ray[default]` from another folder.
_RAY = f"""\
#!/bin/sh
exec {sys.executable} -c 'from ray.scripts.scripts import main; main()' "$@"
"""


class Host:
    """A host in a network. Its processes share a private `home`, and end when it is killed.

    number: the last part of its address. environment: extra variables of all its processes.
    """

    def __init__(
        self, network: Network, number: int, home: Path, environment: Mapping[str, str]
    ) -> None:
        self._network, self.number, self._home = network, number, home
        self.address = network.address(number)
        self._environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(PROJECT),
            "HOME": str(home),
            "TMPDIR": f"{home}/tmp",
            **environment,
        }
        self._init: subprocess.Popen[bytes] | None = None

    def boot(self, secrets: Mapping[str, str]) -> None:
        """Start the host, with Ray and secrets where the scripts of `infra/` look for them.

        secrets: files below ~/.ray, by name.
        """
        own = ["unshare", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child"]
        space = self._network.namespace(self.number)
        name = f"host{self.number}"
        self._init = subprocess.Popen(
            ["ip", "netns", "exec", space, *own, "bash", "-c", _BOOT, "boot", name],
            env=self._environment,
            start_new_session=True,
        )
        deadline = time.monotonic() + _TIMEOUT
        while not self._is_up():
            assert self._init.poll() is None, f"{name} has not started"
            assert time.monotonic() < deadline, f"{name} does not start"
            time.sleep(0.05)
        self.write("farm/bin/ray", _RAY, 0o755)
        for name, content in secrets.items():
            self.write(f".ray/{name}", content)

    def write(self, name: str, content: str, mode: int = 0o600) -> None:
        """Write a file below its home."""
        put = 'mkdir -p "$(dirname "$1")" && cat >"$1" && chmod "$2" "$1"'
        words = ["sh", "-c", put, "sh", f"{self._home}/{name}", oct(mode)[2:]]
        subprocess.run([*self._inside(), *words], input=content.encode(), check=True)

    def run(
        self, *words: str, timeout: float = _TIMEOUT, **environment: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end. Standard error goes to standard output."""
        # Not a pipe: background processes of the command would keep it open.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(
                [*self._inside(), *words],
                env=self._environment | environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=timeout,
                check=False,
            )
            output.seek(0)
            return subprocess.CompletedProcess(words, done.returncode, output.read())

    @contextmanager
    def running(
        self, *words: str, log: Path, **environment: str
    ) -> Iterator["subprocess.Popen[bytes]"]:
        """Run a command within this context; kill it at the end."""
        with log.open("ab") as output:
            process = subprocess.Popen(
                [*self._inside(), *words],
                env=self._environment | environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            # `nsenter` and the command are two processes.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    @contextmanager
    def paused(self, program: str) -> Iterator[None]:
        """Stop the processes whose command line starts with `program` within this context."""
        find = f"grep -lzE '^{program}' /proc/[0-9]*/cmdline | cut -d / -f 3"
        stop = self.run("bash", "-c", f"kill -STOP $({find})")
        assert stop.returncode == 0, stop.stdout
        try:
            yield
        finally:
            self.run("bash", "-c", f"kill -CONT $({find})")

    def cut(self) -> None:
        """Disconnect it from the network."""
        self._network.cut(self.number)

    def reconnect(self) -> None:
        """Connect it to the network again."""
        self._network.reconnect(self.number)

    def kill(self) -> None:
        """Kill all its processes and lose its files, as a power failure does."""
        if self._init is not None:
            # The first process of a namespace takes all others with it, and ends last.
            with contextlib.suppress(RuntimeError, ProcessLookupError):
                os.kill(self._first(), signal.SIGKILL)
                self._init.wait(_TIMEOUT)
            self._init.kill()
            self._init.wait()
            self._init = None

    def _is_up(self) -> bool:
        with contextlib.suppress(RuntimeError):
            return self.run("test", "-e", f"{self._home}/up").returncode == 0
        return False

    def _inside(self) -> list[str]:
        return ["nsenter", "--target", str(self._first()), "--all", f"--wdns={self._home}"]

    def _first(self) -> int:
        """The first process of its namespace, by its process id outside."""
        assert self._init is not None, f"host{self.number} is not running"
        below = Path(f"/proc/{self._init.pid}/task/{self._init.pid}/children").read_text().split()
        if len(below) != 1:
            raise RuntimeError(f"host{self.number} is not up")
        return int(below[0])
