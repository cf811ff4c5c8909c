"""Fetches the picture of a draft."""

from fnmatch import fnmatchcase
from pathlib import Path

from jobs.records.job import StoredJob
from jobs.records.keys import JobKeys
from jobs.runtime.publish import Target
from jobs.runtime.staging import RemoteFile, download
from jobs.store.store import ObjectInfo, Store
from jobs.text.errors import RequestError


def has_draft(job: StoredJob) -> bool:
    """Whether a job waits for its user with a complete draft."""
    return job.state == "paused" and job.status is not None and job.status.drafted > 0


def fetch_draft(store: Store, job: StoredJob, target: Target) -> Path:
    """Download the picture of a job's draft into a folder. Returns its path.

    Its name holds the job and the octave, so it replaces nothing else. A picture of another name is
    not the job's.

    Raises:
        RequestError: there is no picture, or the folder cannot be written.
        StoreError: the store does not answer.
    """
    if job.current_lease is None:
        raise RequestError(f"{job.id}: no draft yet")
    folder = JobKeys(job.id).outputs(job.current_lease.number)
    names = f"{job.id}-octave-*.png"  # see `draft_name`
    pictures = [one for one in store.list_objects(folder) if fnmatchcase(_name(one), names)]
    if not pictures:
        raise RequestError(f"{job.id}: the picture of its draft is missing; finish the job")
    entry = pictures[0]
    name = _name(entry)
    try:
        target.out.mkdir(parents=True, exist_ok=True)
        download(store, [RemoteFile(entry.key, entry.size, name)], target.out)
    except OSError as why:
        raise RequestError(f"{target.out}: cannot be written ({why.strerror})") from why
    return target.out / name


def _name(entry: ObjectInfo) -> str:
    return entry.key.rpartition("/")[2]
