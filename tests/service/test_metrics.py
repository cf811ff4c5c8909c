"""A real Prometheus scrapes `work` while it renders a job; the dashboard's queries return data."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs.planning.machine import this_machine
from jobs.planning.poster import make_plan
from jobs.poster.submit import submit_poster
from jobs.records.job import load_job
from jobs.spec.document import parse_poster_spec
from jobs.store.address import open_store
from jobs.store.store import Store
from tests.support.prometheus import PROGRAM, Prometheus, prometheus
from tests.support.s3_servers import free_ports
from tests.support.work_processes import noise_job, work_processes

JOB = noise_job(11, dream={"octaves": 2, "steps": 16}, tiles=128, crew={"workers": 2})

_TIMEOUT = 500.0

_INTERVAL = "20s"
"""For `$__rate_interval`: several scrapes."""


def _expressions(tree: Any) -> Iterator[str]:
    """Every query of a dashboard's panels."""
    if isinstance(tree, dict):
        if "expr" in tree:
            yield tree["expr"]
        for branch in tree.values():
            yield from _expressions(branch)
    elif isinstance(tree, list):
        for branch in tree:
            yield from _expressions(branch)


def _fill_in(query: str) -> str:
    """A query as Grafana sends it, with all schedulers selected."""
    return query.replace("$__rate_interval", _INTERVAL).replace("$instance", ".*")


@pytest.fixture
def infra(project: Path) -> Path:
    return project / "infra"


@pytest.fixture
def dashboard(infra: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((infra / "grafana" / "dreamfarm.json").read_text("utf-8"))
    return read


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "store"))


@pytest.fixture
def port() -> int:
    return free_ports(1)


@pytest.fixture
def scraper(infra: Path, port: int, tmp_path: Path) -> Iterator[Prometheus]:
    if PROGRAM is None:
        pytest.skip("NO PROMETHEUS: install Debian's package `prometheus`")
    configuration = infra / "prometheus" / "prometheus.yml"
    with prometheus(configuration, f"127.0.0.1:{port}", tmp_path / "prometheus") as one:
        yield one


@pytest.mark.timeout(1200)
def test_every_query_of_the_dashboard_returns_data(
    scraper: Prometheus, dashboard: dict[str, Any], store: Store, port: int, tmp_path: Path
) -> None:
    queries = {_fill_in(query) for query in _expressions(dashboard)}
    assert len(queries) > 10
    job, log = submit_poster(store, parse_poster_spec(JOB)).job, tmp_path / "log"
    # Checkpoints only at the ends of octaves; logs as JSON lines.
    options = ("--metrics", str(port), "--checkpoint", "3600", "--log-format", "json")
    with work_processes(store.address, [{}], *options, log=log):
        _wait_for_data(scraper, queries, log)
        _wait_until(
            lambda: scraper.value('dreamfarm_jobs_ended_total{state="succeeded"}') == 1, log
        )
        _wait_until(lambda: not scraper.found("dreamfarm_job_progress_ratio"), log)
        plan = make_plan(parse_poster_spec(JOB), this_machine())
        expected = {
            "dreamfarm_steps_total": 32.0,
            "dreamfarm_megapixel_steps_total": plan.megapixel_steps,
            "dreamfarm_checkpoints_total": 2.0,
            'dreamfarm_jobs{state="running"}': 0.0,
            "dreamfarm_queue_age_seconds": 0.0,
            "dreamfarm_store_answers": 1.0,
            "dreamfarm_workers": 0.0,
        }
        _wait_until(lambda: scraper.value("dreamfarm_jobs{state='queued'}") == 0, log)
        assert {query: scraper.value(query) for query in expected} == pytest.approx(expected)
        for positive in ("halo_bytes_total", "checkpoint_seconds_total"):
            assert (scraper.value(f"dreamfarm_{positive}") or 0) > 0
        for phase in ("load", "gradients", "update", "save"):
            spent = scraper.value(f'dreamfarm_phase_seconds_total{{phase="{phase}"}}')
            assert spent is not None
            assert spent > 0
        (scheduler,) = scraper.labels("instance", "dreamfarm_jobs")
        assert scheduler == f"127.0.0.1:{port}"
    assert load_job(store, job).state == "succeeded"
    _check_json_log(job, log)


def _check_json_log(job: str, log: Path) -> None:
    """Check that each line of all processes is an object with the expected keys."""
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert all(
        {"time", "level", "event", "message", "job", "worker"} <= one.keys() for one in lines
    )
    events = {one["event"]: one for one in lines}
    assert events["serving"]["job"] is None
    for event in ("started", "claimed", "crew", "dreamed", "succeeded"):
        assert events[event]["job"] == job
    assert {one["worker"] for one in lines if one["event"] == "worker"} == {0, 1}


def _wait_for_data(scraper: Prometheus, queries: set[str], log: Path) -> None:
    """Wait until each query has returned data once; some do so only while the job runs."""
    waiting, deadline = set(queries), time.monotonic() + _TIMEOUT
    while waiting:
        waiting = {query for query in waiting if not scraper.found(query)}
        assert time.monotonic() < deadline, (waiting, log.read_text())
        time.sleep(0.3)


def _wait_until(condition: Any, log: Path) -> None:
    deadline = time.monotonic() + _TIMEOUT
    while not condition():
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.3)


def test_the_dashboard_uses_only_known_variables(dashboard: dict[str, Any]) -> None:
    (_, scheduler) = dashboard["templating"]["list"]
    assert scheduler["query"]["query"] == "label_values(dreamfarm_jobs, instance)"
    assert scheduler["allValue"] == ".*"
    for query in _expressions(dashboard):
        assert "$" not in _fill_in(query)
    numbers = [panel["id"] for panel in dashboard["panels"]]
    assert len(numbers) == len(set(numbers))


def test_the_prometheus_configuration_is_valid(infra: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("NO PROMETHEUS: install Debian's package `prometheus`")
    subprocess.run(
        [promtool, "check", "config", infra / "prometheus" / "prometheus.yml"], check=True
    )
