"""Uploads the spec and the files of a job that is submitted."""

import getpass
import os
import shutil
import socket
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from jobs.planning.identity import file_digest
from jobs.planning.machine import Machine
from jobs.records.keys import JobKeys, blob_key
from jobs.records.state import State
from jobs.records.stored_spec import MAX_SUBMITTER, StoredSpec, Submitter
from jobs.spec.base import Crew
from jobs.store.store import Store, store_time
from jobs.text.errors import RequestError

_MIN_BLOB_LIFETIME = 12 * 3600.0
"""Seconds for which no cleaning removes a blob."""


@dataclass(frozen=True)
class SubmitResult:
    """The result of a submit.

    job: the id. state: of the job now. new: whether this submit has created the job. items: how
    many items this submit has added to a dataset; None for other jobs. note: a line for people on
    inputs that it left out, or None.
    """

    job: str
    state: State
    new: bool
    items: int | None = None
    note: str | None = None


SUBMITTER = "DREAMFARM_SUBMITTER"
"""The variable that names the submitter of jobs, in place of this process's user."""


def this_submitter() -> Submitter:
    """Who submits jobs by this process. Raises RequestError for a name that is too long."""
    host = socket.gethostname()[:MAX_SUBMITTER] or "localhost"
    # Bytes of the environment that are no text cannot go into a record.
    name = os.environ.get(SUBMITTER, "").strip().encode(errors="replace").decode()
    if len(name) > MAX_SUBMITTER:
        raise RequestError(f"{SUBMITTER}: must have at most {MAX_SUBMITTER} characters")
    return Submitter(user=name or _user_name()[:MAX_SUBMITTER], host=host)


def _user_name() -> str:
    """The name of this process's user, or its number: containers often have no names."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def unlimited_machine(crew: Crew) -> Machine:
    """Return a machine that is large enough for any crew. A plan for it fails only for its spec.

    It has one core and no GPU, so that a crew of `auto` is one worker.
    """
    each = 0 if crew.gpus_per_worker == "auto" else crew.gpus_per_worker
    workers = 1 if crew.workers == "auto" else crew.workers
    return Machine(cores=1, gpus=each * workers, memory=sys.maxsize, gpu_memory=sys.maxsize)


def upload_blob(store: Store, path: Path, digest: str) -> None:
    """Upload a file as the blob of its digest, unless the store has it.

    Raises:
        RequestError: the file has changed since its digest was computed, or cannot be copied.
        StoreError: the store does not answer.
    """
    key = blob_key(digest)
    modified = [entry.modified for entry in store.list_objects(key) if entry.key == key]
    # An older blob may be unreferenced, and be cleaned before this job's spec refers to it.
    if modified and store_time(store) - modified[0] < _MIN_BLOB_LIFETIME:
        return
    # Upload a copy, which nobody changes. A wrong blob would stay, because no blob is replaced.
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
    """Write the spec, unless the job exists. Returns whether this spec was written."""
    while not store.put_if_absent(keys.spec, stored.encode()):
        existing = StoredSpec.read_or_none(store, keys.spec)
        if existing is not None:
            return existing.nonce == stored.nonce
    return True
