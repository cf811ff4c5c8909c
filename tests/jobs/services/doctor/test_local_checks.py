"""Findings about this machine."""

import errno
import hashlib
import shutil
import socket
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from jobs.planning.machine import Machine
from jobs.services.doctor.finding import Finding
from jobs.services.doctor.local_checks import (
    check_devices,
    check_disks,
    check_loopback,
    check_ports,
    check_versions,
    check_weights,
    installed_versions,
)

GIB = 1 << 30


def verdicts(found: list[Finding]) -> list[str]:
    """The verdicts. Each finding must be one line, and have advice unless it is ok."""
    for one in found:
        assert "\n" not in one.found
        assert (one.advice is None) == (one.verdict == "ok")
    return [one.verdict for one in found]


@pytest.mark.parametrize(
    ("machine", "installed_gpus", "expected"),
    [
        (Machine(cores=2, gpus=0, memory=16 * GIB), 0, ["ok", "ok"]),
        (Machine(cores=16, gpus=0, memory=16 * GIB), 0, ["warning", "ok"]),
        (Machine(cores=2, gpus=0, memory=16 * GIB), 1, ["ok", "failed"]),
        (Machine(cores=2, gpus=1, memory=16 * GIB, gpu_memory=80 * GIB), 1, ["ok", "ok"]),
        (Machine(cores=2, gpus=1, memory=16 * GIB, gpu_memory=80 * GIB), 2, ["ok", "warning"]),
    ],
)
def test_devices(machine: Machine, installed_gpus: int, expected: list[str]) -> None:
    assert verdicts(check_devices(machine, installed_gpus)) == expected


def test_versions_are_compared_with_the_requirements() -> None:
    requirements = ["torch>=2.11,!=2.13.0", 'ray[default]>=2.60; extra == "cluster"', "numpy"]
    assert verdicts([check_versions(requirements, {"torch": "2.12.0", "numpy": "2.4"})]) == ["ok"]
    wrong = check_versions(requirements, {"torch": "2.13.0", "numpy": None})
    assert verdicts([wrong]) == ["failed"]
    assert "torch is 2.13.0" in wrong.found
    assert "numpy is missing" in wrong.found
    assert verdicts([check_versions(None, {})]) == ["warning"]


def test_extras_are_not_required() -> None:
    found = installed_versions(
        ["pydantic>=2", 'ray>=2; extra == "cluster"', "no-such-package-here>=1"]
    )
    assert found.keys() == {"pydantic", "no-such-package-here"}
    assert found["pydantic"]
    assert found["no-such-package-here"] is None


class Usage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.mark.parametrize(
    ("free", "expected"), [(20 * GIB, "ok"), (2 * GIB, "warning"), (GIB // 2, "failed")]
)
def test_free_disk_space_decides_the_verdict(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free: int, expected: str
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(30 * GIB, 0, free))
    assert verdicts(check_disks([("scratch", tmp_path / "not" / "there")])) == [expected]
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def full(**_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    found = check_disks([("scratch", tmp_path)])
    assert verdicts(found) == ["failed"]
    assert "No space left" in found[0].found
    assert "TMPDIR" in str(found[0].advice)


def test_an_unwritable_folder_fails() -> None:
    # /proc refuses root, too.
    assert verdicts(check_disks([("the cache", Path("/proc/no"))])) == ["failed"]


def test_ports_in_use_are_named() -> None:
    with socket.create_server(("", 0)) as server:
        taken = server.getsockname()[1]
        found = check_ports((taken,))
        assert verdicts([found]) == ["warning"]
        assert str(taken) in found.found
    assert verdicts([check_ports((taken,))]) == ["ok"]


def test_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    assert verdicts([check_loopback()]) == ["ok"]

    def unreachable(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENETUNREACH, "Network is unreachable")

    monkeypatch.setattr(socket, "create_connection", unreachable)
    assert verdicts([check_loopback()]) == ["failed"]


def test_downloaded_weights_are_compared_with_their_names(tmp_path: Path) -> None:
    digest = hashlib.sha256(b"weights").hexdigest()
    good, bad = tmp_path / f"vgg-{digest[:8]}.pth", tmp_path / "vgg-00000000.pth"
    for path in (good, bad):
        path.write_bytes(b"weights")
    assert verdicts(check_weights([])) == []
    assert check_weights([good]) == [Finding("weights", "ok", f"downloaded: {good.name}")]
    assert verdicts(check_weights([good, bad])) == ["failed"]
