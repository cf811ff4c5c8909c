"""A machine: a namespace with its own processes, scratch space and shared memory."""

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

# A folder at the same path on each host, with content of its own, as on machines set up alike. And
# no name server: Ray asks for names of clouds when it starts, and would wait for one far away.
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

# With the extras of `ray[default]`, which this interpreter need not have had from the beginning.
_RAY = f"""\
#!/bin/sh
exec {sys.executable} -c 'from ray.scripts.scripts import main; main()' "$@"
"""


class Host:
    """A machine on a wire: everything in it has `home` for itself, and ends when it is killed.

    number: of its address. environment: of all its processes, on top of the least they need.
    """

    def __init__(
        self, network: Network, number: int, home: Path, environment: Mapping[str, str]
    ) -> None:
        self._wire, self.number, self._home = network, number, home
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
        """Start it, with Ray where infra's scripts look for it.

        secrets: files below ~/.ray, where they look for these.
        """
        own = ["unshare", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child"]
        space = self._wire.namespace(self.number)
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
        """Put a file below its home."""
        put = 'mkdir -p "$(dirname "$1")" && cat >"$1" && chmod "$2" "$1"'
        words = ["sh", "-c", put, "sh", f"{self._home}/{name}", oct(mode)[2:]]
        subprocess.run([*self._inside(), *words], input=content.encode(), check=True)

    def run(
        self, *words: str, timeout: float = _TIMEOUT, **environment: str
    ) -> "subprocess.CompletedProcess[str]":
        """A command there, to its end; standard error lies with standard output."""
        # Not a pipe: what a command leaves running there may keep it open.
        with tempfile.TemporaryFile("w+") as told:
            done = subprocess.run(
                [*self._inside(), *words],
                env=self._environment | environment,
                stdout=told,
                stderr=subprocess.STDOUT,
                timeout=timeout,
                check=False,
            )
            told.seek(0)
            return subprocess.CompletedProcess(words, done.returncode, told.read())

    @contextmanager
    def running(
        self, *words: str, log: Path, **environment: str
    ) -> Iterator["subprocess.Popen[bytes]"]:
        """A command there, killed afterwards."""
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
            # What enters namespaces is one process, and what runs there another.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    @contextmanager
    def halted(self, program: str) -> Iterator[None]:
        """Within, its processes whose command line begins so stand still."""
        find = f"grep -lzE '^{program}' /proc/[0-9]*/cmdline | cut -d / -f 3"
        halt = self.run("bash", "-c", f"kill -STOP $({find})")
        assert halt.returncode == 0, halt.stdout
        try:
            yield
        finally:
            self.run("bash", "-c", f"kill -CONT $({find})")

    def cut(self) -> None:
        """Pull its cable."""
        self._wire.cut(self.number)

    def mend(self) -> None:
        """Put its cable back."""
        self._wire.mend(self.number)

    def kill(self) -> None:
        """End all its processes at once, and lose what it kept, as when its power fails."""
        if self._init is not None:
            # The first process takes all others of its namespace with it, and is gone last.
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
        """The first process of its namespace, by its number outside."""
        assert self._init is not None, f"host{self.number} is not running"
        below = Path(f"/proc/{self._init.pid}/task/{self._init.pid}/children").read_text().split()
        if len(below) != 1:
            raise RuntimeError(f"host{self.number} is not up")
        return int(below[0])
