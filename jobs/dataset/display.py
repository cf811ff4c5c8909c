"""The contact sheet of a dataset, of small pictures that its workers have laid aside."""

from dataclasses import dataclass

from jobs.dataset.keys import DatasetKeys
from jobs.dataset.sheet import Cell, contact_sheet
from jobs.store.errors import Missing
from jobs.store.store import Store


@dataclass(frozen=True)
class Exhibit:
    """An item that has its row. failed: why, if it did."""

    number: int
    label: str
    failed: str | None


def display(
    store: Store, keys: DatasetKeys, exhibits: tuple[Exhibit, ...], title: str, columns: int | None
) -> None:
    """Write the sheet that shows these, in their order, into the store."""

    def laid_aside(number: int, when: str) -> bytes | None:
        try:
            return store.get(keys.thumbnail(number, when))
        except Missing:
            return None

    cells = [
        Cell(
            before=laid_aside(one.number, "before"),
            after=laid_aside(one.number, "after"),
            label=one.label,
            failed=one.failed,
        )
        for one in exhibits
    ]
    store.put(keys.sheet, contact_sheet(cells, title, columns))
