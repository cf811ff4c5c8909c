"""A program that sends an object with a known text to another Ray node: ADDRESS, TEXT."""

import sys

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

_TIMES = 1 << 16
"""Repetitions of the text. The object must be large enough for Ray's object store, as halos are."""


def main(address: str, text: str) -> None:
    """Send the object from this node to another one."""
    ray.init(address, log_to_driver=False)
    here = ray.get_runtime_context().get_node_id()
    others = [node["NodeID"] for node in ray.nodes() if node["Alive"] and node["NodeID"] != here]
    reference = ray.put(text.encode() * _TIMES)
    there = NodeAffinitySchedulingStrategy(others[0], soft=False)
    size = ray.remote(count_bytes).options(scheduling_strategy=there).remote(reference)
    assert ray.get(size) == len(text) * _TIMES


def count_bytes(content: bytes) -> int:
    """Runs on the other node."""
    return len(content)


if __name__ == "__main__":
    main(*sys.argv[1:])
