"""The Prometheus metrics of a scheduler and its holders."""

import urllib.request

import pytest
from prometheus_client import CollectorRegistry

from jobs.runtime.metrics.exporter import MetricsExporter, metrics_endpoint
from jobs.runtime.metrics.snapshot import MetricsSnapshot
from jobs.text.errors import RequestError


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def exporter(registry: CollectorRegistry) -> MetricsExporter:
    return MetricsExporter(registry)


def value(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    return registry.get_sample_value(f"dreamfarm_{name}", labels)


def test_metrics_without_data_are_zero(
    registry: CollectorRegistry, exporter: MetricsExporter
) -> None:
    assert value(registry, "jobs", state="paused") == 0
    assert value(registry, "jobs_ended_total", state="failed") == 0
    assert value(registry, "retries_total", **{"class": "memory"}) == 0
    assert value(registry, "phase_seconds_total", phase="gradients") == 0
    assert value(registry, "items_total", outcome="done") == 0


def test_jobs_are_counted_by_state(registry: CollectorRegistry, exporter: MetricsExporter) -> None:
    exporter.set_jobs(["queued", "running", "queued"], 12.0)
    assert [value(registry, "jobs", state=one) for one in ("queued", "running", "paused")] == [
        *(2, 1, 0)
    ]
    assert value(registry, "queue_age_seconds") == 12
    exporter.set_jobs([], 0.0)
    assert value(registry, "jobs", state="queued") == 0


def test_counters_add_up_over_jobs_and_holders(
    registry: CollectorRegistry, exporter: MetricsExporter
) -> None:
    for steps in (1, 4):
        exporter.add_snapshot(
            "a", MetricsSnapshot(steps=steps, phase_seconds={"update": steps / 2})
        )
    exporter.add_snapshot("b", MetricsSnapshot(steps=10, retries={"memory": 1}))
    exporter.end_job("a", "queued", has_failed=True)
    exporter.add_snapshot(
        "a", MetricsSnapshot(steps=2, phase_seconds={"update": 1.0}, items={"input": 3})
    )

    assert value(registry, "steps_total") == 16
    assert value(registry, "phase_seconds_total", phase="update") == 3
    assert value(registry, "retries_total", **{"class": "memory"}) == 1
    assert value(registry, "retries_total", **{"class": "infra"}) == 1
    assert value(registry, "items_total", outcome="input") == 3
    assert value(registry, "jobs_ended_total", state="succeeded") == 0


def test_gauges_are_removed_with_the_job(
    registry: CollectorRegistry, exporter: MetricsExporter
) -> None:
    exporter.add_snapshot("a", MetricsSnapshot(workers=2, progress=0.25, gpu_memory=(5, 6)))
    exporter.add_snapshot("b", MetricsSnapshot(workers=3))
    assert value(registry, "workers") == 5
    assert value(registry, "job_progress_ratio", job_id="a") == 0.25
    assert value(registry, "gpu_memory_bytes", job_id="a", worker="1") == 6
    # A smaller crew continues.
    exporter.add_snapshot("a", MetricsSnapshot(workers=1, progress=0.5, gpu_memory=(7,)))
    assert value(registry, "gpu_memory_bytes", job_id="a", worker="1") is None

    exporter.end_job("a", "succeeded", has_failed=False)
    assert value(registry, "workers") == 3
    assert value(registry, "job_progress_ratio", job_id="a") is None
    assert value(registry, "gpu_memory_bytes", job_id="a", worker="0") is None
    assert value(registry, "jobs_ended_total", state="succeeded") == 1


def test_metrics_are_served_on_loopback(
    registry: CollectorRegistry, exporter: MetricsExporter
) -> None:
    exporter.set_jobs(["queued"], 3.0)
    with metrics_endpoint("0", registry) as url:
        assert url.startswith("http://127.0.0.1:")
        with urllib.request.urlopen(url) as response:
            assert 'dreamfarm_jobs{state="queued"} 1.0' in response.read().decode()
        port = url.rpartition(":")[2].removesuffix("/metrics")
        with pytest.raises(RequestError, match=r"cannot listen there.*in use"):
            metrics_endpoint(port, CollectorRegistry()).__enter__()


@pytest.mark.parametrize("address", ["", "x", "host:", "70000", "127.0.0.1:-1"])
def test_an_invalid_address_is_refused(registry: CollectorRegistry, address: str) -> None:
    with pytest.raises(RequestError, match=r"--metrics .*write a port"):
        metrics_endpoint(address, registry).__enter__()
