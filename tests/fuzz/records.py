"""Fuzzes the objects of jobs in a store: each reader gives a result, or an error of one line.

`python -m tests.fuzz.records --count 20000 --seed 1`
"""

import json
import logging
import sys
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any

from jobs.cli.format import format_state
from jobs.dataset.inputs.index import DatasetKeys, ItemIndex
from jobs.dataset.ledger.reader import LedgerKeys, read_rows
from jobs.dataset.ledger.rows import LedgerCounts, LedgerRow
from jobs.dataset.submit import submit_dataset
from jobs.poster.submit import submit_poster
from jobs.records.job import StoredJob, load_job
from jobs.records.job_summary import load_summary
from jobs.records.keys import JobKeys
from jobs.records.lease import claim_lease
from jobs.records.manifest import item_counts, job_outputs
from jobs.records.request import cancel, pause, resume, retry
from jobs.records.status import decode_events
from jobs.runtime.checkpoints import valid_commits
from jobs.runtime.environment import PinnedPlan
from jobs.services.clean.deletion import check_deletable
from jobs.services.clean.garbage import find_garbage
from jobs.services.scheduler.assignment import priority_of
from jobs.spec.kinds import parse_spec, parse_stored_spec
from jobs.store.store import Store
from jobs.text.errors import JobsError
from jobs.text.report import one_line
from render.errors import RenderError
from tests.fuzz.campaign import check_message, in_time, main
from tests.fuzz.documents import Mutator
from tests.support.job_states import sample_status
from tests.support.memory_store import MemoryStore

_NOISE = {"noise": {"seed": 1}}

_SPECS: tuple[dict[str, Any], ...] = (
    {"name": "poster", "input": _NOISE, "size": "64x64"},
    {"kind": "dataset", "name": "set", "inputs": _NOISE, "resize": "64x64"},
)

_OUTPUT = {
    "path": "outputs/000001/a.png",
    "format": "png",
    "width": 64,
    "height": 64,
    "depth": 8,
    "dpi": 300,
    "bytes": 9,
    "sha256": f"sha256:{'0' * 64}",
}

_MANIFEST = {"items": {"items": 1, "done": 1, "failed": {"bug": 0}}, "outputs": [_OUTPUT]}

_COMMIT = {
    "version": 1,
    "octave": 0,
    "step": 2,
    "parts": [{"version": 1, "key": "a", "size": 9, "dtype": "float32", "tiles": [0, 1]}],
}

_PINNED = {"version": 1, "plan": {"tile": 64}, "device": "cpu", "software": {"python": "3"}}


@cache
def _jobs() -> tuple[MemoryStore, tuple[str, ...]]:
    """A store with a poster and a dataset that hold a record of each kind, and their ids."""
    store = MemoryStore()
    poster, dataset = map(parse_spec, _SPECS)
    jobs = submit_poster(store, poster).job, submit_dataset(store, dataset).job  # type: ignore[arg-type]
    for job in jobs:
        keys, ledger = JobKeys(job), LedgerKeys(job)
        held = claim_lease(store, keys, 0, "elsewhere:1", 60)
        assert held is not None
        held.release()
        store.put(keys.status(1), sample_status().encode())
        store.put(keys.events(1), b'{"event": "claimed", "time": "2026-01-01T00:00:00Z"}\n')
        store.put(keys.commit(1, 1), json.dumps(_COMMIT).encode())
        store.put(keys.plan, json.dumps(_PINNED).encode())
        store.put(keys.manifest, json.dumps(_MANIFEST).encode())
        row = LedgerRow(
            number=0,
            key="noise",
            variant=0,
            name="n",
            state="done",
            input="",
            lease=1,
            generation=0,
        )
        store.put(ledger.partial(0, 1), row.encode())
    return store, jobs


@cache
def _keys() -> tuple[str, ...]:
    store, _ = _jobs()
    return tuple(key for key in sorted(store.objects) if store.objects[key][0].startswith(b"{"))


def make_content(number: int, seed: int) -> bytes:
    """A case: the key of a record, a zero, and the content to put there."""
    store, _ = _jobs()
    keys = _keys()
    key = keys[number % len(keys)]
    content = store.objects[key][0]
    documents = [_first_document(store.objects[other][0]) for other in keys]
    names = sorted({name for one in documents for name in _names(one)})
    mutator = Mutator(f"{seed}/{number}", names, ["run", "cancel", "failed", "bug", 1, 999_999])
    kind = mutator.random.random()
    if kind < 0.15:
        return key.encode() + b"\0" + mutator.content(content)
    changed = mutator.document(documents[keys.index(key)], documents)
    text = json.dumps(changed, ensure_ascii=mutator.random.random() < 0.5)
    if kind < 0.3:
        text = mutator.text(text)
    return key.encode() + b"\0" + f"{text}\n".encode("utf-8", "surrogatepass")


def _first_document(content: bytes) -> Any:
    return json.loads(content.splitlines()[0]) if b"\n  " not in content else json.loads(content)


def _names(document: Any) -> Iterator[str]:
    for name, value in document.items() if isinstance(document, dict) else ():
        yield name
        yield from _names(value)


def judge(content: bytes) -> str:
    """Put a case into a copy of the store, and read the job as commands do.

    Raises what a command must not.
    """
    template, jobs = _jobs()
    logging.disable(logging.WARNING)
    key, _, record = content.partition(b"\0")
    store = template.copied()
    if key:
        store.put(key.decode(), record)
    (job,) = [one for one in jobs if f"/{one}/" in key.decode()] or jobs[:1]
    with in_time():
        outcomes = [_attempt(partial(read, store.copied(), job)) for read in _READERS]
        for request in (pause, resume, cancel, retry, check_deletable):
            _attempt(partial(request, store.copied(), job))
    return "refused" if any(outcomes) else "read"


def _attempt(act: Callable[[], object]) -> bool:
    """Whether an act is refused with a message in one line."""
    try:
        act()
    except (JobsError, RenderError) as error:
        check_message(one_line(str(error)))
        return True
    return False


def _read_summary(store: Store, job: str) -> None:
    summary = load_summary(store, job)
    json.loads(json.dumps(summary.document()))
    format_state(summary)


def _read_job(store: Store, job: str) -> StoredJob:
    loaded = load_job(store, job)
    priority_of(loaded)
    spec = parse_stored_spec(loaded.spec.submitted_document)
    if loaded.run_settings is not None:
        loaded.run_settings.apply_to(spec)  # type: ignore[type-var]
    job_outputs(loaded)
    item_counts(loaded)
    return loaded


def _read_items(store: Store, job: str) -> None:
    index = ItemIndex(store, DatasetKeys(job))
    assert index.item_count < 10**9, "items without a bound"
    for _ in index.all_items():
        pass


def _read_ledger(store: Store, job: str) -> None:
    LedgerCounts.of_rows(read_rows(store, LedgerKeys(job), [0])).document()


def _read_lease_files(store: Store, job: str) -> None:
    keys = JobKeys(job)
    valid_commits(store, keys)
    decode_events(store.get(keys.events(1)))
    PinnedPlan.read(store, keys.plan)


def _clean(store: Store, job: str) -> None:
    find_garbage(store, 0, include_resumable=True)


_READERS: tuple[Callable[[Store, str], object], ...] = (
    _read_summary,
    _read_job,
    _read_items,
    _read_ledger,
    _read_lease_files,
    _clean,
)


if __name__ == "__main__":
    sys.exit(main("records", "tests.fuzz.records:judge", make_content, 20_000))
