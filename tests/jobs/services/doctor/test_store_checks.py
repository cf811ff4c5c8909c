"""What the doctor says of stores, good ones and others."""

import math
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.services.doctor.finding import Finding
from jobs.services.doctor.store_checks import stores
from jobs.store.address import open_store
from jobs.store.store import Store
from tests.support.faulty_proxy import canned_error, faulty_proxy
from tests.support.memory_store import MemoryStore
from tests.support.s3_servers import BUCKET, Server, free_ports, s3_environment

CHECKS = ["reach", "write", "conditional write", "clock"]


def found(store: Store, clock: Callable[[], float] = time.time) -> list[Finding]:
    """Each is one line, and says what to do unless all is well."""
    # However busy the machine that runs this is.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("jobs.services.doctor.store_checks._SLOW", math.inf)
        all_of_them = list(stores(store, clock))
    for one, check in zip(all_of_them, CHECKS, strict=False):
        assert one.check == f"store: {check}"
        assert "\n" not in one.found
        assert (one.advice is None) == (one.verdict == "ok")
    return all_of_them


def verdicts(store: Store, clock: Callable[[], float] = time.time) -> list[str]:
    return [one.verdict for one in found(store, clock)]


def test_a_good_folder_passes_and_is_left_as_it_was(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    store.put("jobs/x", b"")
    assert verdicts(store) == ["ok"] * 4
    assert [entry.key for entry in store.list_objects("")] == ["jobs/x"]


def test_a_good_bucket_passes_and_is_left_as_it_was(moto: Server) -> None:
    with s3_environment(moto):
        store = open_store(f"s3://{BUCKET}/{uuid.uuid4().hex}")
        assert verdicts(store) == ["ok"] * 4
        assert list(store.list_objects("")) == []


def test_a_store_that_is_slow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("jobs.services.doctor.store_checks._SLOW", 0.0)
    first = next(stores(open_store(str(tmp_path))))
    assert first.verdict == "warning"
    assert "for a listing" in first.found


def test_a_store_that_is_gone() -> None:
    with s3_environment(Server(f"http://127.0.0.1:{free_ports(1)}"), DREAMFARM_S3_TIMEOUT="1"):
        (only,) = found(open_store(f"s3://{BUCKET}/x"))
    assert only.verdict == "failed"
    assert "no connection" in only.found


def test_a_folder_that_takes_nothing() -> None:
    # Not even from root.
    assert verdicts(open_store("/proc/no")) == ["ok", "failed"]


def test_a_bucket_that_may_only_be_read(moto: Server) -> None:
    with faulty_proxy(moto.endpoint) as proxy, s3_environment(moto.behind(proxy.endpoint)):
        # A listing, and then the writing.
        proxy.script(None, canned_error(403, "AccessDenied"))
        assert verdicts(open_store(f"s3://{BUCKET}/{uuid.uuid4().hex}")) == ["ok", "failed"]


class Forgetful(MemoryStore):
    """Loses what it is given."""

    def put(self, key: str, content: bytes) -> None:
        super().put(key, b"")


def test_a_store_that_does_not_give_back_what_it_took() -> None:
    assert verdicts(Forgetful()) == ["ok", "failed"]


def test_a_store_whose_conditions_do_nothing(moto: Server) -> None:
    with faulty_proxy(moto.endpoint) as proxy:
        proxy.withheld = frozenset({"if-none-match"})
        with s3_environment(moto.behind(proxy.endpoint)):
            three = found(open_store(f"s3://{BUCKET}/{uuid.uuid4().hex}"))
    assert [one.verdict for one in three] == ["ok", "ok", "failed"]
    assert "8 of 8" in three[-1].found


@pytest.mark.parametrize(
    ("wrong", "expected", "told"),
    [
        (3.0, "ok", "agrees"),
        (60.0, "warning", "ahead"),
        (-60.0, "warning", "behind"),
        (3600.0, "failed", "ahead"),
        (-3600.0, "failed", "behind"),
    ],
)
def test_clocks_are_compared(tmp_path: Path, wrong: float, expected: str, told: str) -> None:
    *_, last = found(open_store(str(tmp_path)), lambda: time.time() + wrong)
    assert last.verdict == expected
    assert told in last.found
