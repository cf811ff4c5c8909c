"""What Prometheus gets to see of a scheduler and its holders."""

import urllib.request

import pytest
from prometheus_client import CollectorRegistry

from jobs.runtime.metrics.counters import Readings
from jobs.runtime.metrics.exporter import Meters, endpoint
from jobs.text.errors import RequestError


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def meters(registry: CollectorRegistry) -> Meters:
    return Meters(registry)


def value(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    return registry.get_sample_value(f"dreamfarm_{name}", labels)


def test_nothing_yet_is_told_as_nothing(registry: CollectorRegistry, meters: Meters) -> None:
    assert value(registry, "jobs", state="paused") == 0
    assert value(registry, "jobs_ended_total", state="failed") == 0
    assert value(registry, "retries_total", **{"class": "memory"}) == 0
    assert value(registry, "phase_seconds_total", phase="gradients") == 0
    assert value(registry, "items_total", outcome="done") == 0


def test_jobs_are_counted_by_state(registry: CollectorRegistry, meters: Meters) -> None:
    meters.look(["queued", "running", "queued"], 12.0)
    assert [value(registry, "jobs", state=one) for one in ("queued", "running", "paused")] == [
        *(2, 1, 0)
    ]
    assert value(registry, "queue_age_seconds") == 12
    meters.look([], 0.0)
    assert value(registry, "jobs", state="queued") == 0


def test_sums_go_on_over_jobs_and_holders(registry: CollectorRegistry, meters: Meters) -> None:
    for steps in (1, 4):
        meters.take("a", Readings(steps=steps, phase_seconds={"update": steps / 2}))
    meters.take("b", Readings(steps=10, retries={"memory": 1}))
    meters.leave("a", "queued", died=True)
    meters.take("a", Readings(steps=2, phase_seconds={"update": 1.0}, items={"input": 3}))

    assert value(registry, "steps_total") == 16
    assert value(registry, "phase_seconds_total", phase="update") == 3
    assert value(registry, "retries_total", **{"class": "memory"}) == 1
    assert value(registry, "retries_total", **{"class": "infra"}) == 1
    assert value(registry, "items_total", outcome="input") == 3
    assert value(registry, "jobs_ended_total", state="succeeded") == 0


def test_what_is_now_goes_with_the_job(registry: CollectorRegistry, meters: Meters) -> None:
    meters.take("a", Readings(workers=2, progress=0.25, gpu_memory=(5, 6)))
    meters.take("b", Readings(workers=3))
    assert value(registry, "workers") == 5
    assert value(registry, "job_progress_ratio", job_id="a") == 0.25
    assert value(registry, "gpu_memory_bytes", job_id="a", worker="1") == 6
    # A smaller crew goes on.
    meters.take("a", Readings(workers=1, progress=0.5, gpu_memory=(7,)))
    assert value(registry, "gpu_memory_bytes", job_id="a", worker="1") is None

    meters.leave("a", "succeeded", died=False)
    assert value(registry, "workers") == 3
    assert value(registry, "job_progress_ratio", job_id="a") is None
    assert value(registry, "gpu_memory_bytes", job_id="a", worker="0") is None
    assert value(registry, "jobs_ended_total", state="succeeded") == 1


def test_they_are_served_on_loopback(registry: CollectorRegistry, meters: Meters) -> None:
    meters.look(["queued"], 3.0)
    with endpoint("0", registry) as place:
        assert place.startswith("http://127.0.0.1:")
        with urllib.request.urlopen(place) as answer:
            assert 'dreamfarm_jobs{state="queued"} 1.0' in answer.read().decode()
        port = place.rpartition(":")[2].removesuffix("/metrics")
        with pytest.raises(RequestError, match=r"nothing can be served there.*in use"):
            endpoint(port, CollectorRegistry()).__enter__()


@pytest.mark.parametrize("asked", ["", "x", "host:", "70000", "127.0.0.1:-1"])
def test_no_place_is_refused_in_one_line(registry: CollectorRegistry, asked: str) -> None:
    with pytest.raises(RequestError, match=r"--metrics .*write a port"):
        endpoint(asked, registry).__enter__()
