"""Submits the variations of a sheet as jobs of a store, which pause at their drafts."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from jobs.planning.draft import DraftLimit, draft_octaves
from jobs.planning.poster import PosterPlan, make_plan
from jobs.planning.weights import find_safetensors
from jobs.poster.fetch.draft import fetch_draft, has_draft
from jobs.poster.local_draft import absolute_spec
from jobs.poster.outputs import DRAFT_NAMES
from jobs.records.job import load_job
from jobs.runtime.publish import Target
from jobs.runtime.upload import unlimited_machine
from jobs.services.client import Store
from jobs.services.variations.drafts import named_errors
from jobs.services.variations.sheet import (
    RECORD,
    Sheet,
    SheetEntry,
    read_sheet,
    sheet_folder,
    write_sheet,
)
from jobs.services.variations.vary import Variation
from jobs.spec.document import parse_poster_spec, with_stated_network
from jobs.store.address import open_store


def submit_sheet(
    store: Store, address: str, variations: Sequence[Variation], limit: DraftLimit, out: Path | None
) -> tuple[Sheet, Path]:
    """Submit the variations, once, and draw the drafts that are there. Returns the sheet's folder.

    Args:
        address: of the store, for the record of the sheet.
        limit, out: as in `make_sheet`.

    Raises:
        RequestError, RenderError: a variation cannot be rendered; nothing is submitted then. Or the
            folder has another sheet.
        StoreError: the store does not answer.
    """
    store.check_may_submit()
    plans = _plans(variations, limit)
    jobs, name = [plan.identity.job_id for plan in plans], plans[0].spec.name
    folder = sheet_folder(out, name, jobs, limit)
    # A second submit would limit a job that was finished meanwhile.
    if not _has_sheet_of(store, folder):
        for plan in plans:
            store.submit_spec(plan.spec, limit)
    entries = [
        SheetEntry(
            number,
            one.caption,
            plan.identity.job_id,
            _draft(store, plan.identity.job_id, folder),
            absolute_spec(plan),
        )
        for number, (one, plan) in enumerate(zip(variations, plans, strict=True), 1)
    ]
    sheet = Sheet(tuple(entries), address)
    write_sheet(sheet, folder, name)
    return sheet, folder


def _plans(variations: Sequence[Variation], limit: DraftLimit) -> list[PosterPlan]:
    find, plans = cache(find_safetensors), []
    for number, one in enumerate(variations, 1):
        with named_errors(number, one):
            spec = parse_poster_spec(with_stated_network(one.document))
            plan = make_plan(spec, unlimited_machine(spec.crew), find)
            draft_octaves(plan, limit)
        plans.append(plan)
    return plans


def _has_sheet_of(store: Store, folder: Path) -> bool:
    """Whether a folder has a sheet of this store, and so all of its jobs are submitted."""
    record = folder / RECORD
    known = read_sheet(record).store if record.is_file() else None
    return known is not None and open_store(known).address == store.store.address


def _draft(store: Store, job: str, folder: Path) -> str | None:
    """Fetch the draft of a job. Returns its name in the job's folder; None if there is none yet."""
    here = sorted((folder / job).glob(DRAFT_NAMES))
    if here:
        return here[-1].name
    loaded = load_job(store.store, job)
    if not has_draft(loaded):
        return None
    return fetch_draft(store.store, loaded, Target(folder / job)).name
