"""The sheet of variations in a folder: `sheet.json`, with each numbered spec, and `sheet.jpg`."""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, TypeAdapter, ValidationError

from jobs.dataset.contact_sheet import Cell, draw_contact_sheet
from jobs.planning.draft import DraftLimit
from jobs.records.keys import is_job_id
from jobs.runtime.access import path_exists
from jobs.services.job_handle import DEFAULT_FOLDER
from jobs.spec.document import Document
from jobs.text.errors import RequestError
from jobs.text.yaml_json import read_mapping_file
from render.pictures.deepzoom import tiles_folder

RECORD, PICTURE = "sheet.json", "sheet.jpg"

_HASH_DIGITS = 8

_BOX = 320
"""The side of the box of a draft on the sheet, in pixels."""

_SMALL_LEVEL = "8"
"""The level of a DeepZoom that is one tile of at most 256 pixels."""


def _job_id(text: str) -> str:
    if not is_job_id(text):
        raise ValueError("is not the id of a job")
    return text


@dataclass(frozen=True)
class SheetEntry:
    """A variation on a sheet.

    number: from 1. job: its id, and the name of the folder of its results beside the sheet.
    picture: the file of its draft in there; None before it is drawn. spec: its document.
    """

    number: int
    caption: str
    job: Annotated[str, AfterValidator(_job_id)]
    picture: str | None
    spec: Document


_ENTRIES = TypeAdapter(list[SheetEntry])

_STORE: TypeAdapter[str | None] = TypeAdapter(str | None)


@dataclass(frozen=True)
class Sheet:
    """All variations of a sheet. store: the address of the store of their jobs; None: here."""

    entries: tuple[SheetEntry, ...]
    store: str | None = None

    @property
    def drawn(self) -> int:
        """How many drafts are there."""
        return sum(one.picture is not None for one in self.entries)

    def document(self) -> dict[str, Any]:
        """The sheet as plain JSON values."""
        entries = [asdict(entry) for entry in self.entries]
        return {"version": 1, "store": self.store, "variations": entries}


def write_sheet(sheet: Sheet, out: Path, title: str) -> Path:
    """Write the record of a sheet, and its picture, into its folder. Returns the picture's path.

    Raises RequestError if the folder cannot be written, or has another sheet by now.
    """
    _check_may_write(out, [one.job for one in sheet.entries])
    cells = [
        Cell(None, _drawable(out / one.job, one.picture), f"{one.number}  {one.caption}")
        for one in sheet.entries
    ]
    picture = draw_contact_sheet(cells, title, box=_BOX)
    _write(out / RECORD, (json.dumps(sheet.document(), indent=2) + "\n").encode())
    _write(out / PICTURE, picture)
    return out / PICTURE


def sheet_record(text: str) -> Path | None:
    """The record of the sheet that a text means: its folder, or one of its files; None if none."""
    path = Path(text)
    if not text.strip() or "\0" in text or not path_exists(text):
        return None
    record = path / RECORD if path.is_dir() else path.with_name(RECORD)
    is_of_sheet = path.is_dir() or path.name in (RECORD, PICTURE)
    return record if is_of_sheet and record.is_file() else None


def read_sheet(record: Path) -> Sheet:
    """Read the record of a sheet. Raises RequestError if it is another file."""
    found = read_mapping_file(record)
    version = found.get("version")
    if isinstance(version, int) and version > 1:
        raise RequestError(f"{record}: was written by a newer version; upgrade Dreamfarm")
    try:
        entries = _ENTRIES.validate_python(found.get("variations"))
        return Sheet(tuple(entries), _STORE.validate_python(found.get("store")))
    except ValidationError as error:
        raise RequestError(f"{record}: is no sheet of variations") from error


def entry_of(sheet: Sheet, record: Path, number: int | None) -> SheetEntry:
    """The variation of that number. Raises RequestError if there is none."""
    last = len(sheet.entries)
    if number is None or not 1 <= number <= last:
        given = "" if number is None else f"{number}: no such variation; "
        raise RequestError(f"{record}: {given}write a number from 1 to {last} after the sheet")
    return sheet.entries[number - 1]


def sheet_folder(out: Path | None, name: str, jobs: Sequence[str], limit: DraftLimit) -> Path:
    """The folder of a sheet: `out`, or one in `dreams` that belongs to these drafts alone.

    Raises RequestError if it has a sheet of other jobs, or other files with the names of a sheet.
    """
    digest = hashlib.sha256("\n".join((*jobs, str(limit))).encode()).hexdigest()
    folder = out or DEFAULT_FOLDER / f"{name}-variations-{digest[:_HASH_DIGITS]}"
    _check_may_write(folder, jobs)
    return folder


def _check_may_write(folder: Path, jobs: Sequence[str]) -> None:
    """Raise RequestError if a sheet of these jobs would replace other files."""
    record, picture = folder / RECORD, folder / PICTURE
    if os.path.lexists(record):
        if [one.job for one in read_sheet(record).entries] != list(jobs):
            raise RequestError(f"{folder}: has a sheet of other variations; choose another --out")
    elif os.path.lexists(picture):
        # The record is written first, so this is somebody else's picture.
        raise RequestError(f"{picture}: exists already and is no sheet; choose another --out")


def _drawable(folder: Path, picture: str | None) -> Path | None:
    """A picture file that shows a result; of a DeepZoom a small tile."""
    if picture is None:
        return None
    path = folder / picture
    return path if path.suffix != ".dzi" else tiles_folder(path) / _SMALL_LEVEL / "0_0.jpg"


def _write(path: Path, content: bytes) -> None:
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        part.replace(path)
    except OSError as why:
        part.unlink(missing_ok=True)
        raise RequestError(
            f"{path}: cannot be written ({why.strerror}); choose another --out"
        ) from why
