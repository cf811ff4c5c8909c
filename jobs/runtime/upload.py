"""Submitting: from a spec on somebody's disk to a job that any scheduler can render.

The order of writing makes it safe to die anywhere and to submit again: first what the job needs,
then the job, and last the marker by which schedulers find it.
"""

import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.planning.identity import file_digest
from jobs.planning.machine import Machine
from jobs.records.keys import JobKeys, blob_key
from jobs.records.state import State
from jobs.records.stored_spec import StoredSpec
from jobs.spec.base import Crew
from jobs.store.store import Store, store_time
from jobs.text.errors import RequestError
from render.device import Precision

if TYPE_CHECKING:
    pass


_FRESH = 12 * 3600.0
"""Seconds for which a blob that is there stays there, whoever cleans."""


@dataclass(frozen=True)
class SubmitResult:
    """The job, its state, and whether it was this submit that brought it into the store.

    items: of a dataset, how many this submit has added.
    """

    job: str
    state: State
    new: bool
    items: int | None = None


def unlimited_machine(crew: Crew, precision: Precision) -> Machine:
    """A machine that has what any crew asks for, so that only the spec itself can be wrong.

    With one core, a crew of `auto` is one worker, whose need of memory is the least of all.
    """
    wants_gpu = precision == "bfloat16"
    each = int(wants_gpu) if crew.gpus_per_worker == "auto" else crew.gpus_per_worker
    workers = 1 if crew.workers == "auto" else crew.workers
    return Machine(cores=1, gpus=each * workers, memory=sys.maxsize, gpu_memory=sys.maxsize)


def send_blob(store: Store, path: Path, digest: str) -> None:
    """Upload a file as the blob of its digest, unless that is there. Raises RequestError."""
    key = blob_key(digest)
    there = [entry.modified for entry in store.list_objects(key) if entry.key == key]
    # An old one to which no job refers may be cleaned away before this one does.
    if there and store_time(store) - there[0] < _FRESH:
        return
    # What is sent is a copy that nobody changes: a blob is never written twice, so one that is not
    # what its name says would stay.
    try:
        with tempfile.TemporaryDirectory(prefix="dreamfarm-") as folder:
            copy = shutil.copyfile(path, Path(folder) / "blob")
            if file_digest(copy) != digest:
                raise RequestError(f"{path}: changed while it was submitted; submit it again")
            store.move_file(copy, key)
    except OSError as why:
        raise RequestError(
            f"{path}: cannot be copied into {tempfile.gettempdir()} ({why.strerror}); "
            "set TMPDIR to a folder with room"
        ) from why


def create_spec(store: Store, keys: JobKeys, stored: StoredSpec) -> bool:
    """Write the spec where there is none; whether it is this one that is there."""
    while not store.put_if_absent(keys.spec, stored.encode()):
        found = StoredSpec.read_or_none(store, keys.spec)
        if found is not None:
            return found.nonce == stored.nonce
    return True
