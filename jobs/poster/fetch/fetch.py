"""Fetches a job's results: downloads or encodes them, checks them, and publishes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from jobs.poster.fetch.canvas import FinalCanvas, final_canvas
from jobs.poster.fetch.folder import FetchFolder, OutputEntry
from jobs.poster.fetch.outputs import (
    OutputToDownload,
    OutputToEncode,
    RequestedFormat,
    manifest_entry,
    output_to_download,
)
from jobs.poster.fetch.print_outputs import PrintToEncode, RequestedFile, RequestedPrint
from jobs.records.job import StoredJob
from jobs.records.keys import JobKeys
from jobs.records.manifest import JobOutput, job_outputs
from jobs.records.record import invalid_record
from jobs.runtime.publish import Target
from jobs.runtime.staging import download
from jobs.store.retrying import RetryingStore
from jobs.store.store import Store
from jobs.text.errors import RequestError

_RETRY_SECONDS = 60.0
"""Seconds to retry while the store does not answer."""

_Wanted = JobOutput | RequestedFormat | RequestedFile
"""A result of the job, or a file that it has not made."""

_Made = OutputToDownload | OutputToEncode | PrintToEncode


def fetch(
    store: Store,
    job: StoredJob,
    target: Target,
    formats: Sequence[RequestedFormat | RequestedPrint] = (),
) -> dict[str, Any]:
    """Fetch the results of a succeeded job into a folder. Returns the manifest of these results.

    Files that the folder already has stay, if their checksums are right. All files are checked
    before the first is published. The manifest in the folder is written last. It also names
    results that were fetched before.

    Args:
        formats: the formats to fetch; all of the job's own if empty. A format that the job has not
            made is encoded on this machine from the final canvas.

    Raises:
        RequestError: the job has not succeeded, its canvas was cleaned, the disk has an error, or a
            result would replace a file that this job did not make.
        OutputError: a format cannot hold the canvas.
        StoreRefused: an object is missing or damaged.
    """
    results, manifest = _fetchable_outputs(job), job.manifest or {}
    folder = FetchFolder(target, job.id, manifest)
    fetched = _Fetch(RetryingStore(store, _RETRY_SECONDS), job, results, folder).run(formats)
    return {**manifest, "outputs": fetched}


def _fetchable_outputs(job: StoredJob) -> tuple[JobOutput, ...]:
    if job.state != "succeeded":
        raise RequestError(
            f"{job.id}: is {job.state}; only succeeded jobs can be fetched; "
            f"`dreamfarm show {job.id}` tells why"
        )
    outputs = job_outputs(job)
    if not outputs:
        raise invalid_record(JobKeys(job.id).manifest, "names no outputs")
    return outputs


@dataclass(frozen=True)
class _Fetch:
    store: Store
    job: StoredJob
    results: tuple[JobOutput, ...]
    folder: FetchFolder

    def run(self, formats: Sequence[RequestedFormat | RequestedPrint]) -> list[OutputEntry]:
        """Fetch the formats; returns their outputs in the same order."""
        requested = [file for one in formats for file in self._resolve(one)] or list(self.results)
        names = [self._file_name(one) for one in requested]
        for name in names:
            if names.count(name) > 1:
                raise RequestError(f"format: two of them would be {name}; fetch one at a time")
        existing = {self._file_name(one): self._existing(one) for one in requested}
        with self.folder.open([name for name in names if existing[name] is None]) as publisher:
            missing = [
                self._make_output(one)
                for one in requested
                if existing[self._file_name(one)] is None
            ]
            self._download(missing)
            new = {one.name: one.finish(self.folder) for one in missing}
            outputs = [existing[name] or new[name] for name in names]
            earlier = [one for one in self.folder.outputs() if one["path"] not in names]
            manifest = {**(self.job.manifest or {}), "outputs": [*outputs, *earlier]}
            publisher.publish([self.folder.staged(one) for one in new.values()], manifest)
        return outputs

    def _resolve(self, requested: RequestedFormat | RequestedPrint) -> Sequence[_Wanted]:
        """The job's own results of a format, or what is to be made in their place."""
        if isinstance(requested, RequestedFormat):
            own = (one for one in self.results if one.name == self._file_name(requested))
            return [next((one for one in own if requested.is_met_by(one)), requested)]
        files = requested.files(self.job, self._name, self.results[0].dpi)
        if not requested.is_made_by(self.job):
            return files
        names = {file.name for file in files}
        return [one for one in self.results if one.name in names]

    @property
    def _name(self) -> str:
        # A job's id is its name and a hash, and its files have the same name.
        return self.job.id.rpartition("-")[0]

    def _file_name(self, one: _Wanted) -> str:
        if isinstance(one, RequestedFormat):
            return one.how.file_name(self._name, one.format)
        return one.name

    def _existing(self, one: _Wanted) -> OutputEntry | None:
        """The output, if the folder already has it."""
        if isinstance(one, JobOutput):
            return manifest_entry(one) if self.folder.has_file(one.name, one.sha256) else None
        name = self._file_name(one)
        return next(
            (
                entry
                for entry in self.folder.outputs()
                if entry["path"] == name
                and one.is_in(entry)
                and self.folder.has_file(name, entry["sha256"])
            ),
            None,
        )

    def _make_output(self, one: _Wanted) -> _Made:
        if isinstance(one, JobOutput):
            return output_to_download(self.store, JobKeys(self.job.id), one)
        if isinstance(one, RequestedFile):
            return PrintToEncode(one, self._canvas)
        return OutputToEncode(one, self._file_name(one), self._canvas)

    def _download(self, outputs: Sequence[_Made]) -> None:
        folder = self.folder.working
        files = dict.fromkeys(file for one in outputs for file in one.files)
        missing = [file for file in files if not file.is_downloaded(folder)]
        self.folder.check_free_space(
            sum(one.size for one in missing) + sum(one.extra_bytes for one in outputs)
        )
        download(self.store, missing, folder)

    @cached_property
    def _canvas(self) -> FinalCanvas:
        canvas = final_canvas(self.store, self.job, self.results[0].dpi)
        if canvas is None:
            own = ", ".join(dict.fromkeys(one.format for one in self.results))
            raise RequestError(
                f"{self.job.id}: the canvas for other formats has been cleaned; "
                f"fetch {own}, or submit it again with other outputs, which renders it again"
            )
        return canvas
