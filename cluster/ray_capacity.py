"""What a Ray cluster has to offer: asked in a process of its own, which may then die."""

import json
import subprocess
import sys
from dataclasses import dataclass

from cluster.errors import ClusterError, Unreachable

_ANSWER_WITHIN = 60.0
"""Seconds; to join a cluster takes some."""


@dataclass(frozen=True)
class Room:
    """Logical CPUs and GPUs, and bytes of memory, of all machines together."""

    cpus: float
    gpus: float
    memory: float

    def beyond(self, other: "Room") -> "Room":
        """What this has more than another, at least nothing of each."""
        return Room(
            max(0.0, self.cpus - other.cpus),
            max(0.0, self.gpus - other.gpus),
            max(0.0, self.memory - other.memory),
        )


def room(address: str) -> tuple[Room, Room]:
    """What the cluster at `address` has, and what of it is free. Raises Unreachable.

    A process that has joined a cluster dies with it, so the caller does not join.
    """
    asked = [sys.executable, "-m", "cluster.ray_capacity", address]
    try:
        done = subprocess.run(
            asked, capture_output=True, text=True, timeout=_ANSWER_WITHIN, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise Unreachable(
            f"no Ray cluster answers at {address!r}: is it running? One that speaks TLS answers "
            "nobody without RAY_USE_TLS=1 and a certificate of its CA"
        ) from error
    if done.returncode:
        raise Unreachable("".join(done.stderr.strip().splitlines()[-1:]))
    all_of_it, free = json.loads(done.stdout)
    return Room(**all_of_it), Room(**free)


def _main() -> None:
    from cluster.ray_session import joined_ray

    try:
        with joined_ray(sys.argv[1]):
            import ray

            found = (ray.cluster_resources(), ray.available_resources())
    except ClusterError as error:
        sys.exit(str(error))
    rooms = [
        {"cpus": one.get("CPU", 0), "gpus": one.get("GPU", 0), "memory": one.get("memory", 0)}
        for one in found
    ]
    sys.stdout.write(f"{json.dumps(rooms)}\n")


if __name__ == "__main__":
    _main()
