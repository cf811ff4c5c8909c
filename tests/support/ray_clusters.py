"""Ray clusters of one node each on this machine, started as an operator does."""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil

from tests.support.s3_servers import free_ports

TOKEN = "0123456789abcdef" * 4

ENVIRONMENT = {
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": TOKEN,
    "RAY_USAGE_STATS_ENABLED": "0",
    # Start on loopback, where drivers look for the cluster.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_enable_worker_prestart": "0",
    "RAY_prestart_worker_first_driver": "0",
}

_TIMEOUT = 60.0


@contextmanager
def ray_clusters(count: int, cpus: int) -> Iterator[list[str]]:
    """Start `count` clusters at the same time; yields their addresses."""
    with ExitStack() as held:
        starting = [held.enter_context(_cluster(cpus)) for _ in range(count)]
        yield [_wait_until_ready(*one) for one in starting]


@contextmanager
def _cluster(cpus: int) -> Iterator[tuple[str, Path, "subprocess.Popen[bytes]"]]:
    address = f"127.0.0.1:{free_ports(1)}"
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder:
        log = Path(folder) / "log"
        options = [
            *("--head", "--block", f"--port={address.rpartition(':')[2]}", f"--num-cpus={cpus}"),
            *("--include-dashboard=false", "--node-ip-address=127.0.0.1"),
            *("--object-store-memory=150000000", f"--temp-dir={folder}/r"),
            "--dashboard-agent-listen-port=0",
        ]
        with log.open("wb") as output:
            process = subprocess.Popen(
                [str(Path(sys.executable).with_name("ray")), "start", *options],
                stdout=output,
                stderr=output,
                env={**os.environ, **ENVIRONMENT},
                start_new_session=True,
            )
        try:
            yield address, log, process
        finally:
            for part in _descendants(process.pid):
                with contextlib.suppress(psutil.NoSuchProcess):
                    part.kill()
            process.kill()
            process.wait()


def _descendants(process: int) -> list[psutil.Process]:
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(process).children(recursive=True)
    return []


def _wait_until_ready(address: str, log: Path, process: "subprocess.Popen[bytes]") -> str:
    deadline = time.monotonic() + _TIMEOUT
    while "Ray runtime started" not in log.read_text():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)
    return address
