"""A store with jobs of each state, for the tests of the page."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from jobs.records.keys import JobKeys
from jobs.records.state import Intent
from jobs.records.status import encode_events, make_event
from jobs.services.kinds import kind_of
from jobs.services.scheduler.coordinator import DONE
from jobs.spec.kinds import parse_spec
from jobs.store.folder import FolderStore
from tests.support.coordinators import claim_job
from tests.support.dreamed_dataset import dream_dataset
from tests.support.job_states import claim_next_lease, sample_status, write_job
from tests.support.rendered_poster import render_poster
from tests.support.small_poster import LAYER, NETWORK

SCRIPT = "<script>document.title='owned'</script><img src=x onerror=alert(1)>"
"""What a stranger may write into any text of a job."""


@dataclass(frozen=True)
class Examples:
    """The ids of jobs in the store of a folder."""

    store: Path
    poster: str
    dataset: str
    atlas: str
    queued: str
    paused: str
    hostile: str


def write_examples(folder: Path, picture: Path, weights: Path) -> Examples:
    """Render a poster and a dataset, and write jobs that wait, are paused and have failed."""
    poster = render_poster(picture, weights, folder / "poster", "outputs=[png, deepzoom]")
    dataset = dream_dataset(folder / "dataset", weights)
    root = folder / "store"
    atlas = _dream_atlas(folder / "atlas", weights)
    for made in (poster.store, dataset.store, folder / "atlas" / "store"):
        shutil.copytree(made, root, dirs_exist_ok=True)
    store = FolderStore(root)
    return Examples(
        store=root,
        poster=poster.job,
        dataset=dataset.job,
        atlas=atlas,
        queued=_write_open(store, "waiting-0000000000a1", Intent()),
        paused=_write_open(store, "resting-0000000000a2", Intent(want="pause")),
        hostile=_write_hostile(store, "hostile-0000000000a3"),
    )


def _dream_atlas(folder: Path, weights: Path) -> str:
    """An atlas of two channels of a layer."""
    store = FolderStore(folder / "store")
    document = {
        "kind": "atlas",
        "name": "motifs",
        "network": {"name": NETWORK, "weights": str(weights)},
        "of": {"layer": LAYER, "channels": [2, 5]},
        "size": 48,
        "fourier": {"steps": 1},
        "crew": {"workers": 1},
    }
    spec = parse_spec(document)
    job = kind_of(spec).submit(store, spec).job
    assert claim_job(store, job, folder).run() == DONE
    return job


def _write_open(store: FolderStore, job: str, intent: Intent) -> str:
    keys = write_job(store, job)
    store.put(keys.intent, intent.encode())
    store.put(f"active/{job}", b"")
    return job


def _write_hostile(store: FolderStore, job: str) -> str:
    """A job that has failed, with markup in each text that it may choose."""
    keys: JobKeys = write_job(store, job)
    held = claim_next_lease(store, keys)
    status = sample_status(failure="input").model_copy(update={"reason": SCRIPT})
    store.put(keys.status(held.number), status.encode())
    store.put(keys.events(held.number), encode_events([make_event(SCRIPT, reason=SCRIPT)]))
    held.release()
    return job
