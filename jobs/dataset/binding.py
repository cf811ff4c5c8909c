"""The results of one item file on their way into a tar."""

from dataclasses import dataclass

from jobs.dataset.item import Extra, Item
from jobs.dataset.packing import tar_key


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
