"""Queries to a Ray cluster: its capacity, and function calls on each of its machines.

Ray ends every process that has joined a cluster when the cluster ends. So a short-lived process
runs each query: this module, run as a program.
"""

import importlib
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cluster.errors import ClusterError, ClusterUnreachable

_CAPACITY_TIMEOUT = 60.0
"""Seconds. Joining a cluster takes some of them."""

_NODES_TIMEOUT = 180.0
"""Seconds for all machines together."""

_NODE_TIMEOUT = 120.0
"""Seconds for a machine to answer. On first use it loads its software."""


@dataclass(frozen=True)
class Capacity:
    """Logical CPUs and GPUs, and bytes of memory, summed over all machines."""

    cpus: float
    gpus: float
    memory: float

    def excess_over(self, other: "Capacity") -> "Capacity":
        """How much more this is than `other`, by resource; never below 0."""
        return Capacity(
            max(0.0, self.cpus - other.cpus),
            max(0.0, self.gpus - other.gpus),
            max(0.0, self.memory - other.memory),
        )


def query_capacity(address: str) -> tuple[Capacity, Capacity]:
    """The total and the free capacity of the cluster at `address`, HOST:PORT.

    Raises ClusterUnreachable if no cluster answers there, or it refuses this process.
    """
    timeout_message = (
        f"no Ray cluster answers at {address!r}: is it running? If it uses TLS, set RAY_USE_TLS=1 "
        "and the RAY_TLS_… paths of a certificate of its CA"
    )
    total, free = _run_query(_CAPACITY_TIMEOUT, timeout_message, address)
    return Capacity(**total), Capacity(**free)


def query_nodes(address: str, function: str, *arguments: str) -> dict[str, Any]:
    """Call a function on each machine of the cluster at `address`, HOST:PORT.

    Args:
        address: HOST:PORT of the cluster's head.
        function: MODULE:FUNCTION. It must return a value that JSON can represent.
        arguments: the arguments of the function.

    Returns:
        The values by the machine's HOST:PORT. If the function raises on a machine, or does not
        end within 120 s, the text of the error replaces the value.

    Raises:
        ClusterUnreachable: no cluster answers there, or it refuses this process.
    """
    timeout_message = (
        f"the Ray cluster at {address} did not answer within {_NODES_TIMEOUT:g} s: is it busy?"
    )
    answers: dict[str, Any] = _run_query(
        _NODES_TIMEOUT, timeout_message, address, function, *arguments
    )
    return answers


def _run_query(timeout: float, timeout_message: str, *arguments: str) -> Any:
    """Run this module as a program and decode its answer. timeout_message: of the error."""
    command = [sys.executable, "-m", "cluster.ray_query", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired as error:
        raise ClusterUnreachable(timeout_message) from error
    if done.returncode:
        raise ClusterUnreachable("".join(done.stderr.strip().splitlines()[-1:]))
    return json.loads(done.stdout.strip().splitlines()[-1])


def _main(address: str, function: str = "", *arguments: str) -> None:
    """Print the capacity, or what a function returns on each machine, as one line of JSON."""
    from cluster.ray_session import joined_ray

    # Imported before Ray starts, so that an unknown name fails at once.
    called = _imported(function) if function else None
    try:
        with joined_ray(address):
            answer = _capacity() if called is None else _call_on_nodes(called, arguments)
    except ClusterError as error:
        sys.exit(str(error))
    sys.stdout.write(f"{json.dumps(answer)}\n")


def _imported(function: str) -> Callable[..., Any]:
    module, _, name = function.partition(":")
    imported: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return imported


def _capacity() -> list[dict[str, float]]:
    import ray

    return [
        {
            "cpus": resources.get("CPU", 0),
            "gpus": resources.get("GPU", 0),
            "memory": resources.get("memory", 0),
        }
        for resources in (ray.cluster_resources(), ray.available_resources())
    ]


def _call_on_nodes(function: Callable[..., Any], arguments: tuple[str, ...]) -> dict[str, Any]:
    import ray
    from ray.exceptions import RayError
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    # Without CPUs, the task also runs on machines that offer none, such as a head.
    task = ray.remote(num_cpus=0, max_retries=0)(function)
    nodes = [node for node in ray.nodes() if node["Alive"]]
    refs = [
        task.options(
            scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        ).remote(*arguments)
        for node in nodes
    ]
    ray.wait(refs, num_returns=len(refs), timeout=_NODE_TIMEOUT)
    answers: dict[str, Any] = {}
    for node, ref in zip(nodes, refs, strict=True):
        address = f"{node['NodeManagerAddress']}:{node['NodeManagerPort']}"
        try:
            answers[address] = ray.get(ref, timeout=0)
        except (RayError, TimeoutError) as error:
            last_line = str(error).strip().splitlines()[-1:]
            answers[address] = "".join(last_line) or type(error).__name__
    return answers


if __name__ == "__main__":
    _main(*sys.argv[1:])
