"""The finished canvas of a job: its last commit, from which any format can be made."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from jobs.planning.identity import canonical
from jobs.records.job import Job
from jobs.records.keys import JobKeys
from jobs.records.record import bad_record
from jobs.runtime.checkpoints import Commit, valid_commits
from jobs.runtime.download import Piece
from jobs.store.store import Store
from jobs.text.validation import one_line
from render.geometry.grid import Grid
from render.geometry.rect import Size
from render.pictures.output_format import Labels
from render.pictures.tiled_image import FileBytes, Mosaic, Slots, TileSet


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Plan(_Part):
    size: tuple[int, int]
    tile: int
    octaves: tuple[tuple[int, int], ...]


class _Dream(_Part):
    steps: int


class _Spec(_Part):
    dream: _Dream


class _Manifest(_Part):
    spec: _Spec
    plan: _Plan
    identity: dict[str, object]


@dataclass(frozen=True)
class FinalCanvas:
    """A committed canvas in a store, and what files made of it say of themselves."""

    store: Store
    commit: Commit
    grid: Grid
    labels: Labels

    @property
    def size(self) -> Size:
        """Height and width."""
        return self.grid.height, self.grid.width

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """The objects that `mosaic` needs to be in its folder."""
        return tuple(
            Piece(part.key, part.size, _file(number))
            for number, part in enumerate(self.commit.parts)
            if self.store.local(part.key) is None
        )

    def mosaic(self, folder: Path) -> Mosaic:
        """The canvas, to be read on this machine: where the store is a folder, in its place."""
        return Mosaic(
            tuple(
                TileSet(
                    FileBytes(self.store.local(part.key) or folder / _file(number)),
                    Slots(self.grid, part.dtype, part.tiles),
                )
                for number, part in enumerate(self.commit.parts)
            )
        )


def final_canvas(store: Store, job: Job, dpi: float | None) -> FinalCanvas | None:
    """The canvas of a succeeded job after its last step; None where it has been cleaned.

    dpi: of its outputs. Raises BadRecord.
    """
    keys, document = JobKeys(job.id), job.manifest or {}
    try:
        manifest = _Manifest.model_validate(document)
    except ValidationError as error:
        raise bad_record(keys.manifest, one_line(error, _Manifest, document)) from error
    plan = manifest.plan
    last = len(plan.octaves) - 1, manifest.spec.dream.steps
    # The same words as in what the job has made itself: see Plan.label.
    label = canonical({"spec": document["identity"], "plan": document["plan"]})
    for found in valid_commits(store, keys):
        if (found.commit.octave, found.commit.step) == last:
            grid = Grid(*plan.size, plan.tile)
            return FinalCanvas(store, found.commit, grid, Labels(dpi, label))
    return None


def _file(number: int) -> str:
    return f"canvas/{number}.tiles"
