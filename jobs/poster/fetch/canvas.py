"""The final canvas of a job, from its last commit. Any format can be encoded from it."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from jobs.planning.identity import canonical_json
from jobs.records.job import StoredJob
from jobs.records.keys import JobKeys
from jobs.records.record import invalid_record
from jobs.runtime.checkpoints import valid_commits
from jobs.runtime.octave_ends import Layer, OctaveEnds, PinnedOctaves, ancestry, layered_image
from jobs.runtime.staging import RemoteFile
from jobs.store.store import Store
from jobs.text.validation import describe_errors
from render.geometry.rect import Size
from render.pictures.output_format import Labels
from render.pictures.tiled_image import FileByteSource, TiledImage


class _Partial(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Dream(_Partial):
    steps: int


class _Spec(_Partial):
    dream: _Dream


class _Manifest(_Partial):
    spec: _Spec
    plan: PinnedOctaves
    identity: dict[str, object]


@dataclass(frozen=True)
class FinalCanvas:
    """A committed canvas in a store, and the labels of files made from it.

    layers: of a redo, its region and the older pictures below it; else one.
    """

    store: Store
    layers: tuple[Layer, ...]
    labels: Labels

    @property
    def size(self) -> Size:
        """Height and width."""
        grid = self.layers[0].grid
        return grid.height, grid.width

    @property
    def files(self) -> tuple[RemoteFile, ...]:
        """The objects to download before `image` is called; none if the store is a local folder."""
        return tuple(
            RemoteFile(part.key, part.size, _file(part.key))
            for layer in self.layers
            for part in layer.commit.parts
            if self.store.local_path(part.key) is None
        )

    def image(self, folder: Path) -> TiledImage:
        """The canvas as a local image. folder: where `files` were downloaded to."""

        def open_source(key: str) -> FileByteSource:
            return FileByteSource(self.store.local_path(key) or folder / _file(key))

        return layered_image(self.layers, open_source)


def final_canvas(store: Store, job: StoredJob, dpi: float | None) -> FinalCanvas | None:
    """Return the final canvas of a succeeded job; None if its checkpoints were cleaned.

    That of a redo of a region also needs the checkpoints of its older picture.

    dpi: the resolution of the job's outputs.

    Raises:
        InvalidRecord: the manifest is not valid.
    """
    keys, document = JobKeys(job.id), job.manifest or {}
    try:
        manifest = _Manifest.model_validate(document)
    except ValidationError as error:
        raise invalid_record(keys.manifest, describe_errors(error, _Manifest, document)) from error
    last = len(manifest.plan.octaves) - 1
    # The same label as in the job's own files; see PosterPlan.label.
    label = canonical_json({"spec": document["identity"], "plan": document["plan"]})
    labels = Labels(dpi, label)
    if manifest.plan.redo is not None:
        layers = OctaveEnds(store, ancestry(job.id, document["spec"])).layers(last)
        return None if layers is None else FinalCanvas(store, layers, labels)
    for found in valid_commits(store, keys):
        if (found.commit.octave, found.commit.step) == (last, manifest.spec.dream.steps):
            return FinalCanvas(store, (Layer(found.commit, manifest.plan.grid(last)),), labels)
    return None


def _file(key: str) -> str:
    """The local path of an object of tiles, relative to the folder for downloads."""
    return f"canvas/{key.replace('/', '-')}"
