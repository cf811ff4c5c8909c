"""The arguments of a worker's tasks, sent by the coordinator."""

from dataclasses import dataclass

from jobs.dataset.inputs.item import SampleFile


@dataclass(frozen=True)
class ShardSample:
    """A finished item and the files beside it. member: the result's name in the tar."""

    number: int
    key: str
    member: str
    extras: tuple[SampleFile, ...]


@dataclass(frozen=True)
class ShardRequest:
    """The content of the tar of an item file, in order.

    older_tars: tars that may hold some of its results, packed before a retry.
    """

    file: int
    generation: int
    older_tars: tuple[str, ...]
    samples: tuple[ShardSample, ...]


@dataclass(frozen=True)
class SheetEntry:
    """An item on the contact sheet. failed: the reason, if it failed."""

    number: int
    label: str
    failed: str | None


@dataclass(frozen=True)
class WorkerConfig:
    """Settings of a worker, besides its plan and context.

    generation: of the job. any_device: whether other kinds of machines may help, whose bytes
    differ. at_once: the number of items that a worker handles at a time.
    """

    generation: int
    any_device: bool
    at_once: int
