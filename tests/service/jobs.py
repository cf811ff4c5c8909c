"""Small jobs, and the processes that submit and render them."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from jobs.store.store import Store


def noise(seed: int, size: str = "300x200", **more: Any) -> dict[str, Any]:
    """A job of one worker that needs no file, with the network that ships with us."""
    return {
        "name": f"noise-{seed}",
        "input": {"noise": {"seed": seed}},
        "size": size,
        "dream": {"octaves": 2, "steps": 2},
        "tiles": 256,
        "crew": {"workers": 1},
        **more,
    }


@contextmanager
def works(
    store: str, environments: Sequence[Mapping[str, str]], *options: str, log: Path
) -> Iterator[list["subprocess.Popen[bytes]"]]:
    """A `work` process for each environment; they end with the context."""
    arguments = ["work", "--store", store, "--poll", "0.5", *options]
    with ExitStack() as held, log.open("wb") as output:
        processes = []
        for environment in environments:
            address = environment.get("ADDRESS")
            joined = ["--address", address] if address else []
            process = subprocess.Popen(
                [sys.executable, "-m", "jobs.cli", *arguments, *joined],
                stdout=output,
                stderr=output,
                env={**os.environ, **environment},
                start_new_session=True,
            )
            held.callback(process.wait)
            held.callback(process.kill)
            processes.append(process)
        yield processes


def numbers(store: Store, folder: str) -> list[str]:
    """The names of what lies below a folder, such as a job's leases."""
    return [entry.key.removeprefix(folder) for entry in store.entries(folder)]
