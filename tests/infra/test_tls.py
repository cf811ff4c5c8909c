"""nodes/tls.sh: a CA, once; each machine's own certificate; commands that run with both."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.infra.files import INFRA, text

_CA = ("ca.pem", "ca_key.pem")
_SHOW = "env | grep ^RAY_ | sort"


class Machine:
    """One whose home is a folder here, with an address of its own besides loopback."""

    def __init__(self, folder: Path, *addresses: str) -> None:
        self.home, self.tls = folder / "home", folder / "home/.ray/tls"
        self._bin = folder / "bin"
        for made in (self.home, self._bin):
            made.mkdir(parents=True)
        self.move(*addresses)

    def move(self, *addresses: str) -> None:
        """Give it other addresses."""
        (self._bin / "hostname").write_text(f"#!/bin/sh\necho '{' '.join(addresses)} '\n")
        (self._bin / "hostname").chmod(0o755)

    def get(self, other: "Machine") -> None:
        """Copy the other's CA."""
        self.tls.mkdir(parents=True, exist_ok=True)
        for name in _CA:
            shutil.copy(other.tls / name, self.tls)

    def do(self, *words: str, script: str = "tls.sh") -> "subprocess.CompletedProcess[str]":
        """Run a script of nodes/."""
        return subprocess.run(
            ["bash", str(INFRA / "nodes" / script), *words],
            env={"HOME": str(self.home), "PATH": f"{self._bin}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )

    def certified(self) -> bytes:
        """Its certificate, after a command that wants one."""
        done = self.do("run", "true")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        return (self.tls / "cert.pem").read_bytes()

    def vouches_for(self, other: "Machine", address: str) -> bool:
        """Whether by its CA the other has that address."""
        words = ["-CAfile", str(self.tls / "ca.pem"), "-x509_strict", "-verify_ip", address]
        certificate = str(other.tls / "cert.pem")
        told = subprocess.run(
            ["openssl", "verify", *words, certificate], capture_output=True, check=False
        )
        return told.returncode == 0


@pytest.fixture
def one(tmp_path: Path) -> Machine:
    """A machine that has made a CA."""
    machine = Machine(tmp_path / "one", "10.0.0.1", "fd00::1")
    done = machine.do("ca")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return machine


@pytest.fixture
def other(one: Machine, tmp_path: Path) -> Machine:
    """Another of the same CA."""
    machine = Machine(tmp_path / "other", "10.0.0.2")
    machine.get(one)
    return machine


def test_a_ca_is_made_once(one: Machine) -> None:
    before = [(one.tls / name).read_bytes() for name in _CA]
    again = one.do("ca")
    assert again.returncode == 2
    assert again.stderr == f"tls.sh: {one.tls} has a CA already; remove it to make another\n"
    assert [(one.tls / name).read_bytes() for name in _CA] == before


def test_without_a_ca_commands_run_as_they_are(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "10.0.0.1")
    done = machine.do("run", "sh", "-c", f"{_SHOW}; exit 3")
    assert (done.returncode, done.stdout, done.stderr) == (3, "", "")
    assert not machine.tls.exists()


def test_with_a_ca_ray_is_told_of_it(one: Machine) -> None:
    done = one.do("run", "sh", "-c", f"{_SHOW}; umask; exit 3")
    assert (done.returncode, done.stderr) == (3, "")
    *told, mask = done.stdout.splitlines()
    assert told == [
        f"RAY_TLS_CA_CERT={one.tls}/ca.pem",
        f"RAY_TLS_SERVER_CERT={one.tls}/cert.pem",
        f"RAY_TLS_SERVER_KEY={one.tls}/key.pem",
        "RAY_USE_TLS=1",
    ]
    assert mask != "0077"


def test_keys_are_their_machines_alone(one: Machine, other: Machine) -> None:
    one.certified()
    other.certified()
    for path in one.tls.glob("*.pem"):
        assert path.stat().st_mode & 0o777 == 0o600
    assert one.tls.stat().st_mode & 0o077 == 0
    assert (one.tls / "key.pem").read_bytes() != (other.tls / "key.pem").read_bytes()


def test_certificates_are_for_their_machines_addresses(one: Machine, other: Machine) -> None:
    one.certified()
    other.certified()
    for address in ("127.0.0.1", "10.0.0.1", "fd00::1"):
        assert other.vouches_for(one, address)
    assert other.vouches_for(other, "10.0.0.2")
    assert not other.vouches_for(one, "10.0.0.2")


def test_another_ca_vouches_for_nobody(one: Machine, tmp_path: Path) -> None:
    stranger = Machine(tmp_path / "stranger", "10.0.0.1")
    stranger.do("ca")
    one.certified()
    stranger.certified()
    assert not one.vouches_for(stranger, "10.0.0.1")


def test_who_is_certified_certifies_nobody(one: Machine) -> None:
    one.certified()
    shown = ["openssl", "x509", "-noout", "-ext", "basicConstraints", "-in"]
    told = subprocess.run([*shown, str(one.tls / "cert.pem")], capture_output=True, check=True)
    assert b"CA:FALSE" in told.stdout


def test_what_still_fits_stays(one: Machine) -> None:
    before = one.certified(), (one.tls / "key.pem").read_bytes()
    assert (one.certified(), (one.tls / "key.pem").read_bytes()) == before


def test_who_moves_gets_another_certificate_for_the_same_key(one: Machine) -> None:
    before, key = one.certified(), (one.tls / "key.pem").read_bytes()
    one.move("10.0.0.9")
    assert one.certified() != before
    assert one.vouches_for(one, "10.0.0.9")
    # Ray may read either half at any time.
    assert (one.tls / "key.pem").read_bytes() == key


def test_who_gets_another_ca_gets_its_certificate(one: Machine, tmp_path: Path) -> None:
    chief = Machine(tmp_path / "chief", "10.0.0.3")
    chief.do("ca")
    one.certified()
    one.get(chief)
    one.certified()
    assert chief.vouches_for(one, "10.0.0.1")


@pytest.mark.parametrize("missing", _CA)
def test_half_a_ca_is_refused(one: Machine, missing: str) -> None:
    (one.tls / missing).unlink()
    done = one.do("run", "echo", "started")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"tls.sh: {one.tls} must have both ca.pem and ca_key.pem, or neither\n"


@pytest.mark.parametrize("words", [(), ("sign",)])
def test_it_does_nothing_else(one: Machine, words: tuple[str, ...]) -> None:
    done = one.do(*words)
    assert (done.returncode, done.stderr) == (2, "tls.sh: ca, or run COMMAND\n")


_RAY = '#!/bin/sh\necho "${RAY_USE_TLS:-0} $1" >>"$HOME/ray.log"\n'


@pytest.mark.parametrize("role", [("head",), ("worker", "10.0.0.9")])
def test_ray_starts_with_tls(one: Machine, role: tuple[str, ...]) -> None:
    ray = one.home / "farm/bin/ray"
    ray.parent.mkdir(parents=True)
    ray.write_text(_RAY)
    ray.chmod(0o755)
    done = one.do(*role, script="ray.sh")
    assert (done.returncode, done.stderr) == (0, "")
    assert (one.home / "ray.log").read_text().splitlines() == ["0 stop", "1 start"]


def test_the_scheduler_starts_with_tls() -> None:
    started = "bash $HOME/dreamfarm/infra/nodes/tls.sh run $HOME/farm/bin/dreamfarm work "
    assert f"exec {started}" in text("nodes/scheduler.sh")
