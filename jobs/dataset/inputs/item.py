"""One picture of a dataset under one variant of its spec."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, Field

from jobs.records.record import Record
from jobs.spec.inputs import NOISE_SCHEME

BLOB_SCHEME = "blob:"
"""What begins the address of a file that its submitter has sent along, before its digest."""


_Count = Annotated[int, Field(ge=0)]


class ByteRange(BaseModel):
    """A file, or a part of one.

    address: a path as the workers see it, `s3://bucket/key` with whatever key it has, or
        `blob:sha256:HEX`, an object of the job's own store, or `noise:SEED`.
    start, length: the bytes of it, as of a member of a tar; length None: to the end.
    """

    model_config = Record.model_config

    address: str
    start: _Count = 0
    length: _Count | None = None

    @property
    def is_noise(self) -> bool:
        """Whether it is noise, which is made where it is needed."""
        return self.address.startswith(NOISE_SCHEME)


class SampleFile(BaseModel):
    """What lies beside a picture in a sample of WebDataset, such as its label.

    suffix: what follows the sample's key and a dot, as `cls` or `json`.
    """

    model_config = Record.model_config

    suffix: str
    place: ByteRange


class ListedImage(BaseModel):
    """A picture as a listing finds it.

    key: its name among all inputs, each once: the path below the folder or prefix, or what the
        manifest says; of a sample in a tar, `shard`, a slash, and the sample's own key.
    shard: the name of the tar that it lies in, without its suffix.
    settings: the fields that its row of a manifest sets, by their dotted names, as plain values.
    complaint: why it cannot be dreamed, where the listing knows already.
    """

    model_config = Record.model_config

    key: str
    place: ByteRange
    shard: str | None = None
    settings: dict[str, Any] = Field(default_factory=dict)
    extras: tuple[SampleFile, ...] = ()
    complaint: str | None = None


class Item(Record):
    """A line of an item file.

    number: from 0, over all item files of the job. variant: of the job's variants, from 0.
    name: of its output, with `/` and without a suffix; no other item has it.
    """

    number: _Count
    variant: _Count
    name: str
    found: ListedImage


@dataclass(frozen=True)
class ListedFile:
    """key: its path below the folder. address: where it lies. complaint: why it cannot be read."""

    key: str
    address: str
    complaint: str | None = None
