"""A rendered poster in a store, for the commands that read jobs."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from jobs.poster.submit import submit_poster
from jobs.records.keys import JobKeys
from jobs.records.lease import current_lease, restore_lease
from jobs.store.folder import FolderStore
from tests.support.small_poster import claim_poster, plan_poster, poster_document

OUTPUTS = "outputs=[png, {format: tiff, depth: 16}, deepzoom]"


@dataclass(frozen=True)
class RenderedPoster:
    """A job that was submitted and rendered into the store in a folder."""

    store: Path
    job: str

    @property
    def keys(self) -> JobKeys:
        return JobKeys(self.job)

    @property
    def manifest(self) -> dict[str, Any]:
        """The manifest in the store."""
        content: dict[str, Any] = json.loads((self.store / self.keys.manifest).read_text())
        return content

    def delete_output(self, format_name: str) -> dict[str, Any]:
        """Remove an output from the store and the manifest; returns its entry."""
        manifest = self.manifest
        (deleted,) = (one for one in manifest["outputs"] if one["format"] == format_name)
        manifest["outputs"].remove(deleted)
        (self.store / self.keys.manifest).write_text(json.dumps(manifest))
        (self.store / self.keys.folder / deleted["path"]).unlink()
        return dict(deleted)

    def copied(self, folder: Path) -> "RenderedPoster":
        """A copy of the store in another folder, which a test may change."""
        copy = shutil.copytree(self.store, folder / "store", dirs_exist_ok=True)
        return RenderedPoster(Path(copy), self.job)


def render_poster(picture: Path, weights: Path, folder: Path, *settings: str) -> RenderedPoster:
    """Submit the smallest poster and render it in this process."""
    plan = plan_poster(picture, weights, *settings)
    store = FolderStore(folder / "store")
    assert submit_poster(store, plan.spec).job == plan.identity.job_id
    holder = claim_poster(plan, folder)
    holder.run()
    holder.reporter.write(store)
    release_lease(store, holder.context.keys)
    return RenderedPoster(folder / "store", plan.identity.job_id)


def release_lease(store: FolderStore, keys: JobKeys) -> None:
    """Release the job's current lease, as its holder does at its end."""
    current = current_lease(store, keys)
    assert current is not None
    lease = current.lease
    restore_lease(store, keys, current.number, lease.token, lease.holder, lease.ttl).release()


def write_poster_spec(folder: Path, picture: Path, weights: Path, *settings: str) -> Path:
    """Write the smallest poster's spec as a file."""
    path = folder / "spec.yaml"
    path.write_text(yaml.safe_dump(poster_document(picture, weights, *settings)))
    return path
