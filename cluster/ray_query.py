"""One question to every machine of a Ray cluster: asked in a process of its own, as `room` is."""

import importlib
import json
import subprocess
import sys
from typing import Any

from cluster.errors import ClusterError, Unreachable

_ANSWER_WITHIN = 180.0
"""Seconds for all: a machine that has not worked yet loads what it needs first."""


_MACHINE_WITHIN = 120.0


def census(address: str, question: str, *arguments: str) -> dict[str, Any]:
    """What `question`, MODULE:FUNCTION, answers to `arguments` on each machine, by its HOST:PORT.

    The function returns what JSON can say; of a machine on which it raises or never ends, the
    answer is that error's text. Raises Unreachable where no cluster lets us in.
    """
    asked = [sys.executable, "-m", "cluster.ray_query", address, question, *arguments]
    try:
        done = subprocess.run(
            asked, capture_output=True, text=True, timeout=_ANSWER_WITHIN, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise Unreachable(
            f"the Ray cluster at {address} did not answer within {_ANSWER_WITHIN:g} s: is it busy?"
        ) from error
    if done.returncode:
        raise Unreachable("".join(done.stderr.strip().splitlines()[-1:]))
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def _main(address: str, question: str, *arguments: str) -> None:
    from cluster.ray_session import joined_ray

    module, _, name = question.partition(":")
    function = getattr(importlib.import_module(module), name)
    try:
        with joined_ray(address):
            answers = _answers(function, arguments)
    except ClusterError as error:
        sys.exit(str(error))
    sys.stdout.write(f"{json.dumps(answers)}\n")


def _answers(function: Any, arguments: tuple[str, ...]) -> dict[str, Any]:
    import ray
    from ray.exceptions import RayError
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    # Also to machines that lend no CPU, as a head does.
    task = ray.remote(num_cpus=0, max_retries=0)(function)
    machines = [node for node in ray.nodes() if node["Alive"]]
    asked = [
        task.options(
            scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        ).remote(*arguments)
        for node in machines
    ]
    ray.wait(asked, num_returns=len(asked), timeout=_MACHINE_WITHIN)
    answers: dict[str, Any] = {}
    for node, reference in zip(machines, asked, strict=True):
        place = f"{node['NodeManagerAddress']}:{node['NodeManagerPort']}"
        try:
            answers[place] = ray.get(reference, timeout=0)
        except (RayError, TimeoutError) as error:
            last = str(error).strip().splitlines()[-1:]
            answers[place] = "".join(last) or type(error).__name__
    return answers


if __name__ == "__main__":
    _main(*sys.argv[1:])
