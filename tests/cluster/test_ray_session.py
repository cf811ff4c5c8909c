"""Ray sessions: a private Ray that ends completely, or an existing cluster."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cluster.errors import ClusterError, ClusterUnreachable
from cluster.ray_session import joined_ray, local_ray
from tests.support.processes import still_running

if TYPE_CHECKING:
    from cluster.ray_crew import RayCrew


@dataclass
class Driver:
    process: subprocess.Popen[str]
    member: int
    children: list[int]
    listening: list[str]

    def end(self, number: signal.Signals) -> tuple[str, str]:
        """Send the signal as a terminal or `kill` would. Returns stdout and stderr."""
        stop = os.killpg if number == signal.SIGINT else os.kill
        stop(self.process.pid, number)
        return self.process.communicate(timeout=20)


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A folder with a name short enough for Ray's sockets."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


@pytest.fixture
def driver(project: Path, tmp_path: Path, scratch: Path) -> Iterator[Driver]:
    """A program that has started a private Ray and is in the middle of a call."""
    environment = dict(os.environ, TMPDIR=str(scratch), RAY_ADDRESS="127.0.0.1:9")
    with subprocess.Popen(
        [sys.executable, project / "tests" / "support" / "ray_driver.py"],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout is not None
            driver = Driver(process, **json.loads(process.stdout.readline()))
            yield driver
            # After a kill, two agents of Ray search their head for a minute before they end.
            for child in still_running(driver.children, timeout=0):
                os.kill(child, signal.SIGKILL)
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_program_ends_everything_at_once(
    driver: Driver, scratch: Path, number: signal.Signals
) -> None:
    assert len(list(scratch.iterdir())) == 1
    assert driver.member in driver.children
    assert {address.removeprefix("::ffff:") for address in driver.listening} == {"127.0.0.1"}
    started = time.monotonic()
    out, err = driver.end(number)
    assert time.monotonic() - started < 10
    assert out == ""
    if number == signal.SIGINT:
        assert err.strip().splitlines()[-1] == "KeyboardInterrupt"
    else:
        assert err == ""
    assert driver.process.returncode != 0
    assert still_running(driver.children) == set()
    assert list(scratch.iterdir()) == []


@pytest.mark.slow
def test_a_killed_program_takes_its_members_along(driver: Driver) -> None:
    os.kill(driver.process.pid, signal.SIGKILL)
    assert still_running([driver.member]) == set()


def test_a_process_joins_one_ray_at_a_time(ray_crew: "type[RayCrew]") -> None:
    with (
        pytest.raises(ClusterError, match="leave that one first"),
        local_ray(cpus=1, object_store_bytes=100_000_000),
    ):
        pass


def test_the_environment_is_left_as_it_was(ray_crew: "type[RayCrew]") -> None:
    left = {name for name in os.environ if name.startswith("RAY_")}
    # Ray's import sets the first; the second belongs to the running session.
    assert left <= {"RAY_CLIENT_MODE", "RAY_IGNORE_UNHANDLED_ERRORS"}


@pytest.mark.parametrize("address", ["nowhere", "127.0.0.1:no", "no.such.host.invalid:6379"])
def test_a_bad_address_is_unreachable(address: str) -> None:
    with pytest.raises(ClusterUnreachable, match="give HOST:PORT"), joined_ray(address):
        pass


def test_a_closed_port_is_unreachable_at_once() -> None:
    with socket.socket() as placeholder:
        placeholder.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{placeholder.getsockname()[1]}"
        started = time.monotonic()
        with pytest.raises(ClusterUnreachable, match=address), joined_ray(address):
            pass
        assert time.monotonic() - started < 6


def test_a_guest_works_on_a_cluster_and_leaves_it_running(
    ray_crew: "type[RayCrew]", project: Path, tmp_path: Path
) -> None:
    import ray

    from cluster.ray_session import _auth_token

    context = ray.get_runtime_context()
    guest = subprocess.run(
        [sys.executable, project / "tests" / "support" / "ray_guest.py", context.gcs_address],
        cwd=tmp_path,
        env={
            **os.environ,
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": _auth_token(),
            # Ours is on loopback; a guest would look for it under this machine's public address.
            "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    name, refusal = guest.stdout.splitlines()
    assert name == "Ivy"
    assert refusal.startswith("a crew of 1000 with 1 CPU each does not fit: the cluster has room")
    assert ray.is_initialized()
