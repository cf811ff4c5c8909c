"""A program that knocks with Ray's own clients: HEAD. A JSON object: way in -> what came of it."""

import json
import sys
from collections.abc import Callable

import ray
from ray.job_submission import JobSubmissionClient
from ray.util.state import list_nodes

GcsClient = ray._raylet.GcsClient


def main(head: str) -> None:
    """Knock at each door."""
    doors: dict[str, Callable[[], object]] = {
        "directory": lambda: GcsClient(address=f"{head}:6379").get_all_node_info(timeout=30),
        "state": lambda: list_nodes(address=f"{head}:6379"),
        "state over http": lambda: list_nodes(address=f"http://{head}:8265"),
        "jobs": lambda: JobSubmissionClient(f"http://{head}:8265").list_jobs(),
        "client": lambda: ray.init(f"ray://{head}:10001"),
        "driver": lambda: ray.init(f"{head}:6379"),
    }
    found = {}
    for door, knock in doors.items():
        try:
            knock()
        except Exception as error:  # noqa: BLE001 - whatever keeps strangers out is well
            found[door] = f"{type(error).__name__}: {error}"
        else:
            found[door] = "in"
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
