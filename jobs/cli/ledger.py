"""`dreamfarm ledger`: what became of each item of a dataset."""

import json
from typing import TYPE_CHECKING

import typer

from jobs.cli.arguments import STORE, AsJson, Failed, FailureClass, JobName, StoreFlag

if TYPE_CHECKING:
    from jobs.dataset.ledger.rows import Row


def ledger(
    job: JobName,
    store: StoreFlag = STORE,
    failed: Failed = False,
    failure: FailureClass = None,
    as_json: AsJson = False,
) -> None:
    """Print a dataset's ledger, a line an item, as far as it goes now."""
    from jobs.dataset.ledger.reading import LedgerKeys, rows
    from jobs.dataset.requests import checked_dataset, checked_failure
    from jobs.records.job import find, look
    from jobs.store.address import open_store

    wanted = checked_failure(failure)
    opened = open_store(store)
    inventory = checked_dataset(opened, look(opened, find(opened, job)))
    for row in rows(opened, LedgerKeys(inventory.job), inventory.files):
        if wanted in (None, row.failure) and not (failed and row.state == "done"):
            typer.echo(json.dumps(row.model_dump(mode="json")) if as_json else _line(row))


def _line(row: "Row") -> str:
    if row.state == "done":
        return f"done    {row.key} -> {row.member or row.output}"
    # Of a sweep's items the key is the same.
    item = row.key if row.key.startswith(row.name) else f"{row.key} as {row.name}"
    return f"failed  {item}: {row.failure}: {row.message}"
