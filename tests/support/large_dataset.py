"""Measures the cost of listing, indexing and scheduling many pictures, without dreaming.

    python -m tests.support.large_dataset FOLDER COUNT [--inputs INPUTS]

Lists INPUTS; without it, generates a listing of COUNT pictures. Prints one JSON object, `Cost`.
"""

import argparse
import functools
import json
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from jobs.dataset.index_builder import build_index
from jobs.dataset.inputs.index import DatasetKeys
from jobs.dataset.inputs.item import InputPlace, Item, ListedImage
from jobs.dataset.inputs.listing import list_images
from jobs.dataset.ledger.rows import LedgerRow
from jobs.dataset.runner import DatasetRunner
from jobs.dataset.tasks import WorkerConfig
from jobs.planning.dataset import DatasetPlan, make_dataset_plan
from jobs.records.lease import claim_lease
from jobs.records.state import Intent
from jobs.runtime.backend import pool_in_process
from jobs.runtime.context import JobContext, retrying_store
from jobs.runtime.control import Control
from jobs.runtime.environment import Environment
from jobs.runtime.reporter import Reporter
from jobs.runtime.runner import RunContext
from jobs.spec.dataset import DatasetSpec
from jobs.spec.kinds import parse_spec
from jobs.store.store import Store
from tests.support.small_poster import MACHINE

_FOLDER_FILES = 1000
_TTL = 3600.0
_FAILING = 1009
"""Every 1009th item fails, so that the ledger has both kinds of rows."""


@dataclass(frozen=True)
class Cost:
    """CPU seconds of this process for indexing and running, and its memory in bytes.

    start: before the job, with all modules of a coordinator loaded. peak: the most since then.
    """

    items: int
    done: int
    failed: int
    indexing: float
    running: float
    start: int
    peak: int


class StubWorker:
    """Replaces a worker and answers at once."""

    def __init__(self, plan: DatasetPlan, context: JobContext, worker_config: WorkerConfig) -> None:
        self._lease, self._generation = context.lease_number, worker_config.generation
        self._device = plan.device

    def environment(self) -> Environment:
        """An environment without versions."""
        return Environment("stub", self._device, {})

    def dream(self, line: bytes, file: int) -> bytes:
        """A row as a worker writes it."""
        item = Item.decode(line, f"item file {file}")
        is_good = item.number % _FAILING != 0
        return LedgerRow(
            number=item.number,
            key=item.found.key,
            variant=item.variant,
            name=item.name,
            state="done" if is_good else "failed",
            input=item.found.place.address,
            input_sha256=f"sha256:{item.number:064x}" if is_good else None,
            output=f"{item.name}.png" if is_good else None,
            output_sha256=f"sha256:{item.number:064x}" if is_good else None,
            bytes=100_000 if is_good else None,
            width=256 if is_good else None,
            height=256 if is_good else None,
            failure=None if is_good else "input",
            message=None if is_good else f"{item.found.place.address}: is damaged",
            seconds=0.25,
            worker="stub:1",
            seed=item.number if is_good else None,
            lease=self._lease,
            generation=self._generation,
        ).encode()


def generate_listing(count: int) -> Iterator[ListedImage]:
    """A listing of folders with a thousand pictures each, in mixed order."""
    for number in range(count):
        mixed = number * 7919 % count
        key = f"part-{mixed // _FOLDER_FILES:04}/picture-{mixed:07}.jpg"
        yield ListedImage(key=key, place=InputPlace(address=f"/pictures/{key}"))


def measure(folder: Path, count: int, inputs: str | None) -> Cost:
    """List, index and run a dataset, with its store in the folder."""
    spec = parse_spec({"kind": "dataset", "inputs": inputs or "/pictures", "sheet": 0})
    if not isinstance(spec, DatasetSpec):
        raise TypeError(spec)
    plan = make_dataset_plan(spec, MACHINE)
    keys = DatasetKeys(plan.identity.job_id)
    store = retrying_store(str(folder / "store"))
    start = _memory("VmRSS")
    begun = time.process_time()
    found = generate_listing(count) if inputs is None else list_images(spec.inputs)
    build_index(store, keys, spec, found, lambda images: images)
    indexed = time.process_time()
    manifest = _make_runner(plan, store, folder).run()
    ended = time.process_time()
    items = manifest["items"]
    return Cost(
        items=items["items"],
        done=items["done"],
        failed=items["failed"]["input"],
        indexing=indexed - begun,
        running=ended - indexed,
        start=start,
        peak=_memory("VmHWM"),
    )


def _make_runner(plan: DatasetPlan, store: Store, folder: Path) -> DatasetRunner:
    keys = DatasetKeys(plan.identity.job_id)
    lease = claim_lease(store, keys, 0, "me:1", _TTL)
    if lease is None:
        raise RuntimeError("another process holds the lease")
    opener = functools.partial(retrying_store, store.address)
    context = JobContext(opener, keys.job, lease.number, folder / "scratch")
    control, reporter = Control(), Reporter(context, generation=0)
    run_context = RunContext(context, lease, control, reporter, plan.spec.document())
    return DatasetRunner(run_context, plan, pool_in_process, Intent(), StubWorker)


def _memory(field: str) -> int:
    """A memory field of this process, in bytes. `resource` would include the parent process."""
    status = Path("/proc/self/status").read_text()
    found = re.search(rf"^{field}:\s+(\d+) kB$", status, re.MULTILINE)
    if found is None:
        raise RuntimeError(f"/proc/self/status has no {field}")
    return int(found[1]) << 10


def main() -> None:
    """Measure, and print the cost as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("count", type=int)
    parser.add_argument("--inputs")
    options = parser.parse_args()
    cost = measure(options.folder, options.count, options.inputs)
    sys.stdout.write(f"{json.dumps(asdict(cost))}\n")


if __name__ == "__main__":
    # Pickle names workers by their module, which must not be `__main__`.
    from tests.support.large_dataset import main as importable_main

    importable_main()
