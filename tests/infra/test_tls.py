"""nodes/tls.sh: creates a CA once, and a certificate for each machine."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.infra.files import INFRA, text

_CA = ("ca.pem", "ca_key.pem")
_SHOW = "env | grep ^RAY_ | sort"


class Machine:
    """A machine with a home folder, and addresses besides loopback."""

    def __init__(self, folder: Path, *addresses: str) -> None:
        self.home, self.tls = folder / "home", folder / "home/.ray/tls"
        self._bin = folder / "bin"
        for path in (self.home, self._bin):
            path.mkdir(parents=True)
        self.set_addresses(*addresses)

    def set_addresses(self, *addresses: str) -> None:
        """Set its addresses besides loopback."""
        (self._bin / "hostname").write_text(f"#!/bin/sh\necho '{' '.join(addresses)} '\n")
        (self._bin / "hostname").chmod(0o755)

    def copy_ca(self, other: "Machine") -> None:
        """Copy the CA of another machine."""
        self.tls.mkdir(parents=True, exist_ok=True)
        for name in _CA:
            shutil.copy(other.tls / name, self.tls)

    def run(self, *words: str, script: str = "tls.sh") -> "subprocess.CompletedProcess[str]":
        """Run a script of nodes/."""
        return subprocess.run(
            ["bash", str(INFRA / "nodes" / script), *words],
            env={"HOME": str(self.home), "PATH": f"{self._bin}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )

    def make_certificate(self) -> bytes:
        """Run a command that needs a certificate; returns the certificate."""
        done = self.run("run", "true")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        return (self.tls / "cert.pem").read_bytes()

    def verifies(self, other: "Machine", address: str) -> bool:
        """Whether its CA confirms the address in the other machine's certificate."""
        words = ["-CAfile", str(self.tls / "ca.pem"), "-x509_strict", "-verify_ip", address]
        certificate = str(other.tls / "cert.pem")
        done = subprocess.run(
            ["openssl", "verify", *words, certificate], capture_output=True, check=False
        )
        return done.returncode == 0


@pytest.fixture
def one(tmp_path: Path) -> Machine:
    """A machine that has created a CA."""
    machine = Machine(tmp_path / "one", "10.0.0.1", "fd00::1")
    done = machine.run("ca")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return machine


@pytest.fixture
def other(one: Machine, tmp_path: Path) -> Machine:
    """Another machine with the same CA."""
    machine = Machine(tmp_path / "other", "10.0.0.2")
    machine.copy_ca(one)
    return machine


def test_a_ca_is_created_once(one: Machine) -> None:
    before = [(one.tls / name).read_bytes() for name in _CA]
    again = one.run("ca")
    assert again.returncode == 2
    assert again.stderr == f"tls.sh: {one.tls} has a CA already; remove it to make another\n"
    assert [(one.tls / name).read_bytes() for name in _CA] == before


def test_without_a_ca_commands_run_unchanged(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "10.0.0.1")
    done = machine.run("run", "sh", "-c", f"{_SHOW}; exit 3")
    assert (done.returncode, done.stdout, done.stderr) == (3, "", "")
    assert not machine.tls.exists()


def test_with_a_ca_ray_gets_its_settings(one: Machine) -> None:
    done = one.run("run", "sh", "-c", f"{_SHOW}; umask; exit 3")
    assert (done.returncode, done.stderr) == (3, "")
    *settings, mask = done.stdout.splitlines()
    assert settings == [
        f"RAY_TLS_CA_CERT={one.tls}/ca.pem",
        f"RAY_TLS_SERVER_CERT={one.tls}/cert.pem",
        f"RAY_TLS_SERVER_KEY={one.tls}/key.pem",
        "RAY_USE_TLS=1",
    ]
    assert mask != "0077"


def test_keys_are_private(one: Machine, other: Machine) -> None:
    one.make_certificate()
    other.make_certificate()
    for path in one.tls.glob("*.pem"):
        assert path.stat().st_mode & 0o777 == 0o600
    assert one.tls.stat().st_mode & 0o077 == 0
    assert (one.tls / "key.pem").read_bytes() != (other.tls / "key.pem").read_bytes()


def test_certificates_name_the_machines_addresses(one: Machine, other: Machine) -> None:
    one.make_certificate()
    other.make_certificate()
    for address in ("127.0.0.1", "10.0.0.1", "fd00::1"):
        assert other.verifies(one, address)
    assert other.verifies(other, "10.0.0.2")
    assert not other.verifies(one, "10.0.0.2")


def test_another_ca_is_not_accepted(one: Machine, tmp_path: Path) -> None:
    other = Machine(tmp_path / "other", "10.0.0.1")
    other.run("ca")
    one.make_certificate()
    other.make_certificate()
    assert not one.verifies(other, "10.0.0.1")


def test_a_certificate_is_no_ca(one: Machine) -> None:
    one.make_certificate()
    command = ["openssl", "x509", "-noout", "-ext", "basicConstraints", "-in"]
    done = subprocess.run([*command, str(one.tls / "cert.pem")], capture_output=True, check=True)
    assert b"CA:FALSE" in done.stdout


def test_a_valid_certificate_is_kept(one: Machine) -> None:
    before = one.make_certificate(), (one.tls / "key.pem").read_bytes()
    assert (one.make_certificate(), (one.tls / "key.pem").read_bytes()) == before


def test_a_new_address_gets_a_new_certificate_for_the_same_key(one: Machine) -> None:
    before, key = one.make_certificate(), (one.tls / "key.pem").read_bytes()
    one.set_addresses("10.0.0.9")
    assert one.make_certificate() != before
    assert one.verifies(one, "10.0.0.9")
    # Ray may read certificate and key at any time.
    assert (one.tls / "key.pem").read_bytes() == key


def test_a_new_ca_gets_a_new_certificate(one: Machine, tmp_path: Path) -> None:
    other = Machine(tmp_path / "other", "10.0.0.3")
    other.run("ca")
    one.make_certificate()
    one.copy_ca(other)
    one.make_certificate()
    assert other.verifies(one, "10.0.0.1")


@pytest.mark.parametrize("missing", _CA)
def test_an_incomplete_ca_is_refused(one: Machine, missing: str) -> None:
    (one.tls / missing).unlink()
    done = one.run("run", "echo", "started")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"tls.sh: {one.tls} must have both ca.pem and ca_key.pem, or neither\n"


@pytest.mark.parametrize("words", [(), ("sign",)])
def test_other_commands_are_refused(one: Machine, words: tuple[str, ...]) -> None:
    done = one.run(*words)
    assert (done.returncode, done.stderr) == (2, "tls.sh: ca, or run COMMAND\n")


_RAY = '#!/bin/sh\necho "${RAY_USE_TLS:-0} $1" >>"$HOME/ray.log"\n'


@pytest.mark.parametrize("role", [("head",), ("worker", "10.0.0.9")])
def test_ray_starts_with_tls(one: Machine, role: tuple[str, ...]) -> None:
    ray = one.home / "farm/bin/ray"
    ray.parent.mkdir(parents=True)
    ray.write_text(_RAY)
    ray.chmod(0o755)
    done = one.run(*role, script="ray.sh")
    assert (done.returncode, done.stderr) == (0, "")
    assert (one.home / "ray.log").read_text().splitlines() == ["0 stop", "1 start"]


def test_the_scheduler_starts_with_tls() -> None:
    started = "bash $HOME/dreamfarm/infra/nodes/tls.sh run $HOME/farm/bin/dreamfarm work "
    assert f"exec {started}" in text("nodes/scheduler.sh")
