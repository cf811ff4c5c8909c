"""Measures the accuracy of a large poster's ETA, and the cost of its checkpoints.

    python -m tests.bench.service [--size 4961x3508] [--steps 10] [--rounds 3]

A `work` process renders a job in a bucket of a real radosgw, or in a folder without radosgw. The
ETA after a tenth of the job is compared with the real time.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

from jobs.poster.submit import submit_poster
from jobs.records.job import load_job
from jobs.records.keys import JobKeys
from jobs.spec.document import parse_poster_spec
from jobs.store.address import open_store
from jobs.store.store import Store
from tests.support.s3_servers import BUCKET, radosgw, radosgw_tool, s3_environment

_EARLY = 0.1
"""The progress at which the ETA is read."""


@contextmanager
def open_any_store() -> Iterator[Store]:
    """A bucket of a radosgw, or a folder if there is none."""
    tool = radosgw_tool()
    if tool is None:
        with tempfile.TemporaryDirectory(prefix="bench-service-") as folder:
            yield open_store(folder)
        return
    with radosgw(tool) as server:
        server.create_bucket(BUCKET)
        with s3_environment(server):
            yield open_store(f"s3://{BUCKET}/bench")


def run(store: Store, size: str, steps: int, seed: int) -> tuple[float, float, float]:
    """Render one job. Returns ETA / real time, and the seconds of the job and its checkpoints."""
    spec = {
        "name": "bench",
        "input": {"noise": {"seed": seed}},
        "size": size,
        "dream": {"steps": steps},
        "tiles": 512,
        "crew": {"workers": os.cpu_count()},
    }
    job = submit_poster(store, parse_poster_spec(spec)).job
    noted: tuple[float, float] | None = None
    work = [sys.executable, "-m", "jobs.cli", "work", "--store", store.address, "--until-idle"]
    with subprocess.Popen(work, stderr=subprocess.DEVNULL) as process:
        begun = time.monotonic()
        while process.poll() is None:
            now = load_job(store, job)
            eta = now.eta_seconds
            if noted is None and eta is not None and now.progress >= _EARLY:
                noted = (time.monotonic(), eta)
            if now.state == "succeeded":
                break
            time.sleep(0.5)
        ended = time.monotonic()
    if noted is None:
        raise RuntimeError("the job ended before an ETA could be read; use a larger size")
    lines = store.get(JobKeys(job).events(1)).decode().splitlines()
    spent = next(one for one in map(json.loads, lines) if one["event"] == "dreamed")
    return noted[1] / (ended - noted[0]), ended - begun, float(spent["checkpoint_seconds"])


def main() -> None:
    """Run the rounds, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", default="4961x3508")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print(f"{options.size}, {options.steps} steps an octave; ETA after {_EARLY:.0%}\n")
    print("| ETA / truth (wanted 0.75 to 1.25) | s | checkpoints (wanted 3%) |\n|---|---|---|")
    with open_any_store() as store:
        for seed in range(options.rounds):
            ratio, seconds, spent = run(store, options.size, options.steps, seed)
            print(f"| {ratio:.2f} | {seconds:.0f} | {spent / seconds:.1%} |", flush=True)


if __name__ == "__main__":
    main()
