"""image/farm-node: what a container does, with stand-ins for `ray` and `dreamfarm`."""

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

_TIMEOUT = 20.0
"""Seconds for what takes a moment."""

_ADDRESS = f"127.{os.getpid() % 200 + 20}.80.1"
"""This machine's in these tests: on loopback, and nobody else's."""

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
    """A container's process, and the folder where its stand-ins write what they were told."""

    def __init__(self, folder: Path, *words: str) -> None:
        self._folder = folder
        self.process = subprocess.Popen(
            ["bash", INFRA / "image/farm-node", *words],
            env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "FARM_HEAD": "chief"},
            start_new_session=True,
        )

    def said(self, program: str) -> list[str]:
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
    stand_ins = {"ray": _RAY, "dreamfarm": _DREAMFARM, "hostname": _HOSTNAME}
    for name, program in stand_ins.items():
        path = tmp_path / name
        words = {"python": sys.executable, "folder": tmp_path, "address": _ADDRESS}
        path.write_text(program.format(**words))
        path.chmod(0o755)
    nodes: list[Node] = []

    def begin(*words: str) -> Node:
        nodes.append(Node(tmp_path, *words))
        return nodes[-1]

    yield begin
    for node in nodes:
        node.end()


def _until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + _TIMEOUT
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_head_computes_nothing(start: Callable[..., Node]) -> None:
    node = start("head")
    _until(lambda: node.said("ray"))
    (words,) = node.said("ray")
    assert words.startswith(f"start --head --port=6379 --node-ip-address={_ADDRESS} ")
    assert {"--num-cpus=0", "--num-gpus=0", "--dashboard-host=127.0.0.1", "--block"} <= set(
        words.split()
    )


def test_a_worker_joins_the_head_with_all_it_has(start: Callable[..., Node]) -> None:
    node = start("worker")
    _until(lambda: node.said("ray"))
    (words,) = node.said("ray")
    assert words.startswith("start --address=chief:6379 ")
    assert "--num-" not in words


def test_the_scheduler_outlives_its_heads(start: Callable[..., Node]) -> None:
    node = start("work", "--poll", "9")
    _until(lambda: node.said("dreamfarm"))
    assert node.said("dreamfarm") == ["work --address chief:6379 --poll 9"]
    node.lose_head()
    _until(lambda: len(node.said("ray")) == 2)
    assert "--num-cpus=0" in node.said("ray")[1]
    assert node.said("dreamfarm") == ["work --address chief:6379 --poll 9"]
    assert node.process.poll() is None


def test_the_scheduler_is_told_to_leave_and_waited_for(start: Callable[..., Node]) -> None:
    node = start("work")
    _until(lambda: node.said("dreamfarm"))
    node.process.terminate()
    assert node.process.wait(_TIMEOUT) == 7
    assert node.said("dreamfarm")[1:] == ["leaving", "left"]


def test_anything_else_is_run_as_it_is(start: Callable[..., Node]) -> None:
    assert start("sh", "-c", "exit 3").process.wait(_TIMEOUT) == 3


def test_healthy_is_who_has_joined(start: Callable[..., Node]) -> None:
    assert start("healthy").process.wait(_TIMEOUT) != 0
    node = start("worker")
    _until(lambda: node.said("ray"))
    _until(lambda: start("healthy").process.wait(_TIMEOUT) == 0)
