"""nodes/: the scripts of `ray up`, with fakes for `ray`, `sudo` and the cloud."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.infra.files import INFRA

_TIMEOUT = 30.0  # seconds

_RAY = """\
#!/bin/sh
echo "$RAY_AUTH_MODE $*" >>"$HOME/ray.log"
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The home folder of a machine after setup.sh."""
    ray = tmp_path / "farm/bin/ray"
    ray.parent.mkdir(parents=True)
    ray.write_text(_RAY)
    ray.chmod(0o755)
    return tmp_path


_SUDO = """\
#!/bin/sh
echo "$*" >>"$HOME/sudo.log"
"""

_CLOUD = """\
#!/bin/sh
for address; do :; done
case "$address" in
  */api/token) test -e "$HOME/aws" ;;
  */instance-action) test -e "$HOME/notice" ;;
  */preempted) test -e "$HOME/notice" && echo TRUE ;;
esac
"""

_COMMAND = """\
trap 'echo signalled >>"$HOME/command.log"; sleep 0.3; echo left >>"$HOME/command.log"; exit 7' TERM
echo started >>"$HOME/command.log"
while true; do sleep 0.05; done
"""


def _run(home: Path, script: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", str(INFRA / "nodes" / script), *words],
        env={**os.environ, "HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("words", "beginning"),
    [
        (("head", "--autoscaling-config=x"), "token start --head --port=6379 --num-cpus=0 "),
        (("worker", "10.0.0.9"), "token start --address=10.0.0.9:6379 --node-manager-port=6380 "),
    ],
)
def test_ray_restarts_with_a_token(home: Path, words: tuple[str, ...], beginning: str) -> None:
    done = _run(home, "ray.sh", *words)
    assert (done.returncode, done.stderr) == (0, "")
    stopped, started = (home / "ray.log").read_text().splitlines()
    assert stopped == "token stop"
    assert started.startswith(beginning)
    assert ("--autoscaling-config=x" in started) == (words[0] == "head")


def test_an_unknown_role_is_refused(home: Path) -> None:
    done = _run(home, "ray.sh", "boss")
    assert (done.returncode, done.stderr) == (2, "ray.sh: head or worker, not boss\n")
    assert not (home / "ray.log").exists()


def test_a_missing_bucket_is_refused(home: Path) -> None:
    done = _run(home, "scheduler.sh", "s3://change-me", "eu-central-1", "1x1cpu,1GiB")
    assert done.returncode == 2
    assert "name your bucket" in done.stderr


def _add_fake(home: Path, name: str, program: str) -> None:
    path = home / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(program)
    path.chmod(0o755)


def test_a_worker_is_a_service_that_signals_only_ray(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _add_fake(home, "sudo", _SUDO)
    monkeypatch.setenv("PATH", f"{home}/bin:{os.environ['PATH']}")
    monkeypatch.setenv("USER", "ubuntu")
    done = _run(home, "worker.sh", "10.0.0.9")
    assert (done.returncode, done.stderr) == (0, "")
    before, started = (home / "sudo.log").read_text().splitlines()
    assert before == "systemctl stop dreamfarm-ray.service"
    nodes = home / "dreamfarm/infra/nodes"
    assert {"--uid=ubuntu", "--property=KillMode=mixed"} <= set(started.split())
    assert started.endswith(
        f" bash {nodes}/until-notice.sh bash {nodes}/ray.sh worker 10.0.0.9 --block"
    )


@pytest.fixture
def watched(home: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A running until-notice.sh with its command."""
    _add_fake(home, "curl", _CLOUD)
    script = str(INFRA / "nodes/until-notice.sh")
    process = subprocess.Popen(
        ["bash", script, "bash", "-c", _COMMAND],
        env={**os.environ, "HOME": str(home), "PATH": f"{home}/bin:{os.environ['PATH']}"},
        start_new_session=True,
    )
    deadline = time.monotonic() + _TIMEOUT
    while not (home / "command.log").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    yield process
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _aws(home: Path, _: "subprocess.Popen[bytes]") -> None:
    (home / "aws").touch()
    (home / "notice").touch()


def _google(home: Path, _: "subprocess.Popen[bytes]") -> None:
    (home / "notice").touch()


def _shutdown(_: Path, process: "subprocess.Popen[bytes]") -> None:
    process.terminate()


@pytest.mark.parametrize("notice", [_aws, _google, _shutdown])
def test_a_notice_is_passed_on_and_the_command_has_time_to_stop(
    home: Path,
    watched: "subprocess.Popen[bytes]",
    notice: Callable[[Path, "subprocess.Popen[bytes]"], None],
) -> None:
    notice(home, watched)
    assert watched.wait(_TIMEOUT) == 7
    assert (home / "command.log").read_text().split() == ["started", "signalled", "left"]
