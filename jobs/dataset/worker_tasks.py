"""The results of one item file on their way into a tar."""

from dataclasses import dataclass

from jobs.dataset.contact_sheet import Cell, contact_sheet
from jobs.dataset.inputs.item import Extra, Item
from jobs.dataset.keys import DatasetKeys
from jobs.dataset.tar_shards import tar_key
from jobs.store.errors import Missing
from jobs.store.store import Store


def shard_name(file: int, generation: int) -> str:
    """The tar that holds the results of an item file, as packed last in a generation.

    So a holder that was taken for dead writes over no tar of those that came after a `retry`.
    """
    return f"shard-{file:06}@{generation}.tar" if generation else f"shard-{file:06}.tar"


def sample_key(item: Item) -> str:
    """The key of an item's sample: of one that came from a tar, the one that it had there."""
    name, shard = item.name, item.found.shard
    return tar_key(name if shard is None else name.removeprefix(f"{shard}/"))


@dataclass(frozen=True)
class Sample:
    """A result, and what lies beside it. member: the picture's name in the tar."""

    number: int
    key: str
    member: str
    extras: tuple[Extra, ...]


@dataclass(frozen=True)
class Binding:
    """What goes into the tar of an item file, in order.

    before: tars that may have been packed before some of its items were tried again.
    """

    file: int
    generation: int
    before: tuple[str, ...]
    samples: tuple[Sample, ...]


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


@dataclass(frozen=True)
class Tenure:
    """generation: of the intent. any_device: whether machines of another kind may help, with other
    bytes. at_once: items that a worker has in its hands.
    """

    generation: int
    any_device: bool
    at_once: int
