"""A job in a store, for the Python interface and the command line: watch, control and fetch it."""

import base64
import html
import math
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.records import request
from jobs.records.job import load_job
from jobs.records.job_summary import JobSummary, load_summary
from jobs.records.keys import JobKeys
from jobs.records.state import ENDED, Redo, State
from jobs.records.status import parse_failure
from jobs.runtime.publish import Target
from jobs.services.kinds import KINDS
from jobs.spec.redo import RedoRequest
from jobs.store.errors import ObjectNotFound, StoreUnreachable
from jobs.store.store import Store
from jobs.text.report import ResultReport

if TYPE_CHECKING:
    from jobs.dataset.ledger.rows import LedgerRow

DEFAULT_FOLDER = Path("dreams")
"""The folder of results, and the default store."""


class Job:
    """A job in a store. Each property and method reads the store again.

    All of them raise StoreError if the store does not answer, and JobNotFound if the job is gone.
    """

    def __init__(self, store: Store, job: str) -> None:
        """Refer to a job by its complete id, without a request to the store.

        `dreamfarm.Store.job` makes one. Raises TypeError for anything but a store of `jobs.store`.
        """
        if not isinstance(store, Store):
            raise TypeError(f"Job: use Store(ADDRESS).job({job!r})")
        self._store, self.id = store, job

    def __repr__(self) -> str:
        return f"Job({self.id!r} in {self._store.address!r})"

    def summary(self) -> JobSummary:
        """Everything that the store tells about the job now."""
        return load_summary(self._store, self.id)

    @property
    def state(self) -> State:
        """`queued`, `running`, `paused`, `succeeded`, `failed` or `cancelled`."""
        return load_job(self._store, self.id).state

    @property
    def progress(self) -> float:
        """The fraction of the work that is done, from 0 to 1."""
        return load_job(self._store, self.id).progress

    def watch(
        self, every: float = 2.0, message: Callable[[str], None] | None = None
    ) -> Iterator[JobSummary]:
        """Yield a summary at once and every few seconds; the last one is of the ended job.

        If the store does not answer, it waits for the store.

        every: seconds between summaries. message: called with a line when the store stops to
        answer, and when it answers again.
        """
        is_cut_off = False
        while True:
            try:
                summary = self.summary()
            except StoreUnreachable as error:
                if not is_cut_off and message is not None:
                    message(f"{error}; trying again")
                is_cut_off = True
            else:
                if is_cut_off and message is not None:
                    message(f"{self._store.address}: answers again")
                is_cut_off = False
                yield summary
                if summary.state in ENDED:
                    return
            time.sleep(every)

    def wait(self, timeout: float | None = None, every: float = 2.0) -> JobSummary:
        """Wait until the job has ended, well or not, and return its last summary.

        A job ends only if a `dreamfarm work` serves the store. A paused job has not ended.

        timeout: seconds; None for no limit. every: seconds between two looks at the store. Raises
        TimeoutError.
        """
        deadline = math.inf if timeout is None else time.monotonic() + timeout
        while True:
            try:
                summary = self.summary()
            except StoreUnreachable as error:
                last = str(error)
            else:
                if summary.state in ENDED:
                    return summary
                last = f"{self.id}: still {summary.state}"
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"{last} after {timeout:g} s")
            time.sleep(min(every, left))

    def pause(self) -> State:
        """Stop the job at its next step, or before it starts. Raises RequestError if it has ended.

        Like the other requests, this returns the state right after the request: a running job
        stays `running` until its next step.
        """
        return request.pause(self._store, self.id)

    def resume(self, *, usd: float = 0.0, hours: float = 0.0) -> State:
        """Continue a paused job. Raises RequestError if the job has ended.

        usd, hours: how much to add to `limits.usd` and `limits.hours` of the job before. Also
        raises RequestError for a limit that the job does not have, and if one stays reached.
        """
        by = {"usd": usd, "hours": hours}
        raised = request.parse_raise(f"{unit}={by[unit]}" for unit in by if by[unit])
        return request.resume(self._store, self.id, raised)

    def finish(self) -> State:
        """Go on from the job's draft to the whole picture. Raises RequestError if it has ended."""
        return request.finish(self._store, self.id)

    def redo(
        self,
        *settings: str,
        region: str | None = None,
        mask: str | Path | None = None,
        feather: str | None = None,
        octaves: str | None = None,
        may_render_older: bool = False,
    ) -> "Job":
        """Dream a part of the job's picture again, as another job.

        Args:
            settings: `key=value` for spec fields; without any, the redo has the next seed.
            region: Left, top, width and height, such as `20%,10%,15%x20%`.
            mask: A grey picture in place of a region; black stays as it is.
            feather: The soft edge inside the region, as a share of its shorter side; default: 10%.
            octaves: The first octave to dream again, such as `5..`.
            may_render_older: Render the picture again if its octaves are kept no longer.

        Raises:
            RequestError: The job has not succeeded, its octaves were cleaned, or a value is wrong.
        """
        path = None if mask is None else Path(mask)
        return self.request_redo(
            RedoRequest(region, path, feather, octaves, settings, may_render_older)
        )

    def request_redo(self, request: RedoRequest) -> "Job":
        """Put the redo of a request into the store. Raises like `redo`."""
        job = load_job(self._store, self.id)
        return Job(self._store, KINDS[job.kind].redo(self._store, job, request).job)

    def cancel(self) -> State:
        """Cancel the job; only `retry` starts it again. Raises RequestError if it has ended."""
        return request.cancel(self._store, self.id)

    def retry(self, *, only_failed: bool = False, failure: str | None = None) -> State:
        """Run a failed or cancelled job again, from its last checkpoint.

        A dataset may also have succeeded: it renders its missing items, and its failed items again.

        Args:
            only_failed: Run only failed items of a dataset.
            failure: Run only failed items of this class: `infra`, `memory`, `input` or `bug`.

        Raises:
            RequestError: The state forbids it, or the job has no items.
        """
        chosen = parse_failure(failure)
        redo = Redo(failure=chosen) if only_failed or chosen else None
        return request.retry(self._store, self.id, redo)

    def fetch(
        self,
        out: str | Path | None = None,
        formats: str | Sequence[str] = (),
        *,
        overwrite: bool = False,
    ) -> ResultReport:
        """Download the results of a succeeded job, and verify them. A repeated call resumes.

        Args:
            out: The folder of the results. Default: `dreams/JOB`.
            formats: Formats of a poster, such as `tiff:16` or `{format: pdf, bleed: 3mm}`; default:
                those of the job. While the store has the last checkpoint, this machine can make
                other formats from it.
            overwrite: Replace files in the folder that this job did not make.

        Raises:
            RequestError: The job has not succeeded, a format is not available, or a result would
                replace a file that this job did not make.
        """
        job = load_job(self._store, self.id)
        folder = DEFAULT_FOLDER / self.id if out is None else Path(out)
        wanted = [formats] if isinstance(formats, str) else formats
        return KINDS[job.kind].fetch(self._store, job, Target(folder, overwrite), wanted)

    def ledger(self) -> "Iterator[LedgerRow]":
        """The result of each item of a dataset. Raises RequestError for a poster."""
        from jobs.dataset.inputs.index import job_items
        from jobs.dataset.ledger.reader import LedgerKeys, read_rows

        index = job_items(self._store, load_job(self._store, self.id))
        return read_rows(self._store, LedgerKeys(self.id), index.files)

    def preview(self) -> bytes | None:
        """The newest preview, as the bytes of a JPEG; None before the first octave has ended."""
        entries = list(self._store.list_objects(JobKeys(self.id).previews))
        if not entries:
            return None
        newest = max(entries, key=lambda entry: (entry.modified, entry.key))
        try:
            return self._store.get(newest.key)
        except ObjectNotFound:  # deleted in between
            return None

    def _repr_html_(self) -> str:
        """The state and the preview of the job, for notebooks."""
        summary, picture = self.summary(), self.preview()
        reason = f": {html.escape(summary.reason)}" if summary.reason else ""
        text = f"<p>{self.id}: {summary.state}, {summary.progress:.0%}{reason}</p>"
        if picture is None:
            return text
        encoded = base64.b64encode(picture).decode()
        return f'{text}<img alt="{self.id}" src="data:image/jpeg;base64,{encoded}">'
