"""Where results are put on somebody's disk."""

from pathlib import PurePosixPath

from jobs.dataset.row import Row
from jobs.lifecycle.record import bad_record

LEDGER, SHEET = "ledger.parquet", "contact-sheet.jpg"
"""What lies beside the results."""


def published_path(row: Row) -> PurePosixPath:
    """The path of a done item's file below the folder of the results: its own, or its tar's.

    Raises BadRecord for one that leads elsewhere: it is read from a store, and written to a disk.
    """
    output = row.output or ""
    name = output if row.member else f"{row.name}{PurePosixPath(output).suffix}"
    path = PurePosixPath(name)
    if not output or path.is_absolute() or ".." in path.parts or "\0" in name:
        raise bad_record(f"item {row.number}", f"{name!r} is no name of a result")
    return path
