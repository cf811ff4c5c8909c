"""A program that tries Ray's own clients on a head: HEAD. Prints the results as a JSON object."""

import json
import sys
from collections.abc import Callable

import ray
from ray.job_submission import JobSubmissionClient
from ray.util.state import list_nodes

GcsClient = ray._raylet.GcsClient


def main(head: str) -> None:
    """Try each client."""
    clients: dict[str, Callable[[], object]] = {
        "directory": lambda: GcsClient(address=f"{head}:6379").get_all_node_info(timeout=30),
        "state": lambda: list_nodes(address=f"{head}:6379"),
        "state over http": lambda: list_nodes(address=f"http://{head}:8265"),
        "jobs": lambda: JobSubmissionClient(f"http://{head}:8265").list_jobs(),
        "client": lambda: ray.init(f"ray://{head}:10001"),
        "driver": lambda: ray.init(f"{head}:6379"),
    }
    found = {}
    for name, connect in clients.items():
        try:
            connect()
        except Exception as error:  # noqa: BLE001 - any error refuses the client
            found[name] = f"{type(error).__name__}: {error}"
        else:
            found[name] = "connected"
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
