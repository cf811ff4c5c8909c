"""The items of a dataset, and the files that they are read from."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from jobs.records.record import Record
from jobs.spec.inputs import NOISE_SCHEME

BLOB_SCHEME = "blob:"
"""The prefix of the address of an uploaded file; its digest follows."""


_Count = Annotated[int, Field(ge=0)]


class ByteRange(BaseModel):
    """A file, or a part of one.

    address: a path on the workers' machines, an `s3://` address, `blob:sha256:HEX` for an object
        in the job's store, or `noise:SEED`.
    start, length: the part, in bytes, such as a member of a tar. A length of None means to the end.
    """

    model_config = Record.model_config

    address: str
    start: _Count = 0
    length: _Count | None = None

    @property
    def is_noise(self) -> bool:
        """Whether it is noise, which is generated instead of read."""
        return self.address.startswith(NOISE_SCHEME)


class SampleFile(BaseModel):
    """A file beside a picture in a WebDataset sample, such as its label.

    suffix: the part of the name after the sample's key and a dot, such as `cls` or `json`.
    """

    model_config = Record.model_config

    suffix: str
    place: ByteRange


class ListedImage(BaseModel):
    """A picture found by a listing.

    key: its name, unique among all inputs: the path below the folder or prefix, or as the input
        table says. For a sample of a tar it is `shard`, a slash, and the sample's own key.
    shard: the name of its input tar, without the suffix.
    settings: the fields that its row of an input table sets, by their dotted names.
    error: why it cannot be dreamed, if the listing knows already. Stored as `complaint`.
    """

    model_config = Record.model_config | ConfigDict(serialize_by_alias=True, validate_by_name=True)

    key: str
    place: ByteRange
    shard: str | None = None
    settings: dict[str, Any] = Field(default_factory=dict)
    extras: tuple[SampleFile, ...] = ()
    error: str | None = Field(
        default=None, validation_alias="complaint", serialization_alias="complaint"
    )


class Item(Record):
    """One picture under one variant of the spec: a line of an item file.

    number: from 0, over all item files of the job. variant: the number of the variant, from 0.
    name: of the output, without a suffix and unique in the job. It may contain slashes.
    """

    number: _Count
    variant: _Count
    name: str
    found: ListedImage


@dataclass(frozen=True)
class ListedFile:
    """A file found by a listing.

    key: its path below the folder or prefix. address: its path or `s3://` address. error: why it
    cannot be read, if the listing knows already.
    """

    key: str
    address: str
    error: str | None = None
