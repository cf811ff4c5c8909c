"""Findings about stores, healthy and faulty."""

import math
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.services.doctor.finding import Finding
from jobs.services.doctor.store_checks import check_store
from jobs.store.address import open_store
from jobs.store.store import Store
from tests.support.faulty_proxy import canned_error, faulty_proxy
from tests.support.memory_store import MemoryStore
from tests.support.s3_servers import BUCKET, Server, free_ports, s3_environment

CHECKS = ["reach", "write", "conditional write", "clock"]


def findings(store: Store, clock: Callable[[], float] = time.time) -> list[Finding]:
    """The findings. Each must be one line, and have advice unless it is ok."""
    # The machine that runs this may be busy.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("jobs.services.doctor.store_checks._SLOW", math.inf)
        found = list(check_store(store, clock))
    for one, check in zip(found, CHECKS, strict=False):
        assert one.check == f"store: {check}"
        assert "\n" not in one.found
        assert (one.advice is None) == (one.verdict == "ok")
    return found


def verdicts(store: Store, clock: Callable[[], float] = time.time) -> list[str]:
    return [one.verdict for one in findings(store, clock)]


def test_a_healthy_folder_passes_unchanged(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    store.put("jobs/x", b"")
    assert verdicts(store) == ["ok"] * 4
    assert [entry.key for entry in store.list_objects("")] == ["jobs/x"]


def test_a_healthy_bucket_passes_unchanged(moto: Server) -> None:
    with s3_environment(moto):
        store = open_store(f"s3://{BUCKET}/{uuid.uuid4().hex}")
        assert verdicts(store) == ["ok"] * 4
        assert list(store.list_objects("")) == []


def test_a_slow_store_gets_a_warning(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("jobs.services.doctor.store_checks._SLOW", 0.0)
    first = next(check_store(open_store(str(tmp_path))))
    assert first.verdict == "warning"
    assert "for a listing" in first.found


def test_an_unreachable_store_fails() -> None:
    with s3_environment(Server(f"http://127.0.0.1:{free_ports(1)}"), DREAMFARM_S3_TIMEOUT="1"):
        (only,) = findings(open_store(f"s3://{BUCKET}/x"))
    assert only.verdict == "failed"
    assert "no connection" in only.found


def test_an_unwritable_folder_fails() -> None:
    # /proc refuses root, too.
    assert verdicts(open_store("/proc")) == ["ok", "failed"]


def test_a_folder_that_is_not_there_fails_and_is_not_made(tmp_path: Path) -> None:
    (only,) = findings(open_store(str(tmp_path / "stroe")))
    assert only.verdict == "failed"
    assert only.found == f"{tmp_path / 'stroe'}: there is no such store"
    assert list(tmp_path.iterdir()) == []


def test_a_read_only_bucket_fails(moto: Server) -> None:
    with faulty_proxy(moto.endpoint) as proxy, s3_environment(moto.behind(proxy.endpoint)):
        # The listing succeeds, and the write fails.
        proxy.script(None, canned_error(403, "AccessDenied"))
        assert verdicts(open_store(f"s3://{BUCKET}/{uuid.uuid4().hex}")) == ["ok", "failed"]


class LossyStore(MemoryStore):
    """Loses the content of objects."""

    def put(self, key: str, content: bytes) -> None:
        super().put(key, b"")


def test_a_store_that_loses_content_fails() -> None:
    assert verdicts(LossyStore()) == ["ok", "failed"]


def test_a_store_that_ignores_conditions_fails(moto: Server) -> None:
    with faulty_proxy(moto.endpoint) as proxy:
        proxy.withheld = frozenset({"if-none-match"})
        with s3_environment(moto.behind(proxy.endpoint)):
            found = findings(open_store(f"s3://{BUCKET}/{uuid.uuid4().hex}"))
    assert [one.verdict for one in found] == ["ok", "ok", "failed"]
    assert "8 of 8" in found[-1].found


@pytest.mark.parametrize(
    ("offset", "expected", "text"),
    [
        (3.0, "ok", "agrees"),
        (60.0, "warning", "ahead"),
        (-60.0, "warning", "behind"),
        (3600.0, "failed", "ahead"),
        (-3600.0, "failed", "behind"),
    ],
)
def test_clocks_are_compared(tmp_path: Path, offset: float, expected: str, text: str) -> None:
    *_, last = findings(open_store(str(tmp_path)), lambda: time.time() + offset)
    assert last.verdict == expected
    assert text in last.found
