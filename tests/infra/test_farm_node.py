"""image/farm-node, with fakes for `ray` and `dreamfarm`."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.infra.files import INFRA

_TIMEOUT = 20.0  # seconds

_ADDRESS = f"127.{os.getpid() % 200 + 20}.80.1"
"""The node's address: on loopback, different in each process."""

_HOSTNAME = "#!/bin/sh\necho {address}\n"

_RAY = """\
#!{python}
import os, pathlib, socket, sys, time
pathlib.Path("{folder}/ray.log").open("a").write(" ".join(sys.argv[1:]) + "\\n")
with socket.create_server(("{address}", 6380)):
    while not pathlib.Path("{folder}/head-is-gone").exists():
        time.sleep(0.02)
pathlib.Path("{folder}/head-is-gone").unlink()
"""

_DREAMFARM = """\
#!{python}
import pathlib, signal, sys, time
log = pathlib.Path("{folder}/dreamfarm.log").open("a", buffering=1)
def leave(*_):
    log.write("leaving\\n")
    time.sleep(0.3)
    log.write("left\\n")
    sys.exit(7)
signal.signal(signal.SIGTERM, leave)
log.write(" ".join(sys.argv[1:]) + "\\n")
while True:
    time.sleep(0.02)
"""


class Node:
    """A container's process, and the folder with the logs of the fakes."""

    def __init__(self, folder: Path, *words: str) -> None:
        self._folder = folder
        self.process = subprocess.Popen(
            ["bash", INFRA / "image/farm-node", *words],
            env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "FARM_HEAD": "chief"},
            start_new_session=True,
        )

    def calls(self, program: str) -> list[str]:
        """The arguments of each call of a fake, and what it logged."""
        log = self._folder / f"{program}.log"
        return log.read_text().splitlines() if log.exists() else []

    def lose_head(self) -> None:
        (self._folder / "head-is-gone").touch()

    def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Node]]:
    fakes = {"ray": _RAY, "dreamfarm": _DREAMFARM, "hostname": _HOSTNAME}
    for name, program in fakes.items():
        path = tmp_path / name
        words = {"python": sys.executable, "folder": tmp_path, "address": _ADDRESS}
        path.write_text(program.format(**words))
        path.chmod(0o755)
    nodes: list[Node] = []

    def start_node(*words: str) -> Node:
        nodes.append(Node(tmp_path, *words))
        return nodes[-1]

    yield start_node
    for node in nodes:
        node.end()


def _wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + _TIMEOUT
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_head_computes_nothing(start: Callable[..., Node]) -> None:
    node = start("head")
    _wait_until(lambda: node.calls("ray"))
    (words,) = node.calls("ray")
    assert words.startswith(f"start --head --port=6379 --node-ip-address={_ADDRESS} ")
    assert {"--num-cpus=0", "--num-gpus=0", "--dashboard-host=127.0.0.1", "--block"} <= set(
        words.split()
    )


def test_a_worker_joins_the_head_with_all_resources(start: Callable[..., Node]) -> None:
    node = start("worker")
    _wait_until(lambda: node.calls("ray"))
    (words,) = node.calls("ray")
    assert words.startswith("start --address=chief:6379 ")
    assert "--num-" not in words


def test_the_scheduler_outlives_the_head(start: Callable[..., Node]) -> None:
    node = start("work", "--poll", "9")
    _wait_until(lambda: node.calls("dreamfarm"))
    assert node.calls("dreamfarm") == ["work --address chief:6379 --poll 9"]
    node.lose_head()
    _wait_until(lambda: len(node.calls("ray")) == 2)
    assert "--num-cpus=0" in node.calls("ray")[1]
    assert node.calls("dreamfarm") == ["work --address chief:6379 --poll 9"]
    assert node.process.poll() is None


def test_the_scheduler_gets_sigterm_and_time_to_stop(start: Callable[..., Node]) -> None:
    node = start("work")
    _wait_until(lambda: node.calls("dreamfarm"))
    node.process.terminate()
    assert node.process.wait(_TIMEOUT) == 7
    assert node.calls("dreamfarm")[1:] == ["leaving", "left"]


def test_another_command_runs_unchanged(start: Callable[..., Node]) -> None:
    assert start("sh", "-c", "exit 3").process.wait(_TIMEOUT) == 3


def test_a_node_in_a_cluster_is_healthy(start: Callable[..., Node]) -> None:
    assert start("healthy").process.wait(_TIMEOUT) != 0
    node = start("worker")
    _wait_until(lambda: node.calls("ray"))
    _wait_until(lambda: start("healthy").process.wait(_TIMEOUT) == 0)
