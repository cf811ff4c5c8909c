"""Makes the drafts of a sheet, one after the other in this process."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jobs.planning.draft import DraftLimit, draft_octaves
from jobs.planning.machine import this_machine
from jobs.planning.poster import PosterPlan, make_plan
from jobs.planning.weights import find_weights
from jobs.poster.local import render_here
from jobs.poster.local_draft import absolute_spec, draft_here
from jobs.poster.outputs import draft_name
from jobs.records.manifest import MANIFEST
from jobs.records.stored_spec import is_file_name
from jobs.runtime.backend import crew_in_process
from jobs.runtime.metrics.progress import WatchProgress
from jobs.runtime.ownership import read_mapping
from jobs.runtime.publish import Target
from jobs.services.variations.sheet import Sheet, SheetEntry, sheet_folder, write_sheet
from jobs.services.variations.vary import Variation
from jobs.spec.document import parse_poster_spec, with_stated_network
from jobs.text.errors import RequestError
from render.errors import RenderError

Announce = Callable[[int, int, str], WatchProgress]
"""Tells that a variation begins: its number, how many there are, and its caption. Returns a
function that gets its progress."""


@dataclass(frozen=True)
class _Planned:
    """A variation with its plan. octaves: of its draft; None for all."""

    number: int
    caption: str
    plan: PosterPlan
    octaves: int | None

    @property
    def job(self) -> str:
        return self.plan.identity.job_id

    def entry(self, out: Path) -> SheetEntry:
        """The variation on the sheet in a folder."""
        picture = self._picture(out / self.job)
        spec = absolute_spec(self.plan)
        return SheetEntry(self.number, self.caption, self.job, picture, spec)

    def _picture(self, folder: Path) -> str | None:
        """The name of its picture, if that is there."""
        if self.octaves is not None:
            drafts = [draft_name(self.job, n) for n in range(self.octaves, len(self.plan.octaves))]
            return next((name for name in drafts if (folder / name).is_file()), None)
        manifest = read_mapping(folder / MANIFEST)
        outputs = manifest.get("outputs") if manifest.get("job") == self.job else None
        first = outputs[0] if isinstance(outputs, list) and outputs else None
        name = first.get("path") if isinstance(first, dict) else None
        # Whatever else is there, the render says what is wrong with it.
        return name if isinstance(name, str) and is_file_name(name) else None

    def render(self, folder: Path, watch: WatchProgress) -> None:
        """Render the draft, or the whole picture if that is no larger."""
        if self.octaves is None:
            render_here(self.plan, Target(folder), watch, crew_in_process)
        else:
            draft_here(self.plan, Target(folder), watch, crew_in_process, self.octaves)


def make_sheet(
    variations: Sequence[Variation], limit: DraftLimit, out: Path | None, announce: Announce
) -> tuple[Sheet, Path]:
    """Make the drafts that are missing, and draw the sheet. Returns it, and its folder.

    Args:
        limit: how far each draft goes, as `--until` or `--draft`.
        out: the folder; by default one in `dreams` that belongs to these variations.

    Raises:
        RequestError, RenderError: a variation cannot be rendered here, before any is; or the folder
            has another sheet.
        LeaseLost: another process makes the same draft.
    """
    planned = _plan(variations, limit)
    name = planned[0].plan.spec.name
    folder = sheet_folder(out, name, [one.job for one in planned], limit)
    for one in planned:
        watch = announce(one.number, len(planned), one.caption)
        if one.entry(folder).picture is None:
            one.render(folder / one.job, watch)
    sheet = Sheet(tuple(one.entry(folder) for one in planned))
    write_sheet(sheet, folder, name)
    return sheet, folder


@contextmanager
def named_errors(number: int, variation: Variation) -> Iterator[None]:
    """Name the variation in the message of an error."""
    try:
        yield
    except (RequestError, RenderError) as error:
        raise RequestError(f"variation {number} ({variation.caption}): {error}") from error


def _plan(variations: Sequence[Variation], limit: DraftLimit) -> list[_Planned]:
    machine, find = this_machine(), cache(find_weights)
    planned: list[_Planned] = []
    for number, one in enumerate(variations, 1):
        with named_errors(number, one):
            spec = parse_poster_spec(with_stated_network(one.document))
            plan = make_plan(spec, machine, find)
            if plan.workers > 1:
                plan = plan.with_workers(1)  # several would only take turns
            octaves = draft_octaves(plan, limit)
        planned.append(_Planned(number, one.caption, plan, octaves))
    return planned
