"""Small datasets: submitting them, running them, and reading their results."""

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from cluster.local import LocalPool
from cluster.pool import Pool
from cluster.resources import Resources
from jobs.dataset.inputs.index import DatasetKeys, ItemIndex
from jobs.dataset.ledger.reader import LedgerCopy, LedgerKeys, read_rows
from jobs.dataset.ledger.rows import LedgerRow
from jobs.dataset.published import published_path
from jobs.dataset.tar_shards import published_tar_name
from jobs.dataset.worker import Worker
from jobs.records.job import StoredJob, load_job
from jobs.records.keys import ACTIVE
from jobs.runtime.backend import StartPool
from jobs.services.kinds import kind_of
from jobs.spec.dataset import DatasetSpec
from jobs.spec.document import apply_overrides
from jobs.spec.kinds import parse_spec
from jobs.store.store import Store
from tests.support.bad_pictures import MAX_PIXELS
from tests.support.memory_store import MemoryStore
from tests.support.small_poster import LAYER, NETWORK

PACKED = "output={pack: webdataset}"


_REPRODUCIBLE_FIELDS = (
    *("number", "key", "variant", "name", "state", "failure", "output", "member"),
    *("output_sha256", "input_sha256", "bytes", "width", "height", "seed"),
)


def dataset_document(inputs: Path | str, weights: Path, *settings: str) -> dict[str, Any]:
    """A spec for these inputs: one tile, two octaves, one step each."""
    document = {
        "kind": "dataset",
        "name": "set",
        "inputs": str(inputs),
        "network": {"name": NETWORK, "weights": str(weights)},
        "objectives": [{"layer": LAYER}],
        "dream": {"octaves": 2, "steps": 1, "jitter": 6, "smooth": None},
        "tiles": 128,
        "limits": {"max_pixels": MAX_PIXELS},
        "crew": {"workers": 1},
    }
    return apply_overrides(document, settings)


def submit_small_dataset(store: Store, inputs: Path | str, weights: Path, *settings: str) -> str:
    """Submit a small dataset. Returns the job's id."""
    spec = parse_spec(dataset_document(inputs, weights, *settings))
    return kind_of(spec).submit(store, spec).job


def pool_of(worker_class: type[Worker]) -> StartPool:
    """A function that starts pools of these workers in this process."""

    @contextmanager
    def start(
        _: object, arguments: Sequence[tuple[object, ...]], __: Resources, depth: int
    ) -> Iterator[Pool]:
        with LocalPool(worker_class, arguments, depth) as pool:
            yield pool

    return start


class ObservedStore(MemoryStore):
    """One holder's view of a store: records the results, and calls `act` after result `at`."""

    def __init__(self, shared: MemoryStore, at: int | None = None) -> None:
        super().__init__()
        self.objects, self._lock = shared.objects, shared._lock
        self.at = at
        self.act: Callable[[], object] = lambda: None
        self.results: list[str] = []

    def put(self, key: str, content: bytes) -> None:
        super().put(key, content)
        if "/outputs/" in key:
            self.results.append(key.rpartition("/outputs/")[2])
            if len(self.results) == self.at:
                self.act()


@dataclass(frozen=True)
class DatasetResult:
    """The results of a dataset: rows by key and variant, contents of files by name."""

    job: StoredJob
    rows: dict[tuple[str, int], LedgerRow]
    files: dict[str, bytes]

    @property
    def reproducible_rows(self) -> list[dict[str, object]]:
        """The fields of all rows that are the same in every run, with the published outputs."""
        rows = [row.model_dump(include={*_REPRODUCIBLE_FIELDS}) for row in self.rows.values()]
        return [row | {"output": published_tar_name(row["output"] or "")} for row in rows]

    @property
    def published(self) -> dict[str, bytes]:
        """The results that the rows name, by their published paths."""
        done = (row for row in self.rows.values() if row.state == "done")
        return {str(published_path(row)): self.files[row.output or ""] for row in done}

    @property
    def failed(self) -> dict[str, LedgerRow]:
        """The failed rows by key."""
        return {row.key: row for row in self.rows.values() if row.state == "failed"}

    @property
    def items(self) -> dict[str, Any]:
        """The manifest's item counts."""
        assert self.job.manifest is not None, self.job.status
        found: dict[str, Any] = self.job.manifest["items"]
        return found


def read_dataset(store: Store, job: str) -> DatasetResult:
    """Read a dataset as it is now."""
    keys = DatasetKeys(job)
    found = list(read_rows(store, LedgerKeys(job), ItemIndex(store, keys).files))
    by_key = {(row.key, row.variant): row for row in found}
    assert len(by_key) == len(found)
    results = [entry.key for entry in store.list_objects(keys.results)]
    with ThreadPoolExecutor(8) as pool:
        content = dict(zip(results, pool.map(store.get, results), strict=True))
    files = {key.removeprefix(keys.results): found for key, found in content.items()}
    return DatasetResult(load_job(store, job), by_key, files)


def read_finished_dataset(store: Store, job: str) -> DatasetResult:
    """Read a dataset that has succeeded, and check its ledger.

    Each item has one row, in the valid copy of its ledger file and in the merged ledger. The active
    marker is gone.
    """
    found = read_dataset(store, job)
    assert found.job.state == "succeeded", found.job.status
    assert found.job.manifest is not None
    keys, ledger = DatasetKeys(job), LedgerKeys(job)
    numbers = []
    for file in ItemIndex(store, keys).files:
        entries = [entry.key for entry in store.list_objects(ledger.file_prefix(file))]
        # A late writer may leave older copies; the latest copy counts.
        latest = max(entries, key=lambda key: ledger.parse(key) or LedgerCopy(0, 0, False))
        assert latest.endswith(".complete.jsonl")
        numbers += [json.loads(line)["number"] for line in store.get(latest).splitlines()]
    assert numbers == list(range(ItemIndex(store, keys).item_count))
    merged = BytesIO(store.get(f"{keys.folder}{found.job.manifest['ledger']}"))
    assert pq.read_table(merged, columns=["number"]).column(0).to_pylist() == numbers
    assert list(store.list_objects(f"{ACTIVE}{job}")) == []
    return found


FAILING_KEY = "1/0001.jpg"
"""The key of the second of `mixed_pictures`."""


class FailingWorker(Worker):
    """Raises at `FAILING_KEY`, like a bug."""

    def dream(self, line: bytes, file: int) -> bytes:
        if f'"key":"{FAILING_KEY}"'.encode() in line:
            raise KeyError("a bug")
        return super().dream(line, file)


def expand_atlas(of: dict[str, Any], **fields: Any) -> DatasetSpec:
    """The dataset of an atlas."""
    parsed = parse_spec({"kind": "atlas", "of": of} | fields)
    assert isinstance(parsed, DatasetSpec)
    return parsed


def objectives_by_label(spec: DatasetSpec) -> dict[str, dict[str, Any]]:
    """The objective of each label."""
    assert spec.labels is not None
    found: dict[str, dict[str, Any]] = {}
    for label, (objective,) in zip(spec.labels, spec.sweep["objectives"], strict=True):
        found[label] = objective
    return found
