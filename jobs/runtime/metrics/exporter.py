"""The Prometheus metrics of one `dreamfarm work`."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar, get_args

import prometheus_client
from prometheus_client import CollectorRegistry, Gauge, start_http_server

from jobs.records.state import ENDED, State
from jobs.records.status import FailureClass
from jobs.runtime.metrics.counters import WAITING, WORKER_PHASES
from jobs.runtime.metrics.snapshot import MetricsSnapshot
from jobs.text.errors import RequestError

OPEN_STATES: tuple[State, ...] = ("queued", "running", "paused")
"""The states of jobs that a scheduler watches. It does not read jobs that have ended."""


Label = TypeVar("Label", bound=str)


_FAILURES: tuple[FailureClass, ...] = get_args(FailureClass)


class MetricsExporter:
    """Exports the metrics of one scheduler: the store's open jobs, and the work of its own holders.

    Counters have no label for the job, so that their number does not grow with the jobs. Gauges of
    a running job have one, and are removed with the job. The label is job_id, because Prometheus
    uses job.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"dreamfarm_{name}", text, labels, registry=registry)

        def counter(name: str, text: str, *labels: str) -> prometheus_client.Counter:
            return prometheus_client.Counter(f"dreamfarm_{name}", text, labels, registry=registry)

        self._jobs = gauge("jobs", "Jobs in the store that have not ended, by state.", "state")
        self._age = gauge("queue_age_seconds", "Seconds since the oldest queued job was submitted.")
        self._answers = gauge(
            "store_answers", "1 if the last scan reached store and cluster; else 0."
        )
        self._ended = counter("jobs_ended", "Jobs that ended under this scheduler.", "state")
        self._retries = counter("retries", "Crews, pools and holders replaced.", "class")
        self._steps = counter("steps", "Gradient ascent steps of whole pictures.")
        self._work = counter("megapixel_steps", "Millions of pixels times steps, of posters.")
        self._phases = counter("phase_seconds", "Seconds of workers, by phase.", "phase")
        self._halos = counter("halo_bytes", "Bytes of pixels that went from worker to worker.")
        self._checkpoints = counter("checkpoints", "Checkpoints written.")
        self._checkpointing = counter("checkpoint_seconds", "Seconds that checkpoints took.")
        self._worker_seconds = counter("worker_seconds", "Seconds of workers, from start to end.")
        self._usd = counter("spent_usd", "US dollars of workers whose price is known.")
        self._items = counter("items", "Items of datasets, by outcome.", "outcome")
        self._workers = gauge("workers", "Workers of this scheduler's crews and pools.")
        self._progress = gauge("job_progress_ratio", "Progress of a running job: 0 to 1.", "job_id")
        self._gpu = gauge(
            "gpu_memory_bytes",
            "Peak GPU memory of a worker of a running poster; 0 on CPUs.",
            *("job_id", "worker"),
        )
        self._seen: dict[str, MetricsSnapshot] = {}
        # Export zeros too, so that queries find every label.
        for metric, labels in (
            (self._jobs, OPEN_STATES),
            (self._ended, sorted(ENDED)),
            (self._retries, _FAILURES),
            (self._phases, (*WORKER_PHASES, WAITING)),
            (self._items, ("done", *_FAILURES)),
        ):
            for label in labels:
                metric.labels(label)

    def set_jobs(self, states: Iterable[State], queue_age: float) -> None:
        """Set the states of all open jobs, and the seconds since the oldest queued one; or 0."""
        counts = Counter(states)
        for state in OPEN_STATES:
            self._jobs.labels(state).set(counts[state])
        self._age.set(queue_age)

    def set_answers(self, answers: bool) -> None:
        """Set whether the store and the cluster answered."""
        self._answers.set(answers)

    def add_snapshot(self, job: str, now: MetricsSnapshot) -> None:
        """Add the newest snapshot of a holder that this scheduler started."""
        before = self._seen.get(job, MetricsSnapshot())
        self._seen[job] = now
        self._steps.inc(now.steps - before.steps)
        self._work.inc(now.megapixel_steps - before.megapixel_steps)
        spent = now.spent.minus(before.spent)
        self._worker_seconds.inc(spent.worker_seconds)
        self._usd.inc(spent.usd or 0.0)
        self._halos.inc(now.halo_bytes - before.halo_bytes)
        self._checkpoints.inc(now.checkpoints - before.checkpoints)
        self._checkpointing.inc(now.checkpoint_seconds - before.checkpoint_seconds)
        _increase(self._phases, before.phase_seconds, now.phase_seconds)
        _increase(self._retries, before.retries, now.retries)
        _increase(self._items, before.items, now.items)
        self._progress.labels(job).set(now.progress)
        self._forget_gpus(job, before)
        for worker, memory in enumerate(now.gpu_memory):
            self._gpu.labels(job, str(worker)).set(memory)
        self._count_workers()

    def end_job(self, job: str, state: State | None, *, has_failed: bool) -> None:
        """Remove a job after its holder has ended.

        state: of the job now, if known. has_failed: whether the holder failed, so that another one
            will continue.
        """
        before = self._seen.pop(job, None)
        if before is not None:
            self._progress.remove(job)
            self._forget_gpus(job, before)
            self._count_workers()
        if state in ENDED:
            self._ended.labels(state).inc()
        if has_failed:
            self._retries.labels("infra").inc()

    def _forget_gpus(self, job: str, before: MetricsSnapshot) -> None:
        for worker in range(len(before.gpu_memory)):
            self._gpu.remove(job, str(worker))

    def _count_workers(self) -> None:
        self._workers.set(sum(one.workers for one in self._seen.values()))


def _increase(
    counter: prometheus_client.Counter, before: Mapping[Label, float], now: Mapping[Label, float]
) -> None:
    for label, amount in now.items():
        counter.labels(label).inc(amount - before.get(label, 0.0))


_LOOPBACK = "127.0.0.1"


@contextmanager
def metrics_endpoint(address: str, registry: CollectorRegistry) -> Iterator[str]:
    """Serve a registry at `[HOST:]PORT` until the block ends; yields its URL.

    The default host is loopback. Port 0 takes any free port.

    Raises:
        RequestError: the address is not valid, or not available.
    """
    host, _, digits = address.rpartition(":")
    host = host.strip("[]") or _LOOPBACK
    if not digits.isdecimal() or int(digits) > 65_535:
        raise RequestError(f"--metrics {address}: write a port, such as 9464, or HOST:PORT")
    try:
        server, thread = start_http_server(int(digits), host, registry)
    except OSError as error:
        raise RequestError(
            f"--metrics {address}: cannot listen there ({error.strerror or error}); "
            "choose another port, or an address of this machine"
        ) from error
    try:
        yield f"http://{_host_in_url(host)}:{server.server_port}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _host_in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
