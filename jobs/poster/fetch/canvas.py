"""The final canvas of a job, from its last commit. Any format can be encoded from it."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from jobs.planning.identity import canonical_json
from jobs.records.job import StoredJob
from jobs.records.keys import JobKeys
from jobs.records.record import invalid_record
from jobs.runtime.checkpoints import Commit, valid_commits
from jobs.runtime.staging import RemoteFile
from jobs.store.store import Store
from jobs.text.validation import describe_errors
from render.geometry.grid import Grid
from render.geometry.rect import Size
from render.pictures.output_format import Labels
from render.pictures.tiled_image import FileByteSource, TiledImage, TileSet


class _Partial(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Plan(_Partial):
    size: tuple[int, int]
    tiles: tuple[int, ...]
    octaves: tuple[tuple[int, int], ...]


class _Dream(_Partial):
    steps: int


class _Spec(_Partial):
    dream: _Dream


class _Manifest(_Partial):
    spec: _Spec
    plan: _Plan
    identity: dict[str, object]


@dataclass(frozen=True)
class FinalCanvas:
    """A committed canvas in a store, and the labels of files made from it."""

    store: Store
    commit: Commit
    grid: Grid
    labels: Labels

    @property
    def size(self) -> Size:
        """Height and width."""
        return self.grid.height, self.grid.width

    @property
    def files(self) -> tuple[RemoteFile, ...]:
        """The objects to download before `image` is called; none if the store is a local folder."""
        return tuple(
            RemoteFile(part.key, part.size, _file(number))
            for number, part in enumerate(self.commit.parts)
            if self.store.local_path(part.key) is None
        )

    def image(self, folder: Path) -> TiledImage:
        """The canvas as a local image. folder: where `files` were downloaded to."""
        return TiledImage(
            tuple(
                TileSet(
                    FileByteSource(self.store.local_path(part.key) or folder / _file(number)),
                    part.layout(self.grid),
                )
                for number, part in enumerate(self.commit.parts)
            )
        )


def final_canvas(store: Store, job: StoredJob, dpi: float | None) -> FinalCanvas | None:
    """Return the final canvas of a succeeded job; None if its checkpoints were cleaned.

    dpi: the resolution of the job's outputs.

    Raises:
        InvalidRecord: the manifest is not valid.
    """
    keys, document = JobKeys(job.id), job.manifest or {}
    try:
        manifest = _Manifest.model_validate(document)
    except ValidationError as error:
        raise invalid_record(keys.manifest, describe_errors(error, _Manifest, document)) from error
    plan = manifest.plan
    last = len(plan.octaves) - 1, manifest.spec.dream.steps
    # The same label as in the job's own files; see PosterPlan.label.
    label = canonical_json({"spec": document["identity"], "plan": document["plan"]})
    for found in valid_commits(store, keys):
        if (found.commit.octave, found.commit.step) == last:
            grid = Grid(*plan.size, plan.tiles[-1])
            return FinalCanvas(store, found.commit, grid, Labels(dpi, label))
    return None


def _file(number: int) -> str:
    return f"canvas/{number}.tiles"
