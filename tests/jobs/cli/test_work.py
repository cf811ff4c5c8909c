"""`dreamfarm work`: its options, and stores and clusters that it cannot serve."""

import uuid
from pathlib import Path

import pytest

from jobs.runtime.logs import Notify
from jobs.runtime.metrics.exporter import MetricsExporter
from jobs.services.scheduler.capacity import CapacityQuery
from jobs.services.scheduler.scheduler import Scheduler
from jobs.services.scheduler.settings import SchedulerSettings
from jobs.spec.base import MAX_PIXELS
from jobs.store.store import Store
from tests.support.faulty_proxy import Fault, faulty_proxy
from tests.support.s3_servers import BUCKET, Server, free_ports, s3_environment
from tests.support.shell import Shell, check_error_line


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(monkeypatch, capsys)


def test_an_empty_folder_has_no_work(shell: Shell, tmp_path: Path) -> None:
    ended = shell("work", "--store", tmp_path, "--until-idle")
    assert (ended.code, ended.out) == (0, "")
    assert len(ended.err.splitlines()) == 1


def test_a_store_that_is_not_there_is_made_only_where_that_is_asked_for(
    shell: Shell, tmp_path: Path
) -> None:
    work = ("work", "--store", tmp_path / "stroe", "--until-idle")
    check_error_line(shell(*work), f"{tmp_path / 'stroe'}: there is no such store; ")
    assert list(tmp_path.iterdir()) == []

    assert shell(*work, "--create").code == 0
    assert (tmp_path / "stroe").is_dir()


def test_metrics_are_served_at_the_given_port(shell: Shell, tmp_path: Path) -> None:
    port = free_ports(1)
    ended = shell("work", "--store", tmp_path, "--until-idle", "--metrics", port)
    assert ended.code == 0
    (line,) = ended.err.splitlines()
    assert line.endswith(f", metrics at http://127.0.0.1:{port}/metrics")


def test_a_store_without_conditional_writes_fails(shell: Shell, moto: Server) -> None:
    with faulty_proxy(moto.endpoint) as proxy:
        proxy.withheld = frozenset({"if-none-match"})
        with s3_environment(moto.behind(proxy.endpoint)):
            ended = shell("work", "--store", f"s3://{BUCKET}/{uuid.uuid4().hex}", "--until-idle")
    assert ended.code == 3
    assert len(ended.err.splitlines()) == 1
    assert "conditional writes have no effect" in ended.err
    assert "8 of 8" in ended.err


def test_a_silent_store_is_unreachable(shell: Shell) -> None:
    server = Server(f"http://127.0.0.1:{free_ports(1)}")
    with s3_environment(server, DREAMFARM_S3_TIMEOUT="1"):
        ended = shell("work", "--store", f"s3://{BUCKET}/x", "--until-idle")
    assert ended.code == 3
    assert len(ended.err.splitlines()) == 1
    assert "no connection" in ended.err


def test_a_store_that_refuses_a_few_requests_at_the_start_is_served(
    shell: Shell, moto: Server
) -> None:
    with faulty_proxy(moto.endpoint) as proxy:
        proxy.script(Fault.SLOW_DOWN, Fault.ERROR, Fault.DROPPED)
        with s3_environment(moto.behind(proxy.endpoint)):
            ended = shell("work", "--store", f"s3://{BUCKET}/{uuid.uuid4().hex}", "--until-idle")
    assert (ended.code, len(ended.err.splitlines())) == (0, 1)


def test_a_missing_cluster_is_unreachable(shell: Shell, tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_ports(1)}"
    ended = shell("work", "--store", tmp_path, "--address", address, "--until-idle")
    assert ended.code == 3
    assert len(ended.err.splitlines()) == 1
    assert address in ended.err


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("--lease", "0"), ("--poll", "-1"), ("--checkpoint", "x"), ("--regroup", "-1")),
        *(("--metrics", "x"), ("--metrics", "192.0.2.1:9464"), ("--log-format", "xml")),
        ("--max-pixels", "0"),
    ],
)
def test_absurd_settings_fail(shell: Shell, tmp_path: Path, option: str, value: str) -> None:
    ended = shell("work", "--store", tmp_path, "--until-idle", option, value)
    assert ended.code == 2
    assert option in ended.err


@pytest.mark.parametrize("place", ["nowhere", "http://169.254.169.254/", "file:///", "", "s3://B_"])
def test_only_folders_and_buckets_can_be_allowed(shell: Shell, tmp_path: Path, place: str) -> None:
    ended = shell("work", "--store", tmp_path, "--until-idle", "--allow", place)
    assert ended.code == 2
    assert len(ended.err.splitlines()) == 1
    assert "s3://BUCKET/PREFIX" in ended.err


def test_allowed_paths_reach_the_scheduler(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[SchedulerSettings] = []

    class Noted(Scheduler):
        def __init__(
            self,
            store: Store,
            ask: CapacityQuery,
            settings: SchedulerSettings,
            say: Notify,
            meters: MetricsExporter,
        ) -> None:
            given.append(settings)
            super().__init__(store, ask, settings, say, meters)

    monkeypatch.setattr("jobs.services.scheduler.scheduler.Scheduler", Noted)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    places = ("--allow", "photos", "--allow", "s3://pictures/of/")
    work = ("work", "--store", tmp_path, "--until-idle")
    assert shell(*work, *places, "--max-pixels", "5e9").code == 0
    assert shell(*work).code == 0

    assert given[0].allow == (str(tmp_path / "photos"), "s3://pictures/of")
    assert given[0].max_pixels == 5_000_000_000
    assert (given[1].allow, given[1].max_pixels) == ((), MAX_PIXELS)


@pytest.mark.parametrize(
    "option",
    [
        *("--budget=eur-per-day=1", "--budget=usd-per-day=-1", "--budget=usd-per-day=nan"),
        *("--budget=usd-per-day=1e99", "--budget=200", "--price=nan"),
    ],
)
def test_a_wrong_budget_fails(shell: Shell, tmp_path: Path, option: str) -> None:
    ended = shell("work", "--store", tmp_path, "--until-idle", option)
    assert (ended.code, ended.out, len(ended.err.splitlines())) == (2, "", 1)
