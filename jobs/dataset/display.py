"""The contact sheet of a dataset, from its first rows."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from jobs.checkpoint.site import Site
from jobs.dataset.item import Item
from jobs.dataset.keys import DatasetKeys
from jobs.dataset.results import Results
from jobs.dataset.row import Row
from jobs.dataset.sheet import Cell, contact_sheet
from jobs.dataset.sources.reading import at_hand
from render.errors import RenderError


@dataclass(frozen=True)
class Exhibit:
    """An item that has its row, and the item file that it is of."""

    item: Item
    row: Row
    file: int


def display(
    site: Site,
    results: Results,
    exhibits: tuple[Exhibit, ...],
    title: str,
    columns: int | None,
    scratch: Path,
) -> None:
    """Write the sheet that shows these, in their order, into the store."""
    store = site.store
    with ExitStack() as opened:
        cells = []
        for one in exhibits:
            before: Path | None = None
            try:
                before = opened.enter_context(at_hand(one.item.found.place, store, scratch))
            except RenderError:
                # Its row says why it is not there.
                before = None
            after = opened.enter_context(results.at_hand(one.row, one.file, scratch))
            failed = one.row.message if one.row.state == "failed" else None
            cells.append(Cell(before, after, one.item.name, failed))
        store.put(DatasetKeys(site.job).sheet, contact_sheet(cells, title, columns))
