"""`dreamfarm ledger`: the result of each item of a dataset."""

from typing import TYPE_CHECKING

from jobs.cli.arguments import STORE, AsJson, Failed, FailureFlag, JobName, StoreFlag
from jobs.cli.format import echo, echo_json

if TYPE_CHECKING:
    from jobs.dataset.ledger.rows import LedgerRow


def ledger(
    job: JobName,
    store: StoreFlag = STORE,
    failed: Failed = False,
    failure: FailureFlag = None,
    as_json: AsJson = False,
) -> None:
    """Print the current ledger of a dataset, a line for each item."""
    from jobs.records.status import parse_failure
    from jobs.services.client import Store

    wanted = parse_failure(failure)
    for row in Store.existing(store).job(job).ledger():
        if wanted in (None, row.failure) and not (failed and row.state == "done"):
            if as_json:
                echo_json(row.model_dump(mode="json"))
            else:
                echo(_line(row))


def _line(row: "LedgerRow") -> str:
    if row.state == "done":
        note = f" ({row.message})" if row.message else ""
        return f"done    {row.key} -> {row.member or row.output}{note}"
    # All items of a sweep have the same key.
    item = row.key if row.key.startswith(row.name) else f"{row.key} as {row.name}"
    return f"failed  {item}: {row.failure}: {row.message}"
