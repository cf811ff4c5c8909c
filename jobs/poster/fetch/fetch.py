"""Fetching a job's results: downloaded, or made from its last commit; checked, then published."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from jobs.poster.fetch.canvas import FinalCanvas, final_canvas
from jobs.poster.fetch.folder import Output, Place
from jobs.poster.fetch.sources import Copy, Encoding, Wanted, copy_of, output_of
from jobs.records.job import Job
from jobs.records.keys import JobKeys
from jobs.records.outputs import Result, results
from jobs.records.record import bad_record
from jobs.runtime.download import download
from jobs.store.retrying import Patient
from jobs.store.store import Store
from jobs.text.errors import RequestError
from render.pictures.output_format import FORMATS

_PATIENCE = 60.0
"""Seconds that a fetch under way waits for a store that does not answer."""


def fetch(store: Store, job: Job, out: Path, formats: Sequence[Wanted] = ()) -> dict[str, Any]:
    """Bring a succeeded job's results into a folder; returns the manifest, of these results alone.

    formats: these alone; what the job has not made is encoded here from its last commit. What lies
    in the folder already, with the right checksum, stays as it is. Nothing is published before
    everything has been checked, and the manifest that is written last also names what was fetched
    there before.

    Raises RequestError for another state, for a canvas that is gone, and for what the folder's
    disk refuses; OutputError for what a format cannot hold; StoreRefused where an object is gone
    or damaged.
    """
    found, manifest = _fetchable(job), job.manifest or {}
    place = Place(out, job.id, manifest)
    fetched = _Fetch(Patient(store, _PATIENCE), job, found, place).run(formats)
    return {**manifest, "outputs": fetched}


def _fetchable(job: Job) -> tuple[Result, ...]:
    if job.state != "succeeded":
        raise RequestError(
            f"{job.id}: is {job.state}; only what has succeeded can be fetched; "
            f"`dreamfarm show {job.id}` says more"
        )
    found = results(job)
    if not found:
        raise bad_record(JobKeys(job.id).manifest, "names no outputs")
    return found


@dataclass(frozen=True)
class _Fetch:
    store: Store
    job: Job
    found: tuple[Result, ...]
    place: Place

    def run(self, formats: Sequence[Wanted]) -> list[Output]:
        """The outputs that were asked for, in that order."""
        asked = [self._source(one) for one in formats] or list(self.found)
        names = [self._name(one) for one in asked]
        for name in names:
            if names.count(name) > 1:
                raise RequestError(f"--format: two of them would be {name}; fetch one at a time")
        with self.place.opened():
            self.place.check_free(names)
            there = {self._name(one): self._found(one) for one in asked}
            waiting = [self._errand(one) for one in asked if there[self._name(one)] is None]
            self._bring(waiting)
            fresh = {one.name: one.finished(self.place) for one in waiting}
            outputs = [there[name] or fresh[name] for name in names]
            kept = [one for one in self.place.outputs() if one["path"] not in names]
            manifest = {**(self.job.manifest or {}), "outputs": [*outputs, *kept]}
            self.place.publish(fresh, manifest)
        return outputs

    def _source(self, wanted: Wanted) -> Result | Wanted:
        """The job's own result where it has one of that format."""
        return next((one for one in self.found if wanted.is_met_by(one)), wanted)

    def _name(self, one: Result | Wanted) -> str:
        if isinstance(one, Result):
            return one.name
        # A job's id is its name and a hash; its files bear the name.
        return self.job.id.rpartition("-")[0] + FORMATS[one.format].suffix

    def _found(self, one: Result | Wanted) -> Output | None:
        """What is in its place already."""
        if isinstance(one, Result):
            return output_of(one) if self.place.has(one.name, one.sha256) else None
        wanted = one.format, one.depth
        return next(
            (
                before
                for before in self.place.outputs()
                if (before["format"], before["depth"]) == wanted
                and self.place.has(before["path"], before["sha256"])
            ),
            None,
        )

    def _errand(self, one: Result | Wanted) -> Copy | Encoding:
        if isinstance(one, Result):
            return copy_of(self.store, JobKeys(self.job.id), one)
        return Encoding(one, self._name(one), self._canvas)

    def _bring(self, errands: Sequence[Copy | Encoding]) -> None:
        folder = self.place.working
        pieces = dict.fromkeys(piece for one in errands for piece in one.pieces)
        missing = [piece for piece in pieces if not piece.is_in(folder)]
        self.place.check_room(sum(one.size for one in missing) + sum(one.made for one in errands))
        download(self.store, missing, folder)

    @cached_property
    def _canvas(self) -> FinalCanvas:
        found = final_canvas(self.store, self.job, self.found[0].dpi)
        if found is None:
            own = ", ".join(dict.fromkeys(one.format for one in self.found))
            raise RequestError(
                f"{self.job.id}: the canvas that other formats are made of has been cleaned; "
                f"fetch {own}, or submit it again with other outputs, which renders it again"
            )
        return found
