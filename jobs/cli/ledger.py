"""`dreamfarm ledger`: the result of each item of a dataset."""

import json
from typing import TYPE_CHECKING

import typer

from jobs.cli.arguments import STORE, AsJson, Failed, FailureClass, JobName, StoreFlag

if TYPE_CHECKING:
    from jobs.dataset.ledger.rows import LedgerRow


def ledger(
    job: JobName,
    store: StoreFlag = STORE,
    failed: Failed = False,
    failure: FailureClass = None,
    as_json: AsJson = False,
) -> None:
    """Print the current ledger of a dataset, a line for each item."""
    from jobs.dataset.ledger.reader import LedgerKeys, read_rows
    from jobs.dataset.requests import checked_dataset, checked_failure
    from jobs.records.job import find_job_id, load_job
    from jobs.store.address import open_store

    wanted = checked_failure(failure)
    opened = open_store(store)
    inventory = checked_dataset(opened, load_job(opened, find_job_id(opened, job)))
    for row in read_rows(opened, LedgerKeys(inventory.job), inventory.files):
        if wanted in (None, row.failure) and not (failed and row.state == "done"):
            typer.echo(json.dumps(row.model_dump(mode="json")) if as_json else _line(row))


def _line(row: "LedgerRow") -> str:
    if row.state == "done":
        return f"done    {row.key} -> {row.member or row.output}"
    # All items of a sweep have the same key.
    item = row.key if row.key.startswith(row.name) else f"{row.key} as {row.name}"
    return f"failed  {item}: {row.failure}: {row.message}"
