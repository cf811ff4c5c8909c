"""The tasks after items: packing tars and drawing the contact sheet; and arguments of all tasks."""

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from cluster.task import Failed, Finished, Task
from jobs.dataset.inputs.item import SampleFile
from jobs.dataset.ledger.writer import LedgerWriter, OpenItemFile
from jobs.dataset.tar_shards import sample_key, stored_tar_name
from jobs.planning.dataset import DatasetPlan
from jobs.records.lease import HeldLease
from jobs.runtime.logs import LOG

_SHEET_SECONDS = 20.0
"""How often the contact sheet is redrawn while the first items run."""


_MAX_VARIANT_COLUMNS = 16
"""With more variants than this, the sheet does not have a column for each."""


@dataclass(frozen=True)
class TarSample:
    """A finished item and its extras, the files beside its input.

    key: of the sample in the tar. name_in_tar: the name of the result in the tar.
    """

    number: int
    key: str
    name_in_tar: str
    extras: tuple[SampleFile, ...]


@dataclass(frozen=True)
class TarRequest:
    """The content of the tar of an item file, in order.

    older_tars: the names of tars that may contain some of the results, because they were packed
    before a retry, or by another holder.
    """

    file: int
    older_tars: tuple[str, ...]
    samples: tuple[TarSample, ...]


@dataclass(frozen=True)
class SheetEntry:
    """An item on the contact sheet. failed: the reason, if it failed."""

    number: int
    label: str
    failed: str | None


@dataclass(frozen=True)
class WorkerConfig:
    """The settings of a worker, besides its plan and context.

    generation: of the job. any_device: whether workers may have devices that compute different
    bytes. at_once: the number of items that a worker handles at a time.
    """

    generation: int
    any_device: bool
    at_once: int


@dataclass(frozen=True)
class _PendingTar:
    """An item file while its tar is packed. older_tars: the tars that the new one replaces."""

    file: int
    name: str
    older_tars: tuple[str, ...]


class PostTasks:
    """A queue of tasks with negative numbers, and the work after each of them.

    lease: checked before anything is deleted that a successor may still need.
    """

    def __init__(self, plan: DatasetPlan, ledger: LedgerWriter, lease: HeldLease) -> None:
        self._plan, self._ledger, self._lease = plan, ledger, lease
        self._queue: deque[Task] = deque()
        self._tars: dict[int, _PendingTar] = {}
        self._last_number = 0
        self._sheet_at = time.monotonic()

    @property
    def are_pending(self) -> bool:
        """Whether tasks wait in the queue."""
        return bool(self._queue)

    def pending(self) -> Iterator[Task]:
        """Take the waiting tasks from the queue."""
        while self._queue:
            yield self._queue.popleft()

    def finish_file(self, file: int, opened: OpenItemFile) -> None:
        """Close an item file after its last row.

        If results are packed, request the tar instead; `complete` closes the file.
        """
        if self._plan.spec.output.pack == "webdataset":
            self._request_tar(file, opened)
        else:
            self._ledger.close(file)

    def complete(self, outcome: Finished | Failed) -> None:
        """Handle the outcome of a post task. Raises the error of a failed packing.

        A failed contact sheet is only logged.
        """
        tar = self._tars.pop(outcome.task_id, None)
        if isinstance(outcome, Failed):
            if tar is None:
                LOG.warning("the contact sheet was not written: %s", outcome.error)
                return
            raise outcome.error
        if tar is not None:
            self._ledger.close_packed(tar.file, tar.name)
            self._lease.check()
            self._ledger.delete_replaced(tar.file, tar.older_tars)

    def refresh_sheet(self) -> None:
        """Request the contact sheet every 20 seconds, while the first items run."""
        is_time = time.monotonic() - self._sheet_at >= _SHEET_SECONDS
        if self._ledger.has_first_file and is_time:
            self.request_sheet()

    def request_sheet(self) -> None:
        """Request a contact sheet of the first rows, if there are any."""
        rows = self._ledger.first_rows(self._plan.spec.sheet)
        variants, counts = len(self._plan.variants), self._ledger.counts
        is_one_input = counts.items == variants
        labels = self._plan.spec.labels if is_one_input else None
        entries = tuple(
            SheetEntry(
                row.number,
                labels[row.variant] if labels else row.name,
                row.message if row.state == "failed" else None,
            )
            for row in rows
        )
        if entries:
            title = f"{self._plan.spec.name}: {counts.done} of {counts.items} done"
            has_columns = 1 < variants <= _MAX_VARIANT_COLUMNS and not is_one_input
            self._put("write_sheet", entries, title, variants if has_columns else None)
        self._sheet_at = time.monotonic()

    def _request_tar(self, file: int, opened: OpenItemFile) -> None:
        name = stored_tar_name(file, self._ledger.generation, self._lease.number)
        done = [row for row in opened.ledger_file.rows if row.state == "done"]
        older_tars = tuple(sorted({row.output or "" for row in done} - {name}))
        samples = tuple(
            TarSample(
                number=row.number,
                key=sample_key(opened.items[row.number]),
                name_in_tar=row.member or "",
                extras=opened.items[row.number].found.extras,
            )
            for row in done
        )
        request = TarRequest(file, older_tars, samples)
        number = self._put("pack_tar", request)
        self._tars[number] = _PendingTar(file, name, older_tars)

    def _put(self, method: str, *arguments: object) -> int:
        """Add a task to the queue; returns its number."""
        self._last_number -= 1
        self._queue.append(Task(self._last_number, method, arguments))
        return self._last_number
