"""What Prometheus gets to see of one `dreamfarm work`."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar, get_args

import prometheus_client
from prometheus_client import CollectorRegistry, Gauge, start_http_server

from jobs.records.state import ENDED, State
from jobs.records.status import Failure
from jobs.runtime.metrics.counters import WAITING, MetricsSnapshot
from jobs.runtime.metrics.timings import PHASES
from jobs.text.errors import RequestError

OPEN_STATES: tuple[State, ...] = ("queued", "running", "paused")
"""The states of jobs that a scheduler sees: it does not look at those that have ended."""


Label = TypeVar("Label", bound=str)


_FAILURES: tuple[Failure, ...] = get_args(Failure)


class MetricsExporter:
    """Of one scheduler: the store's open jobs as it sees them, and what its own holders have done.

    Sums bear no job's name, so that their number stays what it is however many jobs there are;
    what is now bears it, and goes with the job. It is called job_id, since Prometheus calls its own
    task a job.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"dreamfarm_{name}", text, labels, registry=registry)

        def counter(name: str, text: str, *labels: str) -> prometheus_client.Counter:
            return prometheus_client.Counter(f"dreamfarm_{name}", text, labels, registry=registry)

        self._jobs = gauge("jobs", "Jobs in the store that have not ended, by state.", "state")
        self._age = gauge("queue_age_seconds", "Since the oldest queued job was submitted.")
        self._answers = gauge("store_answers", "Whether the store, and the cluster, answer: 1 or 0")
        self._ended = counter("jobs_ended", "Jobs that ended in this scheduler's hands.", "state")
        self._retries = counter("retries", "Crews, pools and holders replaced.", "class")
        self._steps = counter("steps", "Gradient ascent steps of whole pictures.")
        self._work = counter("megapixel_steps", "Millions of pixels times steps, posters alone.")
        self._phases = counter("phase_seconds", "Seconds of workers, by what they did.", "phase")
        self._halos = counter("halo_bytes", "Pixels that went from worker to worker.")
        self._checkpoints = counter("checkpoints", "Checkpoints that were written.")
        self._checkpointing = counter("checkpoint_seconds", "Seconds that crews waited for them.")
        self._items = counter("items", "Items of datasets, by what became of them.", "outcome")
        self._workers = gauge("workers", "Workers of this scheduler's crews and pools.")
        self._progress = gauge("job_progress_ratio", "Of a running job, from 0 to 1.", "job_id")
        self._gpu = gauge(
            "gpu_memory_bytes",
            "At the most, by a worker of a running poster, of its GPU; 0 on CPUs.",
            *("job_id", "worker"),
        )
        self._seen: dict[str, MetricsSnapshot] = {}
        # What has not happened yet is told as zero: a query for it finds something.
        for meter, words in (
            (self._jobs, OPEN_STATES),
            (self._ended, sorted(ENDED)),
            (self._retries, _FAILURES),
            (self._phases, (*PHASES, WAITING)),
            (self._items, ("done", *_FAILURES)),
        ):
            for word in words:
                meter.labels(word)

    def set_jobs(self, states: Iterable[State], queue_age: float) -> None:
        """The states of all open jobs, and the age of the oldest queued one, 0 where none is."""
        counts = Counter(states)
        for state in OPEN_STATES:
            self._jobs.labels(state).set(counts[state])
        self._age.set(queue_age)

    def set_answers(self, answers: bool) -> None:
        """Whether the last look at the store and the cluster came to its end."""
        self._answers.set(answers)

    def add_snapshot(self, job: str, now: MetricsSnapshot) -> None:
        """Take in the newest readings of a job's holder, which is one of ours."""
        before = self._seen.get(job, MetricsSnapshot())
        self._seen[job] = now
        self._steps.inc(now.steps - before.steps)
        self._work.inc(now.megapixel_steps - before.megapixel_steps)
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

    def end_job(self, job: str, state: State | None, *, died: bool) -> None:
        """A job's holder has gone, and left it in a state, where that is known.

        died: without having come to an end, so that another holder is to go on.
        """
        before = self._seen.pop(job, None)
        if before is not None:
            self._progress.remove(job)
            self._forget_gpus(job, before)
            self._count_workers()
        if state in ENDED:
            self._ended.labels(state).inc()
        if died:
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
def metrics_endpoint(asked: str, registry: CollectorRegistry) -> Iterator[str]:
    """Serves a registry at `[HOST:]PORT`, on loopback unless a host is named; gives its URL.

    Port 0 is any free one. Raises RequestError where that is no such place, or none for us.
    """
    host, _, digits = asked.rpartition(":")
    host = host.strip("[]") or _LOOPBACK
    if not digits.isdecimal() or int(digits) > 65_535:
        raise RequestError(f"--metrics {asked}: write a port, as 9464, or HOST:PORT")
    try:
        server, thread = start_http_server(int(digits), host, registry)
    except OSError as error:
        raise RequestError(
            f"--metrics {asked}: nothing can be served there ({error.strerror or error}); "
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
