"""Very many pictures that nobody dreams: what listing, freezing and scheduling them costs.

    python -m tests.jobs.dataset.scale FOLDER COUNT [--inputs INPUTS]

INPUTS is listed; without it a listing of COUNT pictures is made up. Prints one JSON object, `Cost`.
"""

import argparse
import functools
import json
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from jobs.dataset.index_builder import freeze
from jobs.dataset.inputs.item import Found, Item, Place
from jobs.dataset.inputs.listing import listing
from jobs.dataset.keys import DatasetKeys
from jobs.dataset.ledger.rows import Row
from jobs.dataset.runner import DatasetHolding
from jobs.dataset.worker_tasks import Tenure
from jobs.planning.dataset import DatasetPlan, make_dataset_plan
from jobs.records.lease import claim
from jobs.records.state import Intent
from jobs.runtime.backend import pool_in_process
from jobs.runtime.context import Site, patient_store
from jobs.runtime.control import Control
from jobs.runtime.environment import Machinery
from jobs.runtime.reporter import Reporter
from jobs.spec.dataset import DatasetSpec
from jobs.spec.document import any_spec_of
from jobs.store.store import Store
from tests.jobs.small import MACHINE

_FOLDER_FILES = 1000
_TTL = 3600.0
_POISON = 1009
"""Every so manieth item fails, so that both kinds of rows are counted."""


@dataclass(frozen=True)
class Cost:
    """CPU seconds of freezing and of holding, of this process alone; its memory in bytes.

    start: as the job began, all that a coordinator loads being there. peak: at any time since.
    """

    items: int
    done: int
    failed: int
    freezing: float
    holding: float
    start: int
    peak: int


class Stub:
    """In a worker's place: answers at once."""

    def __init__(self, plan: DatasetPlan, site: Site, tenure: Tenure) -> None:
        self._lease, self._generation = site.number, tenure.generation
        self._device = plan.device

    def machinery(self) -> Machinery:
        """What no pixel depends on."""
        return Machinery("stub", self._device, {})

    def dream(self, line: bytes, file: int) -> bytes:
        """A row such as a worker's."""
        item = Item.decoded(line, f"item file {file}")
        is_good = item.number % _POISON != 0
        return Row(
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
        ).encoded()


def pictures(count: int) -> Iterator[Found]:
    """A listing as of folders of a thousand, in an order that is not theirs."""
    for number in range(count):
        mixed = number * 7919 % count
        key = f"part-{mixed // _FOLDER_FILES:04}/picture-{mixed:07}.jpg"
        yield Found(key=key, place=Place(address=f"/pictures/{key}"))


def measured(folder: Path, count: int, inputs: str | None) -> Cost:
    """List, freeze and hold a dataset in the store that the folder is."""
    spec = any_spec_of({"kind": "dataset", "inputs": inputs or "/pictures", "sheet": 0})
    if not isinstance(spec, DatasetSpec):
        raise TypeError(spec)
    plan = make_dataset_plan(spec, MACHINE)
    keys = DatasetKeys(plan.identity.job_id)
    store = patient_store(str(folder / "store"))
    start = _memory("VmRSS")
    begun = time.process_time()
    found = pictures(count) if inputs is None else listing(spec.inputs)
    freeze(store, keys, spec, found, lambda page: page)
    frozen = time.process_time()
    with _held(plan, store, folder) as holding:
        manifest = holding.run()
    ended = time.process_time()
    items = manifest["items"]
    return Cost(
        items=items["items"],
        done=items["done"],
        failed=items["failed"]["input"],
        freezing=frozen - begun,
        holding=ended - frozen,
        start=start,
        peak=_memory("VmHWM"),
    )


@contextmanager
def _held(plan: DatasetPlan, store: Store, folder: Path) -> Iterator[DatasetHolding]:
    keys = DatasetKeys(plan.identity.job_id)
    lease = claim(store, keys, 0, "me:1", _TTL)
    if lease is None:
        raise RuntimeError("another holds a job that nobody knows")
    opener = functools.partial(patient_store, store.address)
    site = Site(opener, keys.job, lease.number, folder / "scratch")
    control, reporter = Control(), Reporter(site, generation=0)
    document = plan.spec.document()
    yield DatasetHolding(
        plan, document, site, lease, pool_in_process, control, reporter, Intent(), Stub
    )


def _memory(field: str) -> int:
    """Of this process, in bytes. What `resource` says counts what its parent had, too."""
    status = Path("/proc/self/status").read_text()
    found = re.search(rf"^{field}:\s+(\d+) kB$", status, re.MULTILINE)
    if found is None:
        raise RuntimeError(f"this system does not tell {field}")
    return int(found[1]) << 10


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("count", type=int)
    parser.add_argument("--inputs")
    options = parser.parse_args()
    cost = measured(options.folder, options.count, options.inputs)
    sys.stdout.write(f"{json.dumps(asdict(cost))}\n")


if __name__ == "__main__":
    # Workers are named by their module, which must not be this one.
    from tests.jobs.dataset.scale import main as named

    named()
