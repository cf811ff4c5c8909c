"""A request for estimates: the crew sizes, and the hardware that they would have."""

import math
import re
from dataclasses import dataclass, replace

from jobs.planning.estimate.speed import DeviceSpecs, find_gpu
from jobs.planning.machine import Machine
from jobs.spec.base import MAX_WORKERS, Crew
from jobs.text.errors import RequestError

_HOST_MEMORY = 32 << 30
"""Bytes of a machine's memory for each GPU worker. Clouds offer at least as much with a GPU."""


@dataclass(frozen=True)
class EstimateRequest:
    """The options of `dreamfarm plan` that ask for estimates.

    workers: crew sizes; empty for the useful one. gpu: GPUs that this machine does not have.
    gbps: of the network between machines. price: US dollars for one worker and hour.
    """

    workers: tuple[int, ...] = ()
    gpu: DeviceSpecs | None = None
    gbps: float | None = None
    price: float | None = None

    @property
    def is_remote(self) -> bool:
        """Whether it is about other machines than this one."""
        return self.gpu is not None or self.gbps is not None

    @property
    def compares_crews(self) -> bool:
        """Whether it asks for more than the time of one crew on this machine."""
        return self.is_remote or len(self.workers) > 1 or self.price is not None

    def machine(self, local: Machine, crew: Crew) -> Machine:
        """The hardware of the largest crew: this machine, or all remote machines as one.

        With a network but no GPU, remote machines are like the local one.
        """
        if not self.is_remote:
            return local
        named = 1 if crew.workers == "auto" else crew.workers
        workers = max(self.workers, default=named)
        gpus = 1 if crew.gpus_per_worker == "auto" else crew.gpus_per_worker
        if self.gpu is None:
            has_gpus = local.gpus and gpus
            per_machine = local.gpus // gpus if has_gpus else local.cores // crew.cpus_each
            return replace(
                local,
                cores=workers * crew.cpus_each,
                gpus=workers * gpus if local.gpus else 0,
                memory=workers * local.memory // max(1, per_machine),
            )
        if not gpus:
            raise RequestError(
                f"--gpu {self.gpu.name}: crew.gpus_per_worker is 0; leave it out, or write auto"
            )
        return Machine(
            cores=workers * crew.cpus_each,
            gpus=workers * gpus,
            memory=workers * _HOST_MEMORY,
            gpu_memory=self.gpu.memory,
        )


def parse_request(
    workers: str | None, gpu: str | None, gbps: float | None, price: float | None
) -> EstimateRequest:
    """Parse the options of the command line. Raises RequestError, in one line."""
    for option, number in (("--network-gbps", gbps), ("--price", price)):
        if number is not None and not (number > 0 and math.isfinite(number)):
            raise RequestError(f"{option} {number:g}: must be a number above 0")
    specs = None if gpu is None else find_gpu(gpu)
    return EstimateRequest(_parse_sizes(workers), specs, gbps, price)


def _parse_sizes(text: str | None) -> tuple[int, ...]:
    if text is None:
        return ()
    words = [word.strip() for word in text.split(",")]
    sizes = [int(word) for word in words if re.fullmatch(r"[0-9]{1,4}", word)]
    if len(sizes) < len(words) or not all(1 <= size <= MAX_WORKERS for size in sizes):
        raise RequestError(
            f"--workers {text}: write a number from 1 to {MAX_WORKERS}, or several as 1,8,64"
        )
    return tuple(sorted(set(sizes)))
