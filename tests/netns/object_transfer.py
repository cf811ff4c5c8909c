"""A program that has one machine of a cluster send another what to look for: ADDRESS, TEXT."""

import sys

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

_TIMES = 1 << 16
"""Large enough to travel as pixels do: from store to store, not within a message."""


def main(address: str, text: str) -> None:
    """From this machine to the first other one."""
    ray.init(address, log_to_driver=False)
    here = ray.get_runtime_context().get_node_id()
    others = [node["NodeID"] for node in ray.nodes() if node["Alive"] and node["NodeID"] != here]
    reference = ray.put(text.encode() * _TIMES)
    there = NodeAffinitySchedulingStrategy(others[0], soft=False)
    weighed = ray.remote(weigh).options(scheduling_strategy=there).remote(reference)
    assert ray.get(weighed) == len(text) * _TIMES


def weigh(reference: bytes) -> int:
    """What the other machine does with it. Returns bytes."""
    return len(reference)


if __name__ == "__main__":
    main(*sys.argv[1:])
